package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"idpbridge/config"
	"idpbridge/keys"
	"idpbridge/oidc"
	"idpbridge/store"
)

// source says whose keys and clients a command is about: those of a configuration
// file, or the development mode's.
type source struct {
	Config string `help:"Configuration file; without one, the development mode's data." type:"path" placeholder:"FILE"`
	Data   string `help:"The development mode's data folder, if it was started with --data." type:"path"`
}

// opened is what a source leads to. Whoever has it closes the store.
type opened struct {
	config  config.Config
	clients []oidc.Client
	dev     bool
	store   *store.Store
	ring    *keys.Ring
}

// open opens the store and the keys beside a server that may be running. It makes
// nothing where there is nothing yet.
func (s source) open(ctx context.Context, p *process, issuer string) (*opened, error) {
	o := &opened{config: config.Defaults(), clients: demoClients(), dev: s.Config == ""}
	o.config.Brand.Name, o.config.Issuer = demoBrand, issuer
	switch {
	case s.Config != "":
		cfg, err := config.Load(s.Config, p.getenv)
		if err != nil {
			return nil, err
		}
		o.config = *cfg
		if o.clients, err = cfg.BuildClients(); err != nil {
			return nil, err
		}
	case s.Data != "":
		o.config.Data = s.Data
	default:
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("no cache folder: %w; name a folder with --data", err)
		}
		o.config.Data = filepath.Join(cache, "idp-dev")
	}
	cfg := o.config
	if _, err := os.Stat(filepath.Join(cfg.Data, "idp.db")); !cfg.Store.IsSet() && err != nil {
		return nil, fmt.Errorf("there are no keys in %s yet; start idp dev or idp serve once", cfg.Data)
	}
	secret, err := instanceSecret(cfg)
	if err != nil {
		return nil, err
	}
	if o.store, err = store.Open(ctx, store.Config{URL: cfg.Store.Reveal(), Path: filepath.Join(cfg.Data, "idp.db")}); err != nil {
		return nil, err
	}
	owner, err := o.store.Owner(ctx)
	if err == nil {
		err = owned(owner, o.dev, cfg.Data)
	}
	if err != nil {
		return nil, errors.Join(err, o.store.Close())
	}
	o.ring, err = keys.Open(ctx, keys.Config{Store: o.store, Secret: secret, Algorithms: []string{"RS256"}, Now: p.now, Pinned: pinned(o.clients)})
	if err != nil {
		return nil, errors.Join(err, o.store.Close())
	}
	return o, nil
}
