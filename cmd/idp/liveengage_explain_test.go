package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/explain"
)

func TestExplainListsEveryCode(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := runCommand(t, "", "liveengage", "explain")
	require.Equal(t, 0, code, stderr)
	require.Equal(t, len(explain.All()), strings.Count(stdout, "\n"), "one line each")
	code, stdout, stderr = runCommand(t, "", "liveengage", "explain", "--json")
	require.Equal(t, 0, code, stderr)
	var listed []explain.ErrorCode
	require.NoError(t, json.Unmarshal([]byte(stdout), &listed))
	require.Equal(t, explain.All(), listed)
}
