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

// Run publishes the key that will sign next, unless there is one already.
func (k keysPrepareCommand) Run(ctx context.Context, p *process) error {
	local, err := k.open(ctx, p, "")
	if err != nil {
		return err
	}
	added, err := local.Keys.AddNext(ctx, k.Algorithm)
	message := "a next key is published already; idp keys list shows it"
	if added {
		message = "published the next key; make it active in a day or later: idp keys promote"
	}
	if err == nil {
		_, err = fmt.Fprintf(p.stdout, "%s: %s\n", k.Algorithm, message)
	}
	return errors.Join(err, local.Close())
}
