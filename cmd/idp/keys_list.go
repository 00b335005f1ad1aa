package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"idpbridge/keys"
	"idpbridge/oidc"
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
	local, err := k.open(ctx, p, "")
	if err != nil {
		return err
	}
	rows := []keyRow{}
	for _, key := range local.Keys.PublicKeys() {
		rows = append(rows, keyRow{
			ID:          key.ID,
			Algorithm:   key.Algorithm,
			State:       key.State,
			Created:     key.Created.UTC(),
			Changed:     key.Changed.UTC(),
			Fingerprint: key.Fingerprint(),
			PinnedBy:    clientsPinning(key.ID, local.clients),
		})
	}
	if k.JSON {
		err = json.NewEncoder(p.stdout).Encode(rows)
	} else {
		err = printKeyRows(p.stdout, rows)
	}
	return errors.Join(err, local.Close())
}

// clientsPinning returns the IDs of the clients that pin a key.
func clientsPinning(kid string, clients []oidc.Client) []string {
	var ids []string
	for _, client := range clients {
		if client.PinnedKey == kid {
			ids = append(ids, client.ID)
		}
	}
	return ids
}

func printKeyRows(out io.Writer, rows []keyRow) error {
	for _, row := range rows {
		note := ""
		if len(row.PinnedBy) > 0 {
			note = "  pinned by " + strings.Join(row.PinnedBy, ", ")
		}
		changed := row.Changed.Format("2006-01-02 15:04 UTC")
		_, err := fmt.Fprintf(out, "%s  %s  %-8s  since %s%s\n", row.ID, row.Algorithm, row.State, changed, note)
		if err != nil {
			return err
		}
	}
	return nil
}
