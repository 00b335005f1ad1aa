package oidc_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/secret"
	"idpbridge/oidc"
	"idpbridge/server/servertest"
)

// deviationUse uses a deviation and reports whether the server permits it.
type deviationUse struct {
	name     oidc.Deviation
	settings string // of the client, without which LiveEngage may not use it either; "" for none
	use      func(l *servertest.LiveEngage, client string) bool
}

func deviationUses() []deviationUse {
	return []deviationUse{
		{oidc.NonceOptional, "", func(l *servertest.LiveEngage, client string) bool {
			return authorizes(l, "fragment", "id_token", "client_id", client)
		}},
		{oidc.TokenMeansIDToken, "dialect: legacy", func(l *servertest.LiveEngage, client string) bool {
			return authorizes(l, "fragment", "id_token", "client_id", client, "response_type", "token", "nonce", "n")
		}},
		{oidc.RedirectWithQuery, "dialect: legacy", func(l *servertest.LiveEngage, client string) bool {
			return authorizes(l, "query", "code", "client_id", client, "response_type", "code",
				"redirect_uri", servertest.WindowURI+"?lpUnifiedWindowConfig=%7B%22accountId%22%3A%2212345678%22%7D")
		}},
		{oidc.ScopeOptional, "dialect: legacy", func(l *servertest.LiveEngage, client string) bool {
			return authorizes(l, "fragment", "id_token", "client_id", client, "scope", "", "nonce", "n")
		}},
		{oidc.OtherRedirectURI, "", func(l *servertest.LiveEngage, client string) bool {
			status, _ := l.RedeemCode(client, issueCode(l, client), servertest.FixedURI)
			return status == http.StatusOK
		}},
		{oidc.ImplicitResponseRenamed, "implicit_parameter: token", func(l *servertest.LiveEngage, client string) bool {
			return authorizes(l, "fragment", "token", "client_id", client, "nonce", "n")
		}},
		{oidc.ImplicitResponseInQuery, "implicit_in: query", func(l *servertest.LiveEngage, client string) bool {
			return authorizes(l, "query", "id_token", "client_id", client, "nonce", "n")
		}},
		{oidc.JSONTokenRequest, "token_requests: form_or_json", func(l *servertest.LiveEngage, client string) bool {
			return redeems(l, servertest.TokenRequest{
				JSON: true, Fields: codeFields(l, client), Headers: basicHeader(client, true),
			})
		}},
		{oidc.UnencodedBasic, "", func(l *servertest.LiveEngage, client string) bool {
			return redeems(l, servertest.TokenRequest{Fields: codeFields(l, client), Headers: basicHeader(client, false)})
		}},
		{oidc.SecretInHeaderOrBody, "", func(l *servertest.LiveEngage, client string) bool {
			withSecret := codeFields(l, client)
			withSecret["client_id"], withSecret["client_secret"] = client, servertest.LiveEngageSecret
			return redeems(l, servertest.TokenRequest{Fields: withSecret}) &&
				redeems(l, servertest.TokenRequest{Fields: codeFields(l, client), Headers: basicHeader(client, true)})
		}},
		{oidc.LivePersonErrors, "token_errors: liveperson", func(l *servertest.LiveEngage, client string) bool {
			status, body := l.RedeemCode(client, "no such code", servertest.WindowURI)
			return status == http.StatusBadRequest && body["error"] == "invalid_code"
		}},
		{oidc.RefreshWithoutScope, "delegation: true", func(l *servertest.LiveEngage, client string) bool {
			status, body := l.RedeemCode(client, issueCode(l, client), servertest.WindowURI)
			return status == http.StatusOK && body["refresh_token"] != nil
		}},
	}
}

// authorizes reports whether jane's authorization request is answered with the
// parameter, in the fragment or the query.
func authorizes(l *servertest.LiveEngage, where, parameter string, changes ...string) bool {
	p := l.SignInJane().Get(l.AuthorizeURL(changes...))
	response, ok := p.AuthorizationResponse("")
	return ok && response.Get(parameter) != "" && response.Get("error") == "" &&
		response.Get("state") == servertest.WindowState() && responseMode(p.Location) == where
}

// responseMode returns where the parameters of a response are, fragment or query.
func responseMode(location string) string {
	i := strings.IndexAny(location, "#?")
	if i < 0 {
		return ""
	}
	return map[byte]string{'#': "fragment", '?': "query"}[location[i]]
}

// issueCode returns a new code for a client.
func issueCode(l *servertest.LiveEngage, client string) string {
	return l.SignInJane().Authorize(l.AuthorizeURL("response_type", "code", "client_id", client)).Get("code")
}

// codeFields returns the fields of a token request with a new code.
func codeFields(l *servertest.LiveEngage, client string) map[string]string {
	return map[string]string{
		"grant_type": "authorization_code", "code": issueCode(l, client), "redirect_uri": servertest.WindowURI,
	}
}

func basicHeader(client string, encoded bool) map[string]string {
	return map[string]string{"Authorization": servertest.BasicAuth(client, servertest.LiveEngageSecret, encoded)}
}

// redeems reports whether a token request gets tokens.
func redeems(l *servertest.LiveEngage, request servertest.TokenRequest) bool {
	status, body, _ := l.RequestTokens(request)
	return status == http.StatusOK && body["id_token"] != nil && body["access_token"] != nil
}

// TestDeviations: LiveEngage's client may use each deviation, which is counted and shown
// on the set-up page. A client that differs only in the profile may not, and neither may
// LiveEngage's without the setting.
func TestDeviations(t *testing.T) {
	t.Parallel()
	bare := servertest.StartLiveEngage(t, "token_redirect_uri: same, token_requests: form", "")
	tested := map[oidc.Deviation]bool{}
	for _, d := range deviationUses() {
		tested[d.name] = true
		t.Run(string(d.name), func(t *testing.T) {
			t.Parallel()
			l := servertest.StartLiveEngage(t, d.settings, "")
			require.True(t, d.use(l, "liveengage"), "LiveEngage may")
			require.NotEmpty(t, l.CountDeviation(string(d.name), "liveengage"), "counted")
			require.Contains(t, l.Server.GetOperations(t, "/setup"), string(d.name), "shown on the set-up page")
			require.False(t, d.use(l, "plain"), "other clients may not")
			require.Empty(t, l.CountDeviation(string(d.name), "plain"))
			if d.settings != "" || d.name == oidc.OtherRedirectURI {
				require.False(t, d.use(bare.With(t), "liveengage"), "LiveEngage may not without its setting")
			}
		})
	}
	all := oidc.Client{
		Secret: secret.New("s"), AuthMethods: []string{oidc.AuthBasic, oidc.AuthPost},
		ResponseTypes: []string{"code", "id_token"},
		LiveEngage: &oidc.LiveEngage{
			Legacy: true, RedirectKeys: []string{"k"}, TokenRedirectURI: servertest.FixedURI,
			ResponseParameter: "token", ResponseInQuery: true, JSONRequests: true, LivePersonErrors: true, Delegation: true,
		},
	}
	for _, name := range all.Deviations() {
		require.True(t, tested[name], "%s is tested here", name)
		require.NotEqual(t, string(name), name.String(), "%s is explained", name)
	}
	require.Len(t, tested, len(all.Deviations()))
}

// testLegacyRedirects: in the legacy dialect, a redirect URI may have a query of the
// listed keys, once each. Apart from that it must be the registered one, and no other
// client may have a query.
func testLegacyRedirects(t *testing.T) {
	t.Parallel()
	l := servertest.StartLiveEngage(t, "dialect: legacy, redirect_query_keys: [lpUnifiedWindowConfig, env]", "")
	b := l.SignInJane()
	const window = servertest.WindowURI
	location := func(client, uri string) string {
		authorize := l.AuthorizeURL("client_id", client, "response_type", "code", "redirect_uri", uri, "state", "s")
		return b.Get(authorize).Location
	}
	for _, good := range []string{"?env=prod", "?lpUnifiedWindowConfig=%7B%7D&env=", "?env=a%26b%23c"} {
		require.Contains(t, location("liveengage", window+good), window+good+"&code=", good)
		require.Empty(t, location("plain", window+good), "another client: %s", good)
	}
	for _, bad := range []string{
		"?&", "?&&", "?env=1&", "?other=1", "?env=prod&other=1", "?env=1&env=2", "?ENV=1", "?", "?env=1#x",
		"?env=1?env=2", "?env=a b", "?env=%zz", "?env=1;x=2", "?env=\x00", "?env=ä",
		"#env=1", "/?env=1", "%3Fenv=1", "&env=1", "/../x?env=1",
	} {
		require.Empty(t, location("liveengage", window+bad), bad)
	}
	for _, elsewhere := range []string{
		"https://evil.example/?env=1",
		"https://lpcdn.lpsnmedia.net.evil.example/le_unified_window/index.html?env=1",
		"?env=1",
		"",
	} {
		require.Empty(t, location("liveengage", elsewhere), elsewhere)
	}
	// Errors are sent to the same URI, and are counted as well.
	before := l.CountDeviation(string(oidc.RedirectWithQuery), "liveengage")
	silent := l.AuthorizeURL("response_type", "code", "redirect_uri", window+"?env=prod", "prompt", "none")
	require.Equal(t, "login_required", servertest.NewBrowser(t).Authorize(silent).Get("error"))
	require.NotEqual(t, before, l.CountDeviation(string(oidc.RedirectWithQuery), "liveengage"))
	// Only this client may send another redirect URI to the token endpoint.
	code := b.Authorize(l.AuthorizeURL("client_id", "plain", "response_type", "code")).Get("code")
	status, _ := l.RedeemCode("plain", code, servertest.FixedURI)
	require.Equal(t, 400, status)
	code = b.Authorize(l.AuthorizeURL("response_type", "code")).Get("code")
	status, _ = l.RedeemCode("liveengage", code, servertest.FixedURI+"/")
	require.Equal(t, 400, status, "the fixed one, byte for byte")
}

// TestImplicitInQueryKeepsModes: the setting changes the default. A response mode in the
// request still counts, and an unknown one is rejected.
func TestImplicitInQueryKeepsModes(t *testing.T) {
	t.Parallel()
	l := servertest.StartLiveEngage(t, "implicit_in: query", "")
	b := l.SignInJane()
	require.Equal(t, "fragment", responseMode(b.Get(l.AuthorizeURL("response_mode", "fragment")).Location))
	posted := b.Get(l.AuthorizeURL("response_mode", "form_post"))
	require.NotEmpty(t, servertest.FormFields(posted).Get("id_token"))
	require.NotEmpty(t, b.Authorize(l.AuthorizeURL("response_mode", "query")).Get("id_token"))
	unknown := b.Authorize(l.AuthorizeURL("response_mode", "nonsense"))
	require.Equal(t, "invalid_request", unknown.Get("error"))
	require.Empty(t, unknown.Get("id_token"))
}
