package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"idpbridge/keys"
)

type keysShowCommand struct {
	installationFlags
	Format string `enum:"all,pem,line,jwks" default:"all" help:"all, pem, line (for LiveEngage) or jwks."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

// Run prints the key that signs now; it makes none where there is none.
func (k keysShowCommand) Run(ctx context.Context, p *process) error {
	o, err := k.open(ctx, p, "")
	if err != nil {
		return err
	}
	return errors.Join(k.printKey(p, o.Keys), o.Close())
}

func (k keysShowCommand) printKey(p *process, ring *keys.Ring) error {
	key := ring.ActiveKey("RS256")
	set, err := json.MarshalIndent(ring.JWKS(), "", "  ")
	if err != nil {
		return fmt.Errorf("key set: %w", err)
	}
	if k.JSON {
		return json.NewEncoder(p.stdout).Encode(map[string]any{
			"kid": key.ID, "alg": key.Algorithm, "created": key.Created.UTC(), "fingerprint": key.Fingerprint(),
			"line": key.Base64(), "pem": key.PEM(), "jwks": ring.JWKS(),
		})
	}
	switch k.Format {
	case "pem":
		_, err = fmt.Fprint(p.stdout, key.PEM())
	case "line":
		_, err = fmt.Fprintln(p.stdout, key.Base64())
	case "jwks":
		_, err = fmt.Fprintln(p.stdout, string(set))
	default:
		_, err = fmt.Fprintf(p.stdout, "Key id       %s\nAlgorithm    %s\nMade         %s\nFingerprint  %s\n\n"+
			"JWT Public Key, one line, as LiveEngage takes it:\n%s\n\nPEM:\n%s\nKey set (JWKS):\n%s\n",
			key.ID, key.Algorithm, key.Created.UTC().Format("2006-01-02 15:04:05 UTC"), key.Fingerprint(), key.Base64(), key.PEM(), set)
	}
	return err
}
