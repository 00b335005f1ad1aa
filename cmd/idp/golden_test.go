package main

import (
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/config"
	"idpbridge/dev"
)

var update = flag.Bool("update", false, "rewrite the golden files") //nolint:gochecknoglobals // a test flag

// TestGoldenTokens pins the ID token that LiveEngage gets about each demo
// person, by the code flow with every scope.
func TestGoldenTokens(t *testing.T) {
	t.Parallel()
	people, err := config.ParsePeople("people.yaml", dev.PeopleFile, config.PeopleRules{PlainPasswords: true})
	require.NoError(t, err)
	fixed := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	issuer := startDev(t, func() time.Time { return fixed })
	for _, person := range people {
		q := url.Values{
			"client_id": {"liveengage"}, "redirect_uri": {"https://liveperson.net"}, "response_type": {"code"},
			"scope": {"openid profile email address phone"}, "nonce": {"n-0S6_WzA2Mj"}, "state": {"s"},
		}
		p := newBrowser(t).signIn(issuer, issuer+"/authorize?"+q.Encode(), person.Username, person.Password)
		status, body := redeem(t, issuer, p.answer(t).Get("code"),
			"client_id", "liveengage", "client_secret", dev.LiveEngageSecret, "redirect_uri", "https://liveperson.net")
		require.Equal(t, 200, status, body)
		token, _ := body["id_token"].(string)
		header, err := json.Marshal(part(token, 0))
		require.NoError(t, err)
		require.Contains(t, string(header), "RS256")
		claims := decoded(t, token)
		require.Equal(t, issuer, claims["iss"])
		require.NotEmpty(t, claims["at_hash"])
		require.NotEmpty(t, claims["sid"])
		claims["iss"], claims["at_hash"], claims["sid"] = "http://127.0.0.1:0", "differs with every token", "differs with every session"
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
