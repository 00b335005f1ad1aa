package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"

	"idpbridge/config"
	"idpbridge/dev"
	"idpbridge/internal/netaddr"
)

type devCommand struct {
	Listen     string   `default:"127.0.0.1:8080" help:"Loopback host:port to listen on; port 0 picks a free one."`
	Operations string   `default:"127.0.0.1:8081" help:"Loopback host:port for metrics and health checks, or off."`
	Data       string   `help:"Folder for the database and the keys; the default is in your cache folder." type:"path"`
	Store      string   `help:"PostgreSQL URL (postgres://…) instead of SQLite." env:"IDP_DEV_STORE"`
	Simulator  string   `default:"127.0.0.1:8090" help:"Loopback host:port of the LivePerson simulator, or off."`
	PageOrigin []string `help:"Origin of a page that may load /liveengage.js for ID tokens; repeatable." placeholder:"URL"`

	Expose bool `name:"insecure-let-anyone-on-the-network-sign-in-as-demo-people" help:"Allow any --listen address."`
}

// Run serves demo people and clients until the context ends.
func (c devCommand) Run(ctx context.Context, p *process) error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return &usageError{fmt.Sprintf("--listen %s: want host:port", c.Listen)}
	}
	if !netaddr.IsLoopbackIP(host) && !c.Expose {
		return fmt.Errorf("--listen %s: idp dev lets anyone sign in, so it listens on loopback only; use 127.0.0.1", c.Listen)
	}
	if c.Simulator != "off" {
		if err := checkLoopback("--simulator", c.Simulator); err != nil {
			return err
		}
	}
	for _, origin := range c.PageOrigin {
		if err := config.CheckPageOrigin(origin); err != nil {
			return &usageError{"--page-origin: " + err.Error()}
		}
	}
	log := slog.New(slog.NewTextHandler(p.stderr, nil))
	slog.SetDefault(log) // zitadel/oidc logs there
	return dev.Run(ctx, dev.Options{
		Listen: c.Listen, Operations: c.Operations, Data: c.Data, Store: c.Store, Simulator: c.Simulator,
		PageOrigins: c.PageOrigin, Out: p.stdout, Log: log, Now: p.now,
	})
}
