package main

import (
	"errors"
	"net/http"
	"runtime"
	"slices"

	"github.com/labstack/echo/v4"

	"idpbridge/claims"
	"idpbridge/config"
	"idpbridge/oidc"
	"idpbridge/upstream"
	"idpbridge/web"
)

// parts lets packages oidc and web, which do not know each other, meet: each
// declares what it needs, and this type has it from the other.
type parts struct {
	provider *oidc.Provider
	site     *web.Site
	renderer *web.Renderer
	dev      bool
}

var (
	_ oidc.Sessions = (*parts)(nil)
	_ oidc.Pages    = (*parts)(nil)
	_ web.Requests  = (*parts)(nil)
)

// Current implements oidc.Sessions.
func (p *parts) Current(r *http.Request) (oidc.Session, bool, error) {
	return session(p.site.Current(r))
}

// CurrentOnPage implements oidc.Sessions.
func (p *parts) CurrentOnPage(r *http.Request, across bool) (oidc.Session, bool, error) {
	return session(p.site.CurrentOnPage(r, across))
}

func session(s web.Session, person claims.Person, err error) (oidc.Session, bool, error) {
	if errors.Is(err, web.ErrNoSession) {
		return oidc.Session{}, false, nil
	}
	return oidc.Session{ID: s.ID, AuthTime: s.AuthTime, ACR: s.ACR, AMR: s.AMR, Person: person}, err == nil, err
}

// Leave implements oidc.Sessions.
func (p *parts) Leave(w http.ResponseWriter, r *http.Request) ([]string, error) {
	return p.site.Leave(w, r)
}

// EndPast implements oidc.Sessions.
func (p *parts) EndPast(r *http.Request, id, subject string) ([]string, error) {
	return p.site.EndPast(r, id, subject)
}

// Doubt implements oidc.Pages.
func (p *parts) Doubt(c echo.Context, d oidc.Doubt) error {
	page := web.ErrorPage{Happened: d.Happened, Remedy: d.Remedy, Reference: d.Reference}
	if p.dev {
		page.Cause, page.Received, page.Registered = d.Cause, d.Received, d.Registered
	}
	return p.site.ShowError(c, http.StatusBadRequest, page)
}

// FormPost implements oidc.Pages.
func (p *parts) FormPost(c echo.Context, action string, params []oidc.Param) error {
	page := web.FormPostPage{Action: action}
	for _, param := range params {
		page.Fields = append(page.Fields, web.Field(param))
	}
	return p.renderer.Render(c.Response(), http.StatusOK, "form_post", page,
		web.Policy{FormAction: []string{oidc.Origin(action)}, ScriptHash: web.FormPostScriptHash()})
}

// ConfirmLeave implements oidc.Pages.
func (p *parts) ConfirmLeave(c echo.Context, person claims.Person, client, request string, formAction []string) error {
	page := web.LogoutPage{Client: client, Person: web.DisplayName(person), Request: request}
	return p.renderer.Render(c.Response(), http.StatusOK, "logout", page, web.Policy{FormAction: formAction})
}

// SignedOut implements oidc.Pages.
func (p *parts) SignedOut(c echo.Context, s oidc.SignedOut) error {
	policy := web.Policy{}
	for _, address := range s.Frames {
		if origin := oidc.Origin(address); !slices.Contains(policy.Frames, origin) {
			policy.Frames = append(policy.Frames, origin)
		}
	}
	page := web.SignedOutPage{ContinueURL: s.Continue, Frames: s.Frames}
	return p.renderer.Render(c.Response(), http.StatusOK, "signed_out", page, policy)
}

// Waiting implements web.Requests.
func (p *parts) Waiting(r *http.Request, sealed string) web.Waiting {
	w, err := p.provider.Waiting(r, sealed)
	expired, foreign := errors.Is(err, oidc.ErrExpired), errors.Is(err, oidc.ErrOtherBrowser)
	return web.Waiting{
		Client: w.Client, ClientID: w.ClientID, LoginHint: w.LoginHint, Scopes: w.Scopes, FormAction: w.FormAction,
		Reference: w.Reference, Restart: w.Restart,
		Expired: expired, Foreign: foreign, Broken: err != nil && !expired && !foreign,
	}
}

// Resume implements web.Requests.
func (p *parts) Resume(sealed string) string { return p.provider.Resume(sealed) }

// Decide implements web.Requests.
func (p *parts) Decide(r *http.Request, sealed, subject string, allow bool) (string, error) {
	return p.provider.Decide(r, sealed, subject, allow)
}

// passwordSlots is how many passwords are compared at once: each takes 19 MiB
// and a core.
func passwordSlots() int { return min(runtime.NumCPU(), 8) }

// algorithms are those that some client's ID tokens are signed with; RS256 is
// always among them, since LiveEngage takes nothing else.
func algorithms(clients []oidc.Client) []string {
	out := []string{"RS256"}
	for _, c := range clients {
		if c.Algorithm != "" && !slices.Contains(out, c.Algorithm) {
			out = append(out, c.Algorithm)
		}
	}
	return out
}

// accounts are the people file's rows.
func accounts(people []config.Person) []upstream.Account {
	out := make([]upstream.Account, 0, len(people))
	for _, p := range people {
		out = append(out, upstream.Account{Username: p.Username, PasswordHash: p.PasswordHash, Person: p.Person})
	}
	return out
}

// demoPeople are the people to click on; nobody outside the development mode.
func demoPeople(s *setup) []web.DemoPerson {
	if !s.dev {
		return nil
	}
	out := make([]web.DemoPerson, 0, len(s.people))
	for _, p := range s.people {
		name := web.DisplayName(p.Person)
		if name == "you" {
			name = p.Username
		}
		out = append(out, web.DemoPerson{Username: p.Username, Password: p.Password, Name: name, Note: p.Note})
	}
	return out
}
