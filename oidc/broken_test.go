package oidc_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
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
	binary := c.build(t, folder)
	target, _ := servertest.WriteConformance(t, folder, "lifetimes: {refresh_token_grace: 0s}\n")
	target.Now = time.Now
	target.Wait = func(context.Context, time.Duration) error { return nil } // no check of the table needs time to pass

	output, input := io.Pipe()
	cmd := exec.Command(binary, "serve", "--config", filepath.Join(folder, "idp.yaml"))
	cmd.Stdout, cmd.Stderr = input, input
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
		_ = input.Close()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	log := bufio.NewReader(output)
	for {
		line, err := log.ReadString('\n')
		require.NoError(t, err, "the server ended with: %s", line)
		if strings.Contains(line, `"serving"`) {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return target
		}
	}
}

// build writes the broken copy to a folder and returns the path of its binary.
func (c brokenCopy) build(t *testing.T, folder string) string {
	t.Helper()
	path, content := c.apply(t)
	original, err := filepath.Abs(path)
	require.NoError(t, err)
	patched := filepath.Join(folder, "patched.go")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: patched}})
	require.NoError(t, err)
	servertest.WriteFiles(t, folder, map[string][]byte{"patched.go": content, "overlay.json": overlay})
	binary := filepath.Join(folder, "idp")
	// Without symbols it links in half the time.
	build := exec.Command("go", "build", "-ldflags=-s -w",
		"-overlay", filepath.Join(folder, "overlay.json"), "-o", binary, "./cmd/idp")
	build.Dir, build.Env = moduleRoot, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-vet=off")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary
}
