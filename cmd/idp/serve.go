package main

import (
	"context"
	"log/slog"

	"idpbridge/config"
)

type serveCommand struct {
	Config string `required:"" help:"Configuration file; idp init writes one." type:"path" placeholder:"FILE"`
}

// Run serves what the configuration file describes until the context ends.
func (s serveCommand) Run(ctx context.Context, p *process) error {
	cfg, err := config.Load(s.Config, p.getenv)
	if err != nil {
		return err
	}
	people, err := loadPeople(cfg)
	if err != nil {
		return err
	}
	clients, err := cfg.BuildClients()
	if err != nil {
		return err
	}
	return serve(ctx, p, &setup{
		config: *cfg, clients: clients, people: people,
		log: slog.New(slog.NewJSONHandler(p.stderr, nil)),
	})
}
