package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"idpbridge/dev"

	"github.com/stretchr/testify/require"
)

// TestNothingIsRedirectedWhileInDoubt: a page, status 400, no redirect.
func TestNothingIsRedirectedWhileInDoubt(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	b := newBrowser(t)
	for name, address := range map[string]string{
		"unknown client":       webRequest(issuer, "client_id", "nobody"),
		"no client":            webRequest(issuer, "client_id", ""),
		"no redirect URI":      webRequest(issuer, "redirect_uri", ""),
		"suffix":               webRequest(issuer, "redirect_uri", localCallback+"/random"),
		"query":                webRequest(issuer, "redirect_uri", localCallback+"?x=1"),
		"fragment":             webRequest(issuer, "redirect_uri", localCallback+"#x"),
		"localhost":            webRequest(issuer, "redirect_uri", "http://localhost:7777/cb"),
		"user":                 webRequest(issuer, "redirect_uri", "http://127.0.0.1:80@evil.example/cb"),
		"encoded twice":        webRequest(issuer, "redirect_uri", url.QueryEscape(localCallback)),
		"port of a web client": webRequest(issuer, "client_id", "liveengage", "redirect_uri", "https://liveperson.net:8443"),
		"client twice":         webRequest(issuer) + "&client_id=local-web",
		"redirect URI twice":   webRequest(issuer) + "&redirect_uri=" + url.QueryEscape(localCallback),
	} {
		p := b.get(address)
		require.Equal(t, http.StatusBadRequest, p.status, name)
		require.Empty(t, p.location, name)
		require.Contains(t, p.body, `id="op-error"`, name)
		require.Contains(t, p.header.Get("Content-Security-Policy"), "frame-ancestors 'none'")
	}
}

// TestErrorsGoToTheClient: by redirect, in the mode the request asked for.
func TestErrorsGoToTheClient(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	b := newBrowser(t)
	for name, c := range map[string]struct {
		changes string
		code    string
		mark    string // what parts address and answer
	}{
		"no response type":       {"response_type=", "invalid_request", "?"},
		"unknown response type":  {"response_type=none", "unsupported_response_type", "?"},
		"token alone":            {"response_type=token", "unsupported_response_type", "#"},
		"hybrid without nonce":   {"response_type=id_token code&nonce=", "invalid_request", "#"},
		"no openid":              {"scope=email", "invalid_scope", "?"},
		"id_token without nonce": {"response_type=id_token&nonce=", "invalid_request", "#"},
		"token in a query":       {"response_type=id_token&response_mode=query", "invalid_request", "#"},
		"unknown mode":           {"response_mode=web_message", "invalid_request", "?"},
		"plain PKCE":             {"code_challenge=" + strings.Repeat("a", 43) + "&code_challenge_method=plain", "invalid_request", "?"},
		"PKCE without method":    {"code_challenge=" + strings.Repeat("a", 43), "invalid_request", "?"},
		"short challenge":        {"code_challenge=abc&code_challenge_method=S256", "invalid_request", "?"},
		"prompt none and login":  {"prompt=none login", "invalid_request", "?"},
		"unknown prompt":         {"prompt=dance", "invalid_request", "?"},
		"nobody signed in":       {"prompt=none", "login_required", "?"},
		"request object":         {"request=x", "request_not_supported", "?"},
		"request by address":     {"request_uri=https://x.example", "request_uri_not_supported", "?"},
		"bad max_age":            {"max_age=soon", "invalid_request", "?"},
		"forged hint":            {"id_token_hint=e30.e30.e30", "invalid_request", "?"},
	} {
		var changes []string
		for pair := range strings.SplitSeq(c.changes, "&") {
			name, value, _ := strings.Cut(pair, "=")
			changes = append(changes, name, value)
		}
		p := b.get(webRequest(issuer, changes...))
		require.True(t, strings.HasPrefix(p.location, localCallback+c.mark), "%s: %s", name, p.location)
		v := p.answer(t)
		require.Equal(t, c.code, v.Get("error"), name)
		require.Equal(t, "state", v.Get("state"), name)
		require.Equal(t, issuer, v.Get("iss"), name)
		require.Empty(t, v.Get("code"), name)
	}
	p := b.get(webRequest(issuer, "scope", "email", "response_mode", "form_post"))
	require.Equal(t, "invalid_scope", p.fields(t).Get("error"))
	require.Equal(t, "invalid_request", b.get(webRequest(issuer)+"&state=again").answer(t).Get("error"))
	p = b.get(webRequest(issuer, "client_id", "local-app"))
	require.Equal(t, "invalid_request", p.answer(t).Get("error"), "a public client must use PKCE")
	p = b.get(webRequest(issuer, "client_id", "liveengage", "redirect_uri", "https://liveperson.net", "response_type", "id_token token"))
	require.Equal(t, "unauthorized_client", p.answer(t).Get("error"))
}

func TestTokenEndpointIsStrict(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	res, err := http.Get(issuer + "/token")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode)

	status, body := redeem(t, issuer, "nonsense")
	require.Equal(t, 400, status)
	require.Equal(t, "invalid_grant", body["error"])
	status, body = redeem(t, issuer, "x", "grant_type", "password")
	require.Equal(t, 400, status)
	require.Equal(t, "unsupported_grant_type", body["error"])

	for name, c := range map[string]struct {
		address, kind, body, auth string
		status                    int
	}{
		"json":              {"/token", "application/json", "{}", "", 415},
		"parameters in URL": {"/token?code=x", "application/x-www-form-urlencoded", "grant_type=authorization_code", "", 400},
		"repeated":          {"/token", "application/x-www-form-urlencoded", "code=a&code=b", "", 400},
		"two ways":          {"/token", "application/x-www-form-urlencoded", "client_secret=x", "Basic bG9jYWwtd2ViOng=", 400},
		"unknown client":    {"/token", "application/x-www-form-urlencoded", "client_id=nobody&client_secret=x", "", 401},
		"large":             {"/token", "application/x-www-form-urlencoded", "code=" + strings.Repeat("a", 70_000), "", 413},
		"introspection":     {"/introspect", "application/x-www-form-urlencoded", "token=x", "", 401},
	} {
		r, err := http.NewRequest(http.MethodPost, issuer+c.address, strings.NewReader(c.body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", c.kind)
		if c.auth != "" {
			r.Header.Set("Authorization", c.auth)
		}
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, c.status, res.StatusCode, name)
	}
}

// TestRevokeAndIntrospect: only the client that holds a token may look at it or
// end it.
func TestRevokeAndIntrospect(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, issuer string) {
		b := newBrowser(t)
		code := b.signIn(issuer, webRequest(issuer), "jane", "jane-password").answer(t).Get("code")
		_, body := redeem(t, issuer, code)
		access, _ := body["access_token"].(string)
		call := func(path, client, secret string) (int, string) {
			r, err := http.NewRequest(http.MethodPost, issuer+path, strings.NewReader("token="+url.QueryEscape(access)))
			require.NoError(t, err)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.SetBasicAuth(client, secret)
			p := b.do(r)
			return p.status, p.body
		}
		_, text := call("/introspect", "local-web", dev.LocalWebSecret)
		require.Contains(t, text, `"active":true`)
		_, text = call("/introspect", "liveengage", dev.LiveEngageSecret)
		require.JSONEq(t, `{"active":false}`, text)
		status, _ := call("/revoke", "liveengage", dev.LiveEngageSecret)
		require.Equal(t, 400, status)
		require.Equal(t, 200, userinfo(t, issuer, access))
		status, _ = call("/revoke", "local-web", dev.LocalWebSecret)
		require.Equal(t, 200, status)
		require.Equal(t, 401, userinfo(t, issuer, access))
		_, text = call("/introspect", "local-web", dev.LocalWebSecret)
		require.JSONEq(t, `{"active":false}`, text)
		idToken, _ := body["id_token"].(string)
		require.Equal(t, 401, userinfo(t, issuer, idToken), "an ID token is no access token")
	})
}
