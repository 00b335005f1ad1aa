package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"idpbridge/keys"
)

type keysShowCommand struct {
	installationFlags
	Format string `enum:"all,pem,line,jwks" default:"all" help:"all, pem, line (for LiveEngage) or jwks."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

// Run prints the active key; it creates none.
func (k keysShowCommand) Run(ctx context.Context, p *process) error {
	local, err := k.open(ctx, p, "")
	if err != nil {
		return err
	}
	return errors.Join(k.printKey(p.stdout, local.Keys), local.Close())
}

func (k keysShowCommand) printKey(out io.Writer, ring *keys.Ring) error {
	key := ring.ActiveKey("RS256")
	set, err := json.MarshalIndent(ring.JWKS(), "", "  ")
	if err != nil {
		return fmt.Errorf("key set: %w", err)
	}
	if k.JSON {
		return json.NewEncoder(out).Encode(map[string]any{
			"kid":         key.ID,
			"alg":         key.Algorithm,
			"created":     key.Created.UTC(),
			"fingerprint": key.Fingerprint(),
			"line":        key.Base64(),
			"pem":         key.PEM(),
			"jwks":        ring.JWKS(),
		})
	}
	switch k.Format {
	case "pem":
		_, err = fmt.Fprint(out, key.PEM())
	case "line":
		_, err = fmt.Fprintln(out, key.Base64())
	case "jwks":
		_, err = fmt.Fprintln(out, string(set))
	default:
		created := key.Created.UTC().Format("2006-01-02 15:04:05 UTC")
		_, err = fmt.Fprintf(out, "Key ID       %s\nAlgorithm    %s\nCreated      %s\nFingerprint  %s\n\n"+
			"JWT Public Key for LiveEngage, in one line:\n%s\n\nPEM:\n%s\nKey set (JWKS):\n%s\n",
			key.ID, key.Algorithm, created, key.Fingerprint(), key.Base64(), key.PEM(), set)
	}
	return err
}
