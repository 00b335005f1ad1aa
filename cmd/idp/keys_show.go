package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"idpbridge/config"
	"idpbridge/keys"
	"idpbridge/store"
)

type keysShowCommand struct {
	Config string `help:"Configuration file; without one, the development mode's keys." type:"path" placeholder:"FILE"`
	Data   string `help:"The development mode's data folder, if it was started with --data." type:"path"`
	Format string `enum:"all,pem,line,jwks" default:"all" help:"all, pem, line (for LiveEngage) or jwks."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

// Run prints the key that signs now; it makes none where there is none.
func (k keysShowCommand) Run(ctx context.Context, p *process) error {
	cfg := config.Defaults()
	switch {
	case k.Config != "":
		loaded, err := config.Load(k.Config, p.getenv)
		if err != nil {
			return err
		}
		cfg = *loaded
	case k.Data != "":
		cfg.Data = k.Data
	default:
		cache, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("no cache folder: %w; name a folder with --data", err)
		}
		cfg.Data = filepath.Join(cache, "idp-dev")
	}
	if _, err := os.Stat(filepath.Join(cfg.Data, "idp.db")); cfg.Store == "" && err != nil {
		return fmt.Errorf("there are no keys in %s yet; start idp dev or idp serve once", cfg.Data)
	}
	secret, err := instanceSecret(cfg)
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Config{URL: string(cfg.Store), Path: filepath.Join(cfg.Data, "idp.db")})
	if err != nil {
		return err
	}
	ring, err := keys.Open(ctx, keys.Config{Store: db, Secret: secret, Algorithms: []string{"RS256"}, Now: p.now})
	if err != nil {
		return errors.Join(err, db.Close())
	}
	return errors.Join(k.print(p, ring), db.Close())
}

func (k keysShowCommand) print(p *process, ring *keys.Ring) error {
	key := ring.Active("RS256")
	set, err := json.MarshalIndent(ring.JWKS(), "", "  ")
	if err != nil {
		return fmt.Errorf("key set: %w", err)
	}
	if k.JSON {
		return json.NewEncoder(p.stdout).Encode(map[string]any{
			"kid": key.ID, "alg": key.Algorithm, "created": key.Created.UTC(), "fingerprint": key.Fingerprint(),
			"line": key.Line(), "pem": key.PEM(), "jwks": ring.JWKS(),
		})
	}
	switch k.Format {
	case "pem":
		_, err = fmt.Fprint(p.stdout, key.PEM())
	case "line":
		_, err = fmt.Fprintln(p.stdout, key.Line())
	case "jwks":
		_, err = fmt.Fprintln(p.stdout, string(set))
	default:
		_, err = fmt.Fprintf(p.stdout, "Key id       %s\nAlgorithm    %s\nMade         %s\nFingerprint  %s\n\n"+
			"JWT Public Key, one line, as LiveEngage takes it:\n%s\n\nPEM:\n%s\nKey set (JWKS):\n%s\n",
			key.ID, key.Algorithm, key.Created.UTC().Format("2006-01-02 15:04:05 UTC"), key.Fingerprint(), key.Line(), key.PEM(), set)
	}
	return err
}
