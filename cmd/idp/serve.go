package main

import (
	"context"
	"errors"
	"log/slog"

	"idpbridge/server"
)

type serveCommand struct {
	Config string `required:"" help:"Configuration file; idp init writes one." type:"path" placeholder:"FILE"`
}

// Run serves what the configuration file describes until the context ends.
func (c serveCommand) Run(ctx context.Context, p *process) error {
	log := slog.New(slog.NewJSONHandler(p.stderr, nil))
	slog.SetDefault(log) // zitadel/oidc logs there
	settings, clients, err := loadConfig(c.Config, p.getenv)
	if err != nil {
		return err
	}
	people, err := settings.ReadPeople()
	if err != nil {
		return err
	}
	listeners, err := server.Listen(ctx, &settings)
	if err != nil {
		return err
	}
	defer func() { _ = listeners.Close() }()
	s, err := server.New(ctx, server.Config{
		Settings: settings, Clients: clients, People: people, Log: log, Now: p.now,
	})
	if err != nil {
		return err
	}
	return errors.Join(s.Run(ctx, listeners), s.Close())
}
