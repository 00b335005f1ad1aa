package upstream

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"idpbridge/keys"
)

var backendNow = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// signCustomer signs a payload with a header typ.
func signCustomer(t *testing.T, algorithm jose.SignatureAlgorithm, key any, typ, payload string) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType(jose.ContentType(typ))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	require.NoError(t, err)
	jws, err := signer.Sign([]byte(payload))
	require.NoError(t, err)
	token, err := jws.CompactSerialize()
	require.NoError(t, err)
	return token
}

// customerClaims are valid claims with changes; nil removes a claim.
func customerClaims(t *testing.T, changes map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": "https://shop.example", "aud": "https://login.example", "sub": "4711", "jti": "one",
		"iat": backendNow.Unix(), "exp": backendNow.Add(time.Minute).Unix(), "tier": "gold",
	}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	payload, err := json.Marshal(claims)
	require.NoError(t, err)
	return string(payload)
}

// newBackend returns a backend with an ES256 key, and the private key.
func newBackend(t *testing.T) (Backend, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return Backend{
		ID: "shop", Issuer: "https://shop.example", Audience: "https://login.example",
		Keys: []keys.PublicKey{{Algorithm: "ES256", Key: key.Public()}},
	}, key
}

func TestBackendTokenIsRead(t *testing.T) {
	t.Parallel()
	backend, key := newBackend(t)
	token := signCustomer(t, jose.ES256, key, "customer+jwt", customerClaims(t, map[string]any{
		"auth_time": backendNow.Add(-time.Hour).Unix(), "account": map[string]any{"balance": 12.5},
	}))
	got, err := backend.VerifyToken(token, backendNow)
	require.NoError(t, err)
	assert.Equal(t, "one", got.ID)
	assert.True(t, got.Expires.Equal(backendNow.Add(time.Minute)))
	assert.Equal(t, "shop", got.Identity.Upstream)
	assert.Equal(t, "https://shop.example", got.Identity.Issuer)
	assert.Equal(t, "4711", got.Identity.Subject)
	assert.True(t, got.Identity.AuthTime.Equal(backendNow.Add(-time.Hour)))
	assert.Equal(t, "gold", got.Identity.Attributes["tier"])
	assert.Equal(t, map[string]any{"balance": 12.5}, got.Identity.Attributes["account"])
}

func TestBackendTokenWithEdDSA(t *testing.T) {
	t.Parallel()
	backend, _ := newBackend(t)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	backend.Keys = []keys.PublicKey{{Algorithm: "EdDSA", Key: crypto.PublicKey(public)}}
	_, err = backend.VerifyToken(
		signCustomer(t, jose.EdDSA, private, "customer+jwt", customerClaims(t, nil)), backendNow)
	require.NoError(t, err)
}

func TestBackendTokenIsRefused(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) int64 { return backendNow.Add(d).Unix() }
	for name, c := range map[string]struct {
		changes map[string]any
		reason  string
	}{
		"another issuer":    {map[string]any{"iss": "https://other.example"}, "iss is not"},
		"another audience":  {map[string]any{"aud": "https://other.example"}, "aud must be"},
		"several audiences": {map[string]any{"aud": []string{"https://login.example"}}, "aud must be"},
		"no audience":       {map[string]any{"aud": nil}, "aud must be"},
		"no subject":        {map[string]any{"sub": nil}, "sub must have"},
		"long subject":      {map[string]any{"sub": strings.Repeat("x", 256)}, "sub must have"},
		"control character": {map[string]any{"sub": "a\x00b"}, "sub must have"},
		"no jti":            {map[string]any{"jti": nil}, "jti must have"},
		"long jti":          {map[string]any{"jti": strings.Repeat("x", 513)}, "jti must have"},
		"no exp":            {map[string]any{"exp": nil}, "exp is missing"},
		"stale":             {map[string]any{"iat": at(-time.Minute), "exp": at(0)}, "exp is missing"},
		"exp as text":       {map[string]any{"exp": "1e9"}, "exp is missing"},
		"no iat":            {map[string]any{"iat": nil}, "iat is missing"},
		"long-lived":        {map[string]any{"exp": at(301 * time.Second)}, "more than 5 minutes"},
		"iat in the future": {
			map[string]any{"iat": at(2 * time.Minute), "exp": at(3 * time.Minute)}, "iat is in the future",
		},
		"nbf in the future":   {map[string]any{"nbf": at(2 * time.Minute)}, "nbf is in the future"},
		"authenticated later": {map[string]any{"auth_time": at(time.Hour)}, "auth_time is in the future"},
		"huge number":         {map[string]any{"customer_no": 9007199254740994}, "too large"},
		"other case":          {map[string]any{"sub": nil, "SUB": "4711"}, "sub must have"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backend, key := newBackend(t)
			token := signCustomer(t, jose.ES256, key, "customer+jwt", customerClaims(t, c.changes))
			_, err := backend.VerifyToken(token, backendNow)
			var invalid *InvalidError
			require.ErrorAs(t, err, &invalid)
			assert.Contains(t, invalid.Reason, c.reason)
		})
	}
}

func TestBackendTokenWithUnclearClaimsIsRefused(t *testing.T) {
	t.Parallel()
	backend, key := newBackend(t)
	valid := strings.TrimSuffix(customerClaims(t, nil), "}")
	for name, end := range map[string]string{
		"a claim twice":         `,"sub":"4712"}`,
		"a nested name twice":   `,"account":{"id":1,"id":2}}`,
		"twice within a list":   `,"accounts":[{"id":1,"id":2}]}`,
		"a number out of range": `,"balance":1e999}`,
		"deep nesting":          `,"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
		"text after the claims": `} {}`,
	} {
		token := signCustomer(t, jose.ES256, key, "customer+jwt", valid+end)
		_, err := backend.VerifyToken(token, backendNow)
		var invalid *InvalidError
		require.ErrorAs(t, err, &invalid, name)
	}
}

func TestBackendTokenOfAnotherKindIsRefused(t *testing.T) {
	t.Parallel()
	backend, key := newBackend(t)
	claims := customerClaims(t, nil)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	encode := base64.RawURLEncoding.EncodeToString
	for name, token := range map[string]string{
		"client assertion":       signCustomer(t, jose.ES256, key, "JWT", claims),
		"another key":            signCustomer(t, jose.ES256, other, "customer+jwt", claims),
		"public key as HMAC key": signCustomer(t, jose.HS256, der, "customer+jwt", claims),
		"alg none": encode([]byte(`{"alg":"none","typ":"customer+jwt"}`)) + "." +
			encode([]byte(claims)) + ".",
		"signature of other claims": changePayload(signCustomer(t, jose.ES256, key, "customer+jwt", claims), encode),
		"oversized": signCustomer(t, jose.ES256, key, "customer+jwt",
			customerClaims(t, map[string]any{"note": strings.Repeat("x", 16<<10)})),
		"no JWT": "x",
	} {
		_, err := backend.VerifyToken(token, backendNow)
		var invalid *InvalidError
		require.ErrorAs(t, err, &invalid, name)
	}
}

func TestBackendKeyHasOneAlgorithm(t *testing.T) {
	t.Parallel()
	backend, _ := newBackend(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for _, algorithm := range []jose.SignatureAlgorithm{jose.RS256, jose.PS256} {
		token := signCustomer(t, algorithm, key, "customer+jwt", customerClaims(t, nil))
		for _, registered := range []string{"RS256", "PS256"} {
			backend.Keys = []keys.PublicKey{{Algorithm: registered, Key: key.Public()}}
			_, err := backend.VerifyToken(token, backendNow)
			assert.Equal(t, registered == string(algorithm), err == nil, "%s with a key for %s", algorithm, registered)
		}
	}
}

// changePayload replaces the claims of a JWT and keeps its signature.
func changePayload(token string, encode func([]byte) string) string {
	parts := strings.Split(token, ".")
	raw, _ := base64.RawURLEncoding.DecodeString(parts[1])
	parts[1] = encode([]byte(strings.Replace(string(raw), "4711", "4712", 1)))
	return strings.Join(parts, ".")
}
