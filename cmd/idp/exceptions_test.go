package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/secret"
	"idpbridge/oidc"
)

// exception is how one exception is used: settings under which the client of
// LiveEngage may have it, and a use that says whether it was granted.
type exception struct {
	name     oidc.Deviation
	settings string // without them LiveEngage may not have it either; "" where every one may
	use      func(l *liveperson, client string) bool
}

func exceptions() []exception {
	answered := func(l *liveperson, where, parameter string, changes ...string) bool {
		p := l.signedIn().get(l.popOut(changes...))
		return p.location != "" && p.answer(l.t).Get(parameter) != "" && p.answer(l.t).Get("error") == "" &&
			p.answer(l.t).Get("state") == windowState() && sentIn(p.location) == where
	}
	code := func(l *liveperson, client string) string {
		return l.signedIn().get(l.popOut("response_type", "code", "client_id", client)).answer(l.t).Get("code")
	}
	redeemed := func(l *liveperson, r tokenRequest) bool {
		status, answer, _ := l.token(r)
		return status == 200 && answer["id_token"] != nil && answer["access_token"] != nil
	}
	fields := func(l *liveperson, client string) map[string]string {
		return map[string]string{"grant_type": "authorization_code", "code": code(l, client), "redirect_uri": windowURI}
	}
	encoded := func(client string) map[string]string {
		return map[string]string{"Authorization": basicOf(client, oddSecret, true)}
	}
	withQuery := windowURI + "?lpUnifiedWindowConfig=%7B%22accountId%22%3A%2212345678%22%7D"
	return []exception{
		{oidc.NonceOptional, "", func(l *liveperson, client string) bool {
			return answered(l, "fragment", "id_token", "client_id", client)
		}},
		{oidc.TokenMeansIDToken, "dialect: legacy", func(l *liveperson, client string) bool {
			return answered(l, "fragment", "id_token", "client_id", client, "response_type", "token", "nonce", "n")
		}},
		{oidc.RedirectWithQuery, "dialect: legacy", func(l *liveperson, client string) bool {
			return answered(l, "query", "code", "client_id", client, "response_type", "code", "redirect_uri", withQuery)
		}},
		{oidc.ScopeOptional, "dialect: legacy", func(l *liveperson, client string) bool {
			return answered(l, "fragment", "id_token", "client_id", client, "scope", "", "nonce", "n")
		}},
		{oidc.OtherRedirectURI, "", func(l *liveperson, client string) bool {
			status, _ := l.redeem(client, code(l, client), fixedURI)
			return status == 200
		}},
		{oidc.ImplicitResponseRenamed, "implicit_parameter: token", func(l *liveperson, client string) bool {
			return answered(l, "fragment", "token", "client_id", client, "nonce", "n")
		}},
		{oidc.ImplicitResponseInQuery, "implicit_in: query", func(l *liveperson, client string) bool {
			return answered(l, "query", "id_token", "client_id", client, "nonce", "n")
		}},
		{oidc.JSONTokenRequest, "token_requests: form_or_json", func(l *liveperson, client string) bool {
			return redeemed(l, tokenRequest{json: true, fields: fields(l, client), headers: encoded(client)})
		}},
		{oidc.UnencodedBasic, "", func(l *liveperson, client string) bool {
			return redeemed(l, tokenRequest{fields: fields(l, client), headers: map[string]string{"Authorization": basicOf(client, oddSecret, false)}})
		}},
		{oidc.SecretInHeaderOrBody, "", func(l *liveperson, client string) bool {
			f := fields(l, client)
			f["client_id"], f["client_secret"] = client, oddSecret
			return redeemed(l, tokenRequest{fields: f}) && redeemed(l, tokenRequest{fields: fields(l, client), headers: encoded(client)})
		}},
		{oidc.LivePersonErrors, "token_errors: liveperson", func(l *liveperson, client string) bool {
			status, answer := l.redeem(client, "no such code", windowURI)
			return status == 400 && answer["error"] == "invalid_code"
		}},
		{oidc.RefreshWithoutScope, "delegation: true", func(l *liveperson, client string) bool {
			status, answer := l.redeem(client, code(l, client), windowURI)
			return status == 200 && answer["refresh_token"] != nil
		}},
	}
}

// sentIn says where the parameters of an answer are.
func sentIn(location string) string {
	for _, c := range location {
		switch c {
		case '#':
			return "fragment"
		case '?':
			return "query"
		}
	}
	return ""
}

// TestExceptions: each is granted to LiveEngage's client, counted, and shown on the
// set-up page; a client that differs in nothing but the profile is refused, and so
// is LiveEngage's where its settings do not name it.
func TestExceptions(t *testing.T) {
	t.Parallel()
	bare := withLivePerson(t, "token_redirect_uri: same, token_requests: form", "")
	tested := map[oidc.Deviation]bool{}
	for _, e := range exceptions() {
		tested[e.name] = true
		t.Run(string(e.name), func(t *testing.T) {
			t.Parallel()
			l := withLivePerson(t, e.settings, "")
			require.True(t, e.use(l, "liveengage"), "LiveEngage may")
			require.NotEmpty(t, l.counted(string(e.name), "liveengage"), "counted")
			setup := newBrowser(t).get("http://" + l.operations + "/setup").body
			require.Contains(t, setup, string(e.name), "shown on the set-up page")
			require.False(t, e.use(l, "plain"), "nobody else may")
			require.Empty(t, l.counted(string(e.name), "plain"))
			if e.settings != "" || e.name == oidc.OtherRedirectURI {
				inParallel := *bare
				inParallel.t = t
				require.False(t, e.use(&inParallel, "liveengage"), "nor LiveEngage without its setting")
			}
		})
	}
	all := oidc.Client{
		Secret: secret.New("s"), AuthMethods: []string{oidc.AuthBasic, oidc.AuthPost}, ResponseTypes: []string{"code", "id_token"},
		LiveEngage: &oidc.LiveEngage{
			Legacy: true, RedirectKeys: []string{"k"}, TokenRedirectURI: fixedURI, ResponseParameter: "token", ResponseInQuery: true,
			JSONRequests: true, LivePersonErrors: true, Delegation: true,
		},
	}
	for _, name := range all.Deviations() {
		require.True(t, tested[name], "%s has a test of its own", name)
		require.NotEqual(t, string(name), name.String(), "%s is explained", name)
	}
	require.Len(t, tested, len(all.Deviations()))
}

// legacyRedirects is row 92 of the attack table: in the legacy dialect a redirect
// URI may have a query of the listed keys, once each, and nothing else that differs
// from the registered one; no other client may have any.
func legacyRedirects(t *testing.T) {
	t.Parallel()
	l := withLivePerson(t, "dialect: legacy, redirect_query_keys: [lpUnifiedWindowConfig, env]", "")
	b := l.signedIn()
	location := func(client, uri string) string {
		return b.get(l.popOut("client_id", client, "response_type", "code", "redirect_uri", uri, "state", "s")).location
	}
	for _, good := range []string{"?env=prod", "?lpUnifiedWindowConfig=%7B%7D&env=", "?env=a%26b%23c"} {
		require.Contains(t, location("liveengage", windowURI+good), windowURI+good+"&code=", good)
		require.Empty(t, location("plain", windowURI+good), "another client: %s", good)
	}
	for _, bad := range []string{
		"?&", "?&&", "?env=1&", "?other=1", "?env=prod&other=1", "?env=1&env=2", "?ENV=1", "?", "?env=1#x", "?env=1?env=2", "?env=a b", "?env=%zz", "?env=1;x=2", "?env=\x00", "?env=ä",
		"#env=1", "/?env=1", "%3Fenv=1", "&env=1", "/../x?env=1",
	} {
		require.Empty(t, location("liveengage", windowURI+bad), bad)
	}
	for _, elsewhere := range []string{"https://evil.example/?env=1", "https://lpcdn.lpsnmedia.net.evil.example/le_unified_window/index.html?env=1", "?env=1", ""} {
		require.Empty(t, location("liveengage", elsewhere), elsewhere)
	}
	// Errors come the same way, and are counted too.
	before := l.counted(string(oidc.RedirectWithQuery), "liveengage")
	refused := newBrowser(t).get(l.popOut("response_type", "code", "redirect_uri", windowURI+"?env=prod", "prompt", "none"))
	require.Equal(t, "login_required", refused.answer(t).Get("error"))
	require.NotEqual(t, before, l.counted(string(oidc.RedirectWithQuery), "liveengage"))
	// The redirect URI at the token endpoint is the client's own exception, too.
	code := b.get(l.popOut("client_id", "plain", "response_type", "code")).answer(t).Get("code")
	status, _ := l.redeem("plain", code, fixedURI)
	require.Equal(t, 400, status)
	code = b.get(l.popOut("response_type", "code")).answer(t).Get("code")
	status, _ = l.redeem("liveengage", code, fixedURI+"/")
	require.Equal(t, 400, status, "the fixed one, byte for byte")
}

// TestImplicitInQueryKeepsModes: the setting is about the default; a mode that is
// named counts, and one that nobody knows is refused.
func TestImplicitInQueryKeepsModes(t *testing.T) {
	t.Parallel()
	l := withLivePerson(t, "implicit_in: query", "")
	b := l.signedIn()
	require.Equal(t, "fragment", sentIn(b.get(l.popOut("response_mode", "fragment")).location))
	require.NotEmpty(t, b.get(l.popOut("response_mode", "form_post")).fields(t).Get("id_token"))
	require.NotEmpty(t, b.get(l.popOut("response_mode", "query")).answer(t).Get("id_token"))
	unknown := b.get(l.popOut("response_mode", "nonsense")).answer(t)
	require.Equal(t, "invalid_request", unknown.Get("error"))
	require.Empty(t, unknown.Get("id_token"))
}
