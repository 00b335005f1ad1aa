package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"idpbridge/keys"
)

type keysListCommand struct {
	installationFlags
	JSON bool `name:"json" help:"Print JSON."`
}

// keyRow is one key of the list.
type keyRow struct {
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
	lines := []keyRow{}
	for _, key := range o.Keys.PublicKeys() {
		line := keyRow{ID: key.ID, Algorithm: key.Algorithm, State: key.State, Created: key.Created.UTC(), Changed: key.Changed.UTC(), Fingerprint: key.Fingerprint()}
		for _, c := range o.clients {
			if c.PinnedKey == key.ID {
				line.PinnedBy = append(line.PinnedBy, c.ID)
			}
		}
		lines = append(lines, line)
	}
	if k.JSON {
		return errors.Join(json.NewEncoder(p.stdout).Encode(lines), o.Close())
	}
	for _, l := range lines {
		note := ""
		if len(l.PinnedBy) > 0 {
			note = "  pinned by " + strings.Join(l.PinnedBy, ", ")
		}
		_, err = fmt.Fprintf(p.stdout, "%s  %s  %-8s  since %s%s\n", l.ID, l.Algorithm, l.State, l.Changed.Format("2006-01-02 15:04 UTC"), note)
	}
	return errors.Join(err, o.Close())
}
