package sim_test

import (
	"bytes"
	"encoding/base64"
	"html"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/secret"
	"idpbridge/liveengage"
	"idpbridge/liveengage/sim"
)

// TestSecretIsNotMoved: if the issuer or the token endpoint moves to another origin, the
// client secret is not sent there, in whichever steps the connector changes.
func TestSecretIsNotMoved(t *testing.T) {
	t.Parallel()
	const home, thief = "http://" + providerAddress, "http://" + otherAddress
	for name, c := range map[string]struct {
		steps []url.Values // changes to the form; "fill" fills it
		kept  bool
	}{
		"no change":              {steps: []url.Values{{}}, kept: true},
		"another path":           {steps: []url.Values{{"token": {home + "/oauth/token"}}}, kept: true},
		"another token endpoint": {steps: []url.Values{{"token": {thief + "/token"}}}},
		"another issuer":         {steps: []url.Values{{"issuer": {thief}}}},
		"token endpoint emptied first": {steps: []url.Values{
			{"token": {""}}, {"token": {thief + "/token"}},
		}},
		"issuer emptied first": {steps: []url.Values{
			{"issuer": {""}, "token": {""}}, {"issuer": {thief}, "token": {thief + "/token"}},
		}},
		"filled from its issuer":       {steps: []url.Values{{"fill": {home}}}, kept: true},
		"filled from another":          {steps: []url.Values{{"fill": {thief}}}},
		"emptied, filled from another": {steps: []url.Values{{"issuer": {""}, "token": {""}}, {"fill": {thief}}}},
		"with a new secret": {
			steps: []url.Values{{"token": {thief + "/token"}, "secret": {"the thief's own"}}}, kept: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newSimulation(t, nil)
			newFakeProvider(t, b.network, otherAddress)
			text := ""
			for _, change := range c.steps {
				f := listConnectors(b)[codeID-1].Configuration
				form := url.Values{
					"type": {"2"}, "issuer": {f.Issuer}, "token": {f.TokenEndpoint},
					"client_id": {"x"}, "method": {"m"}, "key": {f.JWTPublicKey},
				}
				path := "/connectors/2"
				for field, value := range change {
					if field == "fill" {
						form.Set("from", value[0])
						path += "/fill"
					} else {
						form.Set(field, value[0])
					}
				}
				var status int
				status, text = b.postForm(path, form)
				require.Equal(t, http.StatusOK, status, text)
			}
			require.Equal(t, c.kept, !strings.Contains(text, "The client secret was removed"), text)
			_, _, text = b.call("GET", "/connectors/2", nil)
			require.Equal(t, c.kept, strings.Contains(text, "set; leave empty to keep it"))
		})
	}
}

// TestFillKeepsSecret: a connector without a token endpoint keeps the secret that the
// operator gave for the issuer. One with another token endpoint does not.
func TestFillKeepsSecret(t *testing.T) {
	t.Parallel()
	for token, kept := range map[string]bool{"": true, "http://" + otherAddress + "/token": false} {
		b := newSimulation(t, func(c *sim.Config) {
			c.Connectors = c.Connectors[codeID-1 : codeID]
			c.Connectors[0].Configuration.Issuer, c.Connectors[0].Configuration.TokenEndpoint = "", token
		})
		require.NoError(t, b.FillConnectors(t.Context(), b.idp.URL))
		_, _, text := b.call("GET", "/connectors/2", nil)
		require.Equal(t, kept, strings.Contains(text, "set; leave empty to keep it"), token)
	}
}

// TestErrorsContainNoSecrets: if an identity provider repeats what it was sent, it does
// not appear in the log or on a page.
func TestErrorsContainNoSecrets(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	const clientSecret, code = "the secret: 50%25 +", "C0de-0f-jane"
	b := newSimulation(t, func(c *sim.Config) {
		c.Log = slog.New(slog.NewTextHandler(&log, nil))
		c.Connectors[codeID-1].ClientSecret = secret.New(clientSecret)
	})
	basic := base64.StdEncoding.EncodeToString([]byte("le client:" + clientSecret))
	token := signToken(t, b.idp.claims(nil))
	for _, sent := range []string{
		clientSecret, url.QueryEscape(clientSecret), basic, code, token, "0123456789abcdefABCDEF0123456789",
	} {
		b.idp.setToken(respondWith(400, "application/json",
			`{"error":"invalid_client","error_description":"I was sent `+sent+` twice: `+sent+`"}`))
		_, out, text := b.call("POST", authenticatePath(codeID), map[string]any{"code": code})
		require.Equal(t, "9011", out["internalErrorCode"])
		require.Contains(t, text, "invalid_client I was sent")
		_, _, page := b.call("GET", "/log", nil)
		for _, output := range []string{text, page, log.String()} {
			require.NotContains(t, html.UnescapeString(output), sent)
		}
	}
	b.idp.setToken(respondWith(400, "application/json", `{"error":"unsupported_response_type"}`))
	_, _, text := b.call("POST", authenticatePath(codeID), map[string]any{"code": code})
	require.Contains(t, text, "unsupported_response_type", "a name is not a secret")
}

// TestRedirectsAreRecorded: every request of a redirect chain is in the log.
func TestRedirectsAreRecorded(t *testing.T) {
	t.Parallel()
	const server = "http://" + otherAddress
	b := newSimulation(t, func(c *sim.Config) {
		c.Connectors[keySetID-1].Configuration.JWKSEndpoint = server + "/a"
		c.Connectors[implicitID-1].Configuration.JWTValidationType = liveengage.KeyTypeJWKS
		c.Connectors[implicitID-1].Configuration.JWKSEndpoint = server + "/loop"
	})
	mux := http.NewServeMux()
	mux.Handle("/a", http.RedirectHandler("/b", http.StatusMovedPermanently))
	mux.Handle("/b", http.RedirectHandler("/c", http.StatusFound))
	mux.HandleFunc("/c", respondWith(200, "application/json", encodeKeySet(publicJWK(brandKey(), "brand-1"))))
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	b.network.Serve(t, otherAddress, mux)
	b.requestToken(authenticatePath(keySetID), goodToken(t, b))
	_, _, log := b.call("GET", "/log", nil)
	for _, want := range []string{
		"GET " + server + "/a", "301 Moved Permanently", "GET " + server + "/b", "302 Found",
		"GET " + server + "/c", "200 OK",
	} {
		require.Equal(t, 1, strings.Count(log, want), want)
	}
	require.NotContains(t, log, `class="refused"`)
	_, out, _ := b.call("POST", authenticatePath(implicitID), goodToken(t, b))
	require.Equal(t, "1038", out["internalErrorCode"])
	_, _, log = b.call("GET", "/log", nil)
	require.Equal(t, 4, strings.Count(log, "GET "+server+"/loop"))
}
