package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/doctor"
	"idpbridge/server/servertest"
)

// runDoctor runs idp doctor with the environment variables. Its clock stands still,
// so that no finding depends on how fast this machine is.
func runDoctor(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	now := time.Now()
	code = run(t.Context(), &process{
		stdin:  strings.NewReader(""),
		stdout: &out,
		stderr: &errs,
		now:    func() time.Time { return now },
		getenv: func(name string) string { return env[name] },
	}, append([]string{"doctor"}, args...))
	return code, out.String(), errs.String()
}

const targetSecret = "target-secret-0123456789abcdef0123456"

// doctorTarget is a server with https, a client for LiveEngage and a configuration
// file, and LivePerson's list of connectors.
type doctorTarget struct {
	issuer, config, ca string
	livePerson         *httptest.Server // lists the connectors, with the server's certificate
	connectors         []map[string]any
}

func startDoctorTarget(t *testing.T) *doctorTarget {
	t.Helper()
	d := &doctorTarget{}
	d.livePerson = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/account/12345678/configuration/le-connectors/all-connectors" {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(d.connectors)
	}))
	t.Cleanup(d.livePerson.Close)
	certificate, key := pemOf(t, d.livePerson.TLS.Certificates[0])
	folder, address := t.TempDir(), servertest.FreeAddress(t)
	d.issuer, d.config, d.ca = "https://"+address, filepath.Join(folder, "idp.yaml"), filepath.Join(folder, "cert.pem")
	text := "issuer: " + d.issuer + "\nlisten: " + address + "\noperations: " + servertest.FreeAddress(t) + `
data: data
people: people.yaml
brand: {name: Brand}
tls: {certificate: cert.pem, key: key.pem}
clients:
  - id: shop
    redirect_uris: ["https://shop.example/cb"]
    response_types: [code id_token]
  - id: liveengage
    profile: liveengage
    secret: {env: TARGET_SECRET}
    redirect_uris: ["https://lpcdn.lpsnmedia.net/le_unified_window/index.html"]
    response_types: [code]
    liveengage: {account: "12345678"}
`
	for name, content := range map[string][]byte{
		"idp.yaml": []byte(text), "people.yaml": servertest.PeopleFile(), "cert.pem": certificate, "key.pem": key,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), content, 0o600))
	}
	env := map[string]string{"TARGET_SECRET": targetSecret}
	serveConfigWith(t, time.Now, func(name string) string { return env[name] }, folder)
	return d
}

// keyLine returns the public key that the server shows for pasting.
func (d *doctorTarget) keyLine(t *testing.T) string {
	t.Helper()
	b := servertest.NewBrowser(t)
	b.Transport = d.livePerson.Client().Transport
	return strings.TrimSpace(b.Get(d.issuer + "/keys/public.txt").Body)
}

// TestDoctorConfig checks a server by its configuration file.
func TestDoctorConfig(t *testing.T) {
	t.Parallel()
	s := startDoctorTarget(t)
	env := map[string]string{"TARGET_SECRET": targetSecret}
	base := []string{"--config", s.config, "--ca", s.ca}

	code, stdout, stderr := runDoctor(t, env, append(base, "--local")...)
	require.Equal(t, 0, code, stdout+stderr)
	first, _, _ := strings.Cut(stdout, "\n")
	require.Contains(t, first, "Checking "+s.issuer+" with the client liveengage, with --local")
	for _, good := range []string{
		"tls-version", "tls-name", "tls-expiry", "clock", "discovery-issuer", "proxy-headers", "hsts", "cookies",
		"keys-encoding", "key-line", "key-pem", "key-active", "operations-ready", "operations-private",
		"redirect-accepted", "redirect-foreign", "redirect-website", "redirect-account", "redirect-state",
		"token-credentials", "token-form", "token-json", "token-headers", "token-secret", "token-method",
		"token-challenge", "token-time",
	} {
		require.Regexp(t, `(?m)^ok     `+good+` `, stdout)
	}
	require.NotContains(t, stdout, "\nwarn ", stdout)
	require.Regexp(t, `\nok: \d+, notes: \d+, warnings: 0, errors: 0, skipped: 2\n$`, stdout)
	require.NotContains(t, stdout+stderr, targetSecret)
	require.NotContains(t, stdout, "\x1b", "the output has no colors")

	code, stdout, stderr = runDoctor(t, env, base...)
	require.Equal(t, 1, code)
	require.Regexp(t, `(?m)^ERROR  address-port .*\n +to do: `, stdout)
	require.Regexp(t, `(?m)^ERROR  address-public .*only this machine can reach it`, stdout)
	require.Regexp(t, `(?m)^ERROR  tls-trust .*trusted only because of the authorities`, stdout)
	require.Contains(t, stderr, "errors: 3")

	code, stdout, _ = runDoctor(t, env, "--config", s.config, "--local")
	require.Equal(t, 1, code)
	require.Regexp(t, `(?m)^ERROR  tls-trust `, stdout, "the authority is not public")

	code, _, stderr = runDoctor(t, map[string]string{}, base...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "TARGET_SECRET")
	code, stdout, _ = runDoctor(t, map[string]string{"TARGET_SECRET": targetSecret + "x"}, append(base, "--local")...)
	require.Equal(t, 1, code)
	require.Regexp(t, `(?m)^ERROR  token-credentials `, stdout)
	code, stdout, _ = runDoctor(t, env, append(base, "--local", "--redirect-uri", "https://elsewhere.example/cb")...)
	require.Equal(t, 1, code)
	require.Regexp(t, `(?m)^ERROR  redirect-accepted .*elsewhere`, stdout)
	code, _, stderr = runDoctor(t, env, append(base, "--account", "99")...)
	require.Equal(t, 2, code)
	require.Contains(t, stderr, "--account is 99, but liveengage.account in the configuration is 12345678")
}

// TestDoctorAccount compares a connector with a server.
func TestDoctorAccount(t *testing.T) {
	t.Parallel()
	s := startDoctorTarget(t)
	good := s.keyLine(t)
	fields := map[string]any{
		"issuer":                s.issuer,
		"clientId":              "liveengage",
		"authorizationEndpoint": s.issuer + "/authorize",
		"tokenEndpoint":         s.issuer + "/token",
		"jwtValidationType":     "PUBLIC_JWT_KEY",
		"jwtPublicKey":          good,
		"jsMethodName":          "lpGetAuthenticationToken",
		"jsContext":             "window",
		"rfcCompliance":         true,
		"pkceEnabled":           false,
	}
	s.connectors = []map[string]any{
		{"id": 4056284238, "name": "Brand", "type": 2, "deleted": false, "configuration": fields},
	}
	args := []string{
		"--config", s.config, "--ca", s.ca, "--local", "--account", "12345678", "--account-base", s.livePerson.URL,
	}
	env := map[string]string{"TARGET_SECRET": targetSecret}

	code, stdout, stderr := runDoctor(t, env, append(args, "--expect", "type=2", "--expect", "pkceEnabled=false")...)
	require.Equal(t, 0, code, stdout+stderr)
	require.Contains(t, stdout, `"Brand" (4056284238)`)
	require.Regexp(t, `(?m)^ok     connector-key .*character by character`, stdout)
	require.Regexp(t, `(?m)^ok     connector-type `, stdout)

	wrong := []byte(good)
	wrong[199] ^= 1
	fields["jwtPublicKey"] = string(wrong)
	code, stdout, _ = runDoctor(t, env, args...)
	require.Equal(t, 1, code)
	require.Contains(t, stdout, "character 200 is '"+string(wrong[199])+"' and should be '"+good[199:200]+"'")
	require.Contains(t, stdout, "warnings: 0, errors: 1,")

	code, stdout, _ = runDoctor(t, env, append(args, "--expect", "pkceEnabled=true", "--connector", "4056284238")...)
	require.Equal(t, 1, code)
	require.Regexp(t, `(?m)^ERROR  connector-pkce .*\n.*\n.*pkceEnabled is "false", it should be "true"`, stdout)
	code, stdout, _ = runDoctor(t, env, append(args, "--connector", "other")...)
	require.Equal(t, 1, code)
	require.Regexp(t, `(?m)^ERROR  connector-found `, stdout)
}

// TestDoctorIssuer checks a server of which only the issuer is known, idp dev.
func TestDoctorIssuer(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	base := []string{"--issuer", issuer, "--client", "liveengage", "--local"}

	code, stdout, stderr := runDoctor(t, nil, base...)
	require.Equal(t, 0, code, stdout+stderr)
	require.Regexp(t, `(?m)^note   address-https .*The issuer uses http,`, stdout)
	require.Regexp(t, `(?m)^ok     token-credentials `, stdout, "the secret of idp dev is known")
	require.Regexp(t, `(?m)^skip   operations-ready `, stdout)

	env := map[string]string{"IDP_DOCTOR_SECRET": "not-the-secret"}
	code, stdout, stderr = runDoctor(t, env, append(base, "--json")...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "errors: 1")
	var report struct {
		Issuer, Client string
		Local          bool
		doctor.Report
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &report), "the output is JSON only")
	require.Equal(t, issuer, report.Issuer)
	require.True(t, report.Local)
	require.Equal(t, doctor.Error, report.Level(doctor.TokenCredentials))
	require.Equal(t, 1, report.Totals[doctor.Error])
	require.NotContains(t, stdout, "not-the-secret")

	// A pasted key, right and wrong.
	file := filepath.Join(t.TempDir(), "pasted.txt")
	line := servertest.NewBrowser(t).Get(issuer + "/keys/public.txt").Body
	require.NoError(t, os.WriteFile(file, []byte(line), 0o600))
	code, stdout, _ = runDoctor(t, nil, append(base, "--key", file)...)
	require.Equal(t, 0, code)
	require.Regexp(t, `(?m)^ok     key-pasted `, stdout, "the line end of the file is not part of the key")
	require.NoError(t, os.WriteFile(file, []byte(line[:50]+line[51:]), 0o600))
	code, stdout, _ = runDoctor(t, nil, append(base, "--key", file)...)
	require.Equal(t, 1, code)
	require.Regexp(t, `(?m)^ERROR  key-pasted .*character \d+ is '.' and should be '.'`, stdout)

	// In the implicit flow, the token endpoint is not used, and LivePerson's window
	// may send no nonce.
	code, stdout, _ = runDoctor(t, nil, append(base, "--response-type", "id_token")...)
	require.Equal(t, 0, code)
	require.Regexp(t, `(?m)^skip   token-answers `, stdout)
	require.Regexp(t, `(?m)^ok     redirect-nonce `, stdout)
}

// TestDoctorPrintsAtOnce: a finding is printed before the next check is made.
func TestDoctorPrintsAtOnce(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	out := &stopWriter{stop: cancel, at: "address-https"}
	var errs bytes.Buffer
	process := &process{stdin: strings.NewReader(""), stdout: out, stderr: &errs, now: time.Now, getenv: os.Getenv}
	code := run(ctx, process, []string{"doctor", "--issuer", "http://127.0.0.1:1", "--client", "x"})
	require.Equal(t, 1, code)
	require.Contains(t, errs.String(), "interrupted")
	require.NotContains(t, out.String(), "discovery-document")
}

// stopWriter calls stop as soon as a text was written to it.
type stopWriter struct {
	bytes.Buffer
	stop func()
	at   string
}

func (w *stopWriter) Write(b []byte) (int, error) {
	n, err := w.Buffer.Write(b)
	if strings.Contains(w.String(), w.at) {
		w.stop()
	}
	return n, err
}
