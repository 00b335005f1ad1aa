package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"idpbridge/internal/pkce"

	"github.com/stretchr/testify/require"
)

// TestSequences plays LivePerson's part in each sequence that its documentation
// has, over HTTP. The embedded ones, W1 to W3 and step-up, run once more in a real
// browser in TestPageScript.
func TestSequences(t *testing.T) {
	t.Parallel()
	const origin = "https://www.brand.example"
	t.Run("W1 embedded, implicit", func(t *testing.T) {
		t.Parallel()
		l := withLivePerson(t, "page: {origins: ['"+origin+"'], hands_out: id_token}", "")
		b := l.signedIn()
		_, who, _ := l.ask(b, origin, "/liveengage/identity", url.Values{"client_id": {"liveengage"}})
		require.Equal(t, map[string]any{"iss": l.issuer, "sub": janeSubject, "acr": "loa1"}, who)
		status, answer, _ := l.ask(b, origin, "/liveengage/token", url.Values{"client_id": {"liveengage"}})
		require.Equal(t, http.StatusOK, status)
		token, ok := answer["id_token"].(string)
		require.True(t, ok, answer)
		l.janes(l.verify(token))
	})
	t.Run("W1 of a client that must push its requests", func(t *testing.T) {
		t.Parallel()
		l := withLivePerson(t, "page: {origins: ['"+origin+"'], hands_out: id_token}", "\n    require_pushed_authorization_requests: true")
		b := newBrowser(t)
		b.signIn(l.issuer, l.popOut("client_id", "plain", "response_type", "code"), "jane", "jane-password")
		_, answer, _ := l.ask(b, origin, "/liveengage/token", url.Values{"client_id": {"liveengage"}})
		require.NotEmpty(t, answer["id_token"], "the page asks the provider itself: nothing is in an address")
	})
	t.Run("W2 embedded, code", func(t *testing.T) {
		t.Parallel()
		l := withLivePerson(t, "page: {origins: ['"+origin+"']}", "")
		_, answer, _ := l.ask(l.signedIn(), origin, "/liveengage/token", url.Values{"client_id": {"liveengage"}})
		require.Equal(t, fixedURI, answer["redirect_uri"])
		code, ok := answer["code"].(string)
		require.True(t, ok, answer)
		status, tokens := l.redeem("liveengage", code, fixedURI)
		require.Equal(t, http.StatusOK, status, tokens)
		require.Equal(t, "Bearer", tokens["token_type"])
		l.janes(l.verify(tokens["id_token"].(string)))
		status, refused := l.redeem("liveengage", code, fixedURI)
		require.Equal(t, http.StatusBadRequest, status)
		require.Equal(t, "invalid_grant", refused["error"])
	})
	t.Run("W3 embedded, code with PKCE", func(t *testing.T) {
		t.Parallel()
		l := withLivePerson(t, "page: {origins: ['"+origin+"']}", "")
		b, verifier := l.signedIn(), pkce.NewVerifier()
		ask := func() string {
			_, answer, _ := l.ask(b, origin, "/liveengage/token", url.Values{"client_id": {"liveengage"}, "code_challenge": {pkce.Challenge(verifier)}})
			return answer["code"].(string)
		}
		status, tokens := l.redeem("liveengage", ask(), fixedURI, "code_verifier", verifier)
		require.Equal(t, http.StatusOK, status, tokens)
		l.janes(l.verify(tokens["id_token"].(string)))
		for _, wrong := range []string{"", strings.ToLower(verifier)} {
			more := []string{}
			if wrong != "" {
				more = []string{"code_verifier", wrong}
			}
			status, _ := l.redeem("liveengage", ask(), fixedURI, more...)
			require.Equal(t, http.StatusBadRequest, status)
		}
		_, answer, _ := l.ask(b, origin, "/liveengage/token", url.Values{"client_id": {"liveengage"}, "code_challenge": {"too short"}})
		require.Equal(t, "invalid_request", answer["error"])
	})
	t.Run("W4 pop-out, implicit", func(t *testing.T) { t.Parallel(); popOutImplicit(t) })
	t.Run("W4 pop-out, code", func(t *testing.T) { t.Parallel(); popOutCode(t) })
	t.Run("M native app", func(t *testing.T) { t.Parallel(); nativeApp(t) })
	t.Run("D1 delegation, authenticated", func(t *testing.T) { t.Parallel(); delegation(t) })
	t.Run("D2 delegation, stranger", func(t *testing.T) { t.Parallel(); delegationOfStranger(t) })
	t.Run("S step-up", func(t *testing.T) {
		t.Parallel()
		l := withLivePerson(t, "page: {origins: ['"+origin+"'], hands_out: id_token}", "")
		b := newBrowser(t)
		form := url.Values{"client_id": {"liveengage"}}
		status, who, _ := l.ask(b, origin, "/liveengage/identity", form)
		require.Equal(t, http.StatusOK, status)
		require.Empty(t, who, "a visitor has no identity")
		status, answer, _ := l.ask(b, origin, "/liveengage/token", form)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "login_required", answer["error"])
		b.signIn(l.issuer, l.popOut(), "jane", "jane-password")
		_, who, _ = l.ask(b, origin, "/liveengage/identity", form)
		require.Equal(t, janeSubject, who["sub"])
		_, answer, _ = l.ask(b, origin, "/liveengage/token", form)
		l.janes(l.verify(answer["id_token"].(string)))
	})
}

// popOutImplicit: the window's request as it is, a sign-in on the way, the token
// where each setting wants it; state of 2 kB and of 12 kB byte for byte; once more
// without a page when the token has expired.
func popOutImplicit(t *testing.T) {
	for _, c := range []struct{ settings, parameter, where string }{
		{"", "id_token", "fragment"},
		{"implicit_in: query, implicit_parameter: token", "token", "query"},
		{"implicit_parameter: code", "code", "fragment"},
		{"dialect: legacy, implicit_in: query", "id_token", "query"},
	} {
		l := withLivePerson(t, c.settings, "")
		b := newBrowser(t)
		p := b.signIn(l.issuer, l.popOut(), "jane", "jane-password")
		require.Equal(t, c.where, sentIn(p.location), c.settings)
		require.True(t, strings.HasPrefix(p.location, windowURI), p.location)
		answer := p.answer(t)
		require.Equal(t, windowState(), answer.Get("state"))
		l.janes(l.verify(answer.Get(c.parameter)))

		long := windowState() + strings.Repeat(`{"x":"+/= &%"}`, 800)
		require.Greater(t, len(long), 12_000)
		again := b.get(l.popOut("state", long))
		require.Equal(t, long, again.answer(t).Get("state"))
		l.clock.add(seconds(3000))
		renewed := b.get(l.popOut())
		l.janes(l.verify(renewed.answer(t).Get(c.parameter)))
		refused := newBrowser(t).get(l.popOut("prompt", "none"))
		require.Equal(t, "login_required", refused.answer(t).Get("error"))
		require.Equal(t, c.where, sentIn(refused.location), "errors come where answers would")
		require.Equal(t, windowState(), refused.answer(t).Get("state"))
	}
}

// popOutCode: both dialects, and each way of sending the token request.
func popOutCode(t *testing.T) {
	l := withLivePerson(t, "", "")
	b := newBrowser(t)
	p := b.signIn(l.issuer, l.popOut("response_type", "code"), "jane", "jane-password")
	require.Equal(t, windowState(), p.answer(t).Get("state"))
	status, tokens := l.redeem("liveengage", p.answer(t).Get("code"), windowURI)
	require.Equal(t, http.StatusOK, status, tokens)
	l.janes(l.verify(tokens["id_token"].(string)))

	old := withLivePerson(t, "dialect: legacy, token_errors: liveperson", "")
	withQuery := windowURI + "?lpUnifiedWindowConfig=" + url.QueryEscape(`{"accountId":"12345678"}`)
	b = newBrowser(t)
	for i, json := range []bool{true, false} {
		address := old.popOut("response_type", "code", "redirect_uri", withQuery, "state", "")
		if i == 0 {
			p = b.signIn(old.issuer, address, "jane", "jane-password")
		} else {
			p = b.get(address)
		}
		require.True(t, strings.HasPrefix(p.location, withQuery+"&code="), p.location)
		status, tokens, _ := old.token(tokenRequest{
			json:    json,
			fields:  map[string]string{"grant_type": "authorization_code", "code": p.answer(t).Get("code"), "redirect_uri": fixedURI},
			headers: map[string]string{"Authorization": basicOf("liveengage", oddSecret, json)},
		})
		require.Equal(t, http.StatusOK, status, tokens)
		old.janes(old.verify(tokens["id_token"].(string)))
	}
	status, answer, _ := old.token(tokenRequest{json: true, body: `{"code": `, headers: map[string]string{"Authorization": basicOf("liveengage", oddSecret, true)}})
	require.Equal(t, http.StatusBadRequest, status)
	require.Equal(t, "json_parse_error", answer["error"])
	status, answer, header := old.token(tokenRequest{json: true, body: `{}`, headers: map[string]string{"Authorization": basicOf("liveengage", "wrong", true)}})
	require.Equal(t, http.StatusUnauthorized, status)
	require.Equal(t, "invalid_client", answer["error"])
	require.NotEmpty(t, header.Get("WWW-Authenticate"))
	for body, refused := range map[string]int{
		`{"client_id":"liveengage","client_id":"plain"}`: http.StatusUnauthorized, `{"client_id":["liveengage"]}`: http.StatusUnsupportedMediaType,
		`[]`: http.StatusUnsupportedMediaType, `{}{}`: http.StatusUnsupportedMediaType, `{"client_id":"plain"}`: http.StatusUnsupportedMediaType,
	} {
		status, _, _ = old.token(tokenRequest{json: true, body: body})
		require.Equal(t, refused, status, body)
	}
}

// nativeApp: the app gets the code by the system browser, with the challenge of
// LivePerson's SDK and its own deep link, and LivePerson redeems it with that.
func nativeApp(t *testing.T) {
	const deepLink = "com.brand.app:/signed-in"
	l := withLivePerson(t, "", "\n    application_type: native\n    redirect_uris: ['"+deepLink+"']")
	for _, kind := range []string{"code", "id_token"} {
		verifier := pkce.NewVerifier()
		changes := []string{"response_type", kind, "scope", "email openid profile", "redirect_uri", deepLink, "state", ""}
		if kind == "code" {
			changes = append(changes, "code_challenge", pkce.Challenge(verifier), "code_challenge_method", "S256")
		}
		p := newBrowser(t).signIn(l.issuer, l.popOut(changes...), "jane", "jane-password")
		require.True(t, strings.HasPrefix(p.location, deepLink), p.location)
		token := p.answer(t).Get("id_token")
		if kind == "code" {
			status, tokens := l.redeem("liveengage", p.answer(t).Get("code"), deepLink, "code_verifier", verifier)
			require.Equal(t, http.StatusOK, status, tokens)
			token = tokens["id_token"].(string)
		}
		claims := l.verify(token)
		l.janes(claims)
		require.Equal(t, "jane@example.com", claims["email"])
	}
}

// delegation: LivePerson gets an access token and renews it, though it asks for
// the scope openid alone; the person can be asked about with it.
func delegation(t *testing.T) {
	l := withLivePerson(t, "delegation: true", "")
	p := newBrowser(t).signIn(l.issuer, l.popOut("response_type", "code"), "jane", "jane-password")
	_, first := l.redeem("liveengage", p.answer(t).Get("code"), windowURI)
	require.Equal(t, "openid", first["scope"])
	l.janes(l.verify(first["id_token"].(string)))
	l.clock.add(seconds(3700)) // the access token has expired
	require.Equal(t, http.StatusUnauthorized, userinfo(t, l.issuer, first["access_token"].(string)))
	status, second, _ := l.token(tokenRequest{
		fields:  map[string]string{"grant_type": "refresh_token", "refresh_token": first["refresh_token"].(string)},
		headers: map[string]string{"Authorization": basicOf("liveengage", oddSecret, false)},
	})
	require.Equal(t, http.StatusOK, status, second)
	require.NotEqual(t, first["refresh_token"], second["refresh_token"])
	require.Equal(t, true, l.introspect(second["refresh_token"].(string))["active"], "what renews is said to be active")
	require.Equal(t, http.StatusOK, userinfo(t, l.issuer, second["access_token"].(string)))
}

// delegationOfStranger: a link of a bot leads to the authorization endpoint and
// back to LivePerson's callback; the answer to the code names the scope.
func delegationOfStranger(t *testing.T) {
	l := withLivePerson(t, "delegation: true", "")
	link := l.popOut("response_type", "code", "redirect_uri", delegated, "state", "opaque", "scope", "openid profile", "parentWindowOrigin", "")
	p := newBrowser(t).signIn(l.issuer, link, "jane", "jane-password")
	require.True(t, strings.HasPrefix(p.location, delegated+"?code="), p.location)
	require.Equal(t, "opaque", p.answer(t).Get("state"))
	status, tokens := l.redeem("liveengage", p.answer(t).Get("code"), delegated)
	require.Equal(t, http.StatusOK, status, tokens)
	require.Equal(t, "openid profile", tokens["scope"])
	require.Equal(t, http.StatusOK, userinfo(t, l.issuer, tokens["access_token"].(string)))
	elsewhere := strings.Replace(delegated, "12345678", "87654321", 1)
	require.Empty(t, newBrowser(t).get(l.popOut("redirect_uri", elsewhere)).location, "another account's callback")
}
