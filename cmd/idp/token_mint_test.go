package main

import (
	"strings"
	"testing"
	"time"

	"idpbridge/server/servertest"

	"github.com/stretchr/testify/require"
)

func TestTokenMintLifetime(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	startIDP(t, time.Now, "dev", "--simulator", "off", "--listen", "127.0.0.1:0", "--operations", "off", "--data", data)
	code, token, stderr := runCommand(t, "", "token", "mint", "--data", data, "--person", "jane", "--lifetime", "1m")
	require.Equal(t, 0, code, stderr)
	claims := servertest.DecodeClaims(t, strings.TrimSpace(token))
	require.InDelta(t, 60, claims["exp"].(float64)-claims["iat"].(float64), 0)
	require.InDelta(t, float64(time.Now().Unix()), claims["iat"], 60)
}
