package main

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersionOf(t *testing.T) {
	t.Parallel()
	checkout := func(modified string) *debug.BuildInfo {
		return &debug.BuildInfo{
			Main: debug.Module{Version: "v0.0.0-20260102030405-0123456789ab"},
			Settings: []debug.BuildSetting{
				{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"},
				{Key: "vcs.time", Value: "2026-01-02T03:04:05Z"},
				{Key: "vcs.modified", Value: modified},
			},
		}
	}
	for name, c := range map[string]struct {
		info *debug.BuildInfo
		want string
	}{
		"installed from the module proxy": {&debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "v1.2.3"},
		"built in a checkout":             {checkout("false"), "0123456789ab (2026-01-02T03:04:05Z)"},
		"built with uncommitted changes":  {checkout("true"), "0123456789ab-dirty (2026-01-02T03:04:05Z)"},
		"built without build information": {nil, ""},
		"built without version control":   {&debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, ""},
	} {
		require.Equal(t, c.want, versionOf(c.info), name)
	}
	require.NotEmpty(t, currentVersion())
}
