package oidc_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"idpbridge/internal/pkce"
	"idpbridge/server/servertest"

	"github.com/stretchr/testify/require"
)

// TestLiveEngageSequences plays LivePerson's part in each sequence of its documentation,
// over HTTP. TestPageScript in package web runs the embedded ones, W1 to W3 and step-up,
// in a real browser.
func TestLiveEngageSequences(t *testing.T) {
	t.Parallel()
	const origin = "https://www.brand.example"
	t.Run("W1 embedded, implicit", func(t *testing.T) {
		t.Parallel()
		l := servertest.StartLiveEngage(t, "page: {origins: ['"+origin+"'], hands_out: id_token}", "")
		b := l.SignInJane()
		_, identity, _ := l.CallAsPage(b, origin, "/liveengage/identity", url.Values{"client_id": {"liveengage"}})
		require.Equal(t, map[string]any{"iss": l.Issuer, "sub": servertest.JaneSubject, "acr": "loa1"}, identity)
		status, body, _ := l.CallAsPage(b, origin, "/liveengage/token", url.Values{"client_id": {"liveengage"}})
		require.Equal(t, http.StatusOK, status)
		token, ok := body["id_token"].(string)
		require.True(t, ok, body)
		l.RequireJane(token)
	})
	t.Run("W1 of a client that must push its requests", func(t *testing.T) {
		t.Parallel()
		l := servertest.StartLiveEngage(t, "page: {origins: ['"+origin+"'], hands_out: id_token}",
			"\n    require_pushed_authorization_requests: true")
		b := servertest.NewBrowser(t)
		b.SignIn(l.AuthorizeURL("client_id", "plain", "response_type", "code"), "jane", "jane-password")
		_, body, _ := l.CallAsPage(b, origin, "/liveengage/token", url.Values{"client_id": {"liveengage"}})
		require.NotEmpty(t, body["id_token"], "the page calls the provider, so that nothing is in a URL")
	})
	t.Run("W2 embedded, code", func(t *testing.T) {
		t.Parallel()
		l := servertest.StartLiveEngage(t, "page: {origins: ['"+origin+"']}", "")
		_, body, _ := l.CallAsPage(l.SignInJane(), origin, "/liveengage/token", url.Values{"client_id": {"liveengage"}})
		require.Equal(t, servertest.FixedURI, body["redirect_uri"])
		code, ok := body["code"].(string)
		require.True(t, ok, body)
		status, tokens := l.RedeemCode("liveengage", code, servertest.FixedURI)
		require.Equal(t, http.StatusOK, status, tokens)
		require.Equal(t, "Bearer", tokens["token_type"])
		l.RequireJane(tokens["id_token"].(string))
		status, refused := l.RedeemCode("liveengage", code, servertest.FixedURI)
		require.Equal(t, http.StatusBadRequest, status)
		require.Equal(t, "invalid_grant", refused["error"])
	})
	t.Run("W3 embedded, code with PKCE", func(t *testing.T) {
		t.Parallel()
		l := servertest.StartLiveEngage(t, "page: {origins: ['"+origin+"']}", "")
		b, verifier := l.SignInJane(), pkce.NewVerifier()
		form := url.Values{"client_id": {"liveengage"}, "code_challenge": {pkce.Challenge(verifier)}}
		getCode := func() string {
			_, body, _ := l.CallAsPage(b, origin, "/liveengage/token", form)
			return body["code"].(string)
		}
		status, tokens := l.RedeemCode("liveengage", getCode(), servertest.FixedURI, "code_verifier", verifier)
		require.Equal(t, http.StatusOK, status, tokens)
		l.RequireJane(tokens["id_token"].(string))
		for _, wrong := range []string{"", strings.ToLower(verifier)} {
			var fields []string
			if wrong != "" {
				fields = []string{"code_verifier", wrong}
			}
			status, _ := l.RedeemCode("liveengage", getCode(), servertest.FixedURI, fields...)
			require.Equal(t, http.StatusBadRequest, status)
		}
		form.Set("code_challenge", "too short")
		_, body, _ := l.CallAsPage(b, origin, "/liveengage/token", form)
		require.Equal(t, "invalid_request", body["error"])
	})
	t.Run("W4 pop-out, implicit", func(t *testing.T) { t.Parallel(); testPopOutImplicit(t) })
	t.Run("W4 pop-out, code", func(t *testing.T) { t.Parallel(); testPopOutCode(t) })
	t.Run("M native app", func(t *testing.T) { t.Parallel(); testNativeApp(t) })
	t.Run("D1 delegation, authenticated", func(t *testing.T) { t.Parallel(); testDelegation(t) })
	t.Run("D2 delegation, not signed in", func(t *testing.T) { t.Parallel(); testDelegationSignedOut(t) })
	t.Run("S step-up", func(t *testing.T) {
		t.Parallel()
		l := servertest.StartLiveEngage(t, "page: {origins: ['"+origin+"'], hands_out: id_token}", "")
		b := servertest.NewBrowser(t)
		form := url.Values{"client_id": {"liveengage"}}
		status, identity, _ := l.CallAsPage(b, origin, "/liveengage/identity", form)
		require.Equal(t, http.StatusOK, status)
		require.Empty(t, identity, "a visitor has no identity")
		status, body, _ := l.CallAsPage(b, origin, "/liveengage/token", form)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "login_required", body["error"])
		b.SignIn(l.AuthorizeURL(), "jane", "jane-password")
		_, identity, _ = l.CallAsPage(b, origin, "/liveengage/identity", form)
		require.Equal(t, servertest.JaneSubject, identity["sub"])
		_, body, _ = l.CallAsPage(b, origin, "/liveengage/token", form)
		l.RequireJane(body["id_token"].(string))
	})
}

// testPopOutImplicit: the window's request leads through a sign-in, and the token is in
// the parameter of each setting. A state of 2 kB or 12 kB comes back byte for byte. When
// the token has expired, there is a new one without a page.
func testPopOutImplicit(t *testing.T) {
	for _, c := range []struct{ settings, parameter, where string }{
		{"", "id_token", "fragment"},
		{"implicit_in: query, implicit_parameter: token", "token", "query"},
		{"implicit_parameter: code", "code", "fragment"},
		{"dialect: legacy, implicit_in: query", "id_token", "query"},
	} {
		l := servertest.StartLiveEngage(t, c.settings, "")
		b := servertest.NewBrowser(t)
		p := b.SignIn(l.AuthorizeURL(), "jane", "jane-password")
		require.Equal(t, c.where, responseMode(p.Location), c.settings)
		require.True(t, strings.HasPrefix(p.Location, servertest.WindowURI), p.Location)
		body := servertest.Response(t, p)
		require.Equal(t, servertest.WindowState(), body.Get("state"))
		l.RequireJane(body.Get(c.parameter))

		long := servertest.WindowState() + strings.Repeat(`{"x":"+/= &%"}`, 800)
		require.Greater(t, len(long), 12_000)
		require.Equal(t, long, b.Authorize(l.AuthorizeURL("state", long)).Get("state"))
		l.Clock.Add(3000 * time.Second)
		l.RequireJane(b.Authorize(l.AuthorizeURL()).Get(c.parameter))
		failed := servertest.NewBrowser(t).Get(l.AuthorizeURL("prompt", "none"))
		require.Equal(t, "login_required", servertest.Response(t, failed).Get("error"))
		require.Equal(t, c.where, responseMode(failed.Location), "errors are sent like responses")
		require.Equal(t, servertest.WindowState(), servertest.Response(t, failed).Get("state"))
	}
}

// testPopOutCode: both dialects, with each kind of token request.
func testPopOutCode(t *testing.T) {
	l := servertest.StartLiveEngage(t, "", "")
	b := servertest.NewBrowser(t)
	p := b.SignIn(l.AuthorizeURL("response_type", "code"), "jane", "jane-password")
	require.Equal(t, servertest.WindowState(), servertest.Response(t, p).Get("state"))
	status, tokens := l.RedeemCode("liveengage", servertest.Response(t, p).Get("code"), servertest.WindowURI)
	require.Equal(t, http.StatusOK, status, tokens)
	l.RequireJane(tokens["id_token"].(string))

	legacy := servertest.StartLiveEngage(t, "dialect: legacy, token_errors: liveperson", "")
	withQuery := servertest.WindowURI + "?lpUnifiedWindowConfig=" + url.QueryEscape(`{"accountId":"12345678"}`)
	b = servertest.NewBrowser(t)
	for i, json := range []bool{true, false} {
		authorize := legacy.AuthorizeURL("response_type", "code", "redirect_uri", withQuery, "state", "")
		if i == 0 {
			p = b.SignIn(authorize, "jane", "jane-password")
		} else {
			p = b.Get(authorize)
		}
		require.True(t, strings.HasPrefix(p.Location, withQuery+"&code="), p.Location)
		status, tokens, _ := legacy.RequestTokens(servertest.TokenRequest{
			JSON: json,
			Fields: map[string]string{
				"grant_type": "authorization_code", "code": servertest.Response(t, p).Get("code"),
				"redirect_uri": servertest.FixedURI,
			},
			Headers: basicHeader("liveengage", json),
		})
		require.Equal(t, http.StatusOK, status, tokens)
		legacy.RequireJane(tokens["id_token"].(string))
	}
	testBadJSON(t, legacy)
}

// testBadJSON: token requests in JSON that are not valid are rejected, with LivePerson's
// error codes.
func testBadJSON(t *testing.T, legacy *servertest.LiveEngage) {
	t.Helper()
	status, body, _ := legacy.RequestTokens(servertest.TokenRequest{
		JSON: true, Body: `{"code": `, Headers: basicHeader("liveengage", true),
	})
	require.Equal(t, http.StatusBadRequest, status)
	require.Equal(t, "json_parse_error", body["error"])
	status, body, header := legacy.RequestTokens(servertest.TokenRequest{
		JSON: true, Body: `{}`,
		Headers: map[string]string{"Authorization": servertest.BasicAuth("liveengage", "wrong", true)},
	})
	require.Equal(t, http.StatusUnauthorized, status)
	require.Equal(t, "invalid_client", body["error"])
	require.NotEmpty(t, header.Get("WWW-Authenticate"))
	for body, want := range map[string]int{
		`{"client_id":"liveengage","client_id":"plain"}`: http.StatusUnauthorized,
		`{"client_id":["liveengage"]}`:                   http.StatusUnsupportedMediaType,
		`[]`:                                             http.StatusUnsupportedMediaType,
		`{}{}`:                                           http.StatusUnsupportedMediaType,
		`{"client_id":"plain"}`:                          http.StatusUnsupportedMediaType,
	} {
		status, _, _ = legacy.RequestTokens(servertest.TokenRequest{JSON: true, Body: body})
		require.Equal(t, want, status, body)
	}
}

// testNativeApp: an app gets the code through the system browser, with the challenge of
// LivePerson's SDK and its own deep link. LivePerson redeems the code with the same URI.
func testNativeApp(t *testing.T) {
	const deepLink = "com.brand.app:/signed-in"
	l := servertest.StartLiveEngage(t, "", "\n    application_type: native\n    redirect_uris: ['"+deepLink+"']")
	for _, kind := range []string{"code", "id_token"} {
		verifier := pkce.NewVerifier()
		changes := []string{"response_type", kind, "scope", "email openid profile", "redirect_uri", deepLink, "state", ""}
		if kind == "code" {
			changes = append(changes, "code_challenge", pkce.Challenge(verifier), "code_challenge_method", "S256")
		}
		p := servertest.NewBrowser(t).SignIn(l.AuthorizeURL(changes...), "jane", "jane-password")
		require.True(t, strings.HasPrefix(p.Location, deepLink), p.Location)
		token := servertest.Response(t, p).Get("id_token")
		if kind == "code" {
			code := servertest.Response(t, p).Get("code")
			status, tokens := l.RedeemCode("liveengage", code, deepLink, "code_verifier", verifier)
			require.Equal(t, http.StatusOK, status, tokens)
			token = tokens["id_token"].(string)
		}
		require.Equal(t, "jane@example.com", l.RequireJane(token)["email"])
	}
}

// testDelegation: LivePerson gets an access token and can refresh it, although it
// requests only the scope openid. The token works at userinfo.
func testDelegation(t *testing.T) {
	l := servertest.StartLiveEngage(t, "delegation: true", "")
	p := servertest.NewBrowser(t).SignIn(l.AuthorizeURL("response_type", "code"), "jane", "jane-password")
	_, first := l.RedeemCode("liveengage", servertest.Response(t, p).Get("code"), servertest.WindowURI)
	require.Equal(t, "openid", first["scope"])
	l.RequireJane(first["id_token"].(string))
	l.Clock.Add(3700 * time.Second) // the access token has expired
	require.Equal(t, http.StatusUnauthorized, userinfoStatus(t, l.Issuer, first["access_token"].(string)))
	status, second, _ := l.RequestTokens(servertest.TokenRequest{
		Fields:  map[string]string{"grant_type": "refresh_token", "refresh_token": first["refresh_token"].(string)},
		Headers: basicHeader("liveengage", false),
	})
	require.Equal(t, http.StatusOK, status, second)
	require.NotEqual(t, first["refresh_token"], second["refresh_token"])
	require.Equal(t, true, l.Introspect(second["refresh_token"].(string))["active"], "a refresh token is active")
	require.Equal(t, http.StatusOK, userinfoStatus(t, l.Issuer, second["access_token"].(string)))
}

// testDelegationSignedOut: a bot's link leads to the authorization endpoint and back to
// LivePerson's callback. The token response names the scope.
func testDelegationSignedOut(t *testing.T) {
	l := servertest.StartLiveEngage(t, "delegation: true", "")
	link := l.AuthorizeURL("response_type", "code", "redirect_uri", servertest.DelegationURI, "state", "opaque",
		"scope", "openid profile", "parentWindowOrigin", "")
	p := servertest.NewBrowser(t).SignIn(link, "jane", "jane-password")
	require.True(t, strings.HasPrefix(p.Location, servertest.DelegationURI+"?code="), p.Location)
	require.Equal(t, "opaque", servertest.Response(t, p).Get("state"))
	status, tokens := l.RedeemCode("liveengage", servertest.Response(t, p).Get("code"), servertest.DelegationURI)
	require.Equal(t, http.StatusOK, status, tokens)
	require.Equal(t, "openid profile", tokens["scope"])
	require.Equal(t, http.StatusOK, userinfoStatus(t, l.Issuer, tokens["access_token"].(string)))
	elsewhere := strings.Replace(servertest.DelegationURI, "12345678", "87654321", 1)
	p = servertest.NewBrowser(t).Get(l.AuthorizeURL("redirect_uri", elsewhere))
	require.Empty(t, p.Location, "another account's callback")
}
