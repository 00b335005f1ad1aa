package sim_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"idpbridge/internal/secret"
	"idpbridge/keys"
	"idpbridge/liveengage"
	"idpbridge/liveengage/setup"
	"idpbridge/liveengage/sim"
)

const account = "12345678"

// The keys of the tests; making them takes a while.
var (
	brandKey = sync.OnceValue(newKey) //nolint:gochecknoglobals // one key for all tests
	otherKey = sync.OnceValue(newKey) //nolint:gochecknoglobals // likewise
	simKey   = sync.OnceValue(newKey) //nolint:gochecknoglobals // likewise
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
	*httptest.Server

	mu     sync.Mutex
	jwks   string
	token  http.HandlerFunc
	tokenRequests  []map[string]string // token requests, body members and the Authorization header
	keySetRequests map[string]int
}

func newFakeProvider(t *testing.T) *fakeProvider {
	t.Helper()
	p := &fakeProvider{keySetRequests: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.keySetRequests["jwks"]++
		_, _ = io.WriteString(w, p.jwks)
	})
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/jwks",
		})
	})
	mux.HandleFunc("/keys/public.txt", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, sim.PublicKeyLine(brandKey())+"\n")
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen := map[string]string{"Authorization": r.Header.Get("Authorization"), "Content-Type": r.Header.Get("Content-Type")}
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			_ = json.Unmarshal(body, &seen)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		_ = r.ParseForm()
		for name := range r.PostForm {
			seen[name] = r.PostForm.Get(name)
		}
		p.mu.Lock()
		p.tokenRequests = append(p.tokenRequests, seen)
		answer := p.token
		p.mu.Unlock()
		answer(w, r)
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	p.jwks = encodeKeySet(publicJWK(brandKey(), "brand-1"))
	p.token = respondJSON(map[string]any{"access_token": "NotApplicable", "token_type": "Bearer", "expires_in": 3600, "id_token": signToken(t, p.claims(nil))})
	return p
}

// respondJSON is a token endpoint that answers with JSON.
func respondJSON(answer map[string]any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer)
	}
}

// respondWith is a token endpoint that answers with a status and a text.
func respondWith(status int, kind, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

func publicJWK(key *rsa.PrivateKey, kid string) jose.JSONWebKey {
	return jose.JSONWebKey{Key: &key.PublicKey, KeyID: kid, Algorithm: "RS256", Use: "sig"}
}

func encodeKeySet(all ...jose.JSONWebKey) string {
	raw, _ := json.Marshal(jose.JSONWebKeySet{Keys: all})
	return string(raw)
}

// claims are jane's, changed; nil takes a claim away.
func (p *fakeProvider) claims(changes map[string]any) map[string]any {
	c := map[string]any{
		"iss": p.URL, "sub": "jane-sub", "iat": start.Unix() - 1, "exp": start.Unix() + 3600,
		"given_name": "Jane", "family_name": "Doe", "phone_number": "+12125550101", "preferred_username": "jane",
		"lp_sdes": []any{
			map[string]any{"type": "ctmrinfo", "info": map[string]any{"ctype": "gold", "cstatus": "active", "balance": 1250.75, "currency": "USD", "customerId": "C-1"}},
			map[string]any{"type": "personal", "personal": map[string]any{"firstname": "Jane", "lastname": "Doe", "contacts": []any{map[string]any{"email": "jane@example.com"}}}},
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

// signToken makes a token with the brand's key.
func signToken(t testing.TB, claims any) string {
	t.Helper()
	return signWith(t, brandKey(), "brand-1", claims)
}

func signWith(t testing.TB, key *rsa.PrivateKey, kid string, claims any) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType("JWT")
	if kid != "" {
		options.WithHeader("kid", kid)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, options)
	require.NoError(t, err)
	raw, isText := claims.(string)
	if !isText {
		b, err := json.Marshal(claims)
		require.NoError(t, err)
		raw = string(b)
	}
	signed, err := s.Sign([]byte(raw))
	require.NoError(t, err)
	out, err := signed.CompactSerialize()
	require.NoError(t, err)
	return out
}

// encryptToken wraps a token for a key.
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

// unsignedToken makes a token of a header and a payload without a good signature.
func unsignedToken(header, payload string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(header)) + "." + enc([]byte(payload)) + "." + enc([]byte("signature"))
}

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

// simulation is a simulator with an identity provider.
type simulation struct {
	*sim.Simulator

	t   *testing.T
	idp *fakeProvider
	url string

	mu  sync.Mutex
	now time.Time
}

func (b *simulation) clock() time.Time { b.mu.Lock(); defer b.mu.Unlock(); return b.now }

func (b *simulation) advance(d time.Duration) { b.mu.Lock(); defer b.mu.Unlock(); b.now = b.now.Add(d) }

// numbers of the connectors of a bench.
const (
	implicitID = 1
	codeID     = 2
	pkceID     = 3
	keySetID   = 4
	botID      = 5
)

// facts are what the fake provider's connectors are made of.
func (p *fakeProvider) facts() setup.Facts {
	return setup.Facts{
		Issuer: p.URL, AuthorizationEndpoint: p.URL + "/authorize", TokenEndpoint: p.URL + "/token", JWKSEndpoint: p.URL + "/jwks",
		DisplayName: "brand", ClientID: "le client", Key: setup.Key{Line: sim.PublicKeyLine(brandKey())},
	}
}

func newSimulation(t *testing.T, change func(*sim.Config)) *simulation {
	t.Helper()
	b := &simulation{t: t, idp: newFakeProvider(t), now: start}
	f := b.idp.facts()
	server := httptest.NewUnstartedServer(nil)
	b.url = "http://" + server.Listener.Addr().String()
	connector := func(id int64, flow liveengage.Flow, key liveengage.KeyType, pkce bool) sim.Connector {
		c := sim.Connector{ID: id, Connector: setup.NewConnector(f, flow, key), ClientSecret: secret.New("the secret: 50%25 +")}
		c.Configuration.PKCEEnabled = pkce
		c.Configuration.Preferred = id == implicitID
		return c
	}
	cfg := sim.Config{
		Address: b.url, Now: b.clock, Key: simKey(), Issuer: b.idp.URL, Timeout: 200 * time.Millisecond, SocketTimeout: 100 * time.Millisecond,
		Connectors: []sim.Connector{
			connector(implicitID, liveengage.FlowImplicit, liveengage.KeyTypePasted, false), connector(codeID, liveengage.FlowCode, liveengage.KeyTypePasted, false),
			connector(pkceID, liveengage.FlowCode, liveengage.KeyTypeJWKS, true), connector(keySetID, liveengage.FlowImplicit, liveengage.KeyTypeJWKS, false),
			connector(botID, liveengage.FlowDelegation, liveengage.KeyTypePasted, false),
		},
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	b.Simulator, err = sim.New(cfg)
	require.NoError(t, err)
	server.Config.Handler = b.Handler()
	server.Start()
	t.Cleanup(server.Close)
	return b
}

// call makes a request and returns what came back, decoded where it is JSON.
func (b *simulation) call(method, path string, body any, headers ...string) (int, map[string]any, string) {
	b.t.Helper()
	var in io.Reader
	if text, ok := body.(string); ok {
		in = strings.NewReader(text)
	} else if body != nil {
		raw, err := json.Marshal(body)
		require.NoError(b.t, err)
		in = bytes.NewReader(raw)
	}
	r, err := http.NewRequest(method, b.url+path, in)
	require.NoError(b.t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	require.NoError(b.t, err)
	raw, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	require.NoError(b.t, res.Body.Close())
	var out map[string]any
	_ = json.Unmarshal(raw, &out) // pages and lists are read as text
	return res.StatusCode, out, string(raw)
}

// requestToken asks for LivePerson's token and returns it.
func (b *simulation) requestToken(path string, body any) string {
	b.t.Helper()
	status, out, text := b.call("POST", path, body)
	require.Equal(b.t, 200, status, text)
	for _, name := range []string{"token", "jwt"} {
		if token, ok := out[name].(string); ok {
			return token
		}
	}
	b.t.Fatal("no token: " + text)
	return ""
}

// decodePayload is what a token says, unverified.
func decodePayload(t testing.TB, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	var out map[string]any
	require.NoError(t, json.Unmarshal(body, &out))
	return out
}
