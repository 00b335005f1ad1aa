// Package liveengage is LivePerson's side of the contract. Read sheet.go first:
// the form by which a LiveEngage account learns of its authentication server.
package liveengage

import (
	"fmt"
	"net/url"
	"time"
)

// Facts are what the form is filled from.
type Facts struct {
	Issuer, AuthorizationEndpoint, TokenEndpoint, JWKSEndpoint string
	ClientID                                                   string
	ClientSecret                                               string // empty: it is in the configuration
	PublicKeyLine, KeyID, Fingerprint                          string
	KeyCreated, Now                                            time.Time
	JSMethod, JSContext                                        string
}

// Entry is one field of the form.
type Entry struct {
	Label    string // as the newest console has it
	OldLabel string // as older consoles have it, where that differs
	Value    string
	Help     string // what the field does
	Mistake  string // the usual mistake
}

// Sheet is the form, filled for both flows; a LiveEngage account uses one of
// them for web and apps alike.
type Sheet struct {
	Implicit, Code     []Entry
	KeyID, Fingerprint string
	KeyCreated         time.Time
	KeyAgeDays         int
	Identity           string   // the snippet for the brand's pages
	Warnings           []string // what LiveEngage will not take
}

// NewSheet fills the form: its fields in its own order and words.
func NewSheet(f Facts) Sheet {
	s := Sheet{
		KeyID: f.KeyID, Fingerprint: f.Fingerprint, KeyCreated: f.KeyCreated,
		KeyAgeDays: int(f.Now.Sub(f.KeyCreated) / (24 * time.Hour)),
		Identity: fmt.Sprintf("lpTag.identities = lpTag.identities || [];\nlpTag.identities.push(function (callback) {\n"+
			"  callback({ iss: %q, acr: \"loa1\", sub: \"<the sub of the signed-in consumer>\" });\n});", f.Issuer),
		Implicit: entries(f, false), Code: entries(f, true),
	}
	if u, err := url.Parse(f.Issuer); err != nil || u.Scheme != "https" || u.Port() != "" && u.Port() != "443" {
		s.Warnings = append(s.Warnings, "LiveEngage reaches an authentication server by https on port 443 only. "+
			"This one runs at "+f.Issuer+": fine to look around, not for a live account.")
	}
	if f.ClientID == "" {
		s.Warnings = append(s.Warnings, "No client has the profile liveengage; add one to the configuration.")
	}
	return s
}

func entries(f Facts, code bool) []Entry {
	kind := "OAuth 2.0 authentication (implicit)"
	if code {
		kind = "OAuth 2.0 authentication (code)"
	}
	out := []Entry{{
		Label: "OAuth 2.0 Authentication Type", OldLabel: "Define the authentication service URLs", Value: kind,
		Help: "How LiveEngage gets the token.", Mistake: "An account has one type for web and apps alike.",
	}}
	if code {
		out = append(out, Entry{
			Label: "PKCE", Value: "on", Help: "LiveEngage proves that it is the one who asked (S256).",
			Mistake: "It needs a page that passes the challenge on; leave it off until yours does.",
		})
	}
	out = append(out,
		Entry{Label: "Issuer Display Name", Value: "idp", Help: "Apps choose among several providers by this name."},
		Entry{
			Label: "JWT issuer (iss)", Value: f.Issuer, Help: "Must equal iss in the token and in the identity function, letter by letter.",
			Mistake: "A slash at the end makes it another issuer.",
		},
		Entry{
			Label: "Authentication Endpoint", OldLabel: "OAuth 2.0 Authentication Endpoint", Value: f.AuthorizationEndpoint,
			Help: "The chat window opens it when it runs in a browser window of its own.", Mistake: "The embedded window never calls it; that is no fault.",
		})
	if code {
		out = append(out, Entry{
			Label: "Token Endpoint", OldLabel: "OAuth 2.0 Token Endpoint", Value: f.TokenEndpoint,
			Help: "LivePerson's servers redeem the code here.", Mistake: "It must be reachable from the internet.",
		})
	}
	out = append(out, Entry{Label: "Client ID", OldLabel: "OAuth 2.0 Client ID", Value: f.ClientID, Help: "The client of this program that LiveEngage is."})
	if code {
		secret := f.ClientSecret
		if secret == "" {
			secret = "the secret of this client in your configuration"
		}
		out = append(out, Entry{Label: "Client Secret", OldLabel: "OAuth 2.0 Client Secret", Value: secret, Help: "LivePerson's servers prove with it who they are."})
	}
	return append(out,
		Entry{
			Label: "IDP Certificate Type", Value: "JWT Public Key", Help: "Or JWKS Endpoint, with the address below; then keys may be rotated.",
		},
		Entry{
			Label: "JWT Public Key", OldLabel: "OAuth 2.0 JWT Public Key", Value: f.PublicKeyLine,
			Help: "Base64 of the key on one line, without BEGIN and END lines.", Mistake: "A lost character shows as error 9007; compare the fingerprint.",
		},
		Entry{Label: "JWKS Endpoint", Value: f.JWKSEndpoint, Help: "Only where the certificate type is JWKS Endpoint."},
		Entry{
			Label: "JS Method Name", OldLabel: "JS method name", Value: f.JSMethod, Help: "The embedded window calls this function of your page for a token or code.",
			Mistake: "Always call its callback, also when nobody is signed in; else the window waits for ever.",
		},
		Entry{Label: "JS Context", OldLabel: "JS method context", Value: f.JSContext, Help: "The object that holds the function."},
	)
}
