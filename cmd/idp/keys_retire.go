package main

import (
	"context"
	"errors"
	"fmt"
)

type keysRetireCommand struct {
	installationFlags
	KID string `arg:"" name:"kid" help:"ID of the key to remove; idp keys list shows it."`
}

// Run removes a retiring key.
func (k keysRetireCommand) Run(ctx context.Context, p *process) error {
	o, err := k.open(ctx, p, "")
	if err != nil {
		return err
	}
	removed, err := o.Keys.Remove(ctx, k.KID)
	if err == nil && !removed {
		err = fmt.Errorf("%q is not the ID of a retiring key; see idp keys list", k.KID)
	}
	if err == nil {
		_, err = fmt.Fprintf(p.stdout, "%s is removed.\n", k.KID)
	}
	return errors.Join(err, o.Close())
}
