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

// The kinds of credential. The kind is part of what is authenticated, so a code
// is never taken for an access token.
const (
	kindCode   = 'c'
	kindAccess = 'a'
)

const (
	idLength   = 22    // 128 bits, base64url
	bodyLength = 4 + 8 // expiry in seconds, random bytes
	credLength = bodyLength + sha256.Size
)

// encoding is strict, so that no two strings mean the same credential.
var encoding = base64.RawURLEncoding.Strict()

// newID returns 128 random bits.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return encoding.EncodeToString(b[:])
}

// mint returns a credential of the sign-in: its id, a dot, then expiry, random
// bytes and a MAC over kind, id and both. The database needs to hold nothing of
// it, not even a hash.
func mint(key []byte, kind byte, id string, expires time.Time) string {
	var b [credLength]byte
	binary.BigEndian.PutUint32(b[:4], uint32(expires.Unix())) //nolint:gosec // seconds until the year 2106
	_, _ = rand.Read(b[4:bodyLength])                         // never fails (crypto/rand)
	stamp(key, kind, id, &b)
	return id + "." + encoding.EncodeToString(b[:])
}

// open returns the sign-in's id of a credential of that kind that has not
// expired. It says nothing about the state of the sign-in.
func open(key []byte, kind byte, credential string, now time.Time) (id string, expires time.Time, ok bool) {
	id, rest, found := strings.Cut(credential, ".")
	if !found || len(id) != idLength || len(rest) != encoding.EncodedLen(credLength) {
		return "", time.Time{}, false
	}
	var got, want [credLength]byte
	if _, err := encoding.Decode(got[:], []byte(rest)); err != nil {
		return "", time.Time{}, false
	}
	want = got
	stamp(key, kind, id, &want)
	if !hmac.Equal(got[:], want[:]) {
		return "", time.Time{}, false
	}
	expires = time.Unix(int64(binary.BigEndian.Uint32(got[:4])), 0)
	return id, expires, now.Before(expires)
}

// stamp writes the MAC behind the body.
func stamp(key []byte, kind byte, id string, b *[credLength]byte) {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte{kind})
	_, _ = h.Write([]byte(id))
	_, _ = h.Write(b[:bodyLength])
	h.Sum(b[:bodyLength])
}
