package setup

import "idpbridge/liveengage"

// NewConnector is the connector for the flow and the key type. PKCE is on in the
// code flow.
func NewConnector(f Facts, flow liveengage.Flow, key liveengage.KeyType) liveengage.Connector {
	f = f.complete(hostOf(f.Issuer))
	c := liveengage.Connector{Name: f.DisplayName, Type: 1, Configuration: liveengage.ConnectorConfiguration{
		IssuerDisplayName: f.DisplayName, Issuer: f.Issuer, AuthorizationEndpoint: f.AuthorizationEndpoint, ClientID: f.ClientID,
		JWTValidationType: string(key), JSMethodName: f.JSMethod, JSContext: f.JSContext, RFCCompliance: !f.Legacy, Preferred: true, ACRValues: "loa1",
	}}
	to := &c.Configuration
	switch {
	case flow == liveengage.Delegated:
		to.JWTValidationType, to.JWTPublicKey, to.Preferred = string(liveengage.PastedKey), liveengage.DelegationKey, false
	case key == liveengage.KeySet:
		to.JWKSEndpoint = f.JWKSEndpoint
	default:
		to.JWTPublicKey = f.Key.Line
	}
	if flow != liveengage.Implicit {
		c.Type, to.TokenEndpoint, to.PKCEEnabled = 2, f.TokenEndpoint, flow == liveengage.Code
	}
	return c
}
