// Package liveengage has the wire types and constants of LivePerson's contract: how
// LivePerson's own services write a connector down, and the names that they use.
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

// DelegationKey stands in place of the key in a connector for consumer delegation.
const DelegationKey = "CONSUMER_DELEGATION"

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
