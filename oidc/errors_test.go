package oidc_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"idpbridge/dev"
	"idpbridge/internal/robot"
	"idpbridge/server/servertest"

	"github.com/stretchr/testify/require"
)

// TestInvalidRedirectsGetAnErrorPage: without a valid client and redirect URI there is
// no redirect, but a page with status 400.
func TestInvalidRedirectsGetAnErrorPage(t *testing.T) {
	t.Parallel()
	issuer, _ := start(t)
	b := servertest.NewBrowser(t)
	authorize := func(changes ...string) string { return servertest.AuthorizeURL(issuer, changes...) }
	const callback = servertest.LocalCallback
	for name, invalid := range map[string]string{
		"unknown client":  authorize("client_id", "unknown"),
		"no client":       authorize("client_id", ""),
		"no redirect URI": authorize("redirect_uri", ""),
		"suffix":          authorize("redirect_uri", callback+"/random"),
		"query":           authorize("redirect_uri", callback+"?x=1"),
		"fragment":        authorize("redirect_uri", callback+"#x"),
		"localhost":       authorize("redirect_uri", "http://localhost:7777/cb"),
		"user":            authorize("redirect_uri", "http://127.0.0.1:80@evil.example/cb"),
		"encoded twice":   authorize("redirect_uri", url.QueryEscape(callback)),
		"port of a web client": authorize("client_id", "liveengage",
			"redirect_uri", strings.Replace(servertest.WindowURI, ".net", ".net:8443", 1), "state", servertest.WindowState()),
		"LivePerson's website": authorize("client_id", "liveengage", "redirect_uri", servertest.FixedURI),
		"client twice":         authorize() + "&client_id=local-web",
		"redirect URI twice":   authorize() + "&redirect_uri=" + url.QueryEscape(callback),
	} {
		p := b.Get(invalid)
		require.Equal(t, http.StatusBadRequest, p.Status, name)
		require.Empty(t, p.Location, name)
		require.Contains(t, p.Body, `id="op-error"`, name)
		require.Contains(t, p.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'")
	}
}

// TestErrorsGoToTheClient: errors are sent by redirect, in the response mode of the
// request.
func TestErrorsGoToTheClient(t *testing.T) {
	t.Parallel()
	issuer, _ := start(t)
	b := servertest.NewBrowser(t)
	authorize := func(changes ...string) string { return servertest.AuthorizeURL(issuer, changes...) }
	for name, c := range map[string]struct {
		changes   string
		code      string
		separator string // between the redirect URI and the response
	}{
		"no response type":       {"response_type=", "invalid_request", "?"},
		"unknown response type":  {"response_type=none", "unsupported_response_type", "?"},
		"only token":             {"response_type=token", "unsupported_response_type", "#"},
		"hybrid without nonce":   {"response_type=id_token code&nonce=", "invalid_request", "#"},
		"no openid":              {"scope=email", "invalid_scope", "?"},
		"id_token without nonce": {"response_type=id_token&nonce=", "invalid_request", "#"},
		"token in a query":       {"response_type=id_token&response_mode=query", "invalid_request", "#"},
		"unknown mode":           {"response_mode=web_message", "invalid_request", "?"},
		"plain PKCE": {
			"code_challenge=" + strings.Repeat("a", 43) + "&code_challenge_method=plain", "invalid_request", "?",
		},
		"PKCE without method":   {"code_challenge=" + strings.Repeat("a", 43), "invalid_request", "?"},
		"short challenge":       {"code_challenge=abc&code_challenge_method=S256", "invalid_request", "?"},
		"prompt none and login": {"prompt=none login", "invalid_request", "?"},
		"unknown prompt":        {"prompt=dance", "invalid_request", "?"},
		"not signed in":         {"prompt=none", "login_required", "?"},
		"request object":        {"request=x", "request_not_supported", "?"},
		"request by URI":        {"request_uri=https://x.example", "request_uri_not_supported", "?"},
		"bad max_age":           {"max_age=soon", "invalid_request", "?"},
		"forged hint":           {"id_token_hint=e30.e30.e30", "invalid_request", "?"},
	} {
		var changes []string
		for pair := range strings.SplitSeq(c.changes, "&") {
			name, value, _ := strings.Cut(pair, "=")
			changes = append(changes, name, value)
		}
		p := b.Get(authorize(changes...))
		require.True(t, strings.HasPrefix(p.Location, servertest.LocalCallback+c.separator), "%s: %s", name, p.Location)
		v := servertest.Response(t, p)
		require.Equal(t, c.code, v.Get("error"), name)
		require.Equal(t, "state", v.Get("state"), name)
		require.Equal(t, issuer, v.Get("iss"), name)
		require.Empty(t, v.Get("code"), name)
	}
	p := b.Get(authorize("scope", "email", "response_mode", "form_post"))
	require.Equal(t, "invalid_scope", servertest.FormFields(p).Get("error"))
	require.Equal(t, "invalid_request", b.Authorize(servertest.AuthorizeURL(issuer)+"&state=again").Get("error"))
	p = b.Get(authorize("client_id", "local-app"))
	require.Equal(t, "invalid_request", servertest.Response(t, p).Get("error"), "a public client must use PKCE")
	p = b.Get(authorize("client_id", "liveengage", "redirect_uri", servertest.WindowURI,
		"state", servertest.WindowState(), "response_type", "id_token token"))
	require.Equal(t, "unauthorized_client", servertest.Response(t, p).Get("error"))
}

// TestTokenEndpointIsStrict: what is not a valid request of a client is rejected with
// the status that tells what is wrong.
func TestTokenEndpointIsStrict(t *testing.T) {
	t.Parallel()
	issuer, _ := start(t)
	res, err := http.Get(issuer + "/token")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode)

	status, body := servertest.RequestTokens(t, issuer, "nonsense")
	require.Equal(t, 400, status)
	require.Equal(t, "invalid_grant", body["error"])
	status, body = servertest.RequestTokens(t, issuer, "x", "grant_type", "password")
	require.Equal(t, 400, status)
	require.Equal(t, "unsupported_grant_type", body["error"])

	for name, c := range map[string]struct {
		path, contentType, body, authorization string

		status int
	}{
		"json":              {"/token", "application/json", "{}", "", 415},
		"parameters in URL": {"/token?code=x", robot.FormEncoded, "grant_type=authorization_code", "", 400},
		"repeated":          {"/token", robot.FormEncoded, "code=a&code=b", "", 400},
		"two methods":       {"/token", robot.FormEncoded, "client_secret=x", "Basic bG9jYWwtd2ViOng=", 400},
		"unknown client":    {"/token", robot.FormEncoded, "client_id=unknown&client_secret=x", "", 401},
		"large":             {"/token", robot.FormEncoded, "code=" + strings.Repeat("a", 70_000), "", 413},
		"introspection":     {"/introspect", robot.FormEncoded, "token=x", "", 401},
	} {
		r, err := http.NewRequest(http.MethodPost, issuer+c.path, strings.NewReader(c.body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", c.contentType)
		if c.authorization != "" {
			r.Header.Set("Authorization", c.authorization)
		}
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, c.status, res.StatusCode, name)
	}
}

// TestRevokeAndIntrospect: only the client that got a token can introspect and revoke
// it.
func TestRevokeAndIntrospect(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, issuer string) {
		b := servertest.NewBrowser(t)
		code := servertest.Response(t, b.SignIn(servertest.AuthorizeURL(issuer), "jane", "jane-password")).Get("code")
		_, body := servertest.RequestTokens(t, issuer, code)
		access, _ := body["access_token"].(string)
		call := func(path, client, secret string) (int, string) {
			r, err := http.NewRequest(http.MethodPost, issuer+path, strings.NewReader("token="+url.QueryEscape(access)))
			require.NoError(t, err)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.SetBasicAuth(client, secret)
			p := b.Do(r)
			return p.Status, p.Body
		}
		_, text := call("/introspect", "local-web", dev.LocalWebSecret)
		require.Contains(t, text, `"active":true`)
		_, text = call("/introspect", "liveengage", dev.LiveEngageSecret)
		require.JSONEq(t, `{"active":false}`, text)
		status, _ := call("/revoke", "liveengage", dev.LiveEngageSecret)
		require.Equal(t, 400, status)
		require.Equal(t, 200, userinfoStatus(t, issuer, access))
		status, _ = call("/revoke", "local-web", dev.LocalWebSecret)
		require.Equal(t, 200, status)
		require.Equal(t, 401, userinfoStatus(t, issuer, access))
		_, text = call("/introspect", "local-web", dev.LocalWebSecret)
		require.JSONEq(t, `{"active":false}`, text)
		idToken, _ := body["id_token"].(string)
		require.Equal(t, 401, userinfoStatus(t, issuer, idToken), "an ID token is not an access token")
	})
}
