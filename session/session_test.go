package session_test

import (
	"testing"
	"time"

	"idpbridge/internal/robot"
	"idpbridge/server"
	"idpbridge/server/servertest"

	"github.com/stretchr/testify/require"
)

// readIDToken returns the claims of the ID token in a response.
func readIDToken(t testing.TB, p *robot.Page) map[string]any {
	t.Helper()
	return servertest.DecodeClaims(t, servertest.Response(t, p).Get("id_token"))
}

// TestPromptAndMaxAge: a session is used again without a page, unless the request or the
// time since its sign-in demands a new sign-in.
func TestPromptAndMaxAge(t *testing.T) {
	t.Parallel()
	clock := &servertest.Clock{}
	issuer := servertest.Start(t, func(c *server.Config) { c.Now = clock.Now }).Issuer
	b := servertest.NewBrowser(t)
	implicit := func(changes ...string) string {
		return servertest.AuthorizeURL(issuer, append([]string{"response_type", "id_token"}, changes...)...)
	}
	first := b.SignIn(implicit(), "jane", "jane-password")
	before := readIDToken(t, first)
	hint := servertest.Response(t, first).Get("id_token")
	clock.Add(5 * time.Second)

	silent := readIDToken(t, b.Get(implicit("prompt", "none", "id_token_hint", hint, "max_age", "10000")))
	require.Equal(t, before["auth_time"], silent["auth_time"])
	require.Equal(t, before["sub"], silent["sub"])
	require.Equal(t, "login_required", b.Authorize(implicit("prompt", "none", "max_age", "1")).Get("error"))

	for _, changes := range [][]string{
		{"prompt", "login"}, {"prompt", "select_account"}, {"max_age", "1"}, {"max_age", "0"},
	} {
		require.Equal(t, 200, b.Get(implicit(changes...)).Status, changes)
		again := readIDToken(t, b.SignIn(implicit(changes...), "jane", "jane-password"))
		require.Greater(t, again["auth_time"], before["auth_time"], changes)
		before = again
		clock.Add(5 * time.Second)
	}

	p := b.SignIn(implicit("prompt", "login", "id_token_hint", hint), "victor", "victor-password")
	require.Equal(t, "login_required", servertest.Response(t, p).Get("error"), "not the user of the hint")
	p = b.Get(implicit("prompt", "none", "id_token_hint", hint))
	require.Equal(t, "login_required", servertest.Response(t, p).Get("error"))

	clock.Add(2 * time.Hour)
	require.Equal(t, "login_required", b.Authorize(implicit("prompt", "none")).Get("error"), "idle for too long")
}

// TestPromptLoginInTheSameMillisecond: a sign-in from before the request does not count
// for it, even if the clock shows the same time.
func TestPromptLoginInTheSameMillisecond(t *testing.T) {
	t.Parallel()
	fixed := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	now := func() time.Time { return fixed }
	issuer := servertest.Start(t, func(c *server.Config) { c.Now = now }).Issuer
	b := servertest.NewBrowser(t)
	b.SignIn(servertest.AuthorizeURL(issuer), "jane", "jane-password")
	for _, changes := range [][]string{{"prompt", "login"}, {"max_age", "0"}} {
		require.Contains(t, b.Get(servertest.AuthorizeURL(issuer, changes...)).Body, "login-submit", changes)
	}
}
