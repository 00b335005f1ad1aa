package doctor_test

import (
	"encoding/base64"
	"net/http"
	"strings"

	"idpbridge/doctor"
	"idpbridge/keys"
)

func brokenKeys() []brokenCase {
	other := func() map[string]any { return newJWK("k2", testKeys()[1]) }
	return []brokenCase{
		{
			name: "key set requires a password", code: doctor.KeysDocument, level: doctor.Error,
			text: "requires authentication",
			change: func(s *site) {
				s.handlers["/jwks"] = respondWith(401, "text/plain", "", "WWW-Authenticate", "Basic")
			},
		},
		{
			name: "key set redirects", code: doctor.KeysDocument, level: doctor.Error,
			text: "https://elsewhere.example/jwks",
			change: func(s *site) {
				s.handlers["/jwks"] = respondWith(302, "text/plain", "", "Location", "https://elsewhere.example/jwks")
			},
		},
		{
			name: "key set too large", code: doctor.KeysDocument, level: doctor.Error,
			text: "larger than 256 kB",
			change: func(s *site) {
				s.handlers["/jwks"] = respondWith(200, "application/json", strings.Repeat(" ", 300<<10))
			},
		},
		{
			name: "key set empty", code: doctor.KeysDocument, level: doctor.Error,
			text:   "list of keys",
			change: func(s *site) { s.handlers["/jwks"] = respondWith(200, "application/json", `{"keys":[]}`) },
		},
		{
			name: "key set as text", code: doctor.KeysDocument, level: doctor.Warn,
			text: "text/plain",
			change: func(s *site) {
				s.editHeader = func(path string, h http.Header) {
					if path == "/jwks" {
						h.Set("Content-Type", "text/plain")
					}
				}
			},
		},
		{
			name: "kid is a number", code: doctor.KeysDocument, level: doctor.Error,
			text: "wrong type", change: func(s *site) { s.jwk["kid"] = 1 },
		},
		{
			name: "private key published", code: doctor.KeysPrivate, level: doctor.Error,
			text: "private part", change: func(s *site) { s.jwk["d"] = "AQAB" },
		},
		{
			name: "no kid", code: doctor.KeysKid, level: doctor.Error,
			text: "has no kid", change: func(s *site) { delete(s.jwk, "kid") },
		},
		{
			name: "kid twice", code: doctor.KeysKid, level: doctor.Error,
			text: `"k1"`, change: func(s *site) { s.moreKeys = append(s.moreKeys, newJWK("k1", testKeys()[1])) },
		},
		{
			name: "elliptic curve key as well", code: doctor.KeysKind, level: doctor.Note,
			text: `"EC"`,
			change: func(s *site) {
				s.moreKeys = append(s.moreKeys, map[string]any{"kty": "EC", "kid": "k2", "crv": "P-256", "x": "AA", "y": "AA"})
			},
		},
		{
			name: "elliptic curve key only", code: doctor.KeysRS256, level: doctor.Error,
			text: "RS256",
			change: func(s *site) {
				s.jwk = map[string]any{"kty": "EC", "kid": "k2", "crv": "P-256", "x": "AA", "y": "AA"}
			},
		},
		{
			name: "certificate only", code: doctor.KeysNumbers, level: doctor.Error,
			text: "x5c",
			change: func(s *site) {
				delete(s.jwk, "n")
				s.jwk["x5c"] = []string{"MIIB"}
			},
		},
		{
			name: "invalid exponent", code: doctor.KeysNumbers, level: doctor.Error,
			text: "exponent", change: func(s *site) { s.jwk["e"] = "AQ" },
		},
		{
			name: "plain base64", code: doctor.KeysEncoding, level: doctor.Error,
			text: "'='",
			change: func(s *site) {
				s.jwk["n"] = base64.URLEncoding.EncodeToString(s.key.N.Bytes())
			},
		},
		{
			name: "plain base64 with a plus", code: doctor.KeysEncoding, level: doctor.Error,
			text: "character 4 of n is '+'", change: func(s *site) { s.jwk["n"] = "AAA+AAAA" },
		},
		{
			name: "zero byte before the modulus", code: doctor.KeysEncoding, level: doctor.Warn,
			text: "zero byte",
			change: func(s *site) {
				s.jwk["n"] = base64.RawURLEncoding.EncodeToString(append([]byte{0}, s.key.N.Bytes()...))
			},
		},
		{
			name: "short key", code: doctor.KeysSize, level: doctor.Error,
			text: "1024 bits", change: func(s *site) { s.moreKeys = append(s.moreKeys, newJWK("k2", testKeys()[2])) },
		},
		{
			name: "key for encryption", code: doctor.KeysUse, level: doctor.Note,
			text: `"enc"`,
			change: func(s *site) {
				k := other()
				k["use"] = "enc"
				s.moreKeys = append(s.moreKeys, k)
			},
		},
		{
			name: "no key for RS256", code: doctor.KeysRS256, level: doctor.Error,
			text: "RS256", change: func(s *site) { s.jwk["alg"] = "RS512" },
		},
		{
			name: "public.txt shows another key", code: doctor.KeyLine, level: doctor.Error,
			text: "not in the key set", change: func(s *site) { s.line = keyLine(testKeys()[1]) },
		},
		{
			name: "public.txt has two lines", code: doctor.KeyLine, level: doctor.Error,
			text: "one line", change: func(s *site) { s.line = s.line[:64] + "\n" + s.line[64:] },
		},
		{
			name: "public.pem shows another key", code: doctor.KeyPEM, level: doctor.Error,
			text: "show different keys",
			change: func(s *site) {
				s.pem = keys.PublicKey{Key: testKeys()[1].Public()}.PEM()
			},
		},
		{
			name: "set-up page shows another key", code: doctor.KeyActive, level: doctor.Error,
			text: "another key signs now",
			change: func(s *site) {
				s.setupFingerprint = keys.PublicKey{Key: testKeys()[1].Public()}.Fingerprint()
			},
		},
		{
			name: "pinned key", code: doctor.KeyPinned, level: doctor.Note,
			text: "k1 (4 days old)", change: func(s *site) { s.keyPinned = true },
		},
		{
			name: "pinned key is retired for other clients", code: doctor.KeyPinned, level: doctor.Warn,
			text: "already use a newer key", change: func(s *site) { s.keyPinned, s.keyRetired = true, true },
		},
		{
			name: "pasted key lacks a character", code: doctor.KeyPasted, level: doctor.Error,
			text: "character 101 is",
			change: func(s *site) {
				line := []byte(s.cfg.PastedKey)
				line = append(line[:100], line[101:]...)
				line[100] = '!'
				s.cfg.PastedKey = string(line)
			},
		},
		{
			name: "pasted key lacks its end", code: doctor.KeyPasted, level: doctor.Error,
			text: "ends after 390 of 392", change: func(s *site) { s.cfg.PastedKey = s.cfg.PastedKey[:390] },
		},
		{
			name: "pasted key has BEGIN and END lines", code: doctor.KeyPasted, level: doctor.Error,
			text: "has BEGIN and END lines", change: func(s *site) { s.cfg.PastedKey = s.pem },
		},
		{
			name: "pasted key has a line break", code: doctor.KeyPasted, level: doctor.Error,
			text: "character 65 is a space or a line break",
			change: func(s *site) {
				s.cfg.PastedKey = s.cfg.PastedKey[:64] + "\n" + s.cfg.PastedKey[64:]
			},
		},
		{
			name: "pasted key is the next one", code: doctor.KeyPasted, level: doctor.Error,
			text: "k2 of the key set, but another key signs now",
			change: func(s *site) {
				s.moreKeys = append(s.moreKeys, other())
				s.cfg.PastedKey = keyLine(testKeys()[1])
			},
		},
		{
			name: "pasted key is too short", code: doctor.KeyPasted, level: doctor.Error,
			text: "1024 bits", change: func(s *site) { s.cfg.PastedKey = keyLine(testKeys()[2]) },
		},
		{
			name: "pasted key is from the tutorial", code: doctor.KeyPasted, level: doctor.Error,
			text: "whose private key is public", change: func(s *site) { s.cfg.PastedKey = tutorialKey },
		},
		{
			name: "pasted key is a private key", code: doctor.KeyPasted, level: doctor.Error,
			text: "private key",
			change: func(s *site) {
				s.cfg.PastedKey = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"
			},
		},
		{
			name: "pasted key is empty", code: doctor.KeyPasted, level: doctor.Error,
			text: "is empty", change: func(s *site) { s.cfg.PastedKey = " \n" },
		},
	}
}

// tutorialKey is the example in LivePerson's tutorial on authentication.
const tutorialKey = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDdlatRjRjogo3WojgGHFHYLugdUWAY9iR3" +
	"fy4arWNA1KoS8kVw33cJibXr8bvwUAUparCwlvdbH6dvEOfou0/gCFQsHUfQrSDv+MuSUMAe" +
	"8jzKE4qW+jK+xQU9a03GUnKHkkle+Q0pX/g6jXZ7r1/xAK5Do2kQ+X5xK9cipRgEKwIDAQAB"
