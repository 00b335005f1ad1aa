package oidc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/config"
	"idpbridge/dev"
	"idpbridge/internal/pkce"
	"idpbridge/internal/robot"
	"idpbridge/keys"
	"idpbridge/server"
	"idpbridge/server/servertest"
)

// testLoopbackPort: native clients may use any port of a loopback IP address. Localhost
// and every other name must match in full (RFC 8252 section 7.3).
func testLoopbackPort(t *testing.T) {
	t.Parallel()
	issuer, _ := start(t)
	b := servertest.NewBrowser(t)
	open := func(changes ...string) *robot.Page { return b.Get(servertest.AuthorizeURL(issuer, changes...)) }
	for _, uri := range []string{"http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb"} {
		require.Equal(t, http.StatusOK, open("redirect_uri", uri).Status, uri)
	}
	for _, uri := range []string{
		"http://localhost/cb", "http://localhost:7777/cb", "http://127.0.0.1:65536/cb", "http://127.0.0.1:0/cb",
		"http://127.0.0.1:/cb", "http://127.0.0.1:07/cb", "http://127.0.0.1:+7/cb", "http://127.0.0.1:7777/cb/",
		"http://127.0.0.2:7777/cb", "http://[::1]:7777/cb", "https://127.0.0.1:7777/cb",
		"http://127.0.0.1:7777@evil.example/cb", "http://127.0.0.1.evil.example:7777/cb",
	} {
		p := open("redirect_uri", uri)
		require.Equal(t, http.StatusBadRequest, p.Status, uri)
		require.Empty(t, p.Location, uri)
	}
	p := open("client_id", "liveengage", "redirect_uri", "https://lpcdn.lpsnmedia.net:8443/le_unified_window/index.html",
		"state", servertest.WindowState())
	require.Equal(t, http.StatusBadRequest, p.Status, "a client that is not native")
}

// TestPagesCannotBeSkipped: a signed-in user who goes from a page straight to the
// endpoint that continues the sign-in comes back to the page.
func TestPagesCannotBeSkipped(t *testing.T) {
	t.Parallel()
	issuer, clock := start(t)
	b := servertest.NewBrowser(t)
	b.SignIn(servertest.AuthorizeURL(issuer), "jane", "jane-password")
	clock.Add(5 * time.Second)
	for _, changes := range [][]string{
		{"prompt", "login"},
		{"prompt", "select_account"},
		{"prompt", "consent"},
		{"max_age", "0"},
		{"max_age", "1"},
		{"prompt", "login consent"},
	} {
		p := b.Get(servertest.AuthorizeURL(issuer, changes...))
		require.Equal(t, http.StatusOK, p.Status, changes)
		resume := issuer + "/resume?request=" + p.Forms()[0].Fields.Get("request")
		for range 2 {
			again := b.Get(resume)
			require.Empty(t, again.Location, "%v: the page was skipped", changes)
			require.Equal(t, p.URL.Path, again.URL.Path, changes)
			require.NotContains(t, again.Body, "code=", changes)
		}
	}
}

// testSecretsInLogs runs flows, good and bad, and requires that the log has no secrets.
func testSecretsInLogs(t *testing.T) {
	t.Parallel()
	s := servertest.StartConformance(t)
	b := servertest.NewBrowser(t)
	b.Transport = s.Target.HTTP
	web := s.Target.Web
	const state, nonce, loginHint = "state-in-the-log", "nonce-in-the-log", "hint-in-the-log"
	verifier := strings.Repeat("verifier", 8)
	request := url.Values{
		"client_id": {web.ID}, "redirect_uri": {web.RedirectURI}, "response_type": {"code"},
		"scope": {"openid offline_access"}, "state": {state}, "nonce": {nonce}, "login_hint": {loginHint},
		"code_challenge": {pkce.Challenge(verifier)}, "code_challenge_method": {"S256"},
	}
	authorize := s.Issuer + "/authorize?" + request.Encode()
	b.SignIn(authorize, "jane", "wrong-password-in-the-log")
	code := servertest.Response(t, b.SignIn(authorize, "jane", "jane-password")).Get("code")
	secrets := []string{
		state, nonce, verifier, "wrong-password-in-the-log", "jane-password", loginHint, code, web.Secret,
	}
	requestTokens := func(form url.Values) map[string]any {
		r, err := robot.NewRequest(t.Context(), http.MethodPost, s.Issuer+"/token", form)
		require.NoError(t, err)
		r.SetBasicAuth(web.ID, web.Secret)
		var body map[string]any
		require.NoError(t, json.Unmarshal([]byte(b.Do(r).Body), &body))
		for _, name := range []string{"access_token", "refresh_token", "id_token"} {
			if token, ok := body[name].(string); ok {
				secrets = append(secrets, token)
			}
		}
		return body
	}
	redemption := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {web.RedirectURI}, "code_verifier": {verifier},
	}
	tokens := requestTokens(redemption)
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"].(string)}}
	requestTokens(refresh)
	requestTokens(redemption) // a replay
	requestTokens(refresh)    // of a sign-in that is closed now
	b.Get(s.Issuer + "/userinfo?access_token=" + tokens["access_token"].(string))
	b.Get(s.Issuer + "/end_session?id_token_hint=" + tokens["id_token"].(string))
	u, err := url.Parse(s.Issuer)
	require.NoError(t, err)
	for _, cookie := range b.Jar.Cookies(u) {
		secrets = append(secrets, cookie.Value)
	}
	log := s.Log.String()
	require.Regexp(t, `code used twice.*"reference":"[0-9A-Z-]{14}"`, log,
		"the log says what happened, and to which sign-in")
	for _, secret := range secrets {
		require.NotContains(t, log, secret)
	}
}

// testTokensAtRest: the database file has no code, token, cookie or private key.
func testTokensAtRest(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	secrets := []string{"jane-password", dev.LocalWebSecret}
	t.Run("use", func(t *testing.T) {
		issuer, _ := start(t, func(c *server.Config) { c.Settings.Data = data })
		b := servertest.NewBrowser(t)
		access, refresh := signInOffline(t, issuer, b)
		_, access2, refresh2 := refreshTokens(t, issuer, refresh)
		code := servertest.Response(t, b.Get(servertest.AuthorizeURL(issuer))).Get("code")
		secrets = append(secrets, access, refresh, access2, refresh2, code)
		u, err := url.Parse(issuer)
		require.NoError(t, err)
		for _, cookie := range b.Jar.Cookies(u) {
			secrets = append(secrets, cookie.Value)
		}
	})
	var all []byte
	for _, name := range []string{"idp.db", "idp.db-wal"} {
		raw, err := os.ReadFile(filepath.Join(data, name))
		if !os.IsNotExist(err) {
			require.NoError(t, err)
		}
		all = append(all, raw...)
	}
	require.NotEmpty(t, all)
	for _, secret := range secrets {
		require.False(t, bytes.Contains(all, []byte(secret)), "found in the database: %s", secret)
		_, tail, _ := strings.Cut(secret, ".") // what makes a token more than its public ID
		require.False(t, len(tail) > 20 && bytes.Contains(all, []byte(tail)), "found in the database: %s", tail)
	}
	require.False(t, bytes.Contains(all, []byte("PRIVATE KEY")))
}

// testKeyRotation: a new key is published before it signs, and the old one stays
// published after it has stopped signing.
func testKeyRotation(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	run := func(t *testing.T) string {
		t.Helper()
		issuer, _ := start(t, func(c *server.Config) { c.Settings.Data = data })
		return issuer
	}
	publishedKeys := func(t *testing.T, issuer string) (ids []string) {
		t.Helper()
		var set struct{ Keys []struct{ Kid string } }
		require.NoError(t, json.Unmarshal([]byte(servertest.NewBrowser(t).Get(issuer+"/jwks").Body), &set))
		for _, k := range set.Keys {
			ids = append(ids, k.Kid)
		}
		return ids
	}
	signingKey := func(t *testing.T, issuer string) string {
		t.Helper()
		authorize := servertest.AuthorizeURL(issuer, "response_type", "id_token")
		p := servertest.NewBrowser(t).SignIn(authorize, "jane", "jane-password")
		kid, _ := servertest.DecodeHeader(t, servertest.Response(t, p).Get("id_token"))["kid"].(string)
		require.NotEmpty(t, kid)
		return kid
	}
	changeKeys := func(t *testing.T, change func(*keys.Ring) (bool, error)) {
		t.Helper()
		opened, err := server.OpenData(t.Context(), config.Config{Data: data}, nil, false, time.Now)
		require.NoError(t, err)
		changed, err := change(opened.Keys)
		require.NoError(t, err)
		require.True(t, changed)
		require.NoError(t, opened.Close())
	}
	var old string
	t.Run("one key", func(t *testing.T) {
		issuer := run(t)
		old = signingKey(t, issuer)
		require.Equal(t, []string{old}, publishedKeys(t, issuer))
	})
	changeKeys(t, func(r *keys.Ring) (bool, error) { return r.AddNext(context.Background(), "RS256") })
	t.Run("announced", func(t *testing.T) {
		issuer := run(t)
		require.Len(t, publishedKeys(t, issuer), 2, "the next key is published before it signs")
		require.Equal(t, old, signingKey(t, issuer))
	})
	changeKeys(t, func(r *keys.Ring) (bool, error) { return r.Promote(context.Background(), "RS256") })
	t.Run("rotated", func(t *testing.T) {
		issuer := run(t)
		active := signingKey(t, issuer)
		require.NotEqual(t, old, active)
		require.ElementsMatch(t, []string{old, active}, publishedKeys(t, issuer), "the old key is still published")
	})
}
