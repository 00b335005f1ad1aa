package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"idpbridge/keys"
)

// publishFirst is how long a key is published before it signs: clients, and
// LivePerson's servers, keep key sets for a while.
const publishFirst = 24 * time.Hour

type keysListCommand struct {
	source
	JSON bool `name:"json" help:"Print JSON."`
}

// keyLine is one key of the list.
type keyLine struct {
	ID          string     `json:"kid"`
	Algorithm   string     `json:"alg"`
	State       keys.State `json:"state"`
	Created     time.Time  `json:"created"`
	Changed     time.Time  `json:"changed"`
	Fingerprint string     `json:"fingerprint"`
	PinnedBy    []string   `json:"pinned_by,omitempty"`
}

// Run lists every published key, oldest first.
func (k keysListCommand) Run(ctx context.Context, p *process) error {
	o, err := k.open(ctx, p, "")
	if err != nil {
		return err
	}
	lines := []keyLine{}
	for _, key := range o.ring.PublicKeys() {
		line := keyLine{ID: key.ID, Algorithm: key.Algorithm, State: key.State, Created: key.Created.UTC(), Changed: key.Changed.UTC(), Fingerprint: key.Fingerprint()}
		for _, c := range o.clients {
			if c.PinnedKey == key.ID {
				line.PinnedBy = append(line.PinnedBy, c.ID)
			}
		}
		lines = append(lines, line)
	}
	if k.JSON {
		return errors.Join(json.NewEncoder(p.stdout).Encode(lines), o.store.Close())
	}
	for _, l := range lines {
		note := ""
		if len(l.PinnedBy) > 0 {
			note = "  pinned by " + strings.Join(l.PinnedBy, ", ")
		}
		_, err = fmt.Fprintf(p.stdout, "%s  %s  %-8s  since %s%s\n", l.ID, l.Algorithm, l.State, l.Changed.Format("2006-01-02 15:04 UTC"), note)
	}
	return errors.Join(err, o.store.Close())
}

type keysPrepareCommand struct {
	source
	Algorithm string `enum:"RS256,ES256" default:"RS256" help:"RS256 or ES256."`
}

// Run publishes a key that will sign next.
func (k keysPrepareCommand) Run(ctx context.Context, p *process) error {
	o, err := k.open(ctx, p, "")
	if err != nil {
		return err
	}
	added, err := o.ring.AddNext(ctx, k.Algorithm)
	said := "a key waits already; idp keys list shows it"
	if added {
		said = "published; let it sign in a day or later: idp keys promote"
	}
	if err == nil {
		_, err = fmt.Fprintf(p.stdout, "%s: %s\n", k.Algorithm, said)
	}
	return errors.Join(err, o.store.Close())
}

type keysPromoteCommand struct {
	source
	Algorithm string `enum:"RS256,ES256" default:"RS256" help:"RS256 or ES256."`
	Early     bool   `name:"insecure-before-everybody-knows-it" help:"Do not wait until the key has been published for a day."`
}

// Run lets the key that waits sign, and the one that signs retire.
func (k keysPromoteCommand) Run(ctx context.Context, p *process) error {
	o, err := k.open(ctx, p, "")
	if err != nil {
		return err
	}
	return errors.Join(k.promote(ctx, p, o), o.store.Close())
}

func (k keysPromoteCommand) promote(ctx context.Context, p *process, o *opened) error {
	all := o.ring.PublicKeys()
	next := slices.IndexFunc(all, func(key keys.PublicKey) bool { return key.Algorithm == k.Algorithm && key.State == keys.Next })
	if next < 0 {
		return fmt.Errorf("no %s key waits; publish one first: idp keys prepare", k.Algorithm)
	}
	if left := all[next].Created.Add(publishFirst).Sub(p.now()); left > 0 && !k.Early {
		return fmt.Errorf("key %s has not been published for a day; whoever keeps an older key set would refuse its tokens; come back in %s",
			all[next].ID, left.Round(time.Minute))
	}
	moved, err := o.ring.Promote(ctx, k.Algorithm)
	if err != nil {
		return err
	}
	if !moved {
		return errors.New("another command was faster; see idp keys list")
	}
	_, err = fmt.Fprintf(p.stdout, "%s signs now. Servers that run take it up within a minute. Keep the old one until its last token has expired, then: idp keys retire KID\n", all[next].ID)
	return err
}

type keysRetireCommand struct {
	source
	KID string `arg:"" name:"kid" help:"The key to forget; idp keys list shows them."`
}

// Run forgets a key that signs no more.
func (k keysRetireCommand) Run(ctx context.Context, p *process) error {
	o, err := k.open(ctx, p, "")
	if err != nil {
		return err
	}
	gone, err := o.ring.Remove(ctx, k.KID)
	switch {
	case err != nil:
	case !gone:
		err = fmt.Errorf("%q is not the id of a retiring key; see idp keys list", k.KID)
	default:
		_, err = fmt.Fprintf(p.stdout, "%s is forgotten.\n", k.KID)
	}
	return errors.Join(err, o.store.Close())
}
