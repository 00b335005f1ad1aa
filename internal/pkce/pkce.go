// Package pkce makes code verifiers and their challenges (RFC 7636).
package pkce

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// Method is the code_challenge_method of Challenge.
const Method = "S256"

// NewVerifier returns a random code verifier. It has more than the 43 characters that
// are required (RFC 7636 section 4.1).
func NewVerifier() string { return rand.Text() + rand.Text() }

// Challenge returns the S256 challenge of a verifier (RFC 7636 section 4.2).
func Challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
