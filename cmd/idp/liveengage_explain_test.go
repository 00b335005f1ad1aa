package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/explain"
)

func TestExplainCommand(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := command(t, "", "liveengage", "explain", "LP", "9007")
	require.Equal(t, 0, code, stderr)
	require.True(t, strings.HasPrefix(stdout, "9007  CUSTOMER_JWT_NOT_VALID\n"), stdout)
	require.Contains(t, stdout, "idp token inspect")

	code, stdout, stderr = command(t, "", "liveengage", "explain", `{"internalErrorCode":"9007"}`, "--json")
	require.Equal(t, 0, code, stderr)
	var one explain.ErrorCode
	require.NoError(t, json.Unmarshal([]byte(stdout), &one))
	require.Equal(t, "9007", one.Code)

	code, stdout, _ = command(t, "", "liveengage", "explain")
	require.Equal(t, 0, code)
	require.Equal(t, len(explain.All()), strings.Count(stdout, "\n"), "one line each")
	code, stdout, _ = command(t, "", "liveengage", "explain", "--json")
	require.Equal(t, 0, code)
	var all []explain.ErrorCode
	require.NoError(t, json.Unmarshal([]byte(stdout), &all))
	require.Equal(t, explain.All(), all)

	code, stdout, stderr = command(t, "", "liveengage", "explain", "9006")
	require.Equal(t, 1, code)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "similar ones are 9007 (CUSTOMER_JWT_NOT_VALID)")
	code, _, stderr = command(t, "", "liveengage", "explain", "what is this")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "lists them")
}
