package main

import (
	"context"
	"errors"
	"fmt"
)

type keysPrepareCommand struct {
	installationFlags
	Algorithm string `enum:"RS256,ES256" default:"RS256" help:"RS256 or ES256."`
}

// Run publishes a key that will sign next.
func (k keysPrepareCommand) Run(ctx context.Context, p *process) error {
	o, err := k.open(ctx, p, "")
	if err != nil {
		return err
	}
	added, err := o.Keys.AddNext(ctx, k.Algorithm)
	said := "a key waits already; idp keys list shows it"
	if added {
		said = "published; let it sign in a day or later: idp keys promote"
	}
	if err == nil {
		_, err = fmt.Fprintf(p.stdout, "%s: %s\n", k.Algorithm, said)
	}
	return errors.Join(err, o.Close())
}
