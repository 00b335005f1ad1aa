package setup

import (
	"net/url"
	"strings"

	"idpbridge/liveengage"
)

// Values of the form that occur more than once.
const (
	labelAuthType    = "OAuth 2.0 Authentication Type"
	oldLabelAuthType = "Define the authentication service URLs"
	labelPublicKey   = "JWT Public Key"
	oldLabelKey      = "OAuth 2.0 JWT Public Key"
	valueCode        = "OAuth 2.0 authentication (code)"
	valueImplicit    = "OAuth 2.0 authentication (implicit)"
	valueRFC         = "OAuth 2 RFC"
	valueOpenID      = "openID"
)

// fillForm fills in the form for the implicit or the code flow.
func (f Facts) fillForm(flow liveengage.Flow) []Entry {
	out := append(f.fillFlow(flow), f.fillDisplayName())
	out = append(out, f.fillIssuer()...)
	if flow == liveengage.FlowCode {
		out = append(out, f.fillTokenEndpoint())
	}
	out = append(out, f.fillClientID())
	if flow == liveengage.FlowCode {
		out = append(out, f.fillClientSecret())
	}
	out = append(out, f.fillKey()...)
	return append(out, f.fillJSFunction(flow)...)
}

// fillDelegationForm fills in the form of a connector that gives bots the brand's
// access token in conversations with customers who are not signed in.
func (f Facts) fillDelegationForm() []Entry {
	out := []Entry{{
		Label: labelAuthType, OldLabel: oldLabelAuthType, Value: valueCode,
		Help: "Delegation works with the code flow only. It needs a second connector, in addition to the one above.",
	}}
	out = append(out, f.fillIssuer()...)
	return append(out, f.fillTokenEndpoint(), f.fillClientID(), f.fillClientSecret(), Entry{
		Label: labelPublicKey, OldLabel: oldLabelKey, Value: liveengage.DelegationKey,
		Help:    "Enter exactly this word instead of a key.",
		Mistake: "Pasting the key: the connector is then one for authenticated conversations.",
	})
}

func (f Facts) fillFlow(flow liveengage.Flow) []Entry {
	authType := Entry{
		Label: labelAuthType, OldLabel: oldLabelAuthType, Value: valueImplicit,
		Help: "Whether your page gives LiveEngage the token itself (implicit) or a code that LiveEngage " +
			"exchanges for one (code).",
		Mistake: "Choosing one type for the web and the other for apps: an account has one type for both.",
	}
	if flow != liveengage.FlowCode {
		return []Entry{authType}
	}
	authType.Value = valueCode
	return []Entry{authType, {
		Label: "PKCE", Value: "On",
		Help: "LiveEngage calls your method with a code challenge as the second argument. Send it to the " +
			"authorization endpoint as code_challenge, with code_challenge_method=S256.",
		Mistake: "Switching it on before your page passes the challenge on: the code is then refused.",
	}}
}

func (f Facts) fillDisplayName() Entry {
	return Entry{
		Label: "Issuer Display Name", Value: f.DisplayName,
		Help:    "Your name for this provider. Apps use it to choose between several providers.",
		Mistake: "Renaming it here and not in the apps.",
	}
}

func (f Facts) fillIssuer() []Entry {
	return []Entry{{
		Label: "JWT issuer (iss)", Value: f.Issuer,
		Help:    "Must exactly match iss in the token and in the identity function.",
		Mistake: "Adding a slash at the end or a capital letter: either makes it a different issuer.",
	}, {
		Label: "Authentication Endpoint", OldLabel: "OAuth 2.0 Authentication Endpoint", Value: f.AuthorizationEndpoint,
		Help:    "Where the pop-out window sends a customer to sign in.",
		Mistake: "Expecting a request from embedded chat: it never makes one. The field is required anyway.",
	}}
}

func (f Facts) fillTokenEndpoint() Entry {
	return Entry{
		Label: "Token Endpoint", OldLabel: "OAuth 2.0 Token Endpoint", Value: f.TokenEndpoint,
		Help:    "Where LivePerson’s servers exchange the code for the token.",
		Mistake: "A URL that can be reached only from your own network.",
	}
}

func (f Facts) fillClientID() Entry {
	e := Entry{
		Label: "Client ID", OldLabel: "OAuth 2.0 Client ID", Value: f.ClientID,
		Help: "The client ID registered for LiveEngage in your configuration.",
		Mistake: "Entering your LivePerson account number: it is not a client ID unless you registered it as " +
			"one.",
	}
	if f.ClientID == "" {
		e.Value, e.Hint = "the ID of a client with the profile liveengage in your configuration", true
	}
	return e
}

func (f Facts) fillClientSecret() Entry {
	e := Entry{
		Label: "Client Secret", OldLabel: "OAuth 2.0 Client Secret", Value: f.ClientSecret, Secret: true,
		Help:    "LivePerson’s servers authenticate with it at the token endpoint.",
		Mistake: "Copying a space or a line break along with it.",
	}
	if f.ClientSecret == "" {
		e.Value, e.Secret, e.Hint = "the secret of this client in your configuration", false, true
	}
	return e
}

func (f Facts) fillKey() []Entry {
	return []Entry{{
		Label: "IDP Certificate Type", Value: labelPublicKey,
		Help: "Which of the next two fields is used. Choose JWKS Endpoint once this provider can be reached from " +
			"the internet. You can then change keys without editing this form.",
		Mistake: "Choosing JWT Public Key and changing the key later: tokens are refused until the new key is " +
			"pasted. To keep the key, set pinned_key to the key ID below.",
	}, {
		Label: labelPublicKey, OldLabel: oldLabelKey, Value: f.Key.Line,
		Help:    "For the type JWT Public Key: the key on one line, without the BEGIN and END lines.",
		Mistake: "A missing character or a line break: LiveEngage reports 9007. Compare the fingerprint below.",
	}, {
		Label: "JWKS Endpoint", Value: f.JWKSEndpoint,
		Help:    "For the type JWKS Endpoint: where LivePerson fetches the keys.",
		Mistake: "A URL that requires a password or a client certificate: LivePerson sends neither.",
	}}
}

// fillJSFunction says where the chat finds the brand's function.
func (f Facts) fillJSFunction(flow liveengage.Flow) []Entry {
	credential := "token"
	if flow == liveengage.FlowCode {
		credential = "code"
	}
	return []Entry{{
		Label: "JS Method Name", OldLabel: "JS method name", Value: f.JSMethod,
		Help: "The function of your page that embedded chat calls to get a " + credential + ".",
		Mistake: "Not calling the callback if the customer is not signed in or if something failed: the chat " +
			"then waits forever.",
	}, {
		Label: "JS Context", OldLabel: "context", Value: f.JSContext,
		Help:    "The object that has the function.",
		Mistake: "Defining the function inside a module: it must be reachable from the global scope.",
	}}
}

// listUnseenSettings lists the settings of a connector that the form does not show.
func (f Facts) listUnseenSettings() []Entry {
	dialect := valueRFC
	if f.Legacy {
		dialect = valueOpenID
	}
	return []Entry{{
		Label: "RFC compliance", Value: dialect,
		Help: "How the pop-out window requests a sign-in. New connectors use OAuth 2 RFC; LivePerson’s support " +
			"switches old ones. In this provider it is the client’s setting dialect.",
		Mistake: "Keeping an old connector on openID without dialect: legacy. Its redirect URI has a query.",
	}, {
		Label: "Default provider", Value: f.DisplayName, Hint: true,
		Help: "Which provider is used if an account has several and the request names none.",
	}, {
		Label: "Accepted acr", Value: liveengage.ACR,
		Help: "The only value that LiveEngage accepts. The identity function must send it.",
	}}
}

// listRedirectURIs lists what is registered for the pop-out window and other callers.
func (f Facts) listRedirectURIs() []Entry {
	out := make([]Entry, 0, len(f.RedirectURIs)+1)
	for _, uri := range f.RedirectURIs {
		out = append(out, Entry{Label: "Redirect URI", Value: uri, Help: describeRedirectURI(uri)})
	}
	if f.TokenRedirectURI != "" {
		out = append(out, Entry{
			Label: "Redirect URI at the token endpoint", Value: f.TokenRedirectURI,
			Help: "LivePerson sends it if your page names no redirect URI, and always in the openID dialect. It is " +
				"accepted in addition to the one that the code was issued for.",
		})
	}
	return out
}

func describeRedirectURI(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		u = &url.URL{}
	}
	if liveengage.IsWindowURI(uri) {
		return "The pop-out window returns here. If the window has another URL for your account, add that URL to " +
			"redirect_uris."
	}
	if strings.Contains(u.Path, liveengage.DelegationPath) {
		return "Consumer delegation returns here."
	}
	return "Registered for this client. No other redirect URI is accepted."
}

// listEncryptionKeys lists LivePerson's keys that tokens are encrypted to.
func (f Facts) listEncryptionKeys() []Entry {
	out := make([]Entry, 0, len(f.Encryption))
	for _, k := range f.Encryption {
		validity := "It has no expiry date."
		if !k.NotAfter.IsZero() {
			validity = "Valid until " + k.NotAfter.UTC().Format("2 January 2006") + "."
		}
		out = append(out, Entry{
			Label: "LivePerson’s key " + k.ID, Value: k.Fingerprint,
			Help: "Tokens are signed, then encrypted to the first of these keys that is valid: RSA-OAEP-256, " +
				f.ContentEncoding + ". " + validity,
		})
	}
	return out
}
