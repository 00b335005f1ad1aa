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
	Client string `help:"The client that LiveEngage is, where there are several." placeholder:"ID"`
	Flow   string `enum:"implicit,code,delegation" default:"code" help:"implicit, code or delegation."`
	Key    string `enum:"pasted,jwks" default:"pasted" help:"How LivePerson gets the key: pasted or jwks."`
	Issuer string `default:"http://127.0.0.1:8080" help:"Issuer of the development mode; a configuration file has its own." placeholder:"URL"`
}

// Run prints the connector in LivePerson's own keys.
func (c connectorCommand) Run(ctx context.Context, p *process) error {
	o, err := c.open(ctx, p, c.Issuer)
	if err != nil {
		return err
	}
	facts := server.SetupFacts(o.settings, o.clients, c.Client, o.Keys, p.now())
	if facts.ClientID == "" {
		return errors.Join(fmt.Errorf("no client %swith profile: liveengage; add one to the configuration", named(c.Client)), o.Close())
	}
	key := liveengage.KeyTypePasted
	if c.Key == "jwks" {
		key = liveengage.KeyTypeJWKS
	}
	return errors.Join(printJSON(p.stdout, setup.NewConnector(facts, liveengage.Flow(c.Flow), key)), o.Close())
}

func named(id string) string {
	if id == "" {
		return ""
	}
	return fmt.Sprintf("%q ", id)
}
