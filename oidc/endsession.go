package oidc

import (
	"io"
	"net/http"
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

// endSession answers GET and POST /end_session (OpenID Connect RP-Initiated
// Logout 1.0). A genuine hint that names the person of this browser's session
// ends it at once; otherwise the person is asked. Only a genuine hint and a
// registered address lead anywhere afterwards.
func (p *Provider) endSession(c echo.Context) error {
	raw := c.Request().URL.RawQuery
	if c.Request().Method == http.MethodPost {
		body, err := io.ReadAll(c.Request().Body)
		if err != nil {
			return p.showDoubt(c, &doubt{happened: "The request was too large or broke off.", remedy: "Try again."}, "")
		}
		raw = string(body)
	}
	v, repeated, err := parameters(raw)
	if err != nil || len(repeated) > 0 {
		return p.showDoubt(c, &doubt{happened: "The address that led here is damaged.", remedy: "Go back and sign out again."}, "")
	}
	var client *Client
	subject := ""
	if hint, err := p.verifyHint(c.Request().Context(), v.Get("id_token_hint")); v.Has("id_token_hint") && err == nil && len(hint.Audience) == 1 {
		if id := v.Get("client_id"); id == "" || id == hint.Audience[0] {
			client, subject = p.clients[hint.Audience[0]], hint.Subject
		}
	}
	session, signedIn, err := p.sessions.Current(c.Request())
	if err != nil {
		return err
	}
	target := v.Get("post_logout_redirect_uri")
	allowed := target == "" || client != nil && slices.Contains(client.PostLogoutRedirectURIs, target)
	if signedIn && (client == nil || subject != session.Person.Subject) {
		ask := leaving{SessionID: session.ID}
		var onward []string
		if allowed && target != "" {
			ask.Address = withState(target, v.Get("state"))
			onward = []string{Origin(target)}
		}
		sealed, err := p.leaves.seal(ask)
		if err != nil {
			return err
		}
		return p.pages.ConfirmLeave(c, session.Person, sealed, onward)
	}
	if err := p.sessions.Leave(c.Response(), c.Request()); err != nil {
		return err
	}
	if signedIn {
		p.events("signed_out", client.ID)
		p.log.InfoContext(c.Request().Context(), "signed out", "client_id", client.ID, "subject", subject)
	}
	if !allowed {
		return p.showDoubt(c, &doubt{
			happened: "You are signed out, but the address to go to next is not registered.",
			remedy:   "You may close this page.", client: nil, received: target,
		}, "")
	}
	return p.left(c, withState(target, v.Get("state")))
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
	session, signedIn, err := p.sessions.Current(c.Request())
	if err != nil {
		return err
	}
	if signedIn && session.ID == ask.SessionID {
		if err := p.sessions.Leave(c.Response(), c.Request()); err != nil {
			return err
		}
		p.events("signed_out", "")
		p.log.InfoContext(c.Request().Context(), "signed out", "subject", session.Person.Subject)
	}
	return p.left(c, ask.Address)
}

// left goes to the client's address, or says that the person is signed out.
func (p *Provider) left(c echo.Context, address string) error {
	if address == "" {
		return p.pages.SignedOut(c)
	}
	return see(c, address)
}

// withState adds the client's state to its address, if it sent one.
func withState(address, state string) string {
	if address == "" || state == "" {
		return address
	}
	mark := "?"
	if strings.Contains(address, "?") {
		mark = "&"
	}
	return address + mark + "state=" + url.QueryEscape(state)
}
