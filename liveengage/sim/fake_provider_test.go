package sim_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"idpbridge/internal/memnet"
	"idpbridge/keys"
	"idpbridge/liveengage/setup"
	"idpbridge/liveengage/sim"
)

// The keys of the tests. Generating them takes a while.
var (
	brandKey = sync.OnceValue(newKey) //nolint:gochecknoglobals // one key for all tests
	otherKey = sync.OnceValue(newKey) //nolint:gochecknoglobals // likewise
	simKey   = sync.OnceValue(newKey) //nolint:gochecknoglobals // likewise
	ownKey   = sync.OnceValue(newKey) //nolint:gochecknoglobals // likewise
)

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// fakeProvider is a fake identity provider of a brand.
type fakeProvider struct {
	URL  string
	stop func() // ends the server

	mu             sync.Mutex
	jwks           string
	token          http.HandlerFunc
	tokenRequests  []map[string]string // members of the body, and the headers Authorization and Content-Type
	keySetRequests int
}

// newFakeProvider serves an identity provider at an address such as 127.0.0.1:2.
func newFakeProvider(t *testing.T, network *memnet.Network, address string) *fakeProvider {
	t.Helper()
	p := &fakeProvider{URL: "http://" + address}
	mux := http.NewServeMux()
	mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.keySetRequests++
		_, _ = io.WriteString(w, p.jwks)
	})
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{
			"issuer":                 p.URL,
			"authorization_endpoint": p.URL + "/authorize",
			"token_endpoint":         p.URL + "/token",
			"jwks_uri":               p.URL + "/jwks",
		})
	})
	mux.HandleFunc("/keys/public.txt", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, sim.PublicKeyLine(brandKey())+"\n")
	})
	mux.HandleFunc("/token", p.serveToken)
	p.stop = network.Serve(t, address, mux)
	p.jwks = encodeKeySet(publicJWK(brandKey(), "brand-1"))
	p.token = respondJSON(map[string]any{
		"access_token": "NotApplicable",
		"token_type":   "Bearer",
		"expires_in":   3600,
		"id_token":     signToken(t, p.claims(nil)),
	})
	return p
}

func (p *fakeProvider) serveToken(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	request := map[string]string{
		"Authorization": r.Header.Get("Authorization"),
		"Content-Type":  r.Header.Get("Content-Type"),
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		_ = json.Unmarshal(body, &request)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	_ = r.ParseForm()
	for name := range r.PostForm {
		request[name] = r.PostForm.Get(name)
	}
	p.mu.Lock()
	p.tokenRequests = append(p.tokenRequests, request)
	respond := p.token
	p.mu.Unlock()
	respond(w, r)
}

// setToken replaces the token endpoint.
func (p *fakeProvider) setToken(h http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.token = h
}

// setKeySet replaces the key set.
func (p *fakeProvider) setKeySet(jwks string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.jwks = jwks
}

// facts returns what the connectors for this provider are made of.
func (p *fakeProvider) facts() setup.Facts {
	return setup.Facts{
		Issuer:                p.URL,
		AuthorizationEndpoint: p.URL + "/authorize",
		TokenEndpoint:         p.URL + "/token",
		JWKSEndpoint:          p.URL + "/jwks",
		DisplayName:           "brand",
		ClientID:              "le client",
		Key:                   setup.Key{Line: sim.PublicKeyLine(brandKey())},
	}
}

// respondJSON returns a token endpoint that responds with JSON.
func respondJSON(response map[string]any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(response)
	}
}

// respondWith returns a token endpoint that responds with a status and a body.
func respondWith(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func publicJWK(key *rsa.PrivateKey, kid string) jose.JSONWebKey {
	return jose.JSONWebKey{Key: &key.PublicKey, KeyID: kid, Algorithm: "RS256", Use: "sig"}
}

func encodeKeySet(all ...jose.JSONWebKey) string {
	raw, _ := json.Marshal(jose.JSONWebKeySet{Keys: all})
	return string(raw)
}

// claims returns Jane's claims with changes. A nil value removes a claim.
func (p *fakeProvider) claims(changes map[string]any) map[string]any {
	customer := map[string]any{
		"ctype": "gold", "cstatus": "active", "balance": 1250.75, "currency": "USD", "customerId": "C-1",
	}
	personal := map[string]any{
		"firstname": "Jane", "lastname": "Doe", "contacts": []any{map[string]any{"email": "jane@example.com"}},
	}
	c := map[string]any{
		"iss":                p.URL,
		"sub":                "jane-sub",
		"iat":                start.Unix() - 1,
		"exp":                start.Unix() + 3600,
		"given_name":         "Jane",
		"family_name":        "Doe",
		"phone_number":       "+12125550101",
		"preferred_username": "jane",
		"lp_sdes": []any{
			map[string]any{"type": "ctmrinfo", "info": customer},
			map[string]any{"type": "personal", "personal": personal},
		},
	}
	for name, value := range changes {
		if value == nil {
			delete(c, name)
		} else {
			c[name] = value
		}
	}
	return c
}

// signToken signs claims with the brand's key.
func signToken(t testing.TB, claims any) string {
	t.Helper()
	return signWith(t, brandKey(), "brand-1", claims)
}

// signWith signs claims, or a string as it is.
func signWith(t testing.TB, key *rsa.PrivateKey, kid string, claims any) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType("JWT")
	if kid != "" {
		options.WithHeader("kid", kid)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, options)
	require.NoError(t, err)
	payload, isString := claims.(string)
	if !isString {
		raw, err := json.Marshal(claims)
		require.NoError(t, err)
		payload = string(raw)
	}
	signed, err := s.Sign([]byte(payload))
	require.NoError(t, err)
	out, err := signed.CompactSerialize()
	require.NoError(t, err)
	return out
}

// encryptToken encrypts a token to a key.
func encryptToken(t testing.TB, key *rsa.PrivateKey, kid, token string) string {
	t.Helper()
	r, err := keys.ParseRecipient(kid, sim.PublicKeyLine(key), false)
	require.NoError(t, err)
	e, err := keys.NewEncrypter("A128CBC-HS256", []keys.Recipient{r})
	require.NoError(t, err)
	out, err := e.Encrypt(start, token)
	require.NoError(t, err)
	return out
}

// unsignedToken returns a token without a valid signature.
func unsignedToken(header, payload string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode([]byte(payload)) + "." + encode([]byte("signature"))
}
