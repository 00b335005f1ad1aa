package sim

import (
	"idpbridge/internal/secret"
	"idpbridge/liveengage"
	"idpbridge/liveengage/setup"
)

// StarterConnectors returns the connectors that a simulator starts with: one for
// each way to sign in.
func StarterConnectors(implicit, code, encrypted setup.Facts) []Connector {
	newConnector := func(
		name string, facts setup.Facts, flow liveengage.Flow, key liveengage.KeyType, pkce bool,
	) Connector {
		facts.DisplayName = name
		c := Connector{
			Connector:    setup.NewConnector(facts, flow, key),
			ClientSecret: secret.New(facts.ClientSecret),
		}
		c.Configuration.PKCEEnabled, c.Configuration.Preferred = pkce, false
		return c
	}
	connectors := []Connector{
		newConnector("Implicit", implicit, liveengage.FlowImplicit, liveengage.KeyTypePasted, false),
		newConnector("Code", code, liveengage.FlowCode, liveengage.KeyTypePasted, false),
		newConnector("Code with PKCE", code, liveengage.FlowCode, liveengage.KeyTypeJWKS, true),
	}
	connectors[0].Configuration.Preferred = true
	if encrypted.ClientID != implicit.ClientID {
		connectors = append(connectors,
			newConnector("Implicit, encrypted", encrypted, liveengage.FlowImplicit, liveengage.KeyTypeJWKS, false))
	}
	return append(connectors,
		newConnector("Delegation", code, liveengage.FlowDelegation, liveengage.KeyTypePasted, false))
}
