package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"idpbridge/keys"
)

type keysRetireCommand struct {
	installationFlags
	KID string `arg:"" name:"kid" help:"ID of the key to remove; idp keys list shows it."`

	Compromised bool `help:"Remove the key at once, even if it is active, pinned, or has signed valid tokens."`
}

// Help is printed above the flags.
func (keysRetireCommand) Help() string {
	return `Removes a retiring key once the last token that it signed has expired. Put -- before an
ID that begins with a hyphen: idp keys retire -- -jxz5PcsRhx

If someone else may have the private key, use --compromised. Running servers stop using
the key at once, and tokens that it signed are no longer accepted. If the key is active,
the next key becomes active, or a new one.`
}

// Run removes a retiring key.
func (k keysRetireCommand) Run(ctx context.Context, p *process) error {
	local, err := k.open(ctx, p, "")
	if err != nil {
		return err
	}
	if k.Compromised {
		err = k.withdrawKey(ctx, p, local)
	} else {
		err = k.removeKey(ctx, p, local)
	}
	return errors.Join(err, local.Close())
}

func (k keysRetireCommand) removeKey(ctx context.Context, p *process, local *installation) error {
	removed, err := local.Keys.Remove(ctx, k.KID)
	if inUse, ok := errors.AsType[*keys.InUseError](err); ok {
		wait := inUse.Until.Sub(p.now()).Truncate(time.Second) + time.Second
		return fmt.Errorf("%w; try again in %s, or add --compromised to make them invalid now", err, wait)
	}
	if err == nil && !removed {
		err = fmt.Errorf("%q is not the ID of a retiring key; see idp keys list", k.KID)
	}
	if err == nil {
		_, err = fmt.Fprintf(p.stdout, "%s is removed.\n", k.KID)
	}
	return err
}

// withdrawKey removes a compromised key, and names the clients that have to be told.
func (k keysRetireCommand) withdrawKey(ctx context.Context, p *process, local *installation) error {
	key, _ := local.Keys.Key(k.KID)
	withdrawn, err := local.Keys.Withdraw(ctx, k.KID)
	if err != nil {
		return err
	}
	if !withdrawn {
		return fmt.Errorf("%q is not the ID of a key; see idp keys list", k.KID)
	}
	if _, err := fmt.Fprintf(p.stdout, "%s is removed. Running servers no longer use it. %s is active.\n",
		k.KID, local.Keys.ActiveKey(key.Algorithm).ID); err != nil {
		return err
	}
	if ids := clientsPinning(k.KID, local.clients); len(ids) > 0 {
		_, err = fmt.Fprintf(p.stderr, "idp: sign-ins of %s fail until you paste the active key there, "+
			"remove pinned_key, and restart the server\n", strings.Join(ids, ", "))
		return err
	}
	if ids := clientsWithPastedKey(key.Algorithm, local.clients); key.State == keys.Active && len(ids) > 0 {
		_, err = fmt.Fprintf(p.stderr, "idp: if the key is pasted into %s, sign-ins there fail until you paste "+
			"the active key: idp keys show --format line\n", strings.Join(ids, ", "))
	}
	return err
}
