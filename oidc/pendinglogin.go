package oidc

import (
	"errors"
	"net/http"

	"idpbridge/session"
)

// PendingLogin is what a page may know of the saved request that it serves.
type PendingLogin struct {
	Client     string   // display name
	ClientID   string   //
	LoginHint  string   //
	Scopes     []string // released to the client if the user allows it
	Reference  string   // names the sign-in in logs and on error pages
	RestartURL string   // starts the request again
}

// PendingLogin opens a saved request for a page. With ErrExpired the result still
// has RestartURL and Reference; ErrOtherBrowser and ErrBroken return nothing. A
// pushed request cannot be started again, so once expired it is broken.
func (p *Provider) PendingLogin(r *http.Request, sealed string) (PendingLogin, error) {
	saved, err := p.openSavedRequest(r, sealed)
	if err != nil && !errors.Is(err, ErrExpired) {
		return PendingLogin{}, err
	}
	if err != nil && saved.Pushed {
		return PendingLogin{}, ErrBroken
	}
	restart := p.base + PathAuthorize + "?" + saved.Query
	if err != nil {
		return PendingLogin{RestartURL: restart, Reference: saved.Reference}, err
	}
	request, err := p.validateRequest(r.Context(), saved.Query, saved.Pushed)
	if err != nil {
		return PendingLogin{}, ErrBroken // it was valid when it was saved: the configuration has changed
	}
	return PendingLogin{
		Client: request.client.Name, ClientID: request.client.ID, LoginHint: request.LoginHint,
		Scopes:    request.releasedScopes(),
		Reference: saved.Reference, RestartURL: restart,
	}, nil
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
