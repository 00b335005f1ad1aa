package setup_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/liveengage"
	"idpbridge/liveengage/setup"
)

// TestNewConnector: the JSON keys are LivePerson's, and each flow and key type sets its
// own fields.
func TestNewConnector(t *testing.T) {
	t.Parallel()
	marshal := func(flow liveengage.Flow, key liveengage.KeyType) map[string]any {
		raw, err := json.Marshal(setup.NewConnector(exampleFacts(), flow, key))
		require.NoError(t, err)
		var c map[string]any
		require.NoError(t, json.Unmarshal(raw, &c))
		fields, ok := c["configuration"].(map[string]any)
		require.True(t, ok)
		fields["type"] = c["type"]
		return fields
	}
	code := marshal(liveengage.FlowCode, liveengage.KeyTypeJWKS)
	require.Equal(t, map[string]any{
		"type": 2.0, "issuerDisplayName": "login.bank.example", "issuer": "https://login.bank.example",
		"authorizationEndpoint": "https://login.bank.example/authorize",
		"tokenEndpoint":         "https://login.bank.example/token",
		"clientId":              "liveengage", "jwtValidationType": "JWKS_ENDPOINT",
		"jwksEndpoint": "https://login.bank.example/jwks",
		"jsMethodName": "lpGetAuthenticationToken", "jsContext": "window",
		"pkceEnabled": true, "rfcCompliance": true, "preferred": true, "acrValues": "loa1",
	}, code)

	implicit := marshal(liveengage.FlowImplicit, liveengage.KeyTypePasted)
	require.Equal(t, 1.0, implicit["type"])
	require.Equal(t, "MIIBIjANBgkq", implicit["jwtPublicKey"])
	require.NotContains(t, implicit, "tokenEndpoint")

	delegation := marshal(liveengage.FlowDelegation, liveengage.KeyTypeJWKS)
	require.Equal(t, 2.0, delegation["type"])
	require.Equal(t, "CONSUMER_DELEGATION", delegation["jwtPublicKey"])
	require.Equal(t, "PUBLIC_JWT_KEY", delegation["jwtValidationType"])
	require.NotContains(t, delegation, "jwksEndpoint")
	require.Equal(t, false, delegation["preferred"])
	require.Equal(t, false, delegation["pkceEnabled"])
}
