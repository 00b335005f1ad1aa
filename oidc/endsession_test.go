package oidc_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/server/servertest"
)

// TestSignOut: with a valid hint at once, otherwise after a question. It revokes what was
// issued in the session, and redirects only to registered URIs.
func TestSignOut(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, issuer string) {
		b := servertest.NewBrowser(t)
		p := b.SignIn(servertest.AuthorizeURL(issuer, "response_type", "id_token token"), "jane", "jane-password")
		hint, access := servertest.Response(t, p).Get("id_token"), servertest.Response(t, p).Get("access_token")
		ask := b.Get(issuer + "/end_session?post_logout_redirect_uri=" + url.QueryEscape(servertest.LocalCallback))
		require.Equal(t, 200, ask.Status)
		require.Contains(t, ask.Body, "logout-confirm")
		require.Equal(t, 200, userinfoStatus(t, issuer, access), "the question revokes nothing")

		p = b.Get(issuer + "/end_session?id_token_hint=" + hint + "&post_logout_redirect_uri=" +
			url.QueryEscape("http://127.0.0.1/cb") + "&state=" + url.QueryEscape(`a&b="c`))
		require.Equal(t, `a&b="c`, servertest.Response(t, p).Get("state"))
		require.Equal(t, 401, userinfoStatus(t, issuer, access), "signing out revokes what the session issued")
		require.Equal(t, "login_required", b.Authorize(servertest.AuthorizeURL(issuer, "prompt", "none")).Get("error"))

		b.SignIn(servertest.AuthorizeURL(issuer), "jane", "jane-password")
		p = b.Get(issuer + "/end_session?id_token_hint=" + hint + "&post_logout_redirect_uri=https%3A%2F%2Fevil.example")
		require.Equal(t, 400, p.Status, "no redirect to a URI that is not registered")

		b.SignIn(servertest.AuthorizeURL(issuer), "jane", "jane-password")
		form := servertest.FormFields(b.Get(issuer + "/end_session"))
		require.Contains(t, b.Post(issuer+"/end_session/confirm", form).Body, "op-logged-out")
		require.Contains(t, b.Get(issuer+"/end_session").Body, "op-logged-out")
	})
}

// TestConfirmationIsForOneUser: the page that asked one user signs out no other user, and
// does not claim that it did.
func TestConfirmationIsForOneUser(t *testing.T) {
	t.Parallel()
	issuer, _ := start(t)
	b := servertest.NewBrowser(t)
	b.SignIn(servertest.AuthorizeURL(issuer), "jane", "jane-password")
	asked := servertest.FormFields(b.Get(issuer + "/end_session"))
	b.SignIn(servertest.AuthorizeURL(issuer, "prompt", "login"), "victor", "victor-password")
	p := b.Post(issuer+"/end_session/confirm", asked)
	require.Contains(t, p.Body, "logout-confirm", "the question again")
	require.NotContains(t, p.Body, "op-logged-out")
	require.NotEmpty(t, b.Authorize(servertest.AuthorizeURL(issuer, "prompt", "none")).Get("code"))
}
