package sim_test

import (
	"bytes"
	"encoding/base64"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/sim"
)

// TestSecretStaysAtHome: the secret of one place is sent to no other, whoever
// changes the connector's addresses, and how often.
func TestSecretStaysAtHome(t *testing.T) {
	t.Parallel()
	const dropped = "The client secret was dropped"
	thief := newFakeProvider(t)
	for name, c := range map[string]struct {
		steps  []url.Values // changes of the form, by name; "fill" fills
		kept   bool
		issuer string // of the simulator
	}{
		"nothing changed":               {steps: []url.Values{{}}, kept: true},
		"another path":                  {steps: []url.Values{{"token": {"HOME/oauth/token"}}}, kept: true},
		"another token endpoint":        {steps: []url.Values{{"token": {thief.URL + "/token"}}}},
		"another issuer":                {steps: []url.Values{{"issuer": {thief.URL}}}},
		"no token endpoint for a while": {steps: []url.Values{{"token": {""}}, {"token": {thief.URL + "/token"}}}},
		"no issuer for a while":         {steps: []url.Values{{"issuer": {""}, "token": {""}}, {"issuer": {thief.URL}, "token": {thief.URL + "/token"}}}},
		"filled from home":              {steps: []url.Values{{"fill": {"HOME"}}}, kept: true},
		"filled from elsewhere":         {steps: []url.Values{{"fill": {thief.URL}}}},
		"emptied and filled":            {steps: []url.Values{{"issuer": {""}, "token": {""}}, {"fill": {thief.URL}}}},
		"with a secret of its own":      {steps: []url.Values{{"token": {thief.URL + "/token"}, "secret": {"the thief's own"}}}, kept: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newSimulation(t, nil)
			text := ""
			for _, change := range c.steps {
				f := listConnectors(b)[codeID-1].Configuration
				form := url.Values{"type": {"2"}, "issuer": {f.Issuer}, "token": {f.TokenEndpoint}, "client_id": {"x"}, "method": {"m"}, "key": {f.JWTPublicKey}}
				to := "/connectors/2"
				for field, value := range change {
					value[0] = strings.Replace(value[0], "HOME", b.idp.URL, 1)
					if field == "fill" {
						form.Set("from", value[0])
						to += "/fill"
					} else {
						form.Set(field, value[0])
					}
				}
				var status int
				status, _, text = b.call("POST", to, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
				require.Equal(t, http.StatusOK, status, text)
			}
			require.Equal(t, c.kept, !strings.Contains(text, dropped), text)
			_, _, text = b.call("GET", "/connectors/2", nil)
			require.Equal(t, c.kept, strings.Contains(text, "set; leave empty to keep it"))
		})
	}
}

// TestFillKeepsSecret: what the operator gave for the issuer of the same command
// stays, and nothing else.
func TestFillKeepsSecret(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	defer elsewhere.Close()
	for token, kept := range map[string]bool{"": true, elsewhere.URL + "/token": false} {
		b := newSimulation(t, func(c *sim.Config) {
			c.Connectors = c.Connectors[codeID-1 : codeID]
			c.Connectors[0].Configuration.Issuer, c.Connectors[0].Configuration.TokenEndpoint = "", token
		})
		require.NoError(t, b.FillConnectors(t.Context(), b.idp.URL))
		_, _, text := b.call("GET", "/connectors/2", nil)
		require.Equal(t, kept, strings.Contains(text, "set; leave empty to keep it"), token)
	}
}

// TestRefusalsRepeatNoSecrets: an identity provider that repeats what it was sent
// does not bring it into the log or onto a page.
func TestRefusalsRepeatNoSecrets(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	const secret = "the secret: 50%25 +"
	b := newSimulation(t, func(c *sim.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	basic := base64.StdEncoding.EncodeToString([]byte("le client:" + secret))
	token := signToken(t, b.idp.claims(nil))
	handed := "C0de-0f-jane"
	for _, said := range []string{secret, url.QueryEscape(secret), basic, handed, token, "0123456789abcdefABCDEF0123456789"} {
		b.idp.mu.Lock()
		b.idp.token = func(w http.ResponseWriter, _ *http.Request) {
			respondWith(400, "application/json", `{"error":"invalid_client","error_description":"I was sent `+said+` twice: `+said+`"}`)(w, nil)
		}
		b.idp.mu.Unlock()
		_, out, text := b.call("POST", authenticatePath(codeID), map[string]any{"code": handed})
		require.Equal(t, "9011", out["internalErrorCode"])
		require.Contains(t, text, "invalid_client I was sent")
		_, _, page := b.call("GET", "/log", nil)
		for _, where := range []string{text, page, log.String()} {
			require.NotContains(t, html.UnescapeString(where), said)
		}
	}
	b.idp.mu.Lock()
	b.idp.token = respondWith(400, "application/json", `{"error":"unsupported_response_type"}`)
	b.idp.mu.Unlock()
	_, _, text := b.call("POST", authenticatePath(codeID), map[string]any{"code": handed})
	require.Contains(t, text, "unsupported_response_type", "a name is no secret")
}

// TestRedirectsAreLogged: each request has an exchange of its own.
func TestRedirectsAreLogged(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	mux := http.NewServeMux()
	mux.Handle("/a", http.RedirectHandler("/b", http.StatusMovedPermanently))
	mux.Handle("/b", http.RedirectHandler("/c", http.StatusFound))
	mux.HandleFunc("/c", respondWith(200, "application/json", encodeKeySet(publicJWK(brandKey(), "brand-1"))))
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	server := httptest.NewServer(mux)
	defer server.Close()
	use := func(path string) {
		all := listConnectors(b)
		all[keySetID-1].Configuration.JWKSEndpoint = server.URL + path
		require.NoError(t, b.SetConnectors(all))
	}
	use("/a")
	b.requestToken(authenticatePath(keySetID), goodToken(t, b))
	_, _, log := b.call("GET", "/log", nil)
	for _, want := range []string{"GET " + server.URL + "/a", "301 Moved Permanently", "GET " + server.URL + "/b", "302 Found", "GET " + server.URL + "/c", "200 OK"} {
		require.Equal(t, 1, strings.Count(log, want), want)
	}
	require.NotContains(t, log, `class="refused"`)
	use("/loop")
	_, out, _ := b.call("POST", authenticatePath(keySetID), goodToken(t, b))
	require.Equal(t, "1038", out["internalErrorCode"])
	_, _, log = b.call("GET", "/log", nil)
	require.Equal(t, 4, strings.Count(log, "GET "+server.URL+"/loop"))
}
