package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"idpbridge/config"
	"idpbridge/upstream"
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
	clients, err := configuredClients(cfg.Clients)
	if err != nil {
		return err
	}
	return serve(ctx, p, &setup{
		config: *cfg, clients: clients, people: people,
		log: slog.New(slog.NewJSONHandler(p.stderr, nil)),
	})
}

type initCommand struct {
	File string `arg:"" optional:"" default:"idp.yaml" help:"Where to write; never overwrites." type:"path"`
}

// Run writes the template, unless the file exists.
func (i initCommand) Run(p *process) error {
	f, err := os.OpenFile(i.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists already; name another file, or move it away", i.File)
	}
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	if _, err := f.Write(config.Template()); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "Wrote %s. Fill it in, then:\n\n  idp config check %s\n  idp serve --config %s\n", i.File, i.File, i.File)
	return err
}

type checkCommand struct {
	File string `arg:"" optional:"" default:"idp.yaml" help:"Configuration file." type:"path"`
}

// Run loads the file and its people as serve would, and starts nothing.
func (c checkCommand) Run(p *process) error {
	cfg, err := config.Load(c.File, p.getenv)
	if err != nil {
		return err
	}
	people, err := loadPeople(cfg)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s is good: issuer %s, clients: %d, people: %d.\n", c.File, cfg.Issuer, len(cfg.Clients), len(people))
	return err
}

type hashCommand struct{}

// Run prints the argon2id hash of the first line of standard input.
func (hashCommand) Run(p *process) error {
	raw, err := io.ReadAll(io.LimitReader(p.stdin, 4096))
	if err != nil {
		return fmt.Errorf("read password: %w", err)
	}
	password, _, _ := strings.Cut(string(raw), "\n")
	password = strings.TrimSuffix(password, "\r")
	if password == "" {
		return &usageError{"people hash: give the password on standard input"}
	}
	hash, err := upstream.HashPassword(password)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, hash)
	return err
}
