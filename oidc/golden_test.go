package oidc_test

import (
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/dev"
	"idpbridge/server"
	"idpbridge/server/servertest"
)

var update = flag.Bool("update", false, "rewrite the golden files") //nolint:gochecknoglobals // a test flag

// TestGoldenTokens compares the ID token of each demo person, issued to LiveEngage in the
// code flow with every scope, with a file. Rewrite the files with -update.
func TestGoldenTokens(t *testing.T) {
	t.Parallel()
	fixed := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	now := func() time.Time { return fixed }
	issuer := servertest.Start(t, func(c *server.Config) { c.Now = now }).Issuer
	for _, person := range servertest.DemoPeople(t) {
		request := url.Values{
			"client_id": {"liveengage"}, "redirect_uri": {servertest.WindowURI}, "response_type": {"code"},
			"scope": {"openid profile email address phone"}, "nonce": {"n-0S6_WzA2Mj"}, "state": {servertest.WindowState()},
		}
		p := servertest.NewBrowser(t).SignIn(issuer+"/authorize?"+request.Encode(), person.Username, person.Password)
		status, body := servertest.RequestTokens(t, issuer, servertest.Response(t, p).Get("code"),
			"client_id", "liveengage", "client_secret", dev.LiveEngageSecret, "redirect_uri", servertest.FixedURI)
		require.Equal(t, 200, status, body)
		token, _ := body["id_token"].(string)
		require.Equal(t, "RS256", servertest.DecodeHeader(t, token)["alg"])
		claims := servertest.DecodeClaims(t, token)
		require.Equal(t, issuer, claims["iss"])
		require.NotEmpty(t, claims["at_hash"])
		require.NotEmpty(t, claims["sid"])
		claims["iss"] = "http://127.0.0.1:0"
		claims["at_hash"], claims["sid"] = "differs with every token", "differs with every session"
		got, err := json.MarshalIndent(claims, "", "  ")
		require.NoError(t, err)
		file := filepath.Join("testdata", "id_token_"+person.Username+".golden")
		if *update {
			require.NoError(t, os.MkdirAll("testdata", 0o755))
			require.NoError(t, os.WriteFile(file, append(got, '\n'), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got)+"\n")
	}
}
