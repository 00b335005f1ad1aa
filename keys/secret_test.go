package keys_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/keys"
)

func TestLoadSecretCreatesFileOnce(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "secret")
	got := make([]keys.Secret, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i], _ = keys.LoadSecret(path) })
	}
	wg.Wait()
	for _, s := range got {
		require.Len(t, s.Reveal(), 32)
		require.True(t, got[0].Equal(s.Reveal()))
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, hex.EncodeToString([]byte(got[0].Reveal()))+"\n", string(text))
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, files, 1, "no temporary file is left")
}

func TestLoadSecretRejects(t *testing.T) {
	t.Parallel()
	good := strings.Repeat("0f", 32)
	for name, c := range map[string]struct {
		content string
		mode    os.FileMode
		want    string
	}{
		"an empty file":                    {"", 0o600, "damaged"},
		"two newlines":                     {good + "\n\n", 0o600, "damaged"},
		"a line break of Windows too many": {good + "\r\n\r\n", 0o600, "damaged"},
		"a short one":                      {good[2:] + "\n", 0o600, "damaged"},
		"a long one":                       {good + "00\n", 0o600, "damaged"},
		"a space":                          {" " + good[1:] + "\n", 0o600, "damaged"},
		"raw bytes":                        {strings.Repeat("\x00", 65), 0o600, "damaged"},
		"readable by others":               {good + "\n", 0o604, "chmod 600"},
		"readable by the group":            {good + "\n", 0o640, "chmod 600"},
		"writable by the group":            {good + "\n", 0o620, "chmod 600"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "secret")
			require.NoError(t, os.WriteFile(path, []byte(c.content), c.mode))
			require.NoError(t, os.Chmod(path, c.mode))
			_, err := keys.LoadSecret(path)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, path)
			require.NotContains(t, err.Error(), good[4:])
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, c.content, string(after), "never overwritten")
		})
	}
	_, err := keys.LoadSecret(t.TempDir())
	require.ErrorContains(t, err, "is not a file")
	_, err = keys.LoadSecret(filepath.Join(t.TempDir(), "missing", "secret"))
	require.ErrorContains(t, err, "folder must exist")
	nowhere := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(filepath.Join(t.TempDir(), "missing", "secret"), nowhere))
	_, err = keys.LoadSecret(nowhere)
	require.ErrorContains(t, err, nowhere)
}

// TestLoadSecretWithAnotherLineEnd: an editor or a backup has changed the end of the file.
func TestLoadSecretWithAnotherLineEnd(t *testing.T) {
	t.Parallel()
	good := strings.Repeat("0f", 32)
	for _, end := range []string{"\n", "\r\n", ""} {
		path := filepath.Join(t.TempDir(), "secret")
		require.NoError(t, os.WriteFile(path, []byte(good+end), 0o600))
		s, err := keys.LoadSecret(path)
		require.NoError(t, err, "%q", end)
		same, err := keys.ParseSecret(good)
		require.NoError(t, err)
		require.Equal(t, same.Derive("test"), s.Derive("test"))
	}
}

func TestParseSecret(t *testing.T) {
	t.Parallel()
	s, err := keys.ParseSecret(strings.Repeat("0F", 32) + "\n")
	require.NoError(t, err)
	require.True(t, s.Equal(strings.Repeat("\x0f", 32)))
	for _, bad := range []string{"", "00", strings.Repeat("0", 63) + "x", strings.Repeat("0f", 33)} {
		_, err := keys.ParseSecret(bad)
		require.ErrorContains(t, err, "openssl rand")
	}
}

func TestDerive(t *testing.T) {
	t.Parallel()
	// The output of openssl kdf with digest SHA256 and info "idp a".
	const want = "7edcc04adacabd9cc8fe197cabb034fe18a292868f2ea885348c1365964db100"
	require.Equal(t, want, hex.EncodeToString(secret.Derive("a")), "existing databases depend on it")
	require.Len(t, secret.Derive("a"), 32)
	require.NotEqual(t, secret.Derive("a"), secret.Derive("b"))
	require.NotEqual(t, secret.Derive("a"), keys.NewSecret([]byte(strings.Repeat("t", 32))).Derive("a"))
}

func TestSecretIsRedacted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("x", "secret", secret, "inside", struct{ S keys.Secret }{secret})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		fmt.Fprintf(&out, verb+"\n", secret)
		fmt.Fprintf(&out, verb+"\n", struct{ S keys.Secret }{secret})
		fmt.Fprintf(&out, verb+"\n", struct{ hidden keys.Secret }{secret})
	}
	text, err := json.Marshal(secret)
	require.NoError(t, err)
	out.Write(text)
	for _, leak := range []string{"ssss", "7373", "115 115", "0x73", "c3Nz"} {
		require.NotContains(t, out.String(), leak)
	}
}
