// Package liveengage has the wire types and constants of LivePerson's contract: how
// its services write a connector down, and the URLs, names and codes that they use.
// It holds each of them once for the whole module.
package liveengage

// Addresses of LivePerson's own services and web pages.
const (
	// DomainAPI is the service from which the addresses of all others are found.
	DomainAPI = "https://api.liveperson.net"
	// AccountConfig is the public account configuration, called accdn, with the list
	// of connectors. It is used if the Domain API names no other.
	AccountConfig = "https://accdn.lpsnmedia.net"
	// TokenIssuer is iss in the tokens that LivePerson issues itself.
	TokenIssuer = "https://idp.liveperson.net"
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
	// WindowURI is the pop-out window, where a customer comes back to after a sign-in.
	WindowURI = "https://lpcdn." + MediaDomain + WindowPath
	// WindowQueryKey is the query parameter that the pop-out window adds to its
	// redirect URI without RFC compliance.
	WindowQueryKey = "lpUnifiedWindowConfig"
	// DelegationPath ends the path of the redirect URI of consumer delegation.
	DelegationPath = "/redirectCode"
)

// What the brand's page and the tokens say.
const (
	// DefaultJSMethod and DefaultJSContext are the usual name of the page's function
	// that the chat calls, and the object that it is looked up on.
	DefaultJSMethod  = "lpGetAuthenticationToken"
	DefaultJSContext = "window"
	// ACR is the only authentication context class that LiveEngage knows.
	ACR = "loa1"
)
