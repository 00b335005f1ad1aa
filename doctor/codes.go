package doctor

// Code names a check. docs/doctor.md has a table of them.
type Code string

// URLs of the provider.
const (
	AddressForm    Code = "address-form"
	AddressHTTPS   Code = "address-https"
	AddressPort    Code = "address-port"
	AddressPublic  Code = "address-public"
	AddressAnswers Code = "address-answers"
	IssuerForm     Code = "issuer-form"
)

// TLS connections and certificates.
const (
	TLSVersion Code = "tls-version"
	TLSName    Code = "tls-name"
	TLSExpiry  Code = "tls-expiry"
	TLSChain   Code = "tls-chain"
	TLSTrust   Code = "tls-trust"
)

// Discovery document, headers and cookies.
const (
	DiscoveryDocument Code = "discovery-document"
	DiscoveryIssuer   Code = "discovery-issuer"
	DiscoverySupport  Code = "discovery-support"
	Clock             Code = "clock"
	ProxyHeaders      Code = "proxy-headers"
	HSTS              Code = "hsts"
	Cookies           Code = "cookies"
)

// Keys by which LivePerson verifies tokens.
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

// Operations listener.
const (
	OperationsReady   Code = "operations-ready"
	OperationsPrivate Code = "operations-private"
)

// Authorization endpoint, as LivePerson's window uses it.
const (
	RedirectAccepted Code = "redirect-accepted"
	RedirectRequest  Code = "redirect-request"
	RedirectNonce    Code = "redirect-nonce"
	RedirectForeign  Code = "redirect-foreign"
	RedirectState    Code = "redirect-state"
)

// Token endpoint, as LivePerson's servers use it.
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

// Connector in the LiveEngage account.
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
