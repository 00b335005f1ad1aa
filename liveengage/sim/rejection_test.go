package sim_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/explain"
	"idpbridge/liveengage/sim"
)

// rejection is a way in which a token, a connector or an identity provider is broken.
type rejection struct {
	name      string
	connector int
	body      func(t *testing.T, b *simulation) map[string]any
	broken    func(t *testing.T, b *simulation) // breaks the identity provider
	config    func(c *sim.Config)               // breaks a connector
	code      string
	explains  string // a part of the explanation
}

// idToken returns a body with a token.
func idToken(create func(t *testing.T, b *simulation) string) func(*testing.T, *simulation) map[string]any {
	return func(t *testing.T, b *simulation) map[string]any {
		t.Helper()
		return map[string]any{"id_token": create(t, b)}
	}
}

// fixedToken returns a body with this token.
func fixedToken(token string) func(*testing.T, *simulation) map[string]any {
	return idToken(func(*testing.T, *simulation) string { return token })
}

// withClaim returns a body with a token that is valid except for this claim.
func withClaim(name string, value any) func(*testing.T, *simulation) map[string]any {
	return idToken(func(t *testing.T, b *simulation) string {
		t.Helper()
		return signToken(t, b.idp.claims(map[string]any{name: value}))
	})
}

// withSDEs returns a body with a token that is valid except for this entry in lp_sdes.
func withSDEs(entry map[string]any) func(*testing.T, *simulation) map[string]any {
	return withClaim("lp_sdes", []any{entry})
}

func goodToken(t *testing.T, b *simulation) map[string]any {
	t.Helper()
	return map[string]any{"id_token": signToken(t, b.idp.claims(nil))}
}

func goodCode(*testing.T, *simulation) map[string]any {
	return map[string]any{"code": "SplxlOBeZQQYbYS6WxSbIA"}
}

func emptyBody(*testing.T, *simulation) map[string]any { return map[string]any{} }

// brokenTokens are sent to the implicit connector unless they name another.
func brokenTokens() []rejection {
	return []rejection{
		{name: "nothing", body: emptyBody, code: "9012", explains: "token is missing"},
		{name: "too long", body: fixedToken(strings.Repeat("a", 17<<10)), code: "9012", explains: "longer than"},
		{name: "filtered characters", body: fixedToken("<script>.a.b"), code: "9009", explains: "filters out"},
		{name: "Bearer", body: fixedToken("Bearer abc.def.ghi"), code: "9009", explains: "begins with Bearer"},
		{name: "one part", body: fixedToken("abc"), code: "1009", explains: "1 parts"},
		{name: "two parts", body: fixedToken("abc.def"), code: "1009", explains: "2 parts"},
		{name: "header is not JSON", body: fixedToken("abc.def.ghi"), code: "1001", explains: "header"},
		{name: "alg none", body: fixedToken(unsignedToken(`{"alg":"none"}`, `{}`)), code: "1003", explains: `"none"`},
		{name: "alg HS256 with the public key", body: idToken(signHS256), code: "1003", explains: "RS256"},
		{name: "alg ES256", body: fixedToken(unsignedToken(`{"alg":"ES256"}`, `{}`)), code: "1003", explains: "ES256"},
		{
			name: "signed with another key", code: "9007", explains: "signature",
			body: idToken(func(t *testing.T, b *simulation) string {
				t.Helper()
				return signWith(t, otherKey(), "brand-1", b.idp.claims(nil))
			}),
		},
		{
			name: "changed in transit", code: "9007", explains: "signature",
			body: idToken(func(t *testing.T, b *simulation) string {
				t.Helper()
				parts := strings.Split(signToken(t, b.idp.claims(nil)), ".")
				other := strings.Split(signToken(t, b.idp.claims(map[string]any{"sub": "victor"})), ".")
				return parts[0] + "." + other[1] + "." + parts[2]
			}),
		},
		{
			name: "payload is a list", code: "1008", explains: "JSON object",
			body: idToken(func(t *testing.T, _ *simulation) string { t.Helper(); return signToken(t, `[]`) }),
		},
		{name: "no iss", body: withClaim("iss", nil), code: "1011", explains: "iss"},
		{name: "no sub", body: withClaim("sub", nil), code: "1011", explains: "sub"},
		{name: "an empty sub", body: withClaim("sub", ""), code: "1011", explains: "sub"},
		{name: "no iat", body: withClaim("iat", nil), code: "1011", explains: "iat"},
		{name: "no exp", body: withClaim("exp", nil), code: "1011", explains: "exp"},
		{name: "exp is a string", body: withClaim("exp", "1772369999"), code: "1008", explains: "not a number"},
		{
			name: "exp in milliseconds", body: withClaim("exp", (start.Unix()+3600)*1000),
			code: "1008", explains: "milliseconds",
		},
		{name: "sub is a number", body: withClaim("sub", 7), code: "1008", explains: "sub"},
		{name: "given_name is a number", body: withClaim("given_name", 7), code: "1008", explains: "given_name"},
		{name: "expired this second", body: withClaim("exp", start.Unix()), code: "1012", explains: "expired"},
		{
			name: "iss with a trailing slash", code: "9007", explains: "exactly equal",
			body: idToken(func(t *testing.T, b *simulation) string {
				t.Helper()
				return signToken(t, b.idp.claims(map[string]any{"iss": b.idp.URL + "/"}))
			}),
		},
		{
			name: "lp_sdes is an object", code: "1026", explains: "array",
			body: withClaim("lp_sdes", map[string]any{"customerInfo": map[string]any{}}),
		},
		{
			name: "unknown type in lp_sdes", code: "1026", explains: "lp_sdes[0]",
			body: withSDEs(map[string]any{"type": "cart", "cart": 1}),
		},
		{
			name: "balance is a string", code: "1026", explains: "balance",
			body: withSDEs(map[string]any{"type": "ctmrinfo", "info": map[string]any{"balance": "1"}}),
		},
		{name: "a code in the implicit flow", body: goodCode, code: "9015", explains: "implicit flow"},
		{name: "a token in the code flow", connector: codeID, body: goodToken, code: "9015", explains: "code flow"},
		{
			name: "encrypted to another key", code: "1004", explains: "another key",
			body: idToken(func(t *testing.T, b *simulation) string {
				t.Helper()
				return encryptToken(t, otherKey(), sim.EncryptionKeyID, signToken(t, b.idp.claims(nil)))
			}),
		},
		{
			name: "encrypted to another kid", code: "1041", explains: "lpsso2026",
			body: idToken(func(t *testing.T, b *simulation) string {
				t.Helper()
				return encryptToken(t, simKey(), "lpsso2026", signToken(t, b.idp.claims(nil)))
			}),
		},
		{
			name: "encrypted but not signed", code: "1009", explains: "sign first",
			body: idToken(func(t *testing.T, _ *simulation) string {
				t.Helper()
				return encryptToken(t, simKey(), sim.EncryptionKeyID, `{"sub":"jane"}`)
			}),
		},
		{
			name: "encrypted with RSA-OAEP", code: "1003", explains: "RSA-OAEP-256",
			body: fixedToken(unsignedToken(`{"alg":"RSA-OAEP","enc":"A256GCM"}`, "x") + ".a.b"),
		},
		{
			name: "encrypted with A192GCM", code: "1003", explains: "A192GCM",
			body: fixedToken(unsignedToken(`{"alg":"RSA-OAEP-256","enc":"A192GCM"}`, "x") + ".a.b"),
		},
	}
}

// signHS256 signs a token with the public key as a shared secret.
func signHS256(t *testing.T, b *simulation) string {
	t.Helper()
	key := jose.SigningKey{Algorithm: jose.HS256, Key: []byte(sim.PublicKeyLine(brandKey()))}
	s, err := jose.NewSigner(key, nil)
	require.NoError(t, err)
	claims, err := json.Marshal(b.idp.claims(nil))
	require.NoError(t, err)
	signed, err := s.Sign(claims)
	require.NoError(t, err)
	out, err := signed.CompactSerialize()
	require.NoError(t, err)
	return out
}

func brokenKeys() []rejection {
	serve := func(jwks string) func(*testing.T, *simulation) {
		return func(_ *testing.T, b *simulation) { b.idp.setKeySet(jwks) }
	}
	change := func(f func(*sim.Connector)) func(*sim.Config) {
		return func(c *sim.Config) {
			for i := range c.Connectors {
				f(&c.Connectors[i])
			}
		}
	}
	keySet := encodeKeySet(publicJWK(brandKey(), "brand-1"))
	return []rejection{
		{
			name: "kid is not in the key set", connector: keySetID, body: goodToken, code: "1041", explains: "brand-1",
			broken: serve(encodeKeySet(publicJWK(brandKey(), "brand-2"))),
		},
		{
			name: "no kid and two keys", connector: keySetID, code: "1042", explains: "2 keys",
			body: idToken(func(t *testing.T, b *simulation) string {
				t.Helper()
				return signWith(t, brandKey(), "", b.idp.claims(nil))
			}),
			broken: serve(encodeKeySet(publicJWK(brandKey(), "brand-1"), publicJWK(otherKey(), "brand-2"))),
		},
		{
			name: "key set is HTML", connector: keySetID, body: goodToken, code: "1038", explains: "not a key set",
			broken: serve("<html>"),
		},
		{
			name: "modulus in plain base64", connector: keySetID, body: goodToken, code: "1038", explains: "base64url",
			broken: serve(strings.Replace(keySet, `"n":"`, `"n":"+/`, 1)),
		},
		{
			name: "an elliptic curve key", connector: keySetID, body: goodToken, code: "1028", explains: "not an RSA",
			broken: func(t *testing.T, b *simulation) {
				t.Helper()
				key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
				require.NoError(t, err)
				b.idp.setKeySet(encodeKeySet(jose.JSONWebKey{Key: &key.PublicKey, KeyID: "brand-1"}))
			},
		},
		{
			name: "key set on another host", connector: keySetID, body: goodToken, code: "1038", explains: "--allow-host",
			config: change(func(c *sim.Connector) { c.Configuration.JWKSEndpoint = "https://keys.example.com/jwks" }),
		},
		{
			name: "key set not found", connector: keySetID, body: goodToken, code: "1038", explains: "404",
			config: change(func(c *sim.Connector) { c.Configuration.JWKSEndpoint += "/gone" }),
		},
		{
			name: "key set redirects to another host", connector: keySetID, body: goodToken, code: "1038", explains: "302",
			config: change(func(c *sim.Connector) { c.Configuration.JWKSEndpoint = "http://" + otherAddress + "/jwks" }),
			broken: func(t *testing.T, b *simulation) {
				t.Helper()
				target := newFakeProvider(t, b.network, "127.0.0.1:4").URL + "/jwks" // has the right key
				b.network.Serve(t, otherAddress, http.RedirectHandler(target, http.StatusFound))
			},
		},
		{
			name: "no JWKS Endpoint", connector: keySetID, body: goodToken, code: "1039", explains: "URL is missing",
			config: change(func(c *sim.Connector) { c.Configuration.JWKSEndpoint = "" }),
		},
		{
			name: "pasted key lacks a character", body: goodToken, code: "1028", explains: "is invalid",
			config: change(func(c *sim.Connector) {
				c.Configuration.JWTPublicKey = strings.Replace(c.Configuration.JWTPublicKey, "Q", "", 1)
			}),
		},
		{
			name: "a certificate pasted as a key", body: goodToken, code: "1028", explains: "is a certificate",
			config: change(func(c *sim.Connector) {
				c.Configuration.JWTPublicKey = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
			}),
		},
		{
			name: "no pasted key", body: goodToken, code: "1028", explains: "no JWT Public Key",
			config: change(func(c *sim.Connector) { c.Configuration.JWTPublicKey = "" }),
		},
		{
			name: "another pasted key", body: goodToken, code: "9007", explains: "fingerprints",
			config: change(func(c *sim.Connector) { c.Configuration.JWTPublicKey = sim.PublicKeyLine(otherKey()) }),
		},
		{
			name: "a connector of another type", body: goodToken, code: "1025", explains: "type is 7",
			config: change(func(c *sim.Connector) { c.Type = 7 }),
		},
		{name: "an unknown connector", connector: 99, body: goodToken, code: "1024", explains: "no connector"},
		{name: "a connector for delegation", connector: botID, body: goodCode, code: "9015", explains: "delegation"},
	}
}

// brokenEndpoints are all about the code flow.
func brokenEndpoints() []rejection {
	serve := func(h http.HandlerFunc) func(*testing.T, *simulation) {
		return func(_ *testing.T, b *simulation) { b.idp.setToken(h) }
	}
	all := []rejection{
		{
			name: "code rejected", code: "9011", explains: "invalid_grant",
			broken: serve(respondWith(400, "application/json", `{"error":"invalid_grant"}`)),
		},
		{
			name: "client rejected", code: "9011", explains: "401",
			broken: serve(respondWith(401, "application/json", `{"error":"invalid_client"}`)),
		},
		{
			name: "server error", code: "9011", explains: "503",
			broken: serve(respondWith(503, "text/html", "<h1>Sorry</h1>")),
		},
		{
			name: "redirect", code: "9011", explains: "not followed",
			broken: serve(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
			}),
		},
		{
			name: "HTML instead of JSON", code: "9011", explains: "content type",
			broken: serve(respondWith(200, "text/html", "<h1>Sign in</h1>")),
		},
		{
			name: "a JSON list", code: "9011", explains: "JSON object",
			broken: serve(respondWith(200, "application/json", `["x"]`)),
		},
		{
			name: "no id_token", code: "9011", explains: "no id_token",
			broken: serve(respondJSON(map[string]any{"access_token": "x"})),
		},
		{
			name: "response too large", code: "9011", explains: "larger than",
			broken: serve(respondWith(200, "application/json", `{"x":"`+strings.Repeat("x", 300<<10)+`"}`)),
		},
		{
			name: "no response in time", code: "9013", explains: "longer than",
			broken: serve(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }),
		},
		{
			name: "an invalid token from the endpoint", code: "9007", explains: "signature",
			broken: func(t *testing.T, b *simulation) {
				t.Helper()
				token := signWith(t, otherKey(), "brand-1", b.idp.claims(nil))
				b.idp.setToken(respondJSON(map[string]any{"id_token": token}))
			},
		},
		{
			name: "connection refused", code: "9011", explains: "did not respond",
			broken: func(_ *testing.T, b *simulation) { b.idp.stop() },
		},
		{name: "no code", body: emptyBody, code: "9012", explains: "code is missing"},
		{
			name: "a code with a line break", code: "9009", explains: "line break",
			body: func(*testing.T, *simulation) map[string]any { return map[string]any{"code": "a\nb"} },
		},
		{
			name: "no Token Endpoint", code: "9014", explains: "no Token Endpoint",
			config: func(c *sim.Config) { c.Connectors[codeID-1].Configuration.TokenEndpoint = "" },
		},
	}
	for i := range all {
		all[i].connector = codeID
		if all[i].body == nil {
			all[i].body = goodCode
		}
	}
	return all
}

// listConnectors reads the list of connectors. It has no secrets.
func listConnectors(b *simulation) []sim.Connector {
	_, _, text := b.call("GET", "/api/account/"+account+"/configuration/le-connectors/all-connectors", nil)
	var all []sim.Connector
	require.NoError(b.t, json.Unmarshal([]byte(text), &all))
	return all
}

// TestRejections checks the code and the explanation for every broken token and identity
// provider. If only the token is broken, a valid one passes, so the test itself is not
// at fault.
func TestRejections(t *testing.T) {
	t.Parallel()
	all := append(append(brokenTokens(), brokenKeys()...), brokenEndpoints()...)
	require.GreaterOrEqual(t, len(all), 25)
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { checkRejection(t, c) })
		})
	}
}

func checkRejection(t *testing.T, c rejection) {
	t.Helper()
	b := newSimulation(t, c.config)
	body := c.body(t, b)
	if c.broken != nil {
		c.broken(t, b)
	} else if c.config == nil {
		b.requestToken(authenticatePath(implicitID), goodToken(t, b))
	}
	connector := c.connector
	if connector == 0 {
		connector = implicitID
	}
	status, out, text := b.call("POST", authenticatePath(connector), body)
	require.Equal(t, http.StatusInternalServerError, status, text)
	require.Equal(t, c.code, out["internalErrorCode"], text)
	explanation, ok := out["explanation"].(string)
	require.True(t, ok, text)
	require.Contains(t, explanation, c.explains)
	known, ok := explain.Lookup(c.code)
	require.True(t, ok, c.code)
	require.Contains(t, explanation, known.Meaning)
	_, _, log := b.call("GET", "/log", nil)
	require.Contains(t, log, "rejected with "+c.code)
}

// authenticatePath is where the tokens and codes of a connector go.
func authenticatePath(connector int) string {
	return "/api/account/" + account + "/app/" + strconv.Itoa(connector) + "/authenticate?v=3.0"
}
