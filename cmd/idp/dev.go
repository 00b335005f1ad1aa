package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"idpbridge/config"
	"idpbridge/internal/netaddr"
	"idpbridge/internal/secret"
	"idpbridge/liveengage"
	"idpbridge/oidc"
	"idpbridge/testdata"
)

type devCommand struct {
	Listen     string   `default:"127.0.0.1:8080" help:"Address to listen on; port 0 picks a free one."`
	Operations string   `default:"127.0.0.1:8081" help:"Loopback address for metrics and health."`
	Data       string   `help:"Folder for the database and the keys; by default one in your cache folder." type:"path"`
	Store      string   `help:"PostgreSQL address instead of SQLite (postgres://…)." env:"IDP_DEV_STORE"`
	Simulator  string   `default:"127.0.0.1:8090" help:"Loopback address of LiveEngage's simulator, or off."`
	PageOrigin []string `help:"Origin of a page of yours that may load /liveengage.js, which hands out ID tokens there; may be repeated." placeholder:"URL"`
	Expose     bool     `name:"insecure-let-anyone-on-the-network-sign-in-as-demo-people" help:"Allow an address that is not loopback."`
}

// Run serves demo people and clients until the context ends.
func (d devCommand) Run(ctx context.Context, p *process) error {
	if host, _, err := net.SplitHostPort(d.Listen); err != nil {
		return &usageError{fmt.Sprintf("--listen %s: want host:port", d.Listen)}
	} else if !netaddr.IsLoopbackIP(host) && !d.Expose {
		return fmt.Errorf("--listen %s: idp dev lets anyone in, so it listens on a loopback address only; use 127.0.0.1", d.Listen)
	}
	if d.Data == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("no cache folder: %w; name a folder with --data", err)
		}
		d.Data = filepath.Join(cache, "idp-dev")
	}
	if d.Simulator != "off" {
		if err := checkLoopback("--simulator", d.Simulator); err != nil {
			return err
		}
	}
	for _, origin := range d.PageOrigin {
		if err := config.CheckPageOrigin(origin); err != nil {
			return &usageError{"--page-origin: " + err.Error()}
		}
	}
	clients := demoClients()
	clients[0].LiveEngage.Page.Origins = d.PageOrigin
	people, err := config.ParsePeople("people.yaml", testdata.People, config.PeopleRules{PlainPasswords: true})
	if err != nil {
		return err
	}
	cfg := config.Defaults()
	cfg.Listen, cfg.Operations, cfg.Data, cfg.Store = d.Listen, d.Operations, d.Data, secret.New(d.Store)
	cfg.Brand.Name = demoBrand
	return serve(ctx, p, &setup{
		config: cfg, clients: clients, people: people, dev: true, simulator: d.Simulator,
		log: slog.New(slog.NewTextHandler(p.stderr, nil)),
	})
}

// demoBrand is whose the development mode says it is.
const demoBrand = "Example Brand"

// The secrets of the ready-made clients are public: they open nothing but a
// development server.
const (
	liveengageSecret = "liveengage-development-secret-000000000000"
	localWebSecret   = "local-web-development-secret-0000000000000"
	localPostSecret  = "local-post-development-secret-000000000000"
)

// demoClients are the clients of the development mode.
func demoClients() []oidc.Client {
	scopes := []string{"profile", "email", "address", "phone", "offline_access", oidc.ScopeSDEs}
	all := []string{"code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"}
	basicOrPost := []string{oidc.AuthBasic, oidc.AuthPost}
	loopback := []string{"http://127.0.0.1/cb"}
	return []oidc.Client{
		{
			ID: "liveengage", Name: "Example Brand chat", Secret: secret.New(liveengageSecret), AuthMethods: basicOrPost,
			RedirectURIs:  []string{liveengage.EmbeddedRedirectURI, liveengage.WindowURI},
			ResponseTypes: []string{"code", "id_token"}, Scopes: scopes, ClaimsInIDToken: true, LiveEngage: &oidc.LiveEngage{TokenRedirectURI: liveengage.EmbeddedRedirectURI, JSONRequests: true},
		},
		{
			ID: "local-web", Name: "Local web application", Secret: secret.New(localWebSecret), AuthMethods: basicOrPost, Native: true,
			RedirectURIs: loopback, PostLogoutRedirectURIs: loopback, ResponseTypes: all, Scopes: scopes,
		},
		{
			ID: "local-post", Name: "Another local web application", Secret: secret.New(localPostSecret), AuthMethods: []string{oidc.AuthPost}, Native: true,
			RedirectURIs: loopback, PostLogoutRedirectURIs: loopback, ResponseTypes: all, Scopes: scopes,
		},
		{
			ID: "local-app", Name: "Local app", Native: true,
			RedirectURIs: loopback, PostLogoutRedirectURIs: loopback, ResponseTypes: []string{"code"}, Scopes: scopes,
		},
	}
}
