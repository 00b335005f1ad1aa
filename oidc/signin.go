package oidc

import (
	"context"
	"errors"
	"time"

	"idpbridge/claims"
)

var (
	// ErrNotFound says that no open sign-in has that id: it never existed, is
	// closed, has expired, or its person is gone.
	ErrNotFound = errors.New("no such sign-in")
	// ErrReplayed says that the code or a refresh token of a sign-in was presented
	// a second time. The sign-in is closed by then, and with it every token that
	// came of it (RFC 6749 section 4.1.2, RFC 9700 section 4.14.2). The sign-in is
	// returned beside it, for the log.
	ErrReplayed = errors.New("spent already")
)

// State is where a sign-in stands in its one life: answered, redeemed, closed.
type State int

// The states of a sign-in. A sign-in only ever moves to a higher one.
const (
	// Issued: the client holds a code that it has not redeemed.
	Issued State = 1
	// Redeemed: the client holds tokens.
	Redeemed State = 2
	// Closed: nothing that came of the sign-in is worth anything any more.
	Closed State = 3
)

// Signin is one answer to one client about one person. Its id is the first part
// of every code and access token that comes of it, so any of them leads to its
// row, and closing the row ends them all.
type Signin struct {
	ID          string    // 128 random bits, base64url
	Reference   string    // names this sign-in in logs and on error pages; not a secret
	ClientID    string    //
	SessionID   string    // the browser session that it was answered from
	Subject     string    //
	State       State     //
	Created     time.Time //
	CodeExpires time.Time // zero where no code was issued
	Expires     time.Time // when the last token of it has expired and the row may go
	Refresh     Refresh   // zero where it has no refresh token
	Grant       Grant     //
}

// Refresh is the newest refresh token of a sign-in. The tokens before it are
// spent; they are told apart by number, and none of them is kept.
type Refresh struct {
	Number  int       // of the newest; the first is 1, and 0 means that there is none
	Issued  time.Time // when the newest was issued
	Expires time.Time // when it ends unless used before: idle lifetime
	Ends    time.Time // when the last of them ends, however busy: absolute lifetime
}

// Rotation asks for the successor of a refresh token.
type Rotation struct {
	ID       string        // of the sign-in
	ClientID string        // who presents it
	Number   int           // of the token that is presented
	At       time.Time     //
	Idle     time.Duration // lifetime of the successor, unless used
	Access   time.Duration // lifetime of an access token that comes with it
	Grace    time.Duration // how long the predecessor may come back; zero for never
}

// Grant is what the person's client asked for and was given, kept for the
// token endpoint and for the access token's use.
type Grant struct {
	RedirectURI   string   `json:"redirect_uri"`
	Scopes        []string `json:"scope"`
	Nonce         string   `json:"nonce,omitempty"`
	CodeChallenge string   `json:"code_challenge,omitempty"` // S256 (RFC 7636 section 4.2)
	AuthTime      int64    `json:"auth_time"`                // seconds
	ACR           string   `json:"acr,omitempty"`
	AMR           []string `json:"amr,omitempty"`
	// Claims that the parameter claims asked for by name, beside those of the
	// scopes (OIDC Core section 5.5).
	UserinfoClaims []string `json:"userinfo_claims,omitempty"`
	IDTokenClaims  []string `json:"id_token_claims,omitempty"`
}

// Signins keeps sign-ins. Each method is one atomic step; store implements it.
type Signins interface {
	// RecordSignin records a new sign-in in the state that it carries.
	RecordSignin(ctx context.Context, s Signin) error

	// RedeemCode moves an answered sign-in whose code has not expired at the given
	// time to redeemed, and returns it with the person as known now. Of any
	// number of callers one wins. A caller who finds it redeemed already closes
	// it and gets ErrReplayed; every other miss is ErrNotFound. The sign-in's
	// session must still be open where it names one.
	RedeemCode(ctx context.Context, id string, at time.Time) (Signin, claims.Person, error)

	// FindSignin returns a sign-in that is not closed and has not expired, with the
	// person as known now, or ErrNotFound.
	FindSignin(ctx context.Context, id string, at time.Time) (Signin, claims.Person, error)

	// RotateRefreshToken spends a refresh token of a redeemed sign-in of that client whose
	// refresh token has not expired, and returns the sign-in with its successor
	// and the person as known now. It is one conditional update: of any number of
	// callers one spends the token. The sign-in lives at least as long as its new
	// tokens. Who presents the newest token's predecessor less than Grace after
	// that was issued gets the same successor, and nothing is written. Who presents
	// any other spent token closes the sign-in and gets ErrReplayed (RFC 9700
	// section 4.14.2). Every other miss is ErrNotFound and changes nothing.
	RotateRefreshToken(ctx context.Context, r Rotation) (Signin, claims.Person, error)

	// CloseSignin ends a sign-in. Closing one that is closed or unknown is no error.
	CloseSignin(ctx context.Context, id string) error
}

// String is the state's name.
func (s State) String() string {
	switch s {
	case Issued:
		return "answered"
	case Redeemed:
		return "redeemed"
	case Closed:
		return "closed"
	}
	return "unknown"
}
