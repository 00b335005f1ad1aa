package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTokenMint: a token without a browser, in the development mode at once, with a
// configuration only by the flag that says what it does. The inspector finds no
// fault in it.
func TestTokenMint(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	issuer := startIDP(t, time.Now, "dev", "--simulator", "off", "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0", "--data", data)
	code, token, stderr := command(t, "", "token", "mint", "--data", data, "--issuer", issuer, "--person", "Jane", "--scope", "profile")
	require.Equal(t, 0, code, stderr)
	require.Contains(t, stderr, "who did not sign in for it")
	claims := decoded(t, strings.TrimSpace(token))
	require.Equal(t, janeSubject, claims["sub"])
	require.Equal(t, "Jane", claims["given_name"])
	require.NotNil(t, claims["lp_sdes"])
	require.NotContains(t, claims, "sid")
	require.NotContains(t, claims, "amr")
	code, report, stderr := command(t, token, "token", "inspect", "--issuer", issuer, "--subject", janeSubject, "--jwks", issuer+"/jwks")
	require.Equal(t, 0, code, report+stderr)

	for _, wrong := range [][]string{{"--person", "nobody"}, {"--person", "jane", "--client", "nobody"}, {"--person", "jane", "--scope", "nothing"}} {
		code, token, _ := command(t, "", append([]string{"token", "mint", "--data", data}, wrong...)...)
		require.Equal(t, 1, code, wrong)
		require.Empty(t, token, wrong)
	}

	l := withLivePerson(t, "", "")
	base := []string{"token", "mint", "--config", filepath.Join(l.folder, "idp.yaml"), "--person", "jane"}
	code, token, stderr = command(t, "", base...)
	require.Equal(t, 1, code)
	require.Empty(t, token)
	require.Contains(t, stderr, "--insecure-sign-for-somebody-who-has-not-signed-in")
	// Nor by its data folder, as if it were the development mode's.
	code, token, stderr = command(t, "", "token", "mint", "--data", filepath.Join(l.folder, "data"), "--issuer", l.issuer, "--person", "jane")
	require.Equal(t, 1, code)
	require.Empty(t, token)
	require.Contains(t, stderr, "belongs to idp serve")
	code, token, stderr = command(t, "", append(base, "--insecure-sign-for-somebody-who-has-not-signed-in", "--lifetime", "1m")...)
	require.Equal(t, 0, code, stderr)
	claims = l.verify(strings.TrimSpace(token))
	l.janes(claims)
	require.InDelta(t, 60, claims["exp"].(float64)-claims["iat"].(float64), 0)
}

// TestDataApart: the development mode does not open a real provider's data, whose
// people it would replace, nor the other way round.
func TestDataApart(t *testing.T) {
	t.Parallel()
	l := &liveperson{t: t, folder: t.TempDir(), operations: "off", issuer: "http://" + freeAddress(t), clock: &clock{}}
	l.configure("", "")
	_, stop := stoppable(t, time.Now, os.Getenv, l.folder)
	stop()
	data := filepath.Join(l.folder, "data")
	code, _, stderr := command(t, "", "dev", "--simulator", "off", "--listen", "127.0.0.1:0", "--operations", "off", "--data", data)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "belongs to idp serve")

	require.NoError(t, os.RemoveAll(data))
	t.Run("dev", func(t *testing.T) {
		startIDP(t, time.Now, "dev", "--simulator", "off", "--listen", "127.0.0.1:0", "--operations", "off", "--data", data)
	})
	for _, args := range [][]string{{"serve"}, {"keys", "show"}} {
		code, _, stderr = command(t, "", append(args, "--config", filepath.Join(l.folder, "idp.yaml"))...)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "belongs to idp dev")
	}
}
