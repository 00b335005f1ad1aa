package oidc

import (
	"context"
	"errors"
	"time"

	"idpbridge/claims"
)

var (
	// ErrNotFound means that no open sign-in has that id: it never existed, is closed, has
	// expired, or its person no longer exists.
	ErrNotFound = errors.New("no such sign-in")
	// ErrUnavailable means that the database does not respond or cannot be written at the
	// moment. Package store wraps such errors in it.
	ErrUnavailable = errors.New("database unavailable")
	// ErrReplayed means that the code or a refresh token of a sign-in was presented a second
	// time. The sign-in is then closed, and with it all its tokens (RFC 6749 section 4.1.2,
	// RFC 9700 section 4.14.2). The sign-in is returned too, for the log.
	ErrReplayed = errors.New("already used")
)

// State is the state of a sign-in: issued, redeemed, closed.
type State int

// The states of a sign-in. It only moves to a higher one.
const (
	// Issued means that the client holds a code that it has not redeemed.
	Issued State = 1
	// Redeemed means that the client holds tokens.
	Redeemed State = 2
	// Closed means that no code or token of the sign-in is valid any more.
	Closed State = 3
)

// Signin is one authorization response to one client about one person. Its id is the
// first part of its code and of all its tokens, so each of them leads to its row, and
// closing the row ends them all.
type Signin struct {
	ID          string    // 128 random bits, base64url
	Reference   string    // names the sign-in in logs and on error pages; not a secret
	ClientID    string    //
	SessionID   string    // the browser session that it was made from
	Subject     string    //
	State       State     //
	Created     time.Time //
	CodeExpires time.Time // zero if no code was issued
	Expires     time.Time // when its code and its tokens have expired and the row can be deleted
	Refresh     Refresh   // zero if it has no refresh token
	Grant       Grant     //
	Upstream    string    // where the person authenticated; empty for the local directory
	ExchangedBy string    // client that exchanged a token for it (RFC 8693); empty if it came from a browser
}

// Refresh is the newest refresh token of a sign-in. Earlier ones have been used. They
// differ by number, and none of them is stored.
type Refresh struct {
	Number  int       // of the newest; the first is 1, and 0 means none
	Issued  time.Time // when the newest was issued
	Expires time.Time // end of its idle lifetime
	Ends    time.Time // end of the absolute lifetime of all of them
}

// Rotation exchanges a refresh token for its successor.
type Rotation struct {
	ID       string        // of the sign-in
	ClientID string        // client that presents it
	Number   int           // of the presented token
	At       time.Time     //
	Idle     time.Duration // idle lifetime of the successor
	Access   time.Duration // lifetime of the access token issued with it
	Grace    time.Duration // how long the predecessor still works; zero for never
}

// Grant is what the client asked for and was granted, stored for the token endpoint and
// for the use of access tokens.
type Grant struct {
	RedirectURI   string   `json:"redirect_uri"`
	Scopes        []string `json:"scope"`
	Nonce         string   `json:"nonce,omitempty"`
	CodeChallenge string   `json:"code_challenge,omitempty"` // S256 (RFC 7636 section 4.2)
	AuthTime      int64    `json:"auth_time"`                // seconds
	ACR           string   `json:"acr,omitempty"`
	AMR           []string `json:"amr,omitempty"`
	// Claims that the claims parameter asked for by name, in addition to those of the
	// scopes (OIDC Core section 5.5).
	UserinfoClaims []string `json:"userinfo_claims,omitempty"`
	IDTokenClaims  []string `json:"id_token_claims,omitempty"`
}

// MaxSigninsPerSession bounds what one browser session can store.
const MaxSigninsPerSession = 200

// Signins stores sign-ins. Each method is one atomic step. Package store implements it.
type Signins interface {
	// RecordSignin stores a new sign-in in its state. If its session then has more than
	// MaxSigninsPerSession, the oldest ones are deleted, which ends their codes and tokens,
	// and those whose code was not redeemed go first.
	RecordSignin(ctx context.Context, s Signin) error

	// RedeemCode moves a sign-in from Issued to Redeemed if its code has not expired at the
	// given time, and returns it with the person as currently known. From then on it lives as
	// long as its tokens: at least until access after the code expires, and until its refresh
	// token expires. Of several concurrent callers one succeeds. If it is already redeemed, it is closed, and the error is
	// ErrReplayed; every other failure is ErrNotFound. If the sign-in names a session, that
	// must still be open.
	RedeemCode(ctx context.Context, id string, at time.Time, access time.Duration) (Signin, claims.Person, error)

	// FindSignin returns a sign-in that is not closed and has not expired, with the person
	// as currently known, or ErrNotFound.
	FindSignin(ctx context.Context, id string, at time.Time) (Signin, claims.Person, error)

	// RotateRefreshToken uses up a refresh token of a redeemed sign-in of that client if it
	// has not expired, and returns the sign-in with the successor, and the person as
	// currently known. It is one conditional update: of several concurrent callers one uses
	// the token. The sign-in lives at least as long as its new tokens. The predecessor of
	// the newest token, presented less than Grace after that was issued, gets the same
	// successor again, and nothing is written. Any other used token closes the sign-in, and
	// the error is ErrReplayed (RFC 9700 section 4.14.2). Every other failure is ErrNotFound
	// and changes nothing.
	RotateRefreshToken(ctx context.Context, r Rotation) (Signin, claims.Person, error)

	// CloseSignin closes a sign-in. Closing a closed or unknown one is not an error.
	CloseSignin(ctx context.Context, id string) error
}

// String returns the name of the state.
func (s State) String() string {
	switch s {
	case Issued:
		return "issued"
	case Redeemed:
		return "redeemed"
	case Closed:
		return "closed"
	}
	return "unknown"
}
