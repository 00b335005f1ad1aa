package main

import (
	"context"
	"errors"
	"fmt"
)

type keysRetireCommand struct {
	installationFlags
	KID string `arg:"" name:"kid" help:"The key to forget; idp keys list shows them."`
}

// Run forgets a key that signs no more.
func (k keysRetireCommand) Run(ctx context.Context, p *process) error {
	o, err := k.open(ctx, p, "")
	if err != nil {
		return err
	}
	gone, err := o.Keys.Remove(ctx, k.KID)
	switch {
	case err != nil:
	case !gone:
		err = fmt.Errorf("%q is not the id of a retiring key; see idp keys list", k.KID)
	default:
		_, err = fmt.Fprintf(p.stdout, "%s is forgotten.\n", k.KID)
	}
	return errors.Join(err, o.Close())
}
