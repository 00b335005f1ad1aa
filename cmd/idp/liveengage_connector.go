package main

import (
	"context"
	"errors"
	"fmt"

	"idpbridge/liveengage"
	"idpbridge/liveengage/setup"
	"idpbridge/server"
)

type connectorCommand struct {
	installationFlags
	Client string `help:"Client ID registered for LiveEngage; by default the first in --config." placeholder:"ID"`
	Flow   string `enum:"implicit,code,delegation" default:"code" help:"implicit, code or delegation (${default})."`
	Key    string `enum:"pasted,jwks" default:"pasted" help:"How LivePerson gets the key: pasted or jwks (${default})."`
	Issuer string `default:"http://127.0.0.1:8080" help:"Issuer of idp dev (${default})." placeholder:"URL"`
}

// Run prints the connector with LivePerson's own field names.
func (c connectorCommand) Run(ctx context.Context, p *process) error {
	local, err := c.open(ctx, p, c.Issuer)
	if err != nil {
		return err
	}
	return errors.Join(c.printConnector(p, local), local.Close())
}

func (c connectorCommand) printConnector(p *process, local *installation) error {
	facts := server.SetupFacts(local.settings, local.clients, c.Client, local.Keys, p.now())
	if facts.ClientID == "" {
		return fmt.Errorf("no client %swith profile: liveengage; add one to the configuration",
			textIf(c.Client != "", fmt.Sprintf("%q ", c.Client)))
	}
	key := liveengage.KeyTypePasted
	if c.Key == "jwks" {
		key = liveengage.KeyTypeJWKS
	}
	return printJSON(p.stdout, setup.NewConnector(facts, liveengage.Flow(c.Flow), key))
}
