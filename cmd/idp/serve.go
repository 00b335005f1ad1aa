package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"idpbridge/config"
	"idpbridge/server"
)

type serveCommand struct {
	Config string `default:"idp.yaml" help:"Configuration file; idp init writes one." type:"path" placeholder:"FILE"`
}

// Run serves what the configuration file describes until the context ends.
func (c serveCommand) Run(ctx context.Context, p *process) error {
	log := slog.New(slog.NewJSONHandler(p.stderr, nil))
	slog.SetDefault(log) // zitadel/oidc logs there
	installation, err := config.LoadInstallation(c.Config, p.getenv, time.Time{})
	if err != nil {
		return err
	}
	clients, err := installation.OIDCClients()
	if err != nil {
		return err
	}
	settings := installation.Config
	listeners, err := server.Listen(ctx, &settings)
	if err != nil {
		return err
	}
	defer func() { _ = listeners.Close() }()
	s, err := server.New(ctx, server.Config{
		Settings: settings, Clients: clients, People: installation.People, Log: log, Now: p.now,
	})
	if err != nil {
		return err
	}
	return errors.Join(s.Run(ctx, listeners), s.Close())
}
