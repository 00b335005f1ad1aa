package oidc

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
)

// The kinds of credential. The MAC covers the kind, so a code never passes for an access
// token.
const (
	kindCode    = 'c'
	kindAccess  = 'a'
	kindRefresh = 'r'
)

const (
	idLength   = 22        // 128 bits, base64url
	bodyLength = 4 + 2 + 6 // see body
	credLength = bodyLength + sha256.Size
)

// encoding is strict, so that each credential has one spelling.
var encoding = base64.RawURLEncoding.Strict()

// newID returns 128 random bits.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return encoding.EncodeToString(b[:])
}

// credentialBody is what a credential carries in addition to its sign-in's id. A code or
// an access token has its expiry in seconds, the scopes that it drops, and random bytes. A
// refresh token has only its number, so that it can be issued again without being stored.
type credentialBody [bodyLength]byte

func newExpiringBody(expires time.Time, dropped uint16) credentialBody {
	var b credentialBody
	binary.BigEndian.PutUint32(b[:4], uint32(expires.Unix())) //nolint:gosec // seconds until the year 2106
	binary.BigEndian.PutUint16(b[4:6], dropped)
	_, _ = rand.Read(b[6:]) // never fails (crypto/rand)
	return b
}

func (b credentialBody) expiresAt() time.Time {
	return time.Unix(int64(binary.BigEndian.Uint32(b[:4])), 0)
}
func (b credentialBody) droppedScopes() uint16 { return binary.BigEndian.Uint16(b[4:6]) }

// newCredential returns a credential of the sign-in: its id, a dot, then the body and a MAC
// over kind, id and body. The database stores nothing of it, not even a hash.
func newCredential(key []byte, kind byte, id string, b credentialBody) string {
	mac := computeMAC(key, kind, id, b)
	return id + "." + encoding.EncodeToString(append(b[:], mac...))
}

// newCode and newAccessToken return credentials that expire. An access token may drop some
// of the sign-in's scopes, see Grant.dropScopes.
func newCode(key []byte, id string, expires time.Time) string {
	return newCredential(key, kindCode, id, newExpiringBody(expires, 0))
}

func newAccessToken(key []byte, id string, expires time.Time, dropped uint16) string {
	return newCredential(key, kindAccess, id, newExpiringBody(expires, dropped))
}

// newRefreshToken returns the refresh token with that number: always the same string.
func newRefreshToken(key []byte, id string, number int) string {
	var b credentialBody
	binary.BigEndian.PutUint32(b[:4], uint32(number)) //nolint:gosec // counts from one
	return newCredential(key, kindRefresh, id, b)
}

// verifyCredential returns the sign-in's id and the body of a genuine credential of that
// kind. It does not check expiry or the state of the sign-in.
func verifyCredential(key []byte, kind byte, credential string) (id string, b credentialBody, ok bool) {
	id, rest, found := strings.Cut(credential, ".")
	if !found || len(id) != idLength || len(rest) != encoding.EncodedLen(credLength) {
		return "", credentialBody{}, false
	}
	var raw [credLength]byte
	if _, err := encoding.Decode(raw[:], []byte(rest)); err != nil {
		return "", credentialBody{}, false
	}
	copy(b[:], raw[:])
	if !hmac.Equal(raw[bodyLength:], computeMAC(key, kind, id, b)) {
		return "", credentialBody{}, false
	}
	return id, b, true
}

// openCredential is verifyCredential for a code or access token, which must not have expired.
func openCredential(key []byte, kind byte, credential string, now time.Time) (id string, b credentialBody, ok bool) {
	id, b, ok = verifyCredential(key, kind, credential)
	return id, b, ok && now.Before(b.expiresAt())
}

// openRefreshToken returns the sign-in's id and the number of a genuine refresh token.
func openRefreshToken(key []byte, credential string) (id string, number int, ok bool) {
	id, b, ok := verifyCredential(key, kindRefresh, credential)
	return id, int(binary.BigEndian.Uint32(b[:4])), ok
}

func computeMAC(key []byte, kind byte, id string, b credentialBody) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte{kind})
	_, _ = h.Write([]byte(id))
	_, _ = h.Write(b[:])
	return h.Sum(nil)
}
