// Package dev is the local identity provider, idp dev: the server of package server
// with demo people and clients, a start page, pages that show and inspect tokens, and
// a LivePerson simulator on a separate port. It relaxes no check of the server.
//
// Read Run first. It adds its pages to the server with server.Config.Mount.
package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"idpbridge/config"
	"idpbridge/internal/secret"
	"idpbridge/oidc"
	"idpbridge/server"
	"idpbridge/web"
)

// Options are the flags of idp dev.
type Options struct {
	Listen     string // host:port
	Operations string // loopback host:port, or "off"
	Data       string // folder; empty means the default one, see Settings
	Store      string // PostgreSQL URL; empty means SQLite in Data
	// Simulator is the loopback host:port of the LivePerson simulator; "off" or empty
	// means none.
	Simulator string
	// PageOrigins are the origins of pages that may load the page script.
	PageOrigins []string

	Out io.Writer // for the greeting
	Log *slog.Logger
	Now func() time.Time
}

// environment is what the pages of development need to know.
type environment struct {
	server    *server.Server
	people    []web.DemoPerson
	simulator *simulator // nil if there is none
}

// Run serves demo people and clients until the context ends.
func Run(ctx context.Context, options Options) error {
	settings, err := Settings(options.Data)
	if err != nil {
		return err
	}
	settings.Listen, settings.Operations = options.Listen, options.Operations
	settings.Store = secret.New(options.Store)
	people, err := loadPeople()
	if err != nil {
		return err
	}
	listeners, err := server.Listen(ctx, &settings)
	if err != nil {
		return err
	}
	defer func() { _ = listeners.Close() }()
	settings.Issuer = "http://" + settings.Listen
	clients := Clients()
	clients[0].LiveEngage.Page.Origins = options.PageOrigins

	env := &environment{people: demoPeople(people)}
	if options.Simulator != "" && options.Simulator != "off" {
		if env.simulator, clients, err = listenForSimulator(ctx, options.Simulator, clients); err != nil {
			return err
		}
		defer func() { _ = env.simulator.listener.Close() }()
	}
	s, err := server.New(ctx, server.Config{
		Settings: settings, Clients: clients, People: people, Log: options.Log, Now: options.Now,
		Development: true, DemoPeople: env.people, SetupSecret: LiveEngageSecret, Mount: env.mountPages,
	})
	if err != nil {
		return err
	}
	env.printGreeting(options.Out, settings)
	return errors.Join(s.Run(ctx, listeners), s.Close())
}

// Settings returns the settings of idp dev with a data folder; empty means the default
// one. It does not set the issuer.
func Settings(data string) (config.Config, error) {
	settings := config.Defaults()
	settings.Brand.Name, settings.Data, settings.ShutdownDelay = brandName, data, 0
	if data == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return settings, fmt.Errorf("no cache folder: %w; name a folder with --data", err)
		}
		settings.Data = filepath.Join(cache, "idp-dev")
	}
	return settings, nil
}

// printGreeting prints the URLs to open.
func (env *environment) printGreeting(out io.Writer, settings config.Config) {
	simulator := ""
	if env.simulator != nil {
		simulator = "  Simulator:   " + env.simulator.url + "/ (your website with a chat, and what the agent sees)\n"
	}
	_, _ = fmt.Fprintf(out, "idp dev is ready at %s\n\n"+
		"  Sign in as jane with jane-password, or click a demo person.\n"+
		"  LiveEngage:  %s\n%s  Discovery:   %s\n  Operations:  http://%s/metrics\n"+
		"  Data:        %s (delete it to start over)\n\n",
		settings.Issuer, settings.Issuer+web.PathSetup, simulator, settings.Issuer+oidc.PathDiscovery,
		settings.Operations, settings.Data)
}
