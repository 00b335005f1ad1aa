// Package keycloak runs a real Keycloak for tests. It downloads the distribution from Maven
// Central once, and needs Java 17 or newer. Only tests import it.
package keycloak

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Version is the version of Keycloak that the tests use.
const Version = "26.4.7"

const download = "https://repo1.maven.org/maven2/org/keycloak/keycloak-quarkus-dist/" + Version +
	"/keycloak-quarkus-dist-" + Version + ".zip"

// Start runs Keycloak until the test ends and returns its URL, such as
// http://127.0.0.1:9000. The function returns the realm to import, in JSON, for that URL.
func Start(t testing.TB, realm func(url string) string) string {
	t.Helper()
	home := filepath.Join(t.TempDir(), "keycloak")
	require.NoError(t, os.CopyFS(home, os.DirFS(unpack(t))))
	for _, script := range []string{"kc.sh", "kcadm.sh"} {
		require.NoError(t, os.Chmod(filepath.Join(home, "bin", script), 0o700)) //nolint:gosec // a script
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	folder := filepath.Join(home, "data", "import")
	require.NoError(t, os.MkdirAll(folder, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "realm.json"), []byte(realm("http://"+address)), 0o600))

	log, err := os.Create(filepath.Join(home, "log"))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	script := filepath.Join(home, "bin", "kc.sh")
	cmd := exec.CommandContext(ctx, script, "start-dev", "--import-realm", //nolint:gosec // unpacked above
		"--http-host=127.0.0.1", "--http-port="+port, "--db=dev-mem", "--log-level=info")
	cmd.Env = append(os.Environ(), "KC_BOOTSTRAP_ADMIN_USERNAME=admin", "KC_BOOTSTRAP_ADMIN_PASSWORD="+AdminPassword)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the script starts Java
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	t.Cleanup(func() {
		cancel()
		<-ended
		require.NoError(t, log.Close())
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("Keycloak said: %s", text[max(0, len(text)-6000):])
		}
	})
	waitUntilReady(t, "http://"+address+"/realms/master", ended)
	return "http://" + address
}

// AdminPassword is the password of the user admin.
const AdminPassword = "admin-password"

// waitUntilReady returns when a URL answers 200.
func waitUntilReady(t testing.TB, url string, ended chan struct{}) {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		require.NoError(t, err)
		res, err := client.Do(r)
		if err == nil {
			require.NoError(t, res.Body.Close())
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-ended:
			require.Fail(t, "Keycloak has ended")
		case <-t.Context().Done():
			require.NoError(t, t.Context().Err())
		case <-tick.C:
		}
	}
}

// unpack returns the folder of the distribution, which it downloads if it is missing.
func unpack(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	folder := filepath.Join(cache, "idp-interop", "keycloak-"+Version)
	if _, err := os.Stat(folder); err == nil {
		return folder
	}
	require.NoError(t, os.MkdirAll(filepath.Dir(folder), 0o700))
	file, err := os.CreateTemp(filepath.Dir(folder), "download-*.zip")
	require.NoError(t, err)
	defer func() { _ = os.Remove(file.Name()) }()
	require.NoError(t, errors.Join(fetch(t.Context(), file), file.Close()))
	unpacked, err := os.MkdirTemp(filepath.Dir(folder), "unpack-*") //nolint:usetesting // it is renamed there
	require.NoError(t, err)
	require.NoError(t, extract(file.Name(), unpacked))
	require.NoError(t, os.Rename(filepath.Join(unpacked, "keycloak-"+Version), folder))
	require.NoError(t, os.Remove(unpacked))
	return folder
}

// fetch downloads the distribution.
func fetch(ctx context.Context, to io.Writer) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, download, nil)
	if err != nil {
		return err
	}
	res, err := (&http.Client{Timeout: 10 * time.Minute}).Do(r)
	if err != nil {
		return fmt.Errorf("download Keycloak: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("download Keycloak: %s returns %s", download, res.Status)
	}
	_, err = io.Copy(to, res.Body)
	return err
}

// extract unpacks a zip file into a folder.
func extract(file, folder string) error {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return err
	}
	defer func() { _ = archive.Close() }()
	for _, entry := range archive.File {
		path := filepath.Join(folder, entry.Name) //nolint:gosec // checked by IsLocal
		if !filepath.IsLocal(strings.TrimSuffix(entry.Name, "/")) {
			return fmt.Errorf("%s is outside the folder", entry.Name)
		}
		if entry.FileInfo().IsDir() {
			if err := os.MkdirAll(path, 0o700); err != nil {
				return err
			}
			continue
		}
		if err := extractFile(entry, path); err != nil {
			return err
		}
	}
	return nil
}

func extractFile(entry *zip.File, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	from, err := entry.Open()
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	to, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from) //nolint:gosec // the archive is Keycloak's own
	return errors.Join(err, to.Close())
}
