package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"idpbridge/keys"
	"idpbridge/oidc"
)

// minPublished is how long a key is published before it signs: clients, and
// LivePerson's servers, cache key sets.
const minPublished = 24 * time.Hour

type keysPromoteCommand struct {
	installationFlags
	Algorithm string `enum:"RS256,ES256" default:"RS256" help:"RS256 or ES256."`

	KeySet bool `name:"clients-use-key-set" help:"No LiveEngage connector has the current key pasted."`
	Early  bool `name:"insecure-before-everybody-knows-it" help:"Don't wait a day; break clients with a pasted key."`
}

// Help is printed above the flags.
func (keysPromoteCommand) Help() string {
	return `A LiveEngage connector with a pasted key (JWT Public Key) rejects tokens of any other key.
Pin its key first: set pinned_key on its client and restart the server. If every
connector reads the key set (JWKS Endpoint), add --clients-use-key-set.`
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
	old := local.Keys.ActiveKey(k.Algorithm).ID
	broken := clientsWithPastedKey(k.Algorithm, local.clients)
	if k.KeySet {
		broken = nil
	}
	if len(broken) > 0 && !k.Early {
		return fmt.Errorf("sign-ins of %s would fail if key %s is pasted there (JWT Public Key); "+
			"set pinned_key: %s on the client and restart the server, or add --clients-use-key-set if it is not",
			strings.Join(broken, ", "), old, old)
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
	if err == nil && len(broken) > 0 {
		_, err = fmt.Fprintf(p.stderr, "idp: if key %s is pasted into %s (JWT Public Key), sign-ins there fail until you "+
			"paste the active key: idp keys show --format line\n", old, strings.Join(broken, ", "))
	}
	return err
}

// clientsWithPastedKey returns the IDs of the clients that the current key may have been
// pasted into, so that tokens of another key are rejected.
func clientsWithPastedKey(algorithm string, clients []oidc.Client) []string {
	var ids []string
	for _, client := range clients {
		if client.LiveEngage != nil && client.PinnedKey == "" && cmp.Or(client.Algorithm, "RS256") == algorithm {
			ids = append(ids, client.ID)
		}
	}
	return ids
}
