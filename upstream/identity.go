package upstream

import (
	"time"

	"idpbridge/internal/secret"
)

// Identity is what an upstream says about a person who has authenticated there.
type Identity struct {
	Upstream   string         // id of the upstream
	Issuer     string         // of the token; with Subject it names the person
	Subject    string         // the upstream's name for the person; never empty, at most 255 bytes
	Attributes map[string]any // JSON: claims of the token, merged with those of UserInfo

	AuthTime  time.Time // when the person authenticated; zero if the upstream does not say
	ACR       string    // in our words; empty if unknown
	AMR       []string  // likewise
	SessionID string    // the upstream's claim sid; may be empty

	IDToken      secret.Value // for sign-out; unset if it is not kept
	RefreshToken secret.Value // to refresh the attributes; unset if it is not kept
}

// Attempt is one sign-in at an upstream, from the redirect to its answer. The browser
// keeps it in an encrypted cookie.
type Attempt struct {
	Upstream string `json:"u"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"` // of PKCE
	Started  int64  `json:"t"` // unix milliseconds
	// MaxAge is how old the authentication may be, in seconds; nil means any age. The ID
	// token must then have auth_time.
	MaxAge *int64 `json:"a,omitempty"`
	Silent bool   `json:"s,omitempty"` // with prompt=none
}

// StartedAt is when the attempt began.
func (a Attempt) StartedAt() time.Time { return time.UnixMilli(a.Started) }

// LoginRequest is what an upstream is asked for. All fields but State are optional.
type LoginRequest struct {
	State     string
	Silent    bool     // prompt=none
	Prompt    []string // login, consent, select_account
	MaxAge    *int64   // seconds
	LoginHint string
	UILocales string
	ACRValues string
}

// RefusedError means that the upstream answered with an error of the authorization
// endpoint (RFC 6749 section 4.1.2.1, OIDC Core section 3.1.2.6).
type RefusedError struct {
	Code        string // such as login_required
	Description string // of the upstream; for the log only
}

func (e *RefusedError) Error() string { return "upstream refused: " + e.Code }

// UnavailableError means that the upstream could not be reached, or answers with server
// errors. Trying again later may help.
type UnavailableError struct{ Cause error }

func (e *UnavailableError) Error() string { return "upstream unavailable: " + e.Cause.Error() }

// Unwrap returns the cause.
func (e *UnavailableError) Unwrap() error { return e.Cause }

// InvalidError means that a token or an answer of the upstream is not valid. Reason says
// why, for the log only.
type InvalidError struct{ Reason string }

func (e *InvalidError) Error() string { return "answer of the upstream is not valid: " + e.Reason }
