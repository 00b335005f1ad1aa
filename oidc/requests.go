package oidc

import (
	"errors"
	"net/http"
)

// Waiting is what a page may know of the request that it serves.
type Waiting struct {
	Client     string   // display name
	ClientID   string   //
	LoginHint  string   //
	Scopes     []string // told to the client if the person allows it
	FormAction []string // origins that the page's form leads to in the end
	Reference  string   //
	Restart    string   // address that starts the request again
}

// Waiting opens a sealed request for a page. With ErrExpired the result still
// has Restart and Reference; ErrOtherBrowser and ErrBroken give nothing. A pushed
// request cannot be started again from here, so that one is broken when expired.
func (p *Provider) Waiting(r *http.Request, sealed string) (Waiting, error) {
	req, err := p.openPending(r, sealed)
	if err != nil && !errors.Is(err, ErrExpired) {
		return Waiting{}, err
	}
	if err != nil && req.Pushed {
		return Waiting{}, ErrBroken
	}
	restart := p.base + PathAuthorize + "?" + req.Query
	if err != nil {
		return Waiting{Restart: restart, Reference: req.Reference}, err
	}
	in, err := p.check(r.Context(), req.Query, req.Pushed)
	if err != nil {
		return Waiting{}, ErrBroken // it was good when it was sealed: the configuration has changed
	}
	return Waiting{
		Client: in.client.Name, ClientID: in.client.ID, LoginHint: in.LoginHint, Scopes: in.shared(),
		FormAction: in.client.formAction(in.RedirectURI), Reference: req.Reference, Restart: restart,
	}, nil
}

// Resume is the address of the dispatcher for a sealed request: where every
// page sends the browser when it is done.
func (p *Provider) Resume(sealed string) string {
	return p.base + PathResume + "?request=" + sealed
}

// Decide seals the person's yes or no into the request and returns where to
// send the browser.
func (p *Provider) Decide(r *http.Request, sealed, subject string, allow bool) (string, error) {
	req, err := p.openPending(r, sealed)
	if err != nil {
		return "", err
	}
	req.Consented, req.Denied = subject, !allow
	decided, err := p.requests.seal(req)
	if err != nil {
		return "", err
	}
	return p.Resume(decided), nil
}
