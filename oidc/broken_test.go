package oidc_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/conformance"
	"idpbridge/server/servertest"
)

// moduleRoot is the folder of go.mod, seen from this package.
var moduleRoot = ".." //nolint:gochecknoglobals // constant

// TestBrokenCopiesApply applies every patch and builds nothing: it fails as soon as
// a function was renamed, or a place has changed, that a patch looks for.
func TestBrokenCopiesApply(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, c := range conformance.All() {
		known[c.Name] = true
	}
	names := map[string]bool{}
	for _, b := range brokenCopies() {
		require.False(t, names[b.name], "%s is in the table twice", b.name)
		names[b.name] = true
		require.True(t, known[b.finds], "%s: there is no check %q", b.name, b.finds)
		t.Run(b.name, func(t *testing.T) { b.apply(t) })
	}
	require.GreaterOrEqual(t, len(names), 94)
}

// TestEveryBrokenCopyIsFound builds one broken copy of the server after the other
// and requires that a check notices. The whole copy passes the same checks in
// TestOIDF and TestAttack. It takes minutes, so make conformance asks for it.
func TestEveryBrokenCopyIsFound(t *testing.T) {
	t.Parallel()
	if os.Getenv("IDP_BROKEN_COPIES") != "1" {
		t.Skip("building broken copies of the server takes minutes; set IDP_BROKEN_COPIES=1, as make conformance does")
	}
	checks := map[string]conformance.Check{}
	for _, c := range conformance.All() {
		checks[c.Name] = c
	}
	slots := make(chan struct{}, runtime.NumCPU())
	for _, b := range brokenCopies() {
		check, ok := checks[b.finds]
		require.True(t, ok, "%s: there is no check %q", b.name, b.finds)
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			result := check.Run(t.Context(), b.start(t))
			require.Contains(t, []conformance.Outcome{conformance.Failed, conformance.Warned}, result.Outcome,
				"%s does not notice that %s is broken", b.finds, b.name)
		})
	}
}

// apply returns the file that is patched and its new content.
func (c brokenCopy) apply(t *testing.T) (path string, content []byte) {
	t.Helper()
	b, err := openDeclaration(filepath.Join(moduleRoot, filepath.FromSlash(c.folder)), c.decl)
	require.NoError(t, err, c.name)
	require.NoError(t, c.patch(b), "%s: %s in %s", c.name, c.decl, b.path)
	content, err = b.result()
	require.NoError(t, err, c.name)
	return b.path, content
}

// start builds the broken copy and runs it until the test ends.
func (c brokenCopy) start(t *testing.T) *conformance.Target {
	t.Helper()
	folder := t.TempDir()
	path, content := c.apply(t)
	original, err := filepath.Abs(path)
	require.NoError(t, err)
	patched := filepath.Join(folder, "patched.go")
	require.NoError(t, os.WriteFile(patched, content, 0o600))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: patched}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "overlay.json"), overlay, 0o600))
	binary := filepath.Join(folder, "idp")
	// Without symbols it links in half the time.
	build := exec.Command("go", "build", "-ldflags=-s -w", "-overlay", filepath.Join(folder, "overlay.json"), "-o",
		binary, "./cmd/idp")
	build.Dir, build.Env = moduleRoot, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-vet=off")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	target, _ := servertest.WriteConformance(t, folder, "lifetimes: {refresh_token_grace: 0s}\n")
	target.Now = time.Now
	target.Wait = func(context.Context, time.Duration) error { return nil } // none of these checks needs time to pass
	log := &servertest.Log{}
	cmd := exec.Command(binary, "serve", "--config", filepath.Join(folder, "idp.yaml"))
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool { return strings.Contains(log.String(), `"serving"`) }, 30*time.Second,
		20*time.Millisecond, log.String())
	return target
}
