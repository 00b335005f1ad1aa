// Package server is the running program: it wires the packages together, serves
// HTTP, counts metrics and does the periodic work.
//
// Read New first, then Run. The path of a sign-in is in oidc/authorize.go.
package server

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"idpbridge/config"
	"idpbridge/internal/cookie"
	"idpbridge/internal/limit"
	"idpbridge/keys"
	"idpbridge/oidc"
	"idpbridge/session"
	"idpbridge/store"
	"idpbridge/upstream"
	"idpbridge/web"
)

// Config is what a Server is made of. Settings, Clients, Log and Now are required.
type Config struct {
	Settings config.Config
	Clients  []oidc.Client
	People   []config.Person // Server forgets them once they are in the database, if they are many
	Log      *slog.Logger
	Now      func() time.Time

	// Development marks every page, explains errors to developers, and claims the
	// database for idp dev. It relaxes no check.
	Development bool
	// DemoPeople can be signed in with one click on the sign-in page.
	DemoPeople []web.DemoPerson
	// SetupSecret is the client secret that the set-up page shows. Only idp dev, whose
	// secrets are public, sets it.
	SetupSecret string
	// Mount adds routes and servers before Run; may be nil. Without it, the issuer's
	// root shows a sentence.
	Mount func(*Server) error
}

// Server is one instance of the program. Its fields are for Config.Mount, which may
// read them but not change them.
type Server struct {
	Config

	Base     string // path of the issuer
	Store    *store.Store
	Keys     *keys.Ring
	Sessions *session.Manager
	Renderer *web.Renderer
	Cookies  cookie.Policy
	Echo     *echo.Echo // the public handler

	provider    *oidc.Provider
	metrics     *metrics
	certificate *certificate // nil without TLS
	readiness   readiness
	keyStates   map[string]keys.State // as logKeyChanges saw them last
	companion   []companion

	unreadableLogged atomic.Int64 // when the log last mentioned an unreadable header, in nanoseconds
}

// companion is a further server that lives as long as this one.
type companion struct {
	listener net.Listener
	server   func(context.Context) *http.Server
}

// New opens the data folder with everything in it, and builds the handlers. Close
// releases what it opened.
func New(ctx context.Context, cfg Config) (*Server, error) {
	issuer, err := url.Parse(cfg.Settings.Issuer)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	certificate, err := loadCertificate(cfg.Settings.TLS)
	if err != nil {
		return nil, err
	}
	db, secret, err := createData(ctx, cfg.Settings, cfg.Development)
	if err != nil {
		return nil, err
	}
	cfg.Log = slog.New(newSampling(cfg.Log.Handler()))
	s := &Server{Config: cfg, Base: issuer.Path, Store: db, certificate: certificate}
	s.readiness.probeNow = make(chan struct{}, 1)
	if err := s.buildHandlers(ctx, issuer, secret); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// Close closes the database.
func (s *Server) Close() error { return s.Store.Close() }

// Handler serves the public endpoints.
func (s *Server) Handler() http.Handler { return s.respondToHead(s.Echo) }

// AddServer lets another server run as long as this one. Its context ends when this
// server begins to stop.
func (s *Server) AddServer(listener net.Listener, server func(context.Context) *http.Server) {
	s.companion = append(s.companion, companion{listener, server})
}

// manyPeople is the number of people above which they are not kept in memory.
const manyPeople = 1000

func (s *Server) buildHandlers(ctx context.Context, issuer *url.URL, secret keys.Secret) error {
	if len(s.People) > manyPeople {
		var now runtime.MemStats
		runtime.ReadMemStats(&now) // an eighth of garbage, or there would be as much of it as people
		limit := now.Sys - now.HeapReleased + now.HeapAlloc/8
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(int64(limit))) //nolint:gosec // far below 63 bits
	}
	var err error
	s.Keys, err = openKeys(ctx, s.Store, secret, algorithmsOf(s.Clients), s.Clients, s.Settings, s.Now)
	if err != nil {
		return err
	}
	if err := s.Keys.PinKeys(ctx); err != nil {
		return err
	}
	s.keyStates = keyStatesOf(s.Keys)
	if err := s.Store.ReplacePeople(ctx, accountsOf(s.People), s.Now()); err != nil {
		return fmt.Errorf("load people: %w", err)
	}
	brand := web.Brand{
		Name: s.Settings.Brand.Name, HomeURL: s.Settings.Brand.Home, LogoURL: s.Settings.Brand.Logo,
		HelpURL: s.Settings.Brand.Help, PrivacyURL: s.Settings.Brand.Privacy,
	}
	if s.Renderer, err = web.NewRenderer(s.Base, brand, s.Development); err != nil {
		return err
	}
	s.metrics = newMetrics(s.Keys, s.Clients, s.countPendingLogouts, s.Now)
	if s.certificate != nil {
		s.metrics.watchCertificate(s.certificate)
	}
	s.Cookies = cookie.PolicyFor(issuer)
	lives := s.Settings.Lifetimes
	s.Sessions = session.New(session.Config{
		Store: s.Store, Cookies: s.Cookies, Lifetime: lives.Session, Idle: lives.SessionIdle, Now: s.Now,
		CrossSite: usesCrossSiteSessions(s.Clients),
	})
	if s.provider, err = s.newProvider(secret); err != nil {
		return err
	}
	s.Echo = s.newHandler(issuer)
	s.provider.Register(s.Echo)
	s.newSite(secret).Register(s.Echo)
	if len(s.People) > manyPeople {
		s.People = nil // they are in the database
		debug.FreeOSMemory()
	}
	s.Echo.GET(s.Base+web.PathPageScript, s.servePageScript)
	if s.Mount != nil {
		return s.Mount(s)
	}
	s.Echo.GET(s.Base+"/", s.explainRoot)
	return nil
}

func (s *Server) newProvider(secret keys.Secret) (*oidc.Provider, error) {
	lives := s.Settings.Lifetimes
	return oidc.New(oidc.Config{
		Issuer: s.Settings.Issuer, Clients: s.Clients, Signins: s.Store, Sessions: s.Sessions, Logouts: s.Store,
		Assertions: s.Store, Pages: s.Renderer, Keys: s.Keys, Secret: secret, Cookies: s.Cookies,
		Throttle: s.newLimiter(s.Settings.Limits.AddressFailures), Now: s.Now, Log: s.Log, Events: s.countEvent,
		Lifetimes: oidc.Lifetimes{
			Request: lives.Request, Code: lives.Code, IDToken: lives.IDToken, AccessToken: lives.AccessToken,
			Refresh: lives.Refresh, RefreshIdle: lives.RefreshIdle, RefreshGrace: lives.RefreshGrace,
		},
	})
}

func (s *Server) newSite(secret keys.Secret) *web.Site {
	directory := upstream.NewLocal(s.Store, passwordSlots())
	for _, p := range s.People {
		directory.Expect(p.PasswordHash)
	}
	return web.New(web.Config{
		Issuer: s.Settings.Issuer, Base: s.Base, Renderer: s.Renderer, Provider: s.provider, Sessions: s.Sessions,
		Directory: directory, Accounts: s.newAccountLimiter(), Cookies: s.Cookies, Now: s.Now,
		KnownBrowserKey: secret.Derive("known browser"),
		Usernames:       s.newLimiter(s.Settings.Limits.Failures),
		Addresses:       s.newLimiter(s.Settings.Limits.AddressFailures),
		Log:             s.Log, HashAccount: newAccountHash(secret),
		DemoPeople: s.DemoPeople, Events: func(event string) { s.countEvent(event, "") },
	})
}

// newAccountLimiter counts the failures of a username from all addresses for a day. Delays
// begin long before the 100 failures of NIST SP 800-63B-4 section 3.2.2, and never end in
// a lock.
func (s *Server) newAccountLimiter() *limit.Limiter {
	l := s.Settings.Limits
	return limit.New(limit.Config{
		Free: accountFailures, Delay: l.Delay, Max: l.MaxDelay, Window: max(l.Window, 24*time.Hour), Now: s.Now,
	})
}

// accountFailures is how many failed logins of a username, from all addresses, are free.
const accountFailures = 30

func (s *Server) newLimiter(free int) *limit.Limiter {
	l := s.Settings.Limits
	return limit.New(limit.Config{Free: free, Delay: l.Delay, Max: l.MaxDelay, Window: l.Window, Now: s.Now})
}

// explainRoot tells a user at the bare issuer URL where sign-ins start.
func (s *Server) explainRoot(c echo.Context) error {
	return s.Renderer.ShowError(c, oidc.ErrorPage{
		Status: http.StatusNotFound, Title: "Sign-in service",
		Message: "Sign-ins start from the app that you want to use.",
		Remedy:  "Go to that app and sign in from there.",
	})
}

// passwordSlots is how many passwords are compared at once: each takes 19 MiB
// and a core.
func passwordSlots() int { return min(runtime.NumCPU(), 8) }

// usesCrossSiteSessions reports whether pages on other sites may use the session.
func usesCrossSiteSessions(clients []oidc.Client) bool {
	return slices.ContainsFunc(clients, func(c oidc.Client) bool {
		return c.LiveEngage != nil && c.LiveEngage.Page.AcrossSites
	})
}

// accountsOf translates the people file to rows of the local directory.
func accountsOf(people []config.Person) iter.Seq[upstream.Account] {
	return func(yield func(upstream.Account) bool) {
		for _, p := range people {
			account := upstream.Account{Username: p.Username, PasswordHash: p.PasswordHash, Person: p.Person}
			if !yield(account) {
				return
			}
		}
	}
}
