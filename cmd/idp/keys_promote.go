package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"idpbridge/keys"
)

// minPublished is how long a key is published before it signs: clients, and
// LivePerson's servers, keep key sets for a while.
const minPublished = 24 * time.Hour

type keysPromoteCommand struct {
	installationFlags
	Algorithm string `enum:"RS256,ES256" default:"RS256" help:"RS256 or ES256."`
	Early     bool   `name:"insecure-before-everybody-knows-it" help:"Do not wait until the key has been published for a day."`
}

// Run lets the key that waits sign, and the one that signs retire.
func (k keysPromoteCommand) Run(ctx context.Context, p *process) error {
	o, err := k.open(ctx, p, "")
	if err != nil {
		return err
	}
	return errors.Join(k.promoteKey(ctx, p, o), o.Close())
}

func (k keysPromoteCommand) promoteKey(ctx context.Context, p *process, o *installation) error {
	all := o.Keys.PublicKeys()
	next := slices.IndexFunc(all, func(key keys.PublicKey) bool { return key.Algorithm == k.Algorithm && key.State == keys.Next })
	if next < 0 {
		return fmt.Errorf("no %s key waits; publish one first: idp keys prepare", k.Algorithm)
	}
	if left := all[next].Created.Add(minPublished).Sub(p.now()); left > 0 && !k.Early {
		return fmt.Errorf("key %s has not been published for a day; whoever keeps an older key set would refuse its tokens; come back in %s",
			all[next].ID, left.Round(time.Minute))
	}
	moved, err := o.Keys.Promote(ctx, k.Algorithm)
	if err != nil {
		return err
	}
	if !moved {
		return errors.New("another command was faster; see idp keys list")
	}
	_, err = fmt.Fprintf(p.stdout, "%s signs now. Servers that run take it up within a minute. Keep the old one until its last token has expired, then: idp keys retire KID\n", all[next].ID)
	return err
}
