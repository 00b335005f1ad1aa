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
// LivePerson's servers, cache key sets.
const minPublished = 24 * time.Hour

type keysPromoteCommand struct {
	installationFlags
	Algorithm string `enum:"RS256,ES256" default:"RS256" help:"RS256 or ES256."`

	Early bool `name:"insecure-before-everybody-knows-it" help:"Don't wait until the key has been published for a day."`
}

// Run makes the next key active; the current key becomes retiring.
func (k keysPromoteCommand) Run(ctx context.Context, p *process) error {
	local, err := k.open(ctx, p, "")
	if err != nil {
		return err
	}
	return errors.Join(k.promoteKey(ctx, p, local), local.Close())
}

func (k keysPromoteCommand) promoteKey(ctx context.Context, p *process, local *installation) error {
	published := local.Keys.PublicKeys()
	i := slices.IndexFunc(published, func(key keys.PublicKey) bool {
		return key.Algorithm == k.Algorithm && key.State == keys.Next
	})
	if i < 0 {
		return fmt.Errorf("there is no next %s key; publish one first: idp keys prepare", k.Algorithm)
	}
	next := published[i]
	if wait := next.Created.Add(minPublished).Sub(p.now()); wait > 0 && !k.Early {
		return fmt.Errorf("key %s has been published for less than a day; clients with an older key set would reject "+
			"its tokens; try again in %s", next.ID, wait.Round(time.Minute))
	}
	promoted, err := local.Keys.Promote(ctx, k.Algorithm)
	if err != nil {
		return err
	}
	if !promoted {
		return errors.New("another command promoted a key first; see idp keys list")
	}
	_, err = fmt.Fprintf(p.stdout, "%s is active. Running servers use it within a minute. "+
		"Keep the old key until its last token has expired, then run: idp keys retire KID\n", next.ID)
	return err
}
