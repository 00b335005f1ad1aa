package setup

import (
	"cmp"
	"net/url"
	"time"

	"idpbridge/liveengage"
)

// Facts are what the form is filled from. Now, Key.Created and the validity of the
// encryption keys are compared; all other fields are shown as they are.
type Facts struct {
	Issuer, AuthorizationEndpoint, TokenEndpoint, JWKSEndpoint string

	DisplayName  string // Issuer Display Name; empty: the host of the issuer
	ClientID     string // empty: no client has the profile liveengage; the sheet warns
	ClientSecret string // empty: the form says that it is in the configuration
	Key          Key
	Now          time.Time
	JSMethod     string // empty: liveengage.DefaultJSMethod
	JSContext    string // empty: liveengage.DefaultJSContext

	Legacy           bool   // the dialect of connectors without RFC compliance
	TokenRedirectURI string // what LivePerson may send to the token endpoint instead; empty: nothing
	Delegation       bool
	RedirectURIs     []string
	Account          string // the LiveEngage account; empty: any account's window gets the token
	Page             Page
	Encryption       []EncryptionKey // in order of preference; empty: tokens are only signed
	ContentEncoding  string          // enc, if there is Encryption
	Deviations       []Deviation
}

// Key is the public key that verifies this client's tokens.
type Key struct {
	Line        string // X.509 SubjectPublicKeyInfo, base64, on one line
	ID          string
	Fingerprint string    // SHA-256, in the form that people compare
	Created     time.Time // zero: unknown
	Pinned      bool      // signs for this client even after a rotation
	Retired     bool      // no longer signs for other clients; only if pinned
}

// Page is how the brand's pages use the page script; the zero value: they don't.
type Page struct {
	Script    string // URL of the script, with the client ID
	Origins   []string
	Code      bool // returns codes; otherwise tokens
	ReturnURI string
}

// EncryptionKey is a LivePerson key that tokens are encrypted to.
type EncryptionKey struct {
	ID, Fingerprint     string
	NotBefore, NotAfter time.Time // zero: no limit
}

// validAt reports whether tokens may be encrypted to the key.
func (k EncryptionKey) validAt(now time.Time) bool {
	return !now.Before(k.NotBefore) && (k.NotAfter.IsZero() || now.Before(k.NotAfter))
}

// Deviation is a departure from the strict protocol that this client may use.
type Deviation struct{ Name, Sentence string }

// withDefaults returns the facts with the usual values in empty fields.
func (f Facts) withDefaults() Facts {
	if issuer, err := url.Parse(f.Issuer); err == nil {
		f.DisplayName = cmp.Or(f.DisplayName, issuer.Hostname())
	}
	f.JSMethod = cmp.Or(f.JSMethod, liveengage.DefaultJSMethod)
	f.JSContext = cmp.Or(f.JSContext, liveengage.DefaultJSContext)
	return f
}
