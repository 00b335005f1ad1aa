// Package web serves the pages: sign-in, consent, logout, errors, and the pages for
// engineers, such as the set-up page.
//
// Read signin.go first. A page of a sign-in gets the authorization request as a sealed
// string that it can't read. When it is done, it redirects to /resume, where package
// oidc decides what comes next.
package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"idpbridge/claims"
	"idpbridge/internal/cookie"
	"idpbridge/internal/limit"
	"idpbridge/oidc"
	"idpbridge/session"
)

// PathSetup is the path of the set-up page, below the issuer.
const PathSetup = "/setup"

// Directory authenticates users by username and password. It calls checkLimits right
// before it compares the password, and returns its error. The address is for fair shares.
type Directory interface {
	Authenticate(ctx context.Context, address, username, password string, checkLimits func() error) (claims.Person, error)
}

// Config is what a Site needs. Every field except DemoPeople, Events and HashAccount is
// required.
type Config struct {
	Issuer          string
	Base            string // path of the issuer, "" at the root
	Renderer        *Renderer
	Provider        *oidc.Provider
	Sessions        *session.Manager
	Directory       Directory
	Usernames       *limit.Limiter // failed logins per username and IP address
	Addresses       *limit.Limiter // failed logins per IP address
	Accounts        *limit.Limiter // failed logins per username, from browsers that are not known
	Cookies         cookie.Policy
	Now             func() time.Time
	KnownBrowserKey []byte // authenticates the cookie of browsers that have signed in before
	Log             *slog.Logger
	// HashAccount returns what names the account of a normalized username in the log. It may be
	// nil.
	HashAccount func(username string) string
	DemoPeople  []DemoPerson       // can be signed in with one click; only idp dev has any
	Events      func(event string) // counts what happened, for metrics
}

// Site serves the pages of a sign-in.
type Site struct{ Config }

// New returns a Site.
func New(cfg Config) *Site {
	if cfg.Events == nil {
		cfg.Events = func(string) {}
	}
	if cfg.HashAccount == nil {
		cfg.HashAccount = func(string) string { return "" }
	}
	return &Site{cfg}
}

// Register mounts the pages of a sign-in.
func (s *Site) Register(e *echo.Echo) {
	sameOrigin := RequireSameOrigin(s.Renderer, s.Issuer, true, s.Log)
	e.GET(s.Base+oidc.PathLogin, s.showSignIn)
	e.POST(s.Base+oidc.PathLogin, s.submitSignIn, sameOrigin)
	e.POST(s.Base+oidc.PathCancelLogin, s.cancelSignIn, sameOrigin)
	e.GET(s.Base+oidc.PathConsent, s.showConsent)
	e.POST(s.Base+oidc.PathConsent, s.submitConsent, sameOrigin)
	s.Renderer.RegisterStatic(e)
}

// RequireSameOrigin rejects forms from pages of other sites before anything else happens.
// See oidc.CheckFormOrigin for hasToken.
func RequireSameOrigin(pages *Renderer, issuer string, hasToken bool, log *slog.Logger) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if err := oidc.CheckFormOrigin(r, issuer, hasToken); err != nil {
				log.InfoContext(r.Context(), "form of another site rejected", "path", c.Path(),
					"origin", cutHeader(r, "Origin"), "site", cutHeader(r, "Sec-Fetch-Site"))
				return pages.ShowError(c, oidc.ErrorPage{
					Status: http.StatusForbidden, Title: "Sent from another site",
					Message: "This form was sent from another site.",
					Remedy:  "Go back to where you came from and start again there.",
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

// openRequest opens the saved request of a page. If that fails, it has written the
// response, and ok is false. An expired request starts again with the username.
func (s *Site) openRequest(c echo.Context, sealed, username string) (login oidc.PendingLogin, ok bool, err error) {
	login, err = s.Provider.PendingLogin(c.Request(), sealed)
	if err == nil {
		return login, true, nil
	}
	if errors.Is(err, oidc.ErrExpired) {
		return login, false, s.Provider.RestartRequest(c, sealed, username)
	}
	if errors.Is(err, oidc.ErrOtherBrowser) {
		return login, false, s.Renderer.ShowError(c, oidc.ErrorPage{
			Message: "This sign-in was started in another browser, or your browser blocks cookies.",
			Remedy:  "Go back to where you came from and start again there. Make sure that cookies are allowed.",
		})
	}
	return login, false, s.Renderer.ShowError(c, oidc.ErrorPage{
		Message: "You can't sign in from this link alone.",
		Remedy:  "Go to the app that you want to use and sign in from there.",
	})
}
