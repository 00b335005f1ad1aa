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
	"flag"
	"maps"
	"math/big"
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

var update = flag.Bool("update", false, "rewrite the table in docs/token-inspect.md")

const (
	issuer  = "https://login.bank.example"
	subject = "356cbfbfe86f0c45e3d082a8d26dcaab"
)

var now = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// tutorialKey and tutorialToken are from LivePerson's tutorial on authentication with
// the Messaging Window API, which also has the private key.
const (
	tutorialKey = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDdlatRjRjogo3WojgGHFHYLugdUWAY9iR3fy4arWNA1KoS8kVw33cJ" +
		"ibXr8bvwUAUparCwlvdbH6dvEOfou0/gCFQsHUfQrSDv+MuSUMAe8jzKE4qW+jK+xQU9a03GUnKHkkle+Q0pX/" +
		"g6jXZ7r1/xAK5Do2kQ+X5xK9cipRgEKwIDAQAB"
	tutorialToken = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9." +
		"eyJzdWIiOiIrOTcyLTMtNTU1NS01NTUiLCJpc3MiOiJodHRwczovL2lkcC5saXZlcGVyc29uLm5ldCIsImF1ZCI6ImFjYzpxYTU3" +
		"MjIxNjc2IiwiZXhwIjoxOTM0OTcxOTMwLCJpYXQiOjE1MjE2MDU1OTIsIm5hbWUiOiJFaXRhbiJ9." +
		"0g9ZMvdNelMc2BICMEep90gnnv9InORIhVb2XcD7DCQRInmyPRzBBGbXxJQeTqymbopGio4f9CE2zPvY0fgBVnWntsr3i_dng3nqYuNym5Sc-pU5" +
		"EHqMuwmVI3sdRsTvBqe1T44qu3FXRkt-BhnzKXELtueGaBUNQz8k_30R1ms"
)

// readFixture reads a file from the tests of package keys.
func readFixture(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "keys", "testdata", name))
	require.NoError(t, err)
	return string(text)
}

func readCertificate(t testing.TB) string {
	return strings.TrimSpace(readFixture(t, "certificate.pem"))
}

// brandKey is the key that signs the brand's tokens, from the tests of package keys.
var brandKey = sync.OnceValue(func() *rsa.PrivateKey {
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

// otherKey and smallKey are not the brand's.
var (
	otherKey = sync.OnceValue(func() *rsa.PrivateKey { return generateKey(2048) })
	smallKey = sync.OnceValue(func() *rsa.PrivateKey { return generateKey(1024) })
)

func generateKey(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

func publicKey(id string, key *rsa.PrivateKey) keys.PublicKey {
	return keys.PublicKey{ID: id, Algorithm: "RS256", Key: &key.PublicKey}
}

// keySetOf returns a key set with n in an encoding. The kid of each key is k1.
func keySetOf(t testing.TB, encoding *base64.Encoding, private ...*rsa.PrivateKey) string {
	t.Helper()
	set := []object{}
	for _, key := range private {
		set = append(set, object{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k1",
			"n": encoding.EncodeToString(key.N.Bytes()),
			"e": encoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
		})
	}
	return marshalJSON(object{"keys": set})
}

type object = map[string]any

// changed returns an object with changes; nil removes a member.
func changed(o, changes object) object {
	maps.Copy(o, changes)
	maps.DeleteFunc(o, func(_ string, v any) bool { return v == nil })
	return o
}

func marshalJSON(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(out)
}

// claimsWith returns claims without errors, with changes.
func claimsWith(changes object) object {
	return changed(object{
		"iss": issuer, "sub": subject, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"given_name": "Jane", "family_name": "Doe", "email": "jane@example.com", "gender": "female",
		"preferred_username": "jane",
		"aud":                "liveengage", "nonce": "n-0S6",
		"lp_sdes": json.RawMessage(`[{"type":"ctmrinfo","info":{"ctype":"gold","balance":-400.99,"currency":"USD",
			"customerId":"` + subject + `","lastPaymentDate":{"day":15,"month":10,"year":2014},"companySize":500}},
			{"type":"personal","personal":{"firstname":"Jane","lastname":"Doe",
			"age":{"age":34,"year":1990,"month":4,"day":15},
			"contacts":[{"email":"jane@example.com","phone":"+1 212-788-8877","phoneType":"MOBILE",
				"address":{"country":"US","region":"New York"}}],
			"gender":"FEMALE","language":"en-US"}}]`),
	}, changes)
}

func goodHeader() object { return object{"alg": "RS256", "kid": "k1", "typ": "JWT"} }

// signToken returns a token with a header and claims in JSON.
func signToken(header, claims string, key *rsa.PrivateKey) string {
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(header)) + "." + encode([]byte(claims))
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return signed + "." + encode(signature)
}

// tokenWith returns a token without errors, with changes of its claims.
func tokenWith(changes object) string { return tokenWithClaims(marshalJSON(claimsWith(changes))) }

// tokenWithClaims returns a token with claims in JSON.
func tokenWithClaims(claims string) string {
	return signToken(marshalJSON(goodHeader()), claims, brandKey())
}

// tokenWithHeader returns a token without errors, with changes of its header.
func tokenWithHeader(changes object) string {
	return signToken(marshalJSON(changed(goodHeader(), changes)), marshalJSON(claimsWith(nil)), brandKey())
}

// tokenWithSDEs returns a token with another lp_sdes.
func tokenWithSDEs(raw string) string { return tokenWith(object{"lp_sdes": json.RawMessage(raw)}) }

func tokenWithCustomer(fields string) string {
	return tokenWithSDEs(`[{"type":"ctmrinfo","info":{` + fields + `}}]`)
}

func tokenWithPersonal(fields string) string {
	return tokenWithSDEs(`[{"type":"personal","personal":{` + fields + `}}]`)
}

// encrypt encrypts a text to otherKey, with changes of the outer header.
func encrypt(t testing.TB, inner string, changes object) string {
	t.Helper()
	options := (&jose.EncrypterOptions{}).WithContentType("JWT").WithType("JWT")
	recipient := jose.Recipient{Algorithm: jose.RSA_OAEP_256, Key: &otherKey().PublicKey, KeyID: "lpsso"}
	encrypter, err := jose.NewEncrypter(jose.A128CBC_HS256, recipient, options)
	require.NoError(t, err)
	encrypted, err := encrypter.Encrypt([]byte(inner))
	require.NoError(t, err)
	compact, err := encrypted.CompactSerialize()
	require.NoError(t, err)
	if changes == nil {
		return compact
	}
	header := changed(object{"alg": "RSA-OAEP-256", "enc": "A128CBC-HS256", "cty": "JWT", "kid": "lpsso"}, changes)
	_, rest, _ := strings.Cut(compact, ".")
	return base64.RawURLEncoding.EncodeToString([]byte(marshalJSON(header))) + "." + rest
}

func goodExpectations() inspect.Expectations {
	return inspect.Expectations{
		Now: now, Issuer: issuer, Subject: subject, Keys: []keys.PublicKey{publicKey("k1", brandKey())},
	}
}

func codesOf(report inspect.Report) []string {
	out := []string{}
	for _, f := range report.Findings {
		out = append(out, f.Code)
	}
	return out
}

// requireFinding returns the finding with a code at a place.
func requireFinding(t testing.TB, report inspect.Report, code, where string) inspect.Finding {
	t.Helper()
	for _, f := range report.Findings {
		if f.Code == code && f.Where == where {
			return f
		}
	}
	require.Failf(t, "not found", "%s at %s in %s", code, where, marshalJSON(report.Findings))
	return inspect.Finding{}
}
