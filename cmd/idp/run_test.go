package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"
)

// runCommand runs a command to its end.
func runCommand(t testing.TB, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return runCommandWithEnv(t, map[string]string{"LIVEENGAGE_SECRET": strings.Repeat("s", 40)}, stdin, args...)
}

// runCommandWithEnv runs a command to its end with only these environment variables.
func runCommandWithEnv(
	t testing.TB, env map[string]string, stdin string, args ...string,
) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(context.Background(), &process{
		stdin:  strings.NewReader(stdin),
		stdout: &out,
		stderr: &errs,
		getenv: func(name string) string { return env[name] },
		now:    time.Now,
	}, args)
	return code, out.String(), errs.String()
}
