// Package liveengage has the wire types and constants of LivePerson's contract: the
// connector as JSON, and the URLs, names and error codes of its services. Each of them
// is defined here once, for the whole module.
package liveengage

// URLs of LivePerson's services.
const (
	// DomainAPI is the service that returns the hosts of all others.
	DomainAPI = "https://api.liveperson.net"
	// AccountConfig is the public account configuration with the list of connectors.
	// The Domain API may name another.
	AccountConfig = "https://accdn.lpsnmedia.net"
	// Issuer is iss in the tokens that LivePerson issues.
	Issuer = "https://idp.liveperson.net"
)

// Redirect URIs of LivePerson.
const (
	// EmbeddedRedirectURI is what LivePerson sends to the token endpoint if the page
	// names no redirect URI.
	EmbeddedRedirectURI = "https://liveperson.net"
	// MediaDomain is the domain of the pop-out window's host.
	MediaDomain = "lpsnmedia.net"
	// WindowPath is the path of the pop-out window.
	WindowPath = "/le_unified_window/index.html"
	// WindowURI is the pop-out window, to which a customer returns after a sign-in.
	WindowURI = "https://lpcdn." + MediaDomain + WindowPath
	// WindowQueryKey is the query parameter that the pop-out window adds to its
	// redirect URI without RFC compliance.
	WindowQueryKey = "lpUnifiedWindowConfig"
	// DelegationPath ends the path of the redirect URI of consumer delegation.
	DelegationPath = "/redirectCode"
)

// What the brand's page and the tokens say.
const (
	// DefaultJSMethod is the usual name of the page's function that the chat calls.
	// DefaultJSContext is the object that has it.
	DefaultJSMethod  = "lpGetAuthenticationToken"
	DefaultJSContext = "window"
	// ACR is the only authentication context class that LiveEngage knows.
	ACR = "loa1"
)
