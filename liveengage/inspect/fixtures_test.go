package inspect_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"idpbridge/keys"
	"idpbridge/liveengage/inspect"
)

const (
	issuer  = "https://login.bank.example"
	subject = "356cbfbfe86f0c45e3d082a8d26dcaab"
)

var now = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// tutorialKey and tutorialToken stand in LivePerson's tutorial on authentication
// with the Messaging Window API, beside the private key.
const (
	tutorialKey   = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDdlatRjRjogo3WojgGHFHYLugdUWAY9iR3fy4arWNA1KoS8kVw33cJibXr8bvwUAUparCwlvdbH6dvEOfou0/gCFQsHUfQrSDv+MuSUMAe8jzKE4qW+jK+xQU9a03GUnKHkkle+Q0pX/g6jXZ7r1/xAK5Do2kQ+X5xK9cipRgEKwIDAQAB"
	tutorialToken = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIrOTcyLTMtNTU1NS01NTUiLCJpc3MiOiJodHRwczovL2lkcC5saXZlcGVyc29uLm5ldCIsImF1ZCI6ImFjYzpxYTU3MjIxNjc2IiwiZXhwIjoxOTM0OTcxOTMwLCJpYXQiOjE1MjE2MDU1OTIsIm5hbWUiOiJFaXRhbiJ9.0g9ZMvdNelMc2BICMEep90gnnv9InORIhVb2XcD7DCQRInmyPRzBBGbXxJQeTqymbopGio4f9CE2zPvY0fgBVnWntsr3i_dng3nqYuNym5Sc-pU5EHqMuwmVI3sdRsTvBqe1T44qu3FXRkt-BhnzKXELtueGaBUNQz8k_30R1ms"
)

// signer is the brand's key, the one of package keys' tests.
var signer = sync.OnceValue(func() *rsa.PrivateKey {
	text, err := os.ReadFile(filepath.Join("..", "..", "keys", "testdata", "rs256.pem"))
	if err != nil {
		panic(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		panic(err)
	}
	return key.(*rsa.PrivateKey)
})

// other and small are keys of nobody's.
var (
	other = sync.OnceValue(func() *rsa.PrivateKey { return generated(2048) })
	small = sync.OnceValue(func() *rsa.PrivateKey { return generated(1024) })
)

func generated(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

func public(id string, key *rsa.PrivateKey) keys.PublicKey {
	return keys.PublicKey{ID: id, Algorithm: "RS256", Key: &key.PublicKey}
}

type object = map[string]any

// claimsWith are claims without a fault, with changes; nil takes one away.
func claimsWith(changes object) object {
	c := object{
		"iss": issuer, "sub": subject, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"given_name": "Jane", "family_name": "Doe", "email": "jane@example.com", "gender": "female", "preferred_username": "jane",
		"aud": "liveengage", "nonce": "n-0S6",
		"lp_sdes": json.RawMessage(`[{"type":"ctmrinfo","info":{"ctype":"gold","balance":-400.99,"currency":"USD","customerId":"` + subject + `",
			"lastPaymentDate":{"day":15,"month":10,"year":2014},"companySize":500}},
			{"type":"personal","personal":{"firstname":"Jane","lastname":"Doe","age":{"age":34,"year":1990,"month":4,"day":15},
			"contacts":[{"email":"jane@example.com","phone":"+1 212-788-8877","phoneType":"MOBILE","address":{"country":"US","region":"New York"}}],
			"gender":"FEMALE","language":"en-US"}}]`),
	}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func header() object { return object{"alg": "RS256", "kid": "k1", "typ": "JWT"} }

// encode makes a token of two JSON texts, signed by key.
func encode(header, claims string, key *rsa.PrivateKey) string {
	signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func spelt(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(out)
}

// token is a token without a fault but for the changes to its claims.
func token(changes object) string {
	return encode(spelt(header()), spelt(claimsWith(changes)), signer())
}

// headed is a token without a fault but for the changes to its header.
func headed(changes object) string {
	h := header()
	maps.Copy(h, changes)
	maps.DeleteFunc(h, func(_ string, v any) bool { return v == nil })
	return encode(spelt(h), spelt(claimsWith(nil)), signer())
}

// sdesOf is a token with another lp_sdes.
func sdesOf(raw string) string { return token(object{"lp_sdes": json.RawMessage(raw)}) }

// sealed encrypts a text for other, with changes to the outer header.
func sealed(t testing.TB, inner string, changes object) string {
	t.Helper()
	options := (&jose.EncrypterOptions{}).WithContentType("JWT").WithType("JWT")
	e, err := jose.NewEncrypter(jose.A128CBC_HS256, jose.Recipient{Algorithm: jose.RSA_OAEP_256, Key: &other().PublicKey, KeyID: "lpsso"}, options)
	require.NoError(t, err)
	sealed, err := e.Encrypt([]byte(inner))
	require.NoError(t, err)
	compact, err := sealed.CompactSerialize()
	require.NoError(t, err)
	if changes == nil {
		return compact
	}
	h := object{"alg": "RSA-OAEP-256", "enc": "A128CBC-HS256", "cty": "JWT", "kid": "lpsso"}
	maps.Copy(h, changes)
	maps.DeleteFunc(h, func(_ string, v any) bool { return v == nil })
	_, rest, _ := strings.Cut(compact, ".")
	return base64.RawURLEncoding.EncodeToString([]byte(spelt(h))) + "." + rest
}

func expectations() inspect.Expectations {
	return inspect.Expectations{Now: now, Issuer: issuer, Subject: subject, Keys: []keys.PublicKey{public("k1", signer())}}
}

func codes(r inspect.Report) []string {
	out := []string{}
	for _, f := range r.Findings {
		out = append(out, f.Code)
	}
	return out
}

// findingOf returns the finding with a code at a place.
func findingOf(t testing.TB, r inspect.Report, code, where string) inspect.Finding {
	t.Helper()
	for _, f := range r.Findings {
		if f.Code == code && f.Where == where {
			return f
		}
	}
	require.Failf(t, "not found", "%s at %s in %s", code, where, spelt(r.Findings))
	return inspect.Finding{}
}
