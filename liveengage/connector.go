package liveengage

// Flow is how LivePerson gets a token from this provider.
type Flow string

// The flows of a connector.
const (
	Implicit  Flow = "implicit"
	Code      Flow = "code"
	Delegated Flow = "delegation" // consumer delegation with strangers
)

// KeyType is how a connector knows the key that verifies tokens.
type KeyType string

// The key types of a connector.
const (
	PastedKey KeyType = "PUBLIC_JWT_KEY"
	KeySet    KeyType = "JWKS_ENDPOINT"
)

// delegationKey stands for the key where a connector is for delegation.
const delegationKey = "CONSUMER_DELEGATION"

// Connector is an authentication server as LivePerson's own services write it down,
// in their keys. The client secret is never in it: they show none either. What
// numbers Type may have is not documented; 2 was seen with the code flow.
type Connector struct {
	Name          string                 `json:"name"`
	Type          int                    `json:"type"` // 1 implicit, 2 code
	Deleted       bool                   `json:"deleted"`
	Configuration ConnectorConfiguration `json:"configuration"`
}

// ConnectorConfiguration are the fields of the form.
type ConnectorConfiguration struct {
	IssuerDisplayName     string `json:"issuerDisplayName"`
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorizationEndpoint"`
	TokenEndpoint         string `json:"tokenEndpoint,omitempty"`
	ClientID              string `json:"clientId"`
	JWTValidationType     string `json:"jwtValidationType"`
	JWTPublicKey          string `json:"jwtPublicKey,omitempty"`
	JWKSEndpoint          string `json:"jwksEndpoint,omitempty"`
	JSMethodName          string `json:"jsMethodName"`
	JSContext             string `json:"jsContext"`
	PKCEEnabled           bool   `json:"pkceEnabled"`
	RFCCompliance         bool   `json:"rfcCompliance"`
	Preferred             bool   `json:"preferred"`
	ACRValues             string `json:"acrValues"`
}

// NewConnector is the connector for the flow and the key type. PKCE is on in the
// code flow.
func NewConnector(f Facts, flow Flow, key KeyType) Connector {
	f = f.complete(hostOf(f.Issuer))
	c := Connector{Name: f.DisplayName, Type: 1, Configuration: ConnectorConfiguration{
		IssuerDisplayName: f.DisplayName, Issuer: f.Issuer, AuthorizationEndpoint: f.AuthorizationEndpoint, ClientID: f.ClientID,
		JWTValidationType: string(key), JSMethodName: f.JSMethod, JSContext: f.JSContext, RFCCompliance: !f.Legacy, Preferred: true, ACRValues: "loa1",
	}}
	to := &c.Configuration
	switch {
	case flow == Delegated:
		to.JWTValidationType, to.JWTPublicKey, to.Preferred = string(PastedKey), delegationKey, false
	case key == KeySet:
		to.JWKSEndpoint = f.JWKSEndpoint
	default:
		to.JWTPublicKey = f.Key.Line
	}
	if flow != Implicit {
		c.Type, to.TokenEndpoint, to.PKCEEnabled = 2, f.TokenEndpoint, flow == Code
	}
	return c
}
