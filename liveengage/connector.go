package liveengage

// Flow is how LivePerson gets a token from the identity provider.
type Flow string

// The flows of a connector.
const (
	FlowImplicit   Flow = "implicit"
	FlowCode       Flow = "code"
	FlowDelegation Flow = "delegation" // consumer delegation in anonymous conversations
)

// ConnectorType is the number of a connector's flow.
type ConnectorType int

// The known types of a connector; LivePerson does not document them.
const (
	TypeImplicit ConnectorType = 1
	TypeCode     ConnectorType = 2
)

// KeyType is how a connector knows the key that verifies tokens.
type KeyType string

// The key types of a connector.
const (
	KeyTypePasted KeyType = "PUBLIC_JWT_KEY"
	KeyTypeJWKS   KeyType = "JWKS_ENDPOINT"
)

// DelegationKey replaces the key in a connector for consumer delegation.
const DelegationKey = "CONSUMER_DELEGATION"

// Connector is an authentication server as LivePerson's services write it in JSON.
// Like theirs, it never has the client secret.
type Connector struct {
	Name          string                 `json:"name"`
	Type          ConnectorType          `json:"type"`
	Deleted       bool                   `json:"deleted"`
	Configuration ConnectorConfiguration `json:"configuration"`
}

// ConnectorConfiguration has the fields of the connector's form.
type ConnectorConfiguration struct {
	IssuerDisplayName     string  `json:"issuerDisplayName"`
	Issuer                string  `json:"issuer"`
	AuthorizationEndpoint string  `json:"authorizationEndpoint"`
	TokenEndpoint         string  `json:"tokenEndpoint,omitempty"`
	ClientID              string  `json:"clientId"`
	JWTValidationType     KeyType `json:"jwtValidationType"`
	JWTPublicKey          string  `json:"jwtPublicKey,omitempty"`
	JWKSEndpoint          string  `json:"jwksEndpoint,omitempty"`
	JSMethodName          string  `json:"jsMethodName"`
	JSContext             string  `json:"jsContext"`
	PKCEEnabled           bool    `json:"pkceEnabled"`
	RFCCompliance         bool    `json:"rfcCompliance"`
	Preferred             bool    `json:"preferred"`
	ACRValues             string  `json:"acrValues"`
}

// UsesCode reports whether the connector uses the code flow.
func (c Connector) UsesCode() bool { return c.Type == TypeCode }

// UsesKeySet reports whether tokens are verified with the keys of the JWKS endpoint.
func (c Connector) UsesKeySet() bool { return c.Configuration.JWTValidationType == KeyTypeJWKS }

// Delegates reports whether the connector is for consumer delegation.
func (c Connector) Delegates() bool { return c.Configuration.JWTPublicKey == DelegationKey }
