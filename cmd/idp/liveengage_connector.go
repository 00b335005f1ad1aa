package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"idpbridge/config"
	"idpbridge/keys"
	"idpbridge/liveengage"
	"idpbridge/oidc"
	"idpbridge/web"
)

type connectorCommand struct {
	source
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
	facts := sheetFacts(o.config, o.clients, c.Client, o.ring, p.now())
	if facts.ClientID == "" {
		return errors.Join(fmt.Errorf("no client %swith profile: liveengage; add one to the configuration", named(c.Client)), o.store.Close())
	}
	key := liveengage.PastedKey
	if c.Key == "jwks" {
		key = liveengage.KeySet
	}
	return errors.Join(printJSON(p.stdout, liveengage.NewConnector(facts, liveengage.Flow(c.Flow), key)), o.store.Close())
}

func named(id string) string {
	if id == "" {
		return ""
	}
	return fmt.Sprintf("%q ", id)
}
