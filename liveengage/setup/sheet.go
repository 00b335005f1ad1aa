// Package setup fills LiveEngage's form for an authentication server, and has the
// snippets for the brand's pages and apps.
package setup

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"idpbridge/liveengage"
)

// Facts are what the form is filled from. Now, Key.Created and the ends of the
// encryption keys are compared; every other field is shown as it is.
type Facts struct {
	Issuer, AuthorizationEndpoint, TokenEndpoint, JWKSEndpoint string

	DisplayName  string // Issuer Display Name; empty: the host of the issuer
	ClientID     string // empty: no client is LiveEngage's, which is warned of
	ClientSecret string // empty: the form says that it is in the configuration
	Key          Key
	Now          time.Time
	JSMethod     string // empty: lpGetAuthenticationToken
	JSContext    string // empty: window

	Legacy           bool   // the dialect of connectors without RFC compliance
	TokenRedirectURI string // what LivePerson may send at the token endpoint instead; empty: nothing
	Delegation       bool
	RedirectURIs     []string
	Page             Page
	Encryption       []EncryptionKey // in order of preference; empty: tokens are signed alone
	ContentEncoding  string          // enc, where there is Encryption
	Exceptions       []Exception
}

// Key is the public key that verifies this client's tokens.
type Key struct {
	Line        string // X.509 SubjectPublicKeyInfo, base64, on one line
	ID          string
	Fingerprint string    // SHA-256 of the key, as people compare it
	Created     time.Time // zero: unknown
	Pinned      bool      // signs for this client whatever rotation does
	Retired     bool      // signs for nobody else any more; only where pinned
}

// Page is how the brand's pages use the page script; the zero value: they do not.
type Page struct {
	Script    string // address of the script, with the client's id
	Origins   []string
	Code      bool // hands out codes; else tokens
	ReturnURI string
}

// EncryptionKey is a key of LivePerson's that tokens are encrypted to.
type EncryptionKey struct {
	ID, Fingerprint     string
	NotBefore, NotAfter time.Time // zero: no bound
}

// Exception is a departure from the strict protocol that this client may use.
type Exception struct{ Name, Sentence string }

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

// Snippet is code to paste.
type Snippet struct{ Title, Where, Code, Mistake string }

// Sheet is the form, filled for both flows; a LiveEngage account uses one of
// them for web and apps alike.
type Sheet struct {
	Implicit, Code []Entry
	// Delegated is the form of a second connector, for consumer delegation in
	// conversations with strangers; empty where the client has no delegation.
	Delegated []Entry
	// Unseen are settings of a connector that the form does not show: LivePerson
	// sets them.
	Unseen []Entry
	// Window is what is registered here for the chat in a window of its own.
	Window     []Entry
	Key        Key
	KeyAgeDays int       // whole days, never negative
	Pages      []Snippet // for the brand's pages
	Apps       []Snippet // for native apps
	Encryption []Entry   // empty: tokens are not encrypted
	Exceptions []Exception
	Connector  string   // the connector as JSON, in LivePerson's own keys
	Warnings   []string // why LiveEngage would not take this as it is
}

// NewSheet fills the form: its fields in its own order and words.
func NewSheet(f Facts) Sheet {
	f = f.complete(hostOf(f.Issuer))
	s := Sheet{
		Implicit: f.entries(false), Code: f.entries(true), Unseen: f.unseen(), Window: f.window(), Key: f.Key,
		Pages: f.pages(), Apps: f.apps(), Encryption: f.encryption(), Exceptions: f.Exceptions,
	}
	if f.Delegation {
		s.Delegated = f.delegated()
	}
	if !f.Key.Created.IsZero() {
		s.KeyAgeDays = max(0, int(f.Now.Sub(f.Key.Created)/(24*time.Hour)))
	}
	flow := liveengage.FlowImplicit
	if f.Page.Code {
		flow = liveengage.FlowCode
	}
	if connector, err := json.MarshalIndent(NewConnector(f, flow, liveengage.KeyTypePasted), "", "  "); err == nil {
		s.Connector = string(connector)
	}
	s.Warnings = f.warnings()
	return s
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// warnings say why a live account could not use this, or what will go wrong soon.
func (f Facts) warnings() []string {
	var out []string
	issuer, err := url.Parse(f.Issuer)
	if err != nil || issuer.Scheme != "https" || issuer.Port() != "" && issuer.Port() != "443" {
		out = append(out, fmt.Sprintf("LiveEngage reaches an authentication server by https on port 443 only. "+
			"This one is %s: fine for looking around, but a live account cannot use it.", f.Issuer))
	}
	if f.ClientID == "" {
		out = append(out, "No client of the configuration is LiveEngage. Add one with the profile liveengage; its id belongs in Client ID.")
	}
	if f.Key.Retired {
		out = append(out, fmt.Sprintf("The pinned key %s signs for LiveEngage alone; every other client has moved on to a newer one. "+
			"Paste the newer key, or change to JWKS Endpoint, then take pinned_key out of the configuration.", f.Key.ID))
	}
	valid := len(f.Encryption) == 0
	for _, k := range f.Encryption {
		valid = valid || !f.Now.Before(k.NotBefore) && (k.NotAfter.IsZero() || f.Now.Before(k.NotAfter))
	}
	if !valid {
		out = append(out, "Every encryption key of this client has expired or is not valid yet: no token can be issued. Ask LivePerson for the new one.")
	}
	return out
}

// complete puts the usual values where a fact was left out.
func (f Facts) complete(host string) Facts {
	f.DisplayName = cmp.Or(f.DisplayName, host)
	f.JSMethod = cmp.Or(f.JSMethod, liveengage.DefaultJSMethod)
	f.JSContext = cmp.Or(f.JSContext, liveengage.DefaultJSContext)
	return f
}
