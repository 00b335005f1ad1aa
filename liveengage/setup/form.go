package setup

import (
	"net/url"
	"strings"

	"idpbridge/liveengage"
)

func (f Facts) entries(code bool) []Entry {
	out := f.addresses(code)
	out = append(out, f.client(code)...)
	out = append(out, f.key()...)
	return append(out, f.page(code)...)
}

// addresses are the fields above the client: the flow, the issuer, where to go.
func (f Facts) addresses(code bool) []Entry {
	kind := "OAuth 2.0 authentication (implicit)"
	if code {
		kind = "OAuth 2.0 authentication (code)"
	}
	out := []Entry{{
		Label: "OAuth 2.0 Authentication Type", OldLabel: "Define the authentication service URLs", Value: kind,
		Help:    "Whether your page hands LiveEngage the token itself (implicit) or a code that it exchanges for one (code).",
		Mistake: "Choosing one type for the web and the other for apps: an account has one for both.",
	}}
	if code {
		out = append(out, Entry{
			Label: "PKCE", Value: "On",
			Help:    "LiveEngage gives your method a challenge as its second argument; send it with the authorization request as code_challenge, with code_challenge_method=S256.",
			Mistake: "Switching it on before your page passes the challenge on: then the code is refused.",
		})
	}
	out = append(out, Entry{
		Label: "Issuer Display Name", Value: f.DisplayName,
		Help:    "Your own name for this provider. Apps choose among several providers by it.",
		Mistake: "Renaming it here and not in the apps.",
	}, Entry{
		Label: "JWT issuer (iss)", Value: f.Issuer,
		Help:    "The same as iss in the token and in the identity function, letter by letter.",
		Mistake: "A slash at the end, or a capital letter: either makes it another issuer.",
	}, Entry{
		Label: "Authentication Endpoint", OldLabel: "OAuth 2.0 Authentication Endpoint", Value: f.AuthorizationEndpoint,
		Help:    "Where the chat sends a customer to sign in when it runs in a window of its own.",
		Mistake: "Waiting for a request: chat embedded in your page never makes one. The field still wants a value.",
	})
	if !code {
		return out
	}
	return append(out, Entry{
		Label: "Token Endpoint", OldLabel: "OAuth 2.0 Token Endpoint", Value: f.TokenEndpoint,
		Help:    "Where LivePerson’s servers exchange the code for the token.",
		Mistake: "An address that only your own network reaches.",
	})
}

// client is how LivePerson identifies itself to this provider.
func (f Facts) client(code bool) []Entry {
	out := []Entry{{
		Label: "Client ID", OldLabel: "OAuth 2.0 Client ID", Value: f.ClientID,
		Help:    "The client of your configuration that LiveEngage is.",
		Mistake: "Your LivePerson account number: it is not a client ID unless you configured it as one.",
	}}
	if f.ClientID == "" {
		out[0].Value, out[0].Hint = "the id of a client with the profile liveengage in your configuration", true
	}
	if !code {
		return out
	}
	secret := Entry{
		Label: "Client Secret", OldLabel: "OAuth 2.0 Client Secret", Value: f.ClientSecret, Secret: true,
		Help:    "LivePerson’s servers prove with it who they are.",
		Mistake: "A space or line end picked up while copying.",
	}
	if f.ClientSecret == "" {
		secret.Value, secret.Secret, secret.Hint = "the secret of this client in your configuration", false, true
	}
	return append(out, secret)
}

// key is how LivePerson verifies the token.
func (f Facts) key() []Entry {
	return []Entry{{
		Label: "IDP Certificate Type", Value: "JWT Public Key",
		Help:    "Which of the next two fields counts. Choose JWKS Endpoint once this provider is reachable from the internet: keys can then change by themselves.",
		Mistake: "Choosing JWT Public Key and later changing the key: tokens are refused until the new one is pasted. Set pinned_key to the key ID below to keep it.",
	}, {
		Label: "JWT Public Key", OldLabel: "OAuth 2.0 JWT Public Key", Value: f.Key.Line,
		Help:    "With the type JWT Public Key: the key on one line, without the BEGIN and END lines.",
		Mistake: "A lost character or an added line break: LiveEngage answers 9007. Compare the fingerprint below.",
	}, {
		Label: "JWKS Endpoint", Value: f.JWKSEndpoint,
		Help:    "With the type JWKS Endpoint: where LivePerson fetches the keys.",
		Mistake: "An address that asks for a password or a client certificate: LivePerson sends neither.",
	}}
}

// page is where the chat finds the brand's own function.
func (f Facts) page(code bool) []Entry {
	what := "token"
	if code {
		what = "code"
	}
	return []Entry{{
		Label: "JS Method Name", OldLabel: "JS method name", Value: f.JSMethod,
		Help:    "The function of your page that the embedded chat calls for a " + what + ".",
		Mistake: "Not calling its callback when nobody is signed in or something failed: the chat then waits for ever.",
	}, {
		Label: "JS Context", OldLabel: "context", Value: f.JSContext,
		Help:    "The object that the function belongs to.",
		Mistake: "A function inside a module: it must be reachable from the global scope.",
	}}
}

func (f Facts) unseen() []Entry {
	dialect := "OAuth 2 RFC"
	if f.Legacy {
		dialect = "openID"
	}
	return []Entry{{
		Label: "RFC compliance", Value: dialect,
		Help:    "How the chat window of its own asks for a sign-in. New connectors are OAuth 2 RFC; LivePerson’s support changes old ones. Here it is the client’s setting dialect.",
		Mistake: "An old connector still on openID sends its redirect URI with a query: that needs dialect: legacy.",
	}, {
		Label: "Default provider", Value: f.DisplayName, Hint: true,
		Help: "Which provider is used where an account has several and none is named.",
	}, {
		Label: "Accepted acr", Value: liveengage.ACR,
		Help: "The only level that LiveEngage knows; the identity function must name it.",
	}}
}

// delegated is a connector that gives bots the brand's access token during
// conversations with somebody who is not signed in.
func (f Facts) delegated() []Entry {
	out := []Entry{{
		Label: "OAuth 2.0 Authentication Type", OldLabel: "Define the authentication service URLs", Value: "OAuth 2.0 authentication (code)",
		Help: "Delegation is code flow only. This is a connector of its own, beside the one above.",
	}}
	out = append(out, f.addresses(true)[3:]...)
	out = append(out, f.client(true)...)
	return append(out, Entry{
		Label: "JWT Public Key", OldLabel: "OAuth 2.0 JWT Public Key", Value: liveengage.DelegationKey,
		Help:    "This very word, instead of a key.",
		Mistake: "Pasting the key: the connector is then one for authenticated conversations.",
	})
}

// window is what is registered here for the chat in a window of its own.
func (f Facts) window() []Entry {
	out := make([]Entry, 0, len(f.RedirectURIs)+1)
	for _, uri := range f.RedirectURIs {
		out = append(out, Entry{Label: "Redirect URI", Value: uri, Help: redirectHelp(uri)})
	}
	if f.TokenRedirectURI != "" {
		out = append(out, Entry{
			Label: "Redirect URI at the token endpoint", Value: f.TokenRedirectURI,
			Help: "LivePerson sends this one where your page names none, and always in the openID dialect. It is accepted beside the one that the code was issued for.",
		})
	}
	return out
}

func redirectHelp(uri string) string {
	u, err := url.Parse(uri)
	switch {
	case err == nil && strings.HasSuffix(u.Hostname(), liveengage.MediaDomain):
		return "The chat window of its own comes back here. If LivePerson’s window has another address for your account, add that to redirect_uris."
	case uri == liveengage.EmbeddedRedirectURI:
		return "Codes for the chat embedded in your page are issued for this one."
	case err == nil && strings.Contains(u.Path, liveengage.DelegationPath):
		return "Consumer delegation comes back here."
	}
	return "Registered for this client; no other is accepted."
}

// encryption are the keys of LivePerson's that tokens are encrypted to.
func (f Facts) encryption() []Entry {
	out := make([]Entry, 0, len(f.Encryption))
	for _, k := range f.Encryption {
		until := "It has no end of its own."
		if !k.NotAfter.IsZero() {
			until = "Valid until " + k.NotAfter.UTC().Format("2 January 2006") + "."
		}
		out = append(out, Entry{
			Label: "LivePerson’s key " + k.ID, Value: k.Fingerprint,
			Help: "Tokens are signed, then encrypted to the first of these keys that is valid: RSA-OAEP-256, " + f.ContentEncoding + ". " + until,
		})
	}
	return out
}
