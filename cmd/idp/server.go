package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"idpbridge/config"
	"idpbridge/internal/cookie"
	"idpbridge/internal/limit"
	"idpbridge/keys"
	"idpbridge/oidc"
	"idpbridge/store"
	"idpbridge/upstream"
	"idpbridge/web"
)

// setup is what dev and serve differ in.
type setup struct {
	config  config.Config
	clients []oidc.Client
	people  []config.Person
	dev     bool
	log     *slog.Logger

	simulator string // host:port of LiveEngage's simulator; empty or off: none
}

// instance is a running server's parts.
type instance struct {
	*setup
	process  *process
	base     string // path of the issuer
	store    *store.Store
	ring     *keys.Ring
	site     *web.Site
	provider *oidc.Provider
	metrics  *metrics
	handler  *echo.Echo
	beside   *neighbour // nil: there is no simulator
}

const (
	shutdownGrace = 20 * time.Second // how long requests may finish after SIGTERM
	sweepEvery    = time.Minute
)

// serve runs a server until the context ends: it takes its ports first, so that
// a second instance touches nothing, then opens what it needs, then answers.
func serve(ctx context.Context, p *process, s *setup) error {
	slog.SetDefault(s.log) // zitadel/oidc logs there
	listener, err := listen(ctx, "listen", s.config.Listen)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	var operations net.Listener
	if s.config.Operations != "off" {
		if operations, err = listen(ctx, "operations", s.config.Operations); err != nil {
			return err
		}
		defer func() { _ = operations.Close() }()
		s.config.Operations = operations.Addr().String()
	}
	if s.dev {
		s.config.Issuer = "http://" + listener.Addr().String()
	}
	beside, err := s.invite(ctx)
	if err != nil {
		return err
	}
	if beside != nil {
		defer func() { _ = beside.listener.Close() }()
	}
	in, err := open(ctx, p, s)
	if err != nil {
		return err
	}
	if in.beside = beside; beside != nil {
		if err := beside.settle(in); err != nil {
			return errors.Join(err, in.store.Close())
		}
	}
	err = in.run(ctx, listener, operations)
	return errors.Join(err, in.store.Close())
}

func listen(ctx context.Context, name, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w; is another program, or another idp, using it?", name, address, errors.Unwrap(err))
	}
	return l, nil
}

// open opens the data folder and everything in it, and builds the handler.
func open(ctx context.Context, p *process, s *setup) (*instance, error) {
	issuer, err := url.Parse(s.config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	if err := os.MkdirAll(s.config.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	secret, err := instanceSecret(s.config)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Config{URL: string(s.config.Store), Path: filepath.Join(s.config.Data, "idp.db")})
	if err != nil {
		return nil, err
	}
	in := &instance{setup: s, process: p, base: issuer.Path, store: db}
	owner, err := db.ClaimOwnership(ctx, ownerOf(s.dev))
	if err == nil {
		err = owned(owner, s.dev, s.config.Data)
	}
	if err == nil {
		err = in.build(ctx, secret)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return in, nil
}

// ownerOf is whose a database is.
func ownerOf(dev bool) string {
	if dev {
		return "dev"
	}
	return "serve"
}

// owned keeps real data and the development mode apart: it would replace the people,
// and its clients have secrets that everybody knows. A database that nobody has
// claimed is anybody's.
func owned(owner string, dev bool, data string) error {
	switch {
	case owner == "" || owner == ownerOf(dev):
		return nil
	case dev:
		return fmt.Errorf("the database of %s belongs to idp serve; name its configuration by --config, or another folder by --data", data)
	}
	return fmt.Errorf("the database of %s belongs to idp dev, with keys that were made for trying things out; name another folder as data", data)
}

// instanceSecret is the secret that encrypts keys at rest and authenticates
// codes and tokens: configured, or made once in the data folder.
func instanceSecret(cfg config.Config) (keys.Secret, error) {
	if cfg.Secret != "" {
		return keys.ParseSecret(string(cfg.Secret))
	}
	return keys.LoadSecret(filepath.Join(cfg.Data, "secret"))
}

func (in *instance) build(ctx context.Context, secret keys.Secret) error {
	cfg, now := in.config, in.process.now
	var err error
	if in.ring, err = keys.Open(ctx, keys.Config{Store: in.store, Secret: secret, Algorithms: algorithms(in.clients), Now: now, Pinned: pinned(in.clients)}); err != nil {
		return err
	}
	if err := in.ring.PinKeys(ctx); err != nil {
		return err
	}
	if err := in.store.ReplacePeople(ctx, accounts(in.people), now()); err != nil {
		return fmt.Errorf("load people: %w", err)
	}
	brand := web.Brand{Name: cfg.Brand.Name, LogoURL: cfg.Brand.Logo, HelpURL: cfg.Brand.Help, PrivacyURL: cfg.Brand.Privacy}
	renderer, err := web.NewRenderer(in.base, brand, in.dev)
	if err != nil {
		return err
	}
	in.metrics = newMetrics(in.ring, in.clients, in.waitingLogouts, now)
	cookies := cookie.Policy{Secure: strings.HasPrefix(cfg.Issuer, "https:")}
	failures := func(free int) *limit.Limiter {
		l := cfg.Limits
		return limit.New(limit.Config{Free: free, Delay: l.Delay, Max: l.MaxDelay, Window: l.Window, Now: now})
	}
	parts := &parts{renderer: renderer, dev: in.dev}
	in.site = web.New(web.Config{
		Base: in.base, Renderer: renderer, Sessions: in.store, Requests: parts,
		Directory: upstream.NewLocal(in.store, passwordSlots()), Refused: func(err error) bool { return errors.Is(err, upstream.ErrRefused) },
		Names: failures(cfg.Limits.Failures), Addresses: failures(cfg.Limits.AddressFailures), Cookies: cookies,
		Session: cfg.Lifetimes.Session, Idle: cfg.Lifetimes.SessionIdle, Now: now, Log: in.log,
		AcrossSites: acrossSites(in.clients), Demo: demoPeople(in.setup), Events: func(e string) { in.metrics.event(e, "") },
	})
	parts.site = in.site
	parts.provider, err = oidc.New(oidc.Config{
		Issuer: cfg.Issuer, Clients: in.clients, Signins: in.store, Sessions: parts, Logouts: in.store, Assertions: in.store, Pages: parts, Keys: in.ring, Secret: secret,
		Cookies: cookies, Throttle: failures(cfg.Limits.AddressFailures), Now: now, Log: in.log, Events: in.metrics.event,
		Lifetimes: oidc.Lifetimes{
			Request: cfg.Lifetimes.Request, Code: cfg.Lifetimes.Code,
			IDToken: cfg.Lifetimes.IDToken, AccessToken: cfg.Lifetimes.AccessToken,
			Refresh: cfg.Lifetimes.Refresh, RefreshIdle: cfg.Lifetimes.RefreshIdle, RefreshGrace: cfg.Lifetimes.RefreshGrace,
		},
	})
	if err != nil {
		return err
	}
	in.handler, err = newHandler(in)
	if err != nil {
		return err
	}
	in.provider = parts.provider
	in.provider.Register(in.handler)
	in.site.Register(in.handler)
	in.registerPageScript()
	in.registerHome(renderer)
	return nil
}

// run answers until the context ends, then lets requests finish.
func (in *instance) run(ctx context.Context, listener, operations net.Listener) error {
	public := in.server(in.handler)
	servers := []*http.Server{public}
	failed := make(chan error, 3)
	go func() {
		if tls := in.config.TLS; tls != nil {
			failed <- public.ServeTLS(listener, tls.Certificate, tls.Key)
			return
		}
		failed <- public.Serve(listener)
	}()
	if operations != nil {
		private := in.server(in.operations())
		servers = append(servers, private)
		go func() { failed <- private.Serve(operations) }()
	}
	work, stop := context.WithCancel(ctx)
	if in.beside != nil {
		simulator := in.beside.server(work)
		servers = append(servers, simulator)
		go func() { failed <- simulator.Serve(in.beside.listener) }()
	}
	var chores sync.WaitGroup
	chores.Go(func() { in.sweep(work) })
	chores.Go(func() { in.tellClients(work) })
	in.greet()

	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stop()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	for _, s := range servers {
		err = errors.Join(err, s.Shutdown(grace))
	}
	chores.Wait()
	in.log.InfoContext(grace, "stopped")
	return err
}

func (in *instance) server(h http.Handler) *http.Server {
	l := in.config.Limits
	return &http.Server{
		Handler: h, ReadHeaderTimeout: l.Timeout, ReadTimeout: l.Timeout, WriteTimeout: 2 * l.Timeout,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: l.Header, TLSConfig: strictTLS(),
		ErrorLog: slog.NewLogLogger(in.log.Handler(), slog.LevelWarn),
	}
}

// sweep removes what has expired, and picks up keys that another instance made.
func (in *instance) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if _, err := in.store.Sweep(ctx, in.process.now()); err != nil && ctx.Err() == nil {
			in.log.ErrorContext(ctx, "sweep failed", "error", err)
		}
		if err := in.ring.Reload(ctx); err != nil && ctx.Err() == nil {
			in.log.ErrorContext(ctx, "reload of keys failed", "error", err)
		}
	}
}

// greet tells the person at the terminal where to go.
func (in *instance) greet() {
	for _, c := range in.clients {
		if key, ok := in.ring.Key(c.PinnedKey); ok && key.State == keys.Retiring {
			in.log.Warn("a pinned key signs for this client alone; paste the newer one where it is trusted, then unpin it", "client_id", c.ID, "kid", key.ID)
		}
	}
	if !in.dev {
		in.log.Info("serving", "issuer", in.config.Issuer, "listen", in.config.Listen, "operations", in.config.Operations)
		return
	}
	simulated := ""
	if in.beside != nil {
		simulated = "  Simulator:   " + in.beside.address + "/ (the brand's page, and what the agent sees)\n"
	}
	_, _ = fmt.Fprintf(in.process.stdout, "idp dev is ready at %s\n\n  Sign in as jane with jane-password, or click on somebody.\n"+
		"  LiveEngage:  %s/setup\n%s  Discovery:   %s%s\n  Operations:  http://%s/metrics\n  Data:        %s (remove it to start afresh)\n\n",
		in.config.Issuer, in.config.Issuer, simulated, in.config.Issuer, oidc.PathDiscovery, in.config.Operations, in.config.Data)
}
