package setup

import "idpbridge/liveengage"

// NewConnector is the connector for the flow and the key type. PKCE is on in the
// code flow.
func NewConnector(f Facts, flow liveengage.Flow, key liveengage.KeyType) liveengage.Connector {
	f = f.complete(hostOf(f.Issuer))
	c := liveengage.Connector{Name: f.DisplayName, Type: liveengage.TypeImplicit, Configuration: liveengage.ConnectorConfiguration{
		IssuerDisplayName: f.DisplayName, Issuer: f.Issuer, AuthorizationEndpoint: f.AuthorizationEndpoint, ClientID: f.ClientID,
		JWTValidationType: key, JSMethodName: f.JSMethod, JSContext: f.JSContext, RFCCompliance: !f.Legacy, Preferred: true, ACRValues: liveengage.ACR,
	}}
	to := &c.Configuration
	switch {
	case flow == liveengage.FlowDelegation:
		to.JWTValidationType, to.JWTPublicKey, to.Preferred = liveengage.KeyTypePasted, liveengage.DelegationKey, false
	case key == liveengage.KeyTypeJWKS:
		to.JWKSEndpoint = f.JWKSEndpoint
	default:
		to.JWTPublicKey = f.Key.Line
	}
	if flow != liveengage.FlowImplicit {
		c.Type, to.TokenEndpoint, to.PKCEEnabled = liveengage.TypeCode, f.TokenEndpoint, flow == liveengage.FlowCode
	}
	return c
}
