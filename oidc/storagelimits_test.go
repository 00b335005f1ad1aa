package oidc_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/config"
	"idpbridge/internal/secret"
	"idpbridge/oidc"
	"idpbridge/server"
	"idpbridge/server/servertest"
)

// withEachEngine runs a test with SQLite and with PostgreSQL.
func withEachEngine(t *testing.T, test func(t *testing.T, change func(*server.Config))) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, func(*server.Config) {})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		url := postgres.NewDatabase(t)
		test(t, func(c *server.Config) { c.Settings.Store = secret.New(url) })
	})
}

// TestStoredTextIsBounded: what a requester chooses, and the server stores, is short text.
func TestStoredTextIsBounded(t *testing.T) {
	t.Parallel()
	withEachEngine(t, func(t *testing.T, change func(*server.Config)) {
		t.Helper()
		s := servertest.Start(t, change)
		b := servertest.NewBrowser(t)
		nonce := strings.Repeat("n", 512)
		authorize := servertest.AuthorizeURL(s.Issuer, "nonce", nonce)
		response := servertest.Response(t, b.SignIn(authorize, "jane", "jane-password"))
		status, tokens := servertest.RequestTokens(t, s.Issuer, response.Get("code"))
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, nonce, servertest.DecodeClaims(t, tokens["id_token"].(string))["nonce"])
		for _, nonce := range []string{nonce + "n", strings.Repeat("\u00e9", 257), "a\x00b", "caf\xe9"} {
			response := servertest.Response(t, b.Get(servertest.AuthorizeURL(s.Issuer, "nonce", nonce)))
			require.Equal(t, "invalid_request", response.Get("error"), "%.20q", nonce)
			require.Empty(t, response.Get("code"))
		}
	})
}

// TestUnredeemedCodeIsForgotten: the row of a code that its client does not redeem is
// deleted when the code expires, even if the client could have had a refresh token.
func TestUnredeemedCodeIsForgotten(t *testing.T) {
	t.Parallel()
	withEachEngine(t, func(t *testing.T, change func(*server.Config)) {
		t.Helper()
		clock := &servertest.Clock{}
		s := servertest.Start(t, change, func(c *server.Config) { c.Now = clock.Now })
		b := servertest.NewBrowser(t)
		authorize := servertest.AuthorizeURL(s.Issuer, "scope", "openid offline_access")
		redeemed := servertest.Response(t, b.SignIn(authorize, "jane", "jane-password")).Get("code")
		status, tokens := servertest.RequestTokens(t, s.Issuer, redeemed)
		require.Equal(t, http.StatusOK, status)
		require.EqualValues(t, config.Defaults().Lifetimes.AccessToken/time.Second, tokens["expires_in"])
		unredeemed := servertest.Response(t, b.Get(authorize)).Get("code")

		clock.Add(config.Defaults().Lifetimes.Code + time.Second)
		n, err := s.Store.Sweep(t.Context(), clock.Now())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		status, body := servertest.RequestTokens(t, s.Issuer, unredeemed)
		require.Equal(t, http.StatusBadRequest, status)
		require.Equal(t, "invalid_grant", body["error"])
		status, _, _ = refreshTokens(t, s.Issuer, tokens["refresh_token"].(string))
		require.Equal(t, http.StatusOK, status, "a redeemed one lives on")
	})
}

// TestSigninsPerSession: a session that starts sign-ins without end keeps a limited number.
func TestSigninsPerSession(t *testing.T) {
	t.Parallel()
	withEachEngine(t, func(t *testing.T, change func(*server.Config)) {
		t.Helper()
		s := servertest.Start(t, change)
		b := servertest.NewBrowser(t)
		b.SignIn(servertest.AuthorizeURL(s.Issuer), "jane", "jane-password")
		for range oidc.MaxSigninsPerSession + 20 {
			require.NotEmpty(t, servertest.Response(t, b.Get(servertest.AuthorizeURL(s.Issuer))).Get("code"))
		}
		signins, err := s.Store.RecentSignins(t.Context(), 1000)
		require.NoError(t, err)
		require.Len(t, signins, oidc.MaxSigninsPerSession)
	})
}
