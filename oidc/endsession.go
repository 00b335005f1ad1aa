package oidc

import (
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// leaving is a sign-out that waits for the person's yes.
type leaving struct {
	SessionID string `json:"s"`
	Address   string `json:"a,omitempty"` // where to go afterwards: registered, state included
}

// farewell is a request to sign out, as far as it can be believed.
type farewell struct {
	client  *Client // whom a genuine hint was made for; nil without one
	subject string  // whom that hint names
	session string  // the session that it is from; empty where it does not say
	asking  string  // name of the client that says it asks; may be empty
	target  string  // where to go afterwards, as it came
	address string  // the same with the client's state, where it is registered, else empty
}

// endSession answers GET /end_session (OpenID Connect RP-Initiated Logout 1.0).
// A genuine hint that names the person of this browser's session ends it at once,
// and what is left of the session that the hint is from, if that has expired;
// otherwise the person is asked. Only a genuine hint and a registered address
// lead anywhere afterwards.
func (p *Provider) endSession(c echo.Context) error {
	f, damaged := p.farewell(c)
	if damaged != nil {
		return p.showDoubt(c, damaged, "")
	}
	current, signedIn, err := p.sessions.Find(c.Request())
	if err != nil {
		return err
	}
	if signedIn && (f.client == nil || f.subject != current.Person.Subject) {
		sealed, err := p.leaves.seal(leaving{SessionID: current.ID, Address: f.address})
		if err != nil {
			return err
		}
		var onward []string
		if f.address != "" {
			onward = []string{Origin(f.address)}
		}
		return p.pages.ConfirmLogout(c, LogoutPage{
			Person: current.Person, Client: f.asking, Request: sealed, FormAction: onward,
		})
	}
	clients, err := p.sessions.End(c.Response(), c.Request())
	if err != nil {
		return err
	}
	if signedIn {
		p.events("signed_out", f.client.ID)
		p.log.InfoContext(c.Request().Context(), "signed out", "client_id", f.client.ID, "subject", f.subject)
	}
	frames := p.frames(clients, current.ID)
	if f.session != "" && f.session != current.ID {
		past, err := p.sessions.EndExpired(c.Request().Context(), f.session, f.subject)
		if err != nil {
			return err
		}
		frames = append(frames, p.frames(past, f.session)...)
	}
	if f.target != "" && f.address == "" && len(frames) == 0 {
		return p.showDoubt(c, &doubt{
			happened: "You are signed out, but the address to go to next is not registered.",
			remedy:   "You may close this page.", received: f.target,
		}, "")
	}
	return p.left(c, f.address, frames)
}

// farewell reads a request to sign out.
func (p *Provider) farewell(c echo.Context) (farewell, *doubt) {
	v, repeated, err := parameters(c.Request().URL.RawQuery)
	if err != nil || len(repeated) > 0 {
		return farewell{}, &doubt{happened: "The address that led here is damaged.", remedy: "Go back and sign out again."}
	}
	f := farewell{target: v.Get("post_logout_redirect_uri")}
	id := v.Get("client_id")
	if c, ok := p.clients[id]; ok {
		f.asking = c.Name
	}
	hint, err := p.verifyHint(c.Request().Context(), v.Get("id_token_hint"))
	if err != nil || len(hint.Audience) != 1 || id != "" && id != hint.Audience[0] || p.clients[hint.Audience[0]] == nil {
		return f, nil //nolint:nilerr // a hint that is not genuine is none
	}
	f.client, f.subject, f.session = p.clients[hint.Audience[0]], hint.Subject, hint.SessionID
	f.asking = f.client.Name
	if slices.Contains(f.client.PostLogoutRedirectURIs, f.target) {
		f.address = withState(f.target, v.Get("state"))
	}
	return f, nil
}

// endSessionPosted answers POST /end_session by sending the browser to the same
// request as GET, for the reason that authorizePosted has: seen without its
// SameSite=Lax cookie, a browser that is signed in looks like one that is not.
func (p *Provider) endSessionPosted(c echo.Context) error {
	return p.asGet(c, PathEndSession)
}

// leave answers the person's yes.
func (p *Provider) leave(c echo.Context) error {
	v, err := form(c)
	if err != nil {
		return p.showDoubt(c, &doubt{happened: "The request is damaged.", remedy: "Go back and sign out again."}, "")
	}
	var ask leaving
	if err := p.leaves.open(v.Get("request"), &ask); err != nil {
		return p.showDoubt(c, &doubt{happened: "The request is damaged.", remedy: "Go back and sign out again."}, "")
	}
	current, signedIn, err := p.sessions.Find(c.Request())
	if err != nil {
		return err
	}
	if signedIn && current.ID != ask.SessionID {
		return see(c, p.base+PathEndSession) // somebody has signed in since: the yes was not about them
	}
	if !signedIn {
		return p.left(c, ask.Address, nil)
	}
	clients, err := p.sessions.End(c.Response(), c.Request())
	if err != nil {
		return err
	}
	p.events("signed_out", "")
	p.log.InfoContext(c.Request().Context(), "signed out", "subject", current.Person.Subject)
	return p.left(c, ask.Address, p.frames(clients, current.ID))
}

// left goes to the client's address, or says that the person is signed out. Where
// clients are told by frames there is a page in any case.
func (p *Provider) left(c echo.Context, address string, frames []string) error {
	if address == "" || len(frames) > 0 {
		return p.pages.ShowLoggedOut(c, LoggedOutPage{Frames: frames, ContinueURL: address})
	}
	return see(c, address)
}

// frames are the addresses by which clients are told of the end of a session in
// the browser (OpenID Connect Front-Channel Logout 1.0 section 3).
func (p *Provider) frames(clients []string, sessionID string) []string {
	var out []string
	for _, id := range clients {
		if c := p.clients[id]; c != nil && c.FrontchannelLogoutURI != "" {
			out = append(out, withParam(withParam(c.FrontchannelLogoutURI, "iss", p.issuer), "sid", sessionID))
		}
	}
	return out
}

// withState adds the client's state to its address, if it sent one.
func withState(address, state string) string {
	if state == "" {
		return address
	}
	return withParam(address, "state", state)
}

func withParam(address, name, value string) string {
	mark := "?"
	if strings.Contains(address, "?") {
		mark = "&"
	}
	return address + mark + name + "=" + url.QueryEscape(value)
}
