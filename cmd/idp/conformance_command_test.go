package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/conformance"
	"idpbridge/server/servertest"
)

// conformanceOf runs idp conformance with environment variables.
func conformanceOf(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return runCommandWithEnv(t, env, "", append([]string{"conformance"}, args...)...)
}

// TestConformanceCommand tests idp dev, whose clients the command knows.
func TestConformanceCommand(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	base := []string{"--issuer", issuer, "--client", "local-web"}

	code, stdout, stderr := conformanceOf(t, nil, append(base, "--only", "24-parallel")...)
	require.Equal(t, 0, code, stderr)
	require.Equal(t, "passed  attack/24-parallel-code-redemption\n\n1 passed, 0 failed, 0 warned, 0 skipped\n", stdout)

	code, stdout, stderr = conformanceOf(t, nil, append(base, "--only", "config/", "--json")...)
	require.Equal(t, 0, code, stderr)
	var report struct {
		Issuer  string                      `json:"issuer"`
		Totals  map[conformance.Outcome]int `json:"totals"`
		Results []conformance.Result        `json:"results"`
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &report))
	require.Equal(t, issuer, report.Issuer)
	require.Equal(t, 1, report.Totals[conformance.Warned], "plain http, on loopback")
	require.Contains(t, report.Results[0].Problems[0], "must be https")
	code, _, stderr = conformanceOf(t, nil, append(base, "--only", "config/", "--strict")...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "1 warned")

	code, stdout, _ = conformanceOf(t, nil, append(base, "--only", "25-old-code")...)
	require.Equal(t, 0, code)
	require.Contains(t, stdout, "because it takes 10m1s of waiting")

	wrong := map[string]string{"IDP_CONFORMANCE_SECRET": "not-the-secret"}
	code, stdout, stderr = conformanceOf(t, wrong, append(base, "--only", "basic/oidcc-server")...)
	require.Equal(t, 1, code)
	require.Contains(t, stdout, "failed  basic/oidcc-server")
	require.Contains(t, stdout, "seen:     the code was rejected with 401 invalid_client")
	require.Contains(t, stderr, "does not pass: 2 failed")
}

// TestSelftestIsTheOldName: scripts that use the old command and the old
// environment variables work for one release; help does not show them.
func TestSelftestIsTheOldName(t *testing.T) {
	t.Parallel()
	env := map[string]string{"IDP_SELFTEST_SECRET": "s"}
	code, _, stderr := runCommandWithEnv(t, env, "", "selftest", "--issuer", "https://login.example", "--client", "shop")
	require.Equal(t, 2, code)
	require.Contains(t, stderr, "idp selftest is now called idp conformance\n")
	require.Contains(t, stderr, "IDP_CONFORMANCE_PASSWORD is not set")
	_, stdout, _ := runCommandWithEnv(t, nil, "", "--help")
	require.Contains(t, stdout, "conformance")
	require.NotContains(t, stdout, "selftest")
}

// TestConformanceCommandInFull uses every flag: a CA, a client with a key, a receiver of
// logout tokens.
func TestConformanceCommandInFull(t *testing.T) {
	t.Parallel()
	s := servertest.StartConformance(t)
	target := s.Target
	der, err := x509.MarshalPKCS8PrivateKey(target.Keyed.Key)
	require.NoError(t, err)
	key := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	env := map[string]string{
		"IDP_CONFORMANCE_SECRET":       target.Web.Secret,
		"IDP_CONFORMANCE_OTHER_SECRET": target.Other.Secret,
		"IDP_CONFORMANCE_PASSWORD":     target.Person.Password,
	}
	require.NoError(t, target.Logouts.Close()) // the command takes its port
	receiver, err := url.Parse(target.Web.BackchannelLogoutURI)
	require.NoError(t, err)
	base := []string{"--issuer", s.Issuer, "--ca", filepath.Join(s.Folder, "cert.pem"), "--client", "web"}
	full := append(slices.Clone(base), "--redirect-uri", target.Web.RedirectURI,
		"--post-logout-redirect-uri", target.Web.PostLogoutRedirectURI,
		"--frontchannel-logout-uri", target.Web.FrontchannelLogoutURI, "--receive", receiver.Host)
	for only, want := range map[string]string{
		"backchannel-logout/":  "7 passed, 0 failed, 0 warned, 0 skipped",
		"frontchannel-logout/": "7 passed, 0 failed, 0 warned, 0 skipped",
		"config/":              "1 passed, 0 failed, 0 warned, 0 skipped",
	} {
		code, stdout, stderr := conformanceOf(t, env, append(slices.Clone(full), "--strict", "--only", only)...)
		require.Equal(t, 0, code, stdout+stderr)
		require.Contains(t, stdout, want)
	}
	keyed := append(slices.Clone(base), "--redirect-uri", target.Keyed.RedirectURI,
		"--keyed", "keyed", "--key", key, "--kid", "k1", "--only", "extra/private-key-jwt")
	code, stdout, stderr := conformanceOf(t, env, keyed...)
	require.Equal(t, 0, code, stdout+stderr)
	require.Contains(t, stdout, "passed  extra/private-key-jwt")
}
