// Package liveengage is LivePerson's side of the contract. Read sheet.go first:
// the form by which a LiveEngage account learns of its authentication server.
package liveengage

import (
	"encoding/json"
	"fmt"
	"net/url"
	"time"
)

// Facts are what the form is filled from. Now and KeyCreated are compared for
// the age of the key; every other field is shown as it is.
type Facts struct {
	Issuer, AuthorizationEndpoint, TokenEndpoint, JWKSEndpoint string

	DisplayName   string // Issuer Display Name; empty: the host of the issuer
	ClientID      string // empty: no client is LiveEngage's, which is warned of
	ClientSecret  string // empty: the form says that it is in the configuration
	PublicKeyLine string // X.509 SubjectPublicKeyInfo, base64, on one line
	KeyID         string
	Fingerprint   string    // SHA-256 of the key, as people compare it
	KeyCreated    time.Time // zero: unknown
	Now           time.Time
	JSMethod      string // empty: lpGetAuthenticationToken
	JSContext     string // empty: window
}

// Entry is one field of the form.
type Entry struct {
	Label    string // as the newest console has it
	OldLabel string // as older consoles have it, where that differs
	Value    string // what to enter
	Help     string // what the field does
	Mistake  string // the usual mistake; may be empty
	Secret   bool   // Value is a secret: keep it off paper and out of logs
	Hint     bool   // Value says where to look; it is not itself to be entered
}

// Sheet is the form, filled for both flows; a LiveEngage account uses one of
// them for web and apps alike.
type Sheet struct {
	Implicit, Code []Entry
	// Unseen are settings of a connector that the form does not show: LivePerson
	// sets them.
	Unseen             []Entry
	KeyID, Fingerprint string
	KeyCreated         time.Time // zero: unknown
	KeyAgeDays         int       // whole days, never negative
	Identity           string    // the identity function for the brand's pages
	Warnings           []string  // why LiveEngage would not take this as it is
}

// NewSheet fills the form: its fields in its own order and words.
func NewSheet(f Facts) Sheet {
	issuer, err := url.Parse(f.Issuer)
	if err != nil {
		issuer = &url.URL{}
	}
	f = f.complete(issuer.Hostname())
	s := Sheet{
		Implicit: f.entries(false), Code: f.entries(true), Unseen: f.unseen(),
		KeyID: f.KeyID, Fingerprint: f.Fingerprint, KeyCreated: f.KeyCreated, Identity: identity(f.Issuer),
	}
	if !f.KeyCreated.IsZero() {
		s.KeyAgeDays = max(0, int(f.Now.Sub(f.KeyCreated)/(24*time.Hour)))
	}
	if issuer.Scheme != "https" || issuer.Port() != "" && issuer.Port() != "443" {
		s.Warnings = append(s.Warnings, fmt.Sprintf("LiveEngage reaches an authentication server by https on port 443 only. "+
			"This one is %s: fine for looking around, but a live account cannot use it.", f.Issuer))
	}
	if f.ClientID == "" {
		s.Warnings = append(s.Warnings, "No client of the configuration is LiveEngage. Add one with the profile liveengage; its id belongs in Client ID.")
	}
	return s
}

// complete puts the usual values where a fact was left out.
func (f Facts) complete(host string) Facts {
	if f.DisplayName == "" {
		f.DisplayName = host
	}
	if f.JSMethod == "" {
		f.JSMethod = "lpGetAuthenticationToken"
	}
	if f.JSContext == "" {
		f.JSContext = "window"
	}
	return f
}

// identity is the function by which a page tells LiveEngage who is signed in.
// JSON is what quotes the issuer: it is safe inside a script element as well.
func identity(issuer string) string {
	quoted, err := json.Marshal(issuer)
	if err != nil {
		quoted = []byte(`""`)
	}
	return `lpTag.identities = lpTag.identities || [];
lpTag.identities.push(function (callback) {
  callback({
    iss: ` + string(quoted) + `,
    acr: "loa1",
    sub: "the sub of the customer who is signed in"
  });
});`
}

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
		Mistake: "Choosing JWT Public Key and later changing the key: tokens are refused until the new one is pasted.",
	}, {
		Label: "JWT Public Key", OldLabel: "OAuth 2.0 JWT Public Key", Value: f.PublicKeyLine,
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
	return []Entry{{
		Label: "RFC compliance", Value: "OAuth 2 RFC",
		Help:    "How the chat window of its own asks for a sign-in. New connectors have it; LivePerson’s support changes old ones.",
		Mistake: "An old connector still on openID sends its redirect URI with a query; the client here must then allow that.",
	}, {
		Label: "Default provider", Value: f.DisplayName, Hint: true,
		Help: "Which provider is used where an account has several and none is named.",
	}, {
		Label: "Accepted acr", Value: "loa1",
		Help: "The only level that LiveEngage knows; the identity function must name it.",
	}}
}
