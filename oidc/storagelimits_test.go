package oidc_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/config"
	"idpbridge/dev"
	"idpbridge/internal/robot"
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

// TestUsernameIsText: a name that PostgreSQL cannot store is unknown on both engines.
func TestUsernameIsText(t *testing.T) {
	t.Parallel()
	withEachEngine(t, func(t *testing.T, change func(*server.Config)) {
		t.Helper()
		s := servertest.Start(t, change)
		b := servertest.NewBrowser(t)
		wrong := b.SignIn(servertest.AuthorizeURL(s.Issuer), "unknown", "jane-password")
		for _, name := range []string{"jane\x00", "\x00", "caf\xe9"} {
			page := b.SignIn(servertest.AuthorizeURL(s.Issuer), name, "jane-password")
			require.Equal(t, wrong.Status, page.Status, "%q", name)
			require.NotContains(t, s.Log.String(), `"level":"ERROR"`, "%q", name)
		}
	})
}

// TestPushedRequestIsAnsweredOnce: a request_uri works until it has got a code, in every tab.
func TestPushedRequestIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	withEachEngine(t, func(t *testing.T, change func(*server.Config)) {
		t.Helper()
		s := servertest.Start(t, change)
		r, err := robot.NewRequest(t.Context(), http.MethodPost, s.Issuer+"/par", url.Values{
			"response_type": {"code"}, "redirect_uri": {servertest.LocalCallback}, "scope": {"openid"},
		})
		require.NoError(t, err)
		r.SetBasicAuth("local-web", dev.LocalWebSecret)
		var pushed struct {
			RequestURI string `json:"request_uri"`
		}
		require.NoError(t, json.Unmarshal([]byte(servertest.NewBrowser(t).Do(r).Body), &pushed))
		authorize := s.Issuer + "/authorize?" + url.Values{
			"client_id": {"local-web"}, "request_uri": {pushed.RequestURI},
		}.Encode()
		b := servertest.NewBrowser(t)
		resume := s.Issuer + "/resume?request=" + servertest.FormFields(b.Get(authorize)).Get("request")
		require.NotEmpty(t, servertest.Response(t, b.SignIn(authorize, "jane", "jane-password")).Get("code"))
		for _, again := range []string{authorize, resume} {
			page := b.Get(again)
			require.Equal(t, http.StatusBadRequest, page.Status, page.Location)
			require.Contains(t, page.Body, "used already")
		}
	})
}
