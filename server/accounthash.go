package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"idpbridge/keys"
)

// newAccountHash returns a function that names accounts in the log: two lines with the
// same hash are about the same account, and only who has the instance secret can find out
// which one.
func newAccountHash(secret keys.Secret) func(username string) string {
	key := secret.Derive("accounts in the log")
	return func(username string) string {
		mac := hmac.New(sha256.New, key)
		_, _ = mac.Write([]byte(username))
		return hex.EncodeToString(mac.Sum(nil)[:8])
	}
}
