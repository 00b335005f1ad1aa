// Package web is what a person sees and touches: the sign-in page, the session
// in their browser, questions, errors, and the pages that explain the program
// to an engineer.
//
// Read signin.go first. A page serves a request that waits for a person; it
// knows the request only as a sealed text, and when it is done it sends the
// browser back to the dispatcher of package oidc, which decides what comes next.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"idpbridge/claims"
	"idpbridge/internal/cookie"
)

// The paths of the pages, below the issuer.
const (
	PathSignin  = "/login"
	PathConsent = "/consent"
	PathSetup   = "/setup"
	PathStatic  = "/static/"
)

// Waiting is what a page may know of the request that it serves.
type Waiting struct {
	Client     string   // display name
	ClientID   string   //
	LoginHint  string   //
	Scopes     []string //
	FormAction []string // origins that the page's form leads to in the end
	Reference  string   // names the sign-in in logs and on error pages
	Restart    string   // address that starts the request again
	Expired    bool     // nothing but Restart and Reference is known
	Foreign    bool     // belongs to another browser
	Broken     bool     // not made here, or changed
}

// Requests opens sealed requests and says where pages lead.
type Requests interface {
	Waiting(r *http.Request, sealed string) Waiting
	// Resume is the dispatcher's address for a sealed request.
	Resume(sealed string) string
	// Decide seals a yes or no of the subject into the request.
	Decide(r *http.Request, sealed, subject string, allow bool) (string, error)
}

// Directory proves who somebody is by name and password. It calls allowed when
// it is about to compare, and passes its error on.
type Directory interface {
	Authenticate(ctx context.Context, username, password string, allowed func() error) (claims.Person, error)
}

// Throttle slows down who fails. Wait is zero for everybody else.
type Throttle interface {
	Wait(key string) time.Duration
	Fail(key string)
	Forget(key string)
}

// Config is what a Site needs. Every field but AcrossSites, Demo and Events is
// required.
type Config struct {
	Base      string // path of the issuer, "" at the root
	Renderer  *Renderer
	Sessions  Sessions
	Requests  Requests
	Directory Directory
	// Refused says whether an error of Directory means a wrong name or password.
	Refused   func(error) bool
	Names     Throttle // failures of one name from one address
	Addresses Throttle // failures of one address
	Cookies   cookie.Policy
	Session   time.Duration // absolute lifetime of a session
	Idle      time.Duration // a session ends when unused for so long
	Now       func() time.Time
	Log       *slog.Logger
	// AcrossSites lets the page script use the session on sites other than ours, by a
	// second cookie.
	AcrossSites bool
	// Demo lists people to click on: the development mode alone.
	Demo []DemoPerson
	// Events is told what happened, for metrics.
	Events func(event string)
}

// Site serves the pages.
type Site struct {
	Config
	forms *http.CrossOriginProtection
}

// New returns a Site.
func New(cfg Config) *Site {
	if cfg.Events == nil {
		cfg.Events = func(string) {}
	}
	return &Site{Config: cfg, forms: http.NewCrossOriginProtection()}
}

// Register mounts the pages of a sign-in.
func (s *Site) Register(e *echo.Echo) {
	e.GET(s.Base+PathSignin, s.showSignin)
	e.POST(s.Base+PathSignin, s.signIn, s.SameOrigin)
	e.GET(s.Base+PathConsent, s.showConsent)
	e.POST(s.Base+PathConsent, s.consent, s.SameOrigin)
	e.GET(s.Base+PathStatic+"*", echo.WrapHandler(http.StripPrefix(s.Base+PathStatic, Static())))
}

// SameOrigin refuses forms that another site's page sends (Origin and
// Sec-Fetch-Site), before anything else happens.
func (s *Site) SameOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := s.forms.Check(c.Request()); err != nil {
			return s.ShowError(c, http.StatusForbidden, ErrorPage{
				Title: "Not from here", Happened: "This form was sent by another site.",
				Remedy: "Go back to where you came from and start again there.",
			})
		}
		return next(c)
	}
}

// ShowError renders an error page.
func (s *Site) ShowError(c echo.Context, status int, page ErrorPage) error {
	if page.Title == "" {
		page.Title = "That did not work"
	}
	return s.Renderer.Render(c.Response(), status, "error", page, Policy{})
}

// unusable answers for a request that a page cannot serve; false when it can.
func (s *Site) unusable(c echo.Context, w Waiting) (bool, error) {
	switch {
	case w.Expired:
		return true, s.see(c, w.Restart)
	case w.Foreign:
		return true, s.ShowError(c, http.StatusBadRequest, ErrorPage{
			Happened: "This sign-in was started in another browser, or your browser does not keep cookies.",
			Remedy:   "Go back to where you came from and start again there. Make sure that cookies are allowed.",
		})
	case w.Broken:
		return true, s.ShowError(c, http.StatusBadRequest, ErrorPage{
			Happened: "A sign-in starts from the application that you want to use; this address alone leads nowhere.",
			Remedy:   "Go back to that application and sign in from there.",
		})
	}
	return false, nil
}

// see sends the browser on with GET.
func (s *Site) see(c echo.Context, address string) error {
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	return c.Redirect(http.StatusSeeOther, address)
}
