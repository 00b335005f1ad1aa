package sim_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/explain"
	"idpbridge/liveengage/sim"
)

// rejection is one way in which a token or an identity provider is broken.
type rejection struct {
	name string
	via  int                                         // connector
	body func(t *testing.T, b *simulation) map[string]any // what the window hands over
	idp  func(t *testing.T, b *simulation)                // what is broken
	code string
	explains string // a part of the explanation
}

func idToken(make func(t *testing.T, b *simulation) string) func(*testing.T, *simulation) map[string]any {
	return func(t *testing.T, b *simulation) map[string]any { t.Helper(); return map[string]any{"id_token": make(t, b)} }
}

// withClaim is a good token but for these claims.
func withClaim(name string, value any) func(*testing.T, *simulation) map[string]any {
	return idToken(func(t *testing.T, b *simulation) string {
		t.Helper()
		return signToken(t, b.idp.claims(map[string]any{name: value}))
	})
}

func goodToken(t *testing.T, b *simulation) map[string]any {
	t.Helper()
	return map[string]any{"id_token": signToken(t, b.idp.claims(nil))}
}

func goodCode(*testing.T, *simulation) map[string]any { return map[string]any{"code": "SplxlOBeZQQYbYS6WxSbIA"} }

func badTokens() []rejection {
	text := func(s string) func(*testing.T, *simulation) map[string]any {
		return idToken(func(*testing.T, *simulation) string { return s })
	}
	return []rejection{
		{"nothing", implicitID, func(*testing.T, *simulation) map[string]any { return map[string]any{} }, nil, "9012", "no token"},
		{"too long", implicitID, text(strings.Repeat("a", 17<<10)), nil, "9012", "longer than"},
		{"odd characters", implicitID, text("<script>.a.b"), nil, "9009", "stopped"},
		{"one part", implicitID, text("abc"), nil, "1009", "1 parts"},
		{"two parts", implicitID, text("abc.def"), nil, "1009", "2 parts"},
		{"a header that is no JSON", implicitID, text("abc.def.ghi"), nil, "1001", "header"},
		{"alg none", implicitID, text(unsignedToken(`{"alg":"none"}`, `{}`)), nil, "1003", `"none"`},
		{"alg HS256 with the public key", implicitID, idToken(func(t *testing.T, b *simulation) string {
			t.Helper()
			s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(sim.PublicKeyLine(brandKey()))}, nil)
			require.NoError(t, err)
			claims, err := json.Marshal(b.idp.claims(nil))
			require.NoError(t, err)
			signed, err := s.Sign(claims)
			require.NoError(t, err)
			out, err := signed.CompactSerialize()
			require.NoError(t, err)
			return out
		}), nil, "1003", "RS256"},
		{"alg ES256", implicitID, text(unsignedToken(`{"alg":"ES256"}`, `{}`)), nil, "1003", "ES256"},
		{"signed by somebody else", implicitID, idToken(func(t *testing.T, b *simulation) string {
			t.Helper()
			return signWith(t, otherKey(), "brand-1", b.idp.claims(nil))
		}), nil, "9007", "signature"},
		{"changed on the way", implicitID, idToken(func(t *testing.T, b *simulation) string {
			t.Helper()
			parts := strings.Split(signToken(t, b.idp.claims(nil)), ".")
			return parts[0] + "." + strings.Split(signToken(t, b.idp.claims(map[string]any{"sub": "victor"})), ".")[1] + "." + parts[2]
		}), nil, "9007", "signature"},
		{"payload is a list", implicitID, idToken(func(t *testing.T, _ *simulation) string { t.Helper(); return signToken(t, `[]`) }), nil, "1008", "JSON object"},
		{"no iss", implicitID, withClaim("iss", nil), nil, "1011", "iss"},
		{"no sub", implicitID, withClaim("sub", nil), nil, "1011", "sub"},
		{"an empty sub", implicitID, withClaim("sub", ""), nil, "1011", "sub"},
		{"no iat", implicitID, withClaim("iat", nil), nil, "1011", "iat"},
		{"no exp", implicitID, withClaim("exp", nil), nil, "1011", "exp"},
		{"exp as text", implicitID, withClaim("exp", "1772369999"), nil, "1008", "not a number"},
		{"exp in milliseconds", implicitID, withClaim("exp", (start.Unix()+3600)*1000), nil, "1008", "milliseconds"},
		{"sub is a number", implicitID, withClaim("sub", 7), nil, "1008", "sub"},
		{"given_name is a number", implicitID, withClaim("given_name", 7), nil, "1008", "given_name"},
		{"expired this second", implicitID, withClaim("exp", start.Unix()), nil, "1012", "expired"},
		{"a slash more in iss", implicitID, idToken(func(t *testing.T, b *simulation) string {
			t.Helper()
			return signToken(t, b.idp.claims(map[string]any{"iss": b.idp.URL + "/"}))
		}), nil, "9007", "letter by letter"},
		{"lp_sdes as an object", implicitID, withClaim("lp_sdes", map[string]any{"customerInfo": map[string]any{}}), nil, "1026", "array"},
		{"lp_sdes of another type", implicitID, withClaim("lp_sdes", []any{map[string]any{"type": "cart", "cart": 1}}), nil, "1026", "lp_sdes[0]"},
		{"balance as text", implicitID, withClaim("lp_sdes", []any{map[string]any{"type": "ctmrinfo", "info": map[string]any{"balance": "1"}}}), nil, "1026", "balance"},
		{"a code in the implicit flow", implicitID, goodCode, nil, "9015", "implicit flow"},
		{"a token in the code flow", codeID, goodToken, nil, "9015", "code flow"},
		{"encrypted to another key", implicitID, idToken(func(t *testing.T, b *simulation) string {
			t.Helper()
			return encryptToken(t, otherKey(), sim.EncryptionKeyID, signToken(t, b.idp.claims(nil)))
		}), nil, "1004", "another key"},
		{"encrypted to another kid", implicitID, idToken(func(t *testing.T, b *simulation) string {
			t.Helper()
			return encryptToken(t, simKey(), "lpsso2026", signToken(t, b.idp.claims(nil)))
		}), nil, "1041", "lpsso2026"},
		{"encrypted and not signed", implicitID, idToken(func(t *testing.T, _ *simulation) string {
			t.Helper()
			return encryptToken(t, simKey(), sim.EncryptionKeyID, `{"sub":"jane"}`)
		}), nil, "1009", "sign first"},
		{"encrypted by RSA-OAEP", implicitID, text(unsignedToken(`{"alg":"RSA-OAEP","enc":"A256GCM"}`, "x") + ".a.b"), nil, "1003", "RSA-OAEP-256"},
		{"encrypted with A192GCM", implicitID, text(unsignedToken(`{"alg":"RSA-OAEP-256","enc":"A192GCM"}`, "x") + ".a.b"), nil, "1003", "A192GCM"},
	}
}

func brokenKeys() []rejection {
	serve := func(text string) func(*testing.T, *simulation) {
		return func(_ *testing.T, b *simulation) { b.idp.jwks = text }
	}
	change := func(f func(*sim.Connector)) func(*testing.T, *simulation) {
		return func(t *testing.T, b *simulation) {
			t.Helper()
			var all []sim.Connector
			for _, c := range listConnectors(b) {
				f(&c)
				all = append(all, c)
			}
			require.NoError(t, b.SetConnectors(all))
		}
	}
	return []rejection{
		{"kid not in the key set", keySetID, goodToken, serve(encodeKeySet(publicJWK(brandKey(), "brand-2"))), "1041", "brand-1"},
		{"no kid and two keys", keySetID, idToken(func(t *testing.T, b *simulation) string {
			t.Helper()
			return signWith(t, brandKey(), "", b.idp.claims(nil))
		}), serve(encodeKeySet(publicJWK(brandKey(), "brand-1"), publicJWK(otherKey(), "brand-2"))), "1042", "2 keys"},
		{"key set that is a page", keySetID, goodToken, serve("<html>"), "1038", "not a key set"},
		{"modulus in plain base64", keySetID, goodToken, serve(strings.Replace(encodeKeySet(publicJWK(brandKey(), "brand-1")), `"n":"`, `"n":"+/`, 1)), "1038", "base64url"},
		{"an elliptic key", keySetID, goodToken, func(t *testing.T, b *simulation) {
			t.Helper()
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			require.NoError(t, err)
			b.idp.jwks = encodeKeySet(jose.JSONWebKey{Key: &key.PublicKey, KeyID: "brand-1"})
		}, "1028", "not an RSA"},
		{"a key set elsewhere", keySetID, goodToken, change(func(c *sim.Connector) { c.Configuration.JWKSEndpoint = "https://keys.example.com/jwks" }), "1038", "--allow-host"},
		{"a key set that is gone", keySetID, goodToken, change(func(c *sim.Connector) { c.Configuration.JWKSEndpoint += "/gone" }), "1038", "404"},
		{"a key set that leads to another host", keySetID, goodToken, func(t *testing.T, b *simulation) {
			t.Helper()
			other := newFakeProvider(t) // has the right key, too
			away := httptest.NewServer(http.RedirectHandler(other.URL+"/jwks", http.StatusFound))
			t.Cleanup(away.Close)
			all := listConnectors(b)
			all[keySetID-1].Configuration.JWKSEndpoint = away.URL
			require.NoError(t, b.SetConnectors(all))
		}, "1038", "302"},
		{"no JWKS Endpoint", keySetID, goodToken, change(func(c *sim.Connector) { c.Configuration.JWKSEndpoint = "" }), "1039", "no address"},
		{"a pasted key with a lost character", implicitID, goodToken, change(func(c *sim.Connector) {
			c.Configuration.JWTPublicKey = strings.Replace(c.Configuration.JWTPublicKey, "Q", "", 1)
		}), "1028", "cannot be used"},
		{"no pasted key", implicitID, goodToken, change(func(c *sim.Connector) { c.Configuration.JWTPublicKey = "" }), "1028", "no JWT Public Key"},
		{"another pasted key", implicitID, goodToken, change(func(c *sim.Connector) { c.Configuration.JWTPublicKey = sim.PublicKeyLine(otherKey()) }), "9007", "fingerprints"},
		{"a connector of another type", implicitID, goodToken, change(func(c *sim.Connector) { c.Type = 7 }), "1025", "type is 7"},
		{"a connector that is not there", 99, goodToken, nil, "1024", "no connector"},
		{"a connector for delegation", botID, goodCode, nil, "9015", "delegation"},
	}
}

func brokenEndpoints() []rejection {
	says := func(h http.HandlerFunc) func(*testing.T, *simulation) {
		return func(_ *testing.T, b *simulation) { b.idp.token = h }
	}
	return []rejection{
		{"code refused", codeID, goodCode, says(respondWith(400, "application/json", `{"error":"invalid_grant"}`)), "9011", "invalid_grant"},
		{"client refused", codeID, goodCode, says(respondWith(401, "application/json", `{"error":"invalid_client"}`)), "9011", "401"},
		{"a fault of the endpoint", codeID, goodCode, says(respondWith(503, "text/html", "<h1>Sorry</h1>")), "9011", "503"},
		{"leads elsewhere", codeID, goodCode, says(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		}), "9011", "not followed"},
		{"a page instead of JSON", codeID, goodCode, says(respondWith(200, "text/html", "<h1>Sign in</h1>")), "9011", "content type"},
		{"JSON that is a list", codeID, goodCode, says(respondWith(200, "application/json", `["x"]`)), "9011", "JSON object"},
		{"no id_token", codeID, goodCode, says(respondJSON(map[string]any{"access_token": "x"})), "9011", "no id_token"},
		{"an answer without end", codeID, goodCode, says(respondWith(200, "application/json", `{"x":"`+strings.Repeat("x", 300<<10)+`"}`)), "9011", "larger than"},
		{"slow", codeID, goodCode, says(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), "9013", "longer than"},
		{"a bad token from the endpoint", codeID, goodCode, func(t *testing.T, b *simulation) {
			t.Helper()
			b.idp.token = respondJSON(map[string]any{"id_token": signWith(t, otherKey(), "brand-1", b.idp.claims(nil))})
		}, "9007", "signature"},
		{"not listening", codeID, goodCode, func(_ *testing.T, b *simulation) { b.idp.Close() }, "9011", "does not answer"},
		{"no code", codeID, func(*testing.T, *simulation) map[string]any { return map[string]any{} }, nil, "9012", "no code"},
		{"a code with a line break", codeID, func(*testing.T, *simulation) map[string]any { return map[string]any{"code": "a\nb"} }, nil, "9009", "line break"},
		{"no Token Endpoint", codeID, goodCode, func(t *testing.T, b *simulation) {
			t.Helper()
			all := listConnectors(b)
			all[1].Configuration.TokenEndpoint = ""
			require.NoError(t, b.SetConnectors(all))
		}, "9014", "no Token Endpoint"},
	}
}

// listConnectors reads the connectors back; their secrets are not in the list.
func listConnectors(b *simulation) []sim.Connector {
	_, _, text := b.call("GET", "/api/account/"+account+"/configuration/le-connectors/all-connectors", nil)
	var all []sim.Connector
	require.NoError(b.t, json.Unmarshal([]byte(text), &all))
	return all
}

// TestRefusals is every broken token and identity provider with its code. The last
// token of each simulator must still pass, so that no row passes by a fault of the
// test's own.
func TestRefusals(t *testing.T) {
	t.Parallel()
	all := append(append(badTokens(), brokenKeys()...), brokenEndpoints()...)
	require.GreaterOrEqual(t, len(all), 25)
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newSimulation(t, nil)
			body := c.body(t, b)
			if c.idp != nil {
				b.idp.mu.Lock()
				c.idp(t, b)
				b.idp.mu.Unlock()
			} else {
				b.requestToken(authenticatePath(implicitID), goodToken(t, b))
			}
			status, out, text := b.call("POST", authenticatePath(c.via), body)
			require.Equal(t, http.StatusInternalServerError, status, text)
			require.Equal(t, c.code, out["internalErrorCode"], text)
			explanation, ok := out["explanation"].(string)
			require.True(t, ok, text)
			require.Contains(t, explanation, c.explains)
			known, ok := explain.Lookup(c.code)
			require.True(t, ok, c.code)
			require.Contains(t, explanation, known.Meaning)
			_, _, log := b.call("GET", "/log", nil)
			require.Contains(t, log, "refused with "+c.code)
		})
	}
}

// authenticatePath is where a connector's tokens and codes go.
func authenticatePath(connector int) string {
	return "/api/account/" + account + "/app/" + strconv.Itoa(connector) + "/authenticate?v=3.0"
}
