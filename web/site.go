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
	"errors"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"idpbridge/claims"
	"idpbridge/internal/limit"
	"idpbridge/oidc"
	"idpbridge/session"
)

// The paths of the pages, below the issuer.
const (
	PathSignin  = "/login"
	PathConsent = "/consent"
	PathSetup   = "/setup"
	PathStatic  = "/static/"
)

// Directory proves who somebody is by name and password. It calls allowed when
// it is about to compare, and passes its error on.
type Directory interface {
	Authenticate(ctx context.Context, username, password string, allowed func() error) (claims.Person, error)
}

// Config is what a Site needs. Every field except DemoPeople and Events is required.
type Config struct {
	Issuer    string
	Base      string // path of the issuer, "" at the root
	Renderer  *Renderer
	Provider  *oidc.Provider
	Sessions  *session.Manager
	Directory Directory
	Usernames *limit.Limiter // failed logins per username and IP address
	Addresses *limit.Limiter // failed logins per IP address
	Log       *slog.Logger
	// DemoPeople can be signed in with one click; only idp dev has any.
	DemoPeople []DemoPerson
	// Events counts what happened, for metrics.
	Events func(event string)
}

// Site serves the pages of a sign-in.
type Site struct{ Config }

// New returns a Site.
func New(cfg Config) *Site {
	if cfg.Events == nil {
		cfg.Events = func(string) {}
	}
	return &Site{cfg}
}

// Register mounts the pages of a sign-in.
func (s *Site) Register(e *echo.Echo) {
	sameOrigin := RequireSameOrigin(s.Renderer, s.Issuer, true, s.Log)
	e.GET(s.Base+PathSignin, s.showSignIn)
	e.POST(s.Base+PathSignin, s.submitSignIn, sameOrigin)
	e.GET(s.Base+PathConsent, s.showConsent)
	e.POST(s.Base+PathConsent, s.submitConsent, sameOrigin)
	e.GET(s.Base+PathStatic+"*", echo.WrapHandler(http.StripPrefix(s.Base+PathStatic, Static())))
}

// RequireSameOrigin refuses forms that another site's page sends, before anything else
// happens. See oidc.CheckFormOrigin for hasToken.
func RequireSameOrigin(pages *Renderer, issuer string, hasToken bool, log *slog.Logger) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if err := oidc.CheckFormOrigin(r, issuer, hasToken); err != nil {
				log.InfoContext(r.Context(), "form of another site rejected", "path", c.Path(),
					"origin", cutHeader(r, "Origin"), "site", cutHeader(r, "Sec-Fetch-Site"))
				return pages.ShowError(c, oidc.ErrorPage{
					Status: http.StatusForbidden, Title: "Not from here", Message: "This form was sent by another site.",
					Remedy: "Go back to where you came from and start again there.",
				})
			}
			return next(c)
		}
	}
}

// cutHeader returns the beginning of a header, for the log.
func cutHeader(r *http.Request, name string) string {
	value := r.Header.Get(name)
	return value[:min(len(value), 200)]
}

// openRequest opens the saved request that a page serves. If it cannot be served,
// the response is written and ok is false.
func (s *Site) openRequest(c echo.Context, sealed string) (login oidc.PendingLogin, ok bool, err error) {
	login, err = s.Provider.PendingLogin(c.Request(), sealed)
	if err == nil {
		return login, true, nil
	}
	if errors.Is(err, oidc.ErrExpired) {
		return login, false, redirect(c, login.RestartURL)
	}
	if errors.Is(err, oidc.ErrOtherBrowser) {
		return login, false, s.Renderer.ShowError(c, oidc.ErrorPage{
			Message: "This sign-in was started in another browser, or your browser does not keep cookies.",
			Remedy:  "Go back to where you came from and start again there. Make sure that cookies are allowed.",
		})
	}
	return login, false, s.Renderer.ShowError(c, oidc.ErrorPage{
		Message: "A sign-in starts from the application that you want to use; this address alone leads nowhere.",
		Remedy:  "Go back to that application and sign in from there.",
	})
}

// redirect sends the browser to a URL by GET.
func redirect(c echo.Context, to string) error {
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	return c.Redirect(http.StatusSeeOther, to)
}
