package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// loopbackPort: any port of a loopback IP address, for native clients alone;
// localhost and every other name must match in full (RFC 8252 section 7.3).
func loopbackPort(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	b := newBrowser(t)
	for _, uri := range []string{"http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb"} {
		require.Equal(t, http.StatusOK, b.get(webRequest(issuer, "redirect_uri", uri)).status, uri)
	}
	for _, uri := range []string{
		"http://localhost/cb", "http://localhost:7777/cb", "http://127.0.0.1:65536/cb", "http://127.0.0.1:0/cb", "http://127.0.0.1:/cb",
		"http://127.0.0.1:07/cb", "http://127.0.0.1:+7/cb", "http://127.0.0.1:7777/cb/", "http://127.0.0.2:7777/cb", "http://[::1]:7777/cb",
		"https://127.0.0.1:7777/cb", "http://127.0.0.1:7777@evil.example/cb", "http://127.0.0.1.evil.example:7777/cb",
	} {
		p := b.get(webRequest(issuer, "redirect_uri", uri))
		require.Equal(t, http.StatusBadRequest, p.status, uri)
		require.Empty(t, p.location, uri)
	}
	p := b.get(webRequest(issuer, "client_id", "liveengage", "redirect_uri", "https://liveperson.net:8443"))
	require.Equal(t, http.StatusBadRequest, p.status, "a client that is not native")
}

// checkConfig runs idp config check on a client's settings and returns what it
// says.
func checkConfig(t *testing.T, client string) (code int, stderr string) {
	t.Helper()
	folder := t.TempDir()
	text := "issuer: http://127.0.0.1:8080\ndata: data\npeople: people.yaml\nbrand: {name: Brand}\nclients:\n  - id: shop\n" + client
	require.NoError(t, os.WriteFile(filepath.Join(folder, "idp.yaml"), []byte(text), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "people.yaml"), []byte("people:\n  - {username: ann, sub: 0123456789abcdef}\n"), 0o600))
	code, _, stderr = runCommand(t, "", "config", "check", filepath.Join(folder, "idp.yaml"))
	return code, stderr
}

// registeredRedirects: what could never be a safe redirect URI is refused when it
// is configured, with line and column.
func registeredRedirects(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{
		"http://shop.example/cb", "https://shop.example/cb#x", "javascript:alert(1)", "data:text/html,x", "https://*.shop.example/cb",
		"https://user@shop.example/cb", "https://shop.example/../cb", "/cb", "shop:/cb",
	} {
		code, stderr := checkConfig(t, "    redirect_uris: ['"+uri+"']\n")
		require.Equal(t, 1, code, uri)
		require.Regexp(t, `idp\.yaml:7:\d+: client "shop": redirect URI `, stderr)
		code, stderr = checkConfig(t, "    redirect_uris: ['https://shop.example/cb']\n    post_logout_redirect_uris: ['"+uri+"']\n")
		require.Equal(t, 1, code, uri)
		require.Contains(t, stderr, "idp.yaml:8:", uri)
	}
	code, stderr := checkConfig(t, "    redirect_uris: ['https://shop.example/cb']\n")
	require.Equal(t, 0, code, stderr)
	for _, uri := range []string{"http://shop.example/out", "https://shop.example/out#x", "shop.example", "javascript:alert(1)"} {
		for _, key := range []string{"backchannel_logout_uri", "frontchannel_logout_uri"} {
			code, stderr := checkConfig(t, "    redirect_uris: ['https://shop.example/cb']\n    "+key+": '"+uri+"'\n")
			require.Equal(t, 1, code, uri)
			require.Contains(t, stderr, "idp.yaml:8:", uri)
		}
	}
}

// registeredAlgorithms: none, symmetric algorithms and weak keys are refused when
// they are configured.
func registeredAlgorithms(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{"none", "HS256", "RS512", "EdDSA", "rs256"} {
		code, stderr := checkConfig(t, "    redirect_uris: ['https://shop.example/cb']\n    id_token_signed_response_alg: "+alg+"\n")
		require.Equal(t, 1, code, alg)
		require.Contains(t, stderr, "RS256, ES256", alg)
	}
	for name, jwks := range map[string]string{
		"symmetric": `{"keys":[{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ"}]}`,
		"weak":      `{"keys":[{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs", "e":"AQAB"}]}`,
		"none":      `{"keys":[]}`,
	} {
		code, stderr := checkConfig(t, "    redirect_uris: ['https://shop.example/cb']\n    jwks: '"+jwks+"'\n")
		require.Equal(t, 1, code, name)
		require.Contains(t, stderr, "jwks", name)
		require.NotContains(t, stderr, "c2VjcmV0", name)
	}
}

// subjectsInThePeopleFile: no two people share a sub, and none is too long.
func subjectsInThePeopleFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "idp.yaml")
	text := "issuer: http://127.0.0.1:8080\ndata: data\npeople: people.yaml\nbrand: {name: Brand}\nclients:\n  - {id: shop, redirect_uris: ['https://shop.example/cb']}\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	for name, people := range map[string]string{
		"twice":    "people:\n  - {username: ann, sub: 0123456789abcdef}\n  - {username: bob, sub: 0123456789abcdef}\n",
		"too long": "people:\n  - {username: ann, sub: " + strings.Repeat("a", 256) + "}\n",
		"missing":  "people:\n  - {username: ann}\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, "people.yaml"), []byte(people), 0o600))
		code, _, stderr := runCommand(t, "", "config", "check", file)
		require.Equal(t, 1, code, name)
		require.Regexp(t, `people\.yaml:\d+:\d+: `, stderr, name)
	}
}

// developmentInProduction: what the development mode adds is not there, and the
// development mode itself starts on loopback alone.
func developmentInProduction(t *testing.T) {
	t.Parallel()
	s := startConformance(t)
	client := &http.Client{Transport: s.target.HTTP}
	for _, path := range []string{"/setup", "/try", "/cb", "/metrics", "/healthz"} {
		res, err := client.Get(s.target.Issuer + path)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusNotFound, res.StatusCode, path)
	}
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:0"} {
		code, text := runFailing(t, "dev", "--simulator", "off", "--listen", listen, "--operations", "127.0.0.1:0", "--data", t.TempDir())
		require.Equal(t, 1, code, listen)
		require.Contains(t, text, "loopback", listen)
	}
}
