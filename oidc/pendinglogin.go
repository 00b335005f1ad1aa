package oidc

import (
	"cmp"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"idpbridge/session"
)

// PendingLogin is what a page may know of the saved request that it serves.
type PendingLogin struct {
	Client    string   // display name
	ClientID  string   //
	Username  string   // what to fill in: as typed before the page expired, or the client's login_hint
	Restarted bool     // the page has expired, so the request was started again
	Scopes    []string // released to the client if the user allows it
	Reference string   // names the sign-in in logs and on error pages
}

// PendingLogin opens a saved request for a page. The error is ErrExpired, after which
// RestartRequest starts the request again, ErrOtherBrowser or ErrBroken.
func (p *Provider) PendingLogin(r *http.Request, sealed string) (PendingLogin, error) {
	saved, err := p.openSavedRequest(r, sealed)
	if err != nil {
		return PendingLogin{}, err
	}
	request, err := p.validateRequest(r.Context(), saved.Query, saved.Pushed)
	if err != nil {
		return PendingLogin{}, ErrBroken // it was valid when it was saved: the configuration has changed
	}
	return PendingLogin{
		Client: request.client.Name, ClientID: request.client.ID,
		Username: cmp.Or(saved.Username, request.LoginHint), Restarted: saved.Restarted,
		Scopes: request.releasedScopes(), Reference: saved.Reference,
	}, nil
}

// maxUsername bounds the username that is kept when a request starts again, in bytes.
const maxUsername = 256

// RestartRequest starts an expired request again, as if the browser had just come from the
// client, and keeps the username that was typed. A pushed request starts again once, and not
// much later, because its request_uri has expired too (RFC 9126 section 2.2). After that the
// user sees an error page.
func (p *Provider) RestartRequest(c echo.Context, sealed, username string) error {
	saved, err := p.openSavedRequest(c.Request(), sealed)
	if !errors.Is(err, ErrExpired) {
		return errors.Join(errors.New("restart a request that has not expired"), err)
	}
	if saved.Pushed && (saved.Restarted || p.now().Sub(saved.startedAt()) > 2*p.lifetimes.Request) {
		return p.showErrorPage(c, &pageError{
			message: "This sign-in has taken too long.",
			remedy:  "Go back to where you came from and start again there.",
		}, saved.Reference)
	}
	if len(username) > maxUsername || !isStorable(username) {
		username = ""
	}
	return p.continueRequest(c, savedRequest{
		Query: saved.Query, Reference: newReference(), Started: p.now().UnixMilli(), Username: username, Restarted: true,
		Pushed: saved.Pushed, PushedHash: saved.PushedHash,
	})
}

// CancelLogin seals into the saved request that the user does not want to sign in, and
// returns where to send the browser: the client gets access_denied.
func (p *Provider) CancelLogin(r *http.Request, sealed string) (string, error) {
	saved, err := p.openSavedRequest(r, sealed)
	if err != nil {
		return "", err
	}
	saved.Denied = true
	resealed, err := p.requestSealer.Seal(saved)
	if err != nil {
		return "", err
	}
	return p.ResumeURL(resealed), nil
}

// ResumeURL is where every page sends the browser when it is done with a saved request.
func (p *Provider) ResumeURL(sealed string) string {
	return p.base + PathResume + "?request=" + sealed
}

// BindToSession seals the session that a form is shown to into the saved request.
func (p *Provider) BindToSession(r *http.Request, sealed string, shownTo session.Current) (string, error) {
	saved, err := p.openSavedRequest(r, sealed)
	if err != nil {
		return "", err
	}
	saved.ShownTo = sessionMark(shownTo, true)
	return p.requestSealer.Seal(saved)
}

// RecordConsent seals the user's decision into the saved request and returns where
// to send the browser. If the form was shown to another login, which happens if someone
// signs in in another tab, there is no decision yet, and the user is asked again.
func (p *Provider) RecordConsent(r *http.Request, sealed string, current session.Current, allow bool) (string, error) {
	saved, err := p.openSavedRequest(r, sealed)
	if err != nil {
		return "", err
	}
	if saved.ShownTo != sessionMark(current, true) {
		return p.ResumeURL(sealed), nil
	}
	saved.ShownTo, saved.ConsentedBy, saved.Denied = "", current.Subject, !allow
	resealed, err := p.requestSealer.Seal(saved)
	if err != nil {
		return "", err
	}
	return p.ResumeURL(resealed), nil
}
