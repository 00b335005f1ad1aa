package oidc

import (
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// savedLogout is a sign-out that waits for the person's yes.
type savedLogout struct {
	SessionID   string `json:"s"`
	ContinueURL string `json:"a,omitempty"` // where to go afterwards: registered, state included
}

// logoutRequest is a request to sign out, as far as it can be believed.
type logoutRequest struct {
	client       *Client // whom a genuine hint was made for; nil without one
	subject      string  // whom that hint names
	sessionID    string  // the session that it is from; empty where it does not say
	clientName   string  // name of the client that says it asks; may be empty
	requestedURL string  // where to go afterwards, as it came
	continueURL  string  // the same with the client's state, where it is registered, else empty
}

// handleEndSession answers GET /end_session (OpenID Connect RP-Initiated Logout 1.0).
// A genuine hint that names the person of this browser's session ends it at once,
// and what is left of the session that the hint is from, if that has expired;
// otherwise the person is asked. Only a genuine hint and a registered address
// lead anywhere afterwards.
func (p *Provider) handleEndSession(c echo.Context) error {
	logout, damaged := p.readLogoutRequest(c)
	if damaged != nil {
		return p.showErrorPage(c, damaged, "")
	}
	current, signedIn, err := p.sessions.Find(c.Request())
	if err != nil {
		return err
	}
	if signedIn && (logout.client == nil || logout.subject != current.Person.Subject) {
		sealed, err := p.logoutSealer.seal(savedLogout{SessionID: current.ID, ContinueURL: logout.continueURL})
		if err != nil {
			return err
		}
		var onward []string
		if logout.continueURL != "" {
			onward = []string{Origin(logout.continueURL)}
		}
		return p.pages.ConfirmLogout(c, LogoutPage{
			Person: current.Person, Client: logout.clientName, Request: sealed, FormAction: onward,
		})
	}
	clients, err := p.sessions.End(c.Response(), c.Request())
	if err != nil {
		return err
	}
	if signedIn {
		p.events("signed_out", logout.client.ID)
		p.log.InfoContext(c.Request().Context(), "signed out", "client_id", logout.client.ID, "subject", logout.subject)
	}
	frames := p.frameURLs(clients, current.ID)
	if logout.sessionID != "" && logout.sessionID != current.ID {
		past, err := p.sessions.EndExpired(c.Request().Context(), logout.sessionID, logout.subject)
		if err != nil {
			return err
		}
		frames = append(frames, p.frameURLs(past, logout.sessionID)...)
	}
	if logout.requestedURL != "" && logout.continueURL == "" && len(frames) == 0 {
		return p.showErrorPage(c, &pageError{
			message: "You are signed out, but the address to go to next is not registered.",
			remedy:  "You may close this page.", redirectURI: logout.requestedURL,
		}, "")
	}
	return p.finishLogout(c, logout.continueURL, frames)
}

// readLogoutRequest reads a request to sign out.
func (p *Provider) readLogoutRequest(c echo.Context) (logoutRequest, *pageError) {
	params, repeated, err := parseParameters(c.Request().URL.RawQuery)
	if err != nil || len(repeated) > 0 {
		return logoutRequest{}, &pageError{message: "The address that led here is damaged.", remedy: "Go back and sign out again."}
	}
	logout := logoutRequest{requestedURL: params.Get("post_logout_redirect_uri")}
	id := params.Get("client_id")
	if client, ok := p.clients[id]; ok {
		logout.clientName = client.Name
	}
	hint, err := p.verifyHint(c.Request().Context(), params.Get("id_token_hint"))
	if err != nil || len(hint.Audience) != 1 || id != "" && id != hint.Audience[0] || p.clients[hint.Audience[0]] == nil {
		return logout, nil //nolint:nilerr // a hint that is not genuine is none
	}
	logout.client, logout.subject, logout.sessionID = p.clients[hint.Audience[0]], hint.Subject, hint.SessionID
	logout.clientName = logout.client.Name
	if slices.Contains(logout.client.PostLogoutRedirectURIs, logout.requestedURL) {
		logout.continueURL = appendState(logout.requestedURL, params.Get("state"))
	}
	return logout, nil
}

// handleEndSessionPost answers POST /end_session by sending the browser to the same
// request as GET, for the reason that authorizePosted has: seen without its
// SameSite=Lax cookie, a browser that is signed in looks like one that is not.
func (p *Provider) handleEndSessionPost(c echo.Context) error {
	return p.redirectPostToGet(c, PathEndSession)
}

// handleConfirmLogout answers the person's yes.
func (p *Provider) handleConfirmLogout(c echo.Context) error {
	params, err := readForm(c)
	if err != nil {
		return p.showErrorPage(c, &pageError{message: "The request is damaged.", remedy: "Go back and sign out again."}, "")
	}
	var ask savedLogout
	if err := p.logoutSealer.open(params.Get("request"), &ask); err != nil {
		return p.showErrorPage(c, &pageError{message: "The request is damaged.", remedy: "Go back and sign out again."}, "")
	}
	current, signedIn, err := p.sessions.Find(c.Request())
	if err != nil {
		return err
	}
	if signedIn && current.ID != ask.SessionID {
		return redirectTo(c, p.base+PathEndSession) // somebody has signed in since: the yes was not about them
	}
	if !signedIn {
		return p.finishLogout(c, ask.ContinueURL, nil)
	}
	clients, err := p.sessions.End(c.Response(), c.Request())
	if err != nil {
		return err
	}
	p.events("signed_out", "")
	p.log.InfoContext(c.Request().Context(), "signed out", "subject", current.Person.Subject)
	return p.finishLogout(c, ask.ContinueURL, p.frameURLs(clients, current.ID))
}

// finishLogout goes to the client's address, or says that the person is signed out. Where
// clients are told by frames there is a page in any case.
func (p *Provider) finishLogout(c echo.Context, address string, frames []string) error {
	if address == "" || len(frames) > 0 {
		return p.pages.ShowLoggedOut(c, LoggedOutPage{Frames: frames, ContinueURL: address})
	}
	return redirectTo(c, address)
}

// frameURLs are the addresses by which clients are told of the end of a session in
// the browser (OpenID Connect Front-Channel Logout 1.0 section 3).
func (p *Provider) frameURLs(clients []string, sessionID string) []string {
	var out []string
	for _, id := range clients {
		if client := p.clients[id]; client != nil && client.FrontchannelLogoutURI != "" {
			out = append(out, appendParam(appendParam(client.FrontchannelLogoutURI, "iss", p.issuer), "sid", sessionID))
		}
	}
	return out
}

// appendState adds the client's state to its address, if it sent one.
func appendState(address, state string) string {
	if state == "" {
		return address
	}
	return appendParam(address, "state", state)
}

func appendParam(address, name, value string) string {
	mark := "?"
	if strings.Contains(address, "?") {
		mark = "&"
	}
	return address + mark + name + "=" + url.QueryEscape(value)
}
