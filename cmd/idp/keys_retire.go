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

// Help is printed above the flags.
func (keysRetireCommand) Help() string {
	return `Keep a retiring key until its last token has expired. Put -- before an ID that begins
with a hyphen: idp keys retire -- -jxz5PcsRhx`
}

// Run removes a retiring key.
func (k keysRetireCommand) Run(ctx context.Context, p *process) error {
	local, err := k.open(ctx, p, "")
	if err != nil {
		return err
	}
	removed, err := local.Keys.Remove(ctx, k.KID)
	if err == nil && !removed {
		err = fmt.Errorf("%q is not the ID of a retiring key; see idp keys list", k.KID)
	}
	if err == nil {
		_, err = fmt.Fprintf(p.stdout, "%s is removed.\n", k.KID)
	}
	return errors.Join(err, local.Close())
}
