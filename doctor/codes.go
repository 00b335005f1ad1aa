package doctor

// Code names what a finding is about. docs/doctor.md says what to do for each.
type Code string

// Where the provider is.
const (
	AddressForm    Code = "address-form"
	AddressHTTPS   Code = "address-https"
	AddressPort    Code = "address-port"
	AddressPublic  Code = "address-public"
	AddressAnswers Code = "address-answers"
	IssuerForm     Code = "issuer-form"
)

// How its connections are secured.
const (
	TLSVersion Code = "tls-version"
	TLSName    Code = "tls-name"
	TLSExpiry  Code = "tls-expiry"
	TLSChain   Code = "tls-chain"
	TLSTrust   Code = "tls-trust"
)

// What it says about itself.
const (
	DiscoveryDocument Code = "discovery-document"
	DiscoveryIssuer   Code = "discovery-issuer"
	DiscoverySupport  Code = "discovery-support"
	Clock             Code = "clock"
	ProxyHeaders      Code = "proxy-headers"
	HSTS              Code = "hsts"
	Cookies           Code = "cookies"
)

// The keys by which LivePerson verifies its tokens.
const (
	KeysDocument Code = "keys-document"
	KeysPrivate  Code = "keys-private"
	KeysKid      Code = "keys-kid"
	KeysKind     Code = "keys-kind"
	KeysNumbers  Code = "keys-numbers"
	KeysEncoding Code = "keys-encoding"
	KeysSize     Code = "keys-size"
	KeysUse      Code = "keys-use"
	KeysRS256    Code = "keys-rs256"
	KeyLine      Code = "key-line"
	KeyPEM       Code = "key-pem"
	KeyActive    Code = "key-active"
	KeyPasted    Code = "key-pasted"
	KeyPinned    Code = "key-pinned"
)

// Its second, private address.
const (
	OperationsReady   Code = "operations-ready"
	OperationsPrivate Code = "operations-private"
)

// The authorization endpoint, as LivePerson's window in a browser asks it.
const (
	RedirectAccepted Code = "redirect-accepted"
	RedirectRequest  Code = "redirect-request"
	RedirectNonce    Code = "redirect-nonce"
	RedirectForeign  Code = "redirect-foreign"
	RedirectState    Code = "redirect-state"
)

// The token endpoint, as LivePerson's servers ask it.
const (
	TokenAnswers     Code = "token-answers"
	TokenCredentials Code = "token-credentials" //nolint:gosec // the name of a finding
	TokenForm        Code = "token-form"
	TokenHeaders     Code = "token-headers"
	TokenSecret      Code = "token-secret"
	TokenChallenge   Code = "token-challenge"
	TokenJSON        Code = "token-json"
	TokenMethod      Code = "token-method"
	TokenTime        Code = "token-time"
)

// What the LiveEngage account has on file.
const (
	AccountNumber          Code = "account-number"
	ConnectorList          Code = "connector-list"
	ConnectorFound         Code = "connector-found"
	ConnectorDeleted       Code = "connector-deleted"
	ConnectorType          Code = "connector-type"
	ConnectorPKCE          Code = "connector-pkce"
	ConnectorIssuer        Code = "connector-issuer"
	ConnectorDisplayName   Code = "connector-display-name"
	ConnectorAuthorization Code = "connector-authorization"
	ConnectorToken         Code = "connector-token"
	ConnectorClientID      Code = "connector-client-id"
	ConnectorKeyType       Code = "connector-key-type"
	ConnectorKey           Code = "connector-key"
	ConnectorJWKS          Code = "connector-jwks"
	ConnectorJSMethod      Code = "connector-js-method"
	ConnectorJSContext     Code = "connector-js-context"
	ConnectorRFC           Code = "connector-rfc"
)
