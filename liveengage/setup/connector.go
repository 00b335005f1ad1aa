package setup

import "idpbridge/liveengage"

// NewConnector returns the connector for a flow and a key type. In the code flow it
// has PKCE switched on. In consumer delegation the key type is ignored.
func NewConnector(f Facts, flow liveengage.Flow, key liveengage.KeyType) liveengage.Connector {
	f = f.withDefaults()
	c := liveengage.Connector{
		Name: f.DisplayName,
		Type: liveengage.TypeImplicit,
		Configuration: liveengage.ConnectorConfiguration{
			IssuerDisplayName:     f.DisplayName,
			Issuer:                f.Issuer,
			AuthorizationEndpoint: f.AuthorizationEndpoint,
			ClientID:              f.ClientID,
			JWTValidationType:     key,
			JSMethodName:          f.JSMethod,
			JSContext:             f.JSContext,
			RFCCompliance:         !f.Legacy,
			Preferred:             true,
			ACRValues:             liveengage.ACR,
		},
	}
	fields := &c.Configuration
	if key == liveengage.KeyTypeJWKS {
		fields.JWKSEndpoint = f.JWKSEndpoint
	} else {
		fields.JWTPublicKey = f.Key.Line
	}
	if flow == liveengage.FlowDelegation {
		fields.JWTValidationType, fields.JWKSEndpoint = liveengage.KeyTypePasted, ""
		fields.JWTPublicKey, fields.Preferred = liveengage.DelegationKey, false
	}
	if flow != liveengage.FlowImplicit {
		c.Type = liveengage.TypeCode
		fields.TokenEndpoint, fields.PKCEEnabled = f.TokenEndpoint, flow == liveengage.FlowCode
	}
	return c
}
