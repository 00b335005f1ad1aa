package oidc_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/secret"
	"idpbridge/server"
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

		p = b.SignIn(servertest.AuthorizeURL(issuer, "response_type", "id_token"), "jane", "jane-password")
		require.Contains(t, b.Get(issuer+"/end_session?id_token_hint="+hint).Body, "logout-confirm", "of an earlier session")
		hint = servertest.Response(t, p).Get("id_token")
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

// signInToTwo signs jane in to two clients in one browser. It returns the access tokens of
// the clients, and the ID token of the first.
func signInToTwo(t *testing.T, s *servertest.Server, b *servertest.Browser) (hint, first, second string) {
	t.Helper()
	p := b.SignIn(servertest.AuthorizeURL(s.Issuer, "response_type", "id_token token"), "jane", "jane-password")
	hint, first = servertest.Response(t, p).Get("id_token"), servertest.Response(t, p).Get("access_token")
	other := b.Authorize(servertest.AuthorizeURL(s.Issuer, "response_type", "id_token token",
		"client_id", "other", "redirect_uri", "https://other.example/cb"))
	return hint, first, other.Get("access_token")
}

// startTwoClients runs a server with a second client, on each engine.
func startTwoClients(t *testing.T, serverLogout bool, test func(t *testing.T, s *servertest.Server)) {
	t.Helper()
	change := func(c *server.Config) {
		for i := range c.Clients {
			if c.Clients[i].ID == "local-web" {
				c.Clients[i].ServerLogout = serverLogout
				other := c.Clients[i]
				other.ID, other.Name, other.RedirectURIs = "other", "Other", []string{"https://other.example/cb"}
				c.Clients = append(c.Clients, other)
				break
			}
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, servertest.Start(t, change))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		database := secret.New(postgres.NewDatabase(t))
		test(t, servertest.Start(t, change, func(c *server.Config) { c.Settings.Store = database }))
	})
}

// TestHintWithoutBrowser: a logout request with a hint but without the browser's cookie ends
// only what the client of the hint has, and says so.
func TestHintWithoutBrowser(t *testing.T) {
	t.Parallel()
	startTwoClients(t, false, func(t *testing.T, s *servertest.Server) {
		b := servertest.NewBrowser(t)
		hint, first, second := signInToTwo(t, s, b)
		signOut := s.Issuer + "/end_session?id_token_hint=" + hint
		p := servertest.NewBrowser(t).Get(signOut)
		require.Equal(t, 200, p.Status)
		require.Contains(t, p.Body, "Only this app was signed out.")
		require.NotContains(t, p.Body, "You are signed out")
		require.Equal(t, 401, userinfoStatus(t, s.Issuer, first), "what the client of the hint had")
		require.Equal(t, 200, userinfoStatus(t, s.Issuer, second), "what another client has")
		require.NotEmpty(t, b.Authorize(servertest.AuthorizeURL(s.Issuer, "prompt", "none")).Get("code"), "the session")
		require.Contains(t, s.Log.String(), "client logged out without a browser session")

		next := "&state=s&post_logout_redirect_uri=" + url.QueryEscape("http://127.0.0.1/cb")
		p = servertest.NewBrowser(t).Get(signOut + next)
		require.Equal(t, "http://127.0.0.1/cb?state=s", p.Location)
	})
}

// TestServerLogout: a client that may do so ends the session from its server.
func TestServerLogout(t *testing.T) {
	t.Parallel()
	startTwoClients(t, true, func(t *testing.T, s *servertest.Server) {
		b := servertest.NewBrowser(t)
		hint, first, second := signInToTwo(t, s, b)
		p := servertest.NewBrowser(t).Get(s.Issuer + "/end_session?id_token_hint=" + hint)
		require.Contains(t, p.Body, "You are signed out")
		for _, token := range []string{first, second} {
			require.Equal(t, 401, userinfoStatus(t, s.Issuer, token))
		}
		require.Equal(t, "login_required", b.Authorize(servertest.AuthorizeURL(s.Issuer, "prompt", "none")).Get("error"))
	})
}
