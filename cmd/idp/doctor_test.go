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
)

// doctorOf runs idp doctor with an environment of its own.
func doctorOf(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return withEnv(t, env, "", append([]string{"doctor"}, args...)...)
}

const patientSecret = "patient-secret-0123456789abcdef0123456"

// patient is a server over https with a client that is LiveEngage, its
// configuration, and the authority of its certificate.
type patient struct {
	issuer, config, ca string
	lender             *httptest.Server // of the certificate; it can play LivePerson
	connectors         []map[string]any // that it lists
}

func startPatient(t *testing.T) *patient {
	t.Helper()
	p := &patient{}
	p.lender = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/account/12345678/configuration/le-connectors/all-connectors" {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(p.connectors)
	}))
	t.Cleanup(p.lender.Close)
	certificate, key := pemOf(t, p.lender.TLS.Certificates[0])
	folder, address := t.TempDir(), freeAddress(t)
	p.issuer, p.config, p.ca = "https://"+address, filepath.Join(folder, "idp.yaml"), filepath.Join(folder, "cert.pem")
	text := "issuer: " + p.issuer + "\nlisten: " + address + "\noperations: " + freeAddress(t) + `
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
    secret: {env: PATIENT_SECRET}
    redirect_uris: ["https://lpcdn.lpsnmedia.net/le_unified_window/index.html", "https://liveperson.net"]
    response_types: [code]
`
	for name, content := range map[string][]byte{"idp.yaml": []byte(text), "people.yaml": servedPeople(), "cert.pem": certificate, "key.pem": key} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), content, 0o600))
	}
	serveConfigWith(t, time.Now, func(name string) string { return map[string]string{"PATIENT_SECRET": patientSecret}[name] }, folder)
	return p
}

// line is the key as the server shows it for pasting.
func (p *patient) line(t *testing.T) string {
	t.Helper()
	b := newBrowser(t)
	b.client.Transport = p.lender.Client().Transport
	return strings.TrimSpace(b.get(p.issuer + "/keys/public.txt").body)
}

// TestDoctorConfigured examines our own server over https by its configuration.
func TestDoctorConfigured(t *testing.T) {
	t.Parallel()
	s := startPatient(t)
	env := map[string]string{"PATIENT_SECRET": patientSecret}
	base := []string{"--config", s.config, "--ca", s.ca}

	code, stdout, stderr := doctorOf(t, env, append(base, "--local")...)
	require.Equal(t, 0, code, stdout+stderr)
	first, _, _ := strings.Cut(stdout, "\n")
	require.Contains(t, first, "Examining "+s.issuer+" as the client liveengage, with --local")
	for _, good := range []string{
		"tls-version", "tls-name", "tls-expiry", "clock", "discovery-issuer", "proxy-headers", "hsts", "cookies", "keys-encoding", "key-line", "key-pem",
		"key-active", "operations-ready", "operations-private", "redirect-accepted", "redirect-foreign", "redirect-state",
		"token-credentials", "token-form", "token-json", "token-headers", "token-secret", "token-method", "token-challenge", "token-time",
	} {
		require.Regexp(t, `(?m)^ok     `+good+` `, stdout)
	}
	require.NotContains(t, stdout, "\nwarn ", stdout)
	require.Regexp(t, `\nok: \d+, notes: \d+, warnings: 0, errors: 0, skipped: 2\n$`, stdout)
	require.NotContains(t, stdout+stderr, patientSecret)
	require.NotContains(t, stdout, "\x1b", "no colours")

	code, stdout, stderr = doctorOf(t, env, base...)
	require.Equal(t, 1, code)
	require.Regexp(t, `(?m)^ERROR  address-port .*\n +to do: `, stdout)
	require.Regexp(t, `(?m)^ERROR  address-public .*only this machine can reach it`, stdout)
	require.Regexp(t, `(?m)^ERROR  tls-trust .*trusted only because of the authorities`, stdout)
	require.Contains(t, stderr, "errors: 3")

	code, stdout, _ = doctorOf(t, env, "--config", s.config, "--local")
	require.Equal(t, 1, code)
	require.Regexp(t, `(?m)^ERROR  tls-trust `, stdout, "the authority is not public")

	code, _, stderr = doctorOf(t, map[string]string{}, base...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "PATIENT_SECRET")
	code, stdout, _ = doctorOf(t, map[string]string{"PATIENT_SECRET": patientSecret + "x"}, append(base, "--local")...)
	require.Equal(t, 1, code)
	require.Regexp(t, `(?m)^ERROR  token-credentials `, stdout)
	code, stdout, _ = doctorOf(t, env, append(base, "--local", "--redirect-uri", "https://elsewhere.example/cb")...)
	require.Equal(t, 1, code)
	require.Regexp(t, `(?m)^ERROR  redirect-accepted .*elsewhere`, stdout)
}

// TestDoctorAccount compares the connector that an account has with our server.
func TestDoctorAccount(t *testing.T) {
	t.Parallel()
	s := startPatient(t)
	good := s.line(t)
	fields := map[string]any{
		"issuer": s.issuer, "clientId": "liveengage", "authorizationEndpoint": s.issuer + "/authorize", "tokenEndpoint": s.issuer + "/token",
		"jwtValidationType": "PUBLIC_JWT_KEY", "jwtPublicKey": good, "jsMethodName": "lpGetAuthenticationToken", "jsContext": "window",
		"rfcCompliance": true, "pkceEnabled": false,
	}
	s.connectors = []map[string]any{{"id": 4056284238, "name": "Brand", "type": 2, "deleted": false, "configuration": fields}}
	args := []string{"--config", s.config, "--ca", s.ca, "--local", "--account", "12345678", "--account-base", s.lender.URL}
	env := map[string]string{"PATIENT_SECRET": patientSecret}

	code, stdout, stderr := doctorOf(t, env, append(args, "--expect", "type=2", "--expect", "pkceEnabled=false")...)
	require.Equal(t, 0, code, stdout+stderr)
	require.Contains(t, stdout, `"Brand" (4056284238)`)
	require.Regexp(t, `(?m)^ok     connector-key .*character by character`, stdout)
	require.Regexp(t, `(?m)^ok     connector-type `, stdout)

	wrong := []byte(good)
	wrong[199] ^= 1
	fields["jwtPublicKey"] = string(wrong)
	code, stdout, _ = doctorOf(t, env, args...)
	require.Equal(t, 1, code)
	require.Contains(t, stdout, "character 200 is '"+string(wrong[199])+"' and should be '"+good[199:200]+"'")
	require.Contains(t, stdout, "warnings: 0, errors: 1,")

	code, stdout, _ = doctorOf(t, env, append(args, "--expect", "pkceEnabled=true", "--connector", "4056284238")...)
	require.Equal(t, 1, code)
	require.Regexp(t, `(?m)^ERROR  connector-pkce .*\n.*\n.*it is "false", it should be "true"`, stdout)
	code, stdout, _ = doctorOf(t, env, append(args, "--connector", "other")...)
	require.Equal(t, 1, code)
	require.Regexp(t, `(?m)^ERROR  connector-found `, stdout)
}

// TestDoctorIssuer examines a server of which only the address is known: idp dev.
func TestDoctorIssuer(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	base := []string{"--issuer", issuer, "--client", "liveengage", "--local"}

	code, stdout, stderr := doctorOf(t, nil, base...)
	require.Equal(t, 0, code, stdout+stderr)
	require.Regexp(t, `(?m)^note   address-https .*The issuer uses http,`, stdout)
	require.Regexp(t, `(?m)^ok     token-credentials `, stdout, "the secret of idp dev is known")
	require.Regexp(t, `(?m)^skip   operations-ready `, stdout)

	code, stdout, stderr = doctorOf(t, map[string]string{"IDP_DOCTOR_SECRET": "not-the-secret"}, append(base, "--json")...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "errors: 1")
	var report struct {
		Issuer, Client string
		Local          bool
		doctor.Report
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &report), "JSON and nothing else")
	require.Equal(t, issuer, report.Issuer)
	require.True(t, report.Local)
	require.Equal(t, doctor.Error, report.Level(doctor.TokenCredentials))
	require.Equal(t, 1, report.Totals[doctor.Error])
	require.NotContains(t, stdout, "not-the-secret")

	// The paste, right and wrong.
	file := filepath.Join(t.TempDir(), "pasted.txt")
	line := newBrowser(t).get(issuer + "/keys/public.txt").body
	require.NoError(t, os.WriteFile(file, []byte(line), 0o600))
	code, stdout, _ = doctorOf(t, nil, append(base, "--key", file)...)
	require.Equal(t, 0, code)
	require.Regexp(t, `(?m)^ok     key-pasted `, stdout, "the file's last line end is not part of the key")
	require.NoError(t, os.WriteFile(file, []byte(line[:50]+line[51:]), 0o600))
	code, stdout, _ = doctorOf(t, nil, append(base, "--key", file)...)
	require.Equal(t, 1, code)
	require.Regexp(t, `(?m)^ERROR  key-pasted .*character \d+ is '.' and should be '.'`, stdout)

	// Without the client's flow there is nothing to ask the token endpoint for,
	// and LivePerson's window may have no nonce.
	code, stdout, _ = doctorOf(t, nil, append(base, "--response-type", "id_token")...)
	require.Equal(t, 0, code)
	require.Regexp(t, `(?m)^skip   token-answers `, stdout)
	require.Regexp(t, `(?m)^ok     redirect-nonce `, stdout)
}

// TestDoctorTellsAtOnce: a finding is printed before the next thing is looked at.
func TestDoctorTellsAtOnce(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	out := &stopping{stop: cancel, at: "address-https"}
	var errs bytes.Buffer
	code := run(ctx, &process{stdin: strings.NewReader(""), stdout: out, stderr: &errs, now: time.Now, getenv: os.Getenv},
		[]string{"doctor", "--issuer", "http://127.0.0.1:1", "--client", "x"})
	require.Equal(t, 1, code)
	require.Contains(t, errs.String(), "interrupted")
	require.NotContains(t, out.String(), "discovery-document")
}

// stopping calls stop once a text has been written to it.
type stopping struct {
	bytes.Buffer
	stop func()
	at   string
}

func (s *stopping) Write(b []byte) (int, error) {
	n, err := s.Buffer.Write(b)
	if strings.Contains(s.String(), s.at) {
		s.stop()
	}
	return n, err
}

// TestDoctorUsedWrongly: exit status 2, and a sentence that says what to write.
func TestDoctorUsedWrongly(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	file("people.yaml", "people:\n  - {username: ann, sub: 0123456789abcdef}\n")
	shop := file("idp.yaml", `issuer: https://login.brand.example
proxies: [127.0.0.1]
data: data
people: people.yaml
brand: {name: Brand}
clients:
  - {id: shop, redirect_uris: ["https://shop.example/cb"], response_types: ["code token"]}
`)
	empty := file("empty", "\n")
	some := []string{"--issuer", "https://login.brand.example", "--client", "x"}
	for _, c := range []struct {
		says string
		args []string
	}{
		{"name the provider by --config FILE or by --issuer URL", nil},
		{"leave --issuer out", []string{"--config", shop, "--issuer", "https://x.example"}},
		{"needs --client", []string{"--issuer", "https://x.example"}},
		{"is not an address", []string{"--issuer", "nonsense", "--client", "x"}},
		{`has no client "other"`, []string{"--config", shop, "--client", "other"}},
		{"no client with the profile liveengage", []string{"--config", shop}},
		{"neither response type", []string{"--config", shop, "--client", "shop"}},
		{"neither code nor id_token", append(some, "--response-type", "token")},
		{"not an account number", append(some, "--account", "1/2")},
		{"no such field; write one of: authorizationEndpoint", append(some, "--expect", "secret=x")},
		{"holds no certificate", append(some, "--ca", shop)},
		{"is empty", append(some, "--key", empty)},
		{"no such file", append(some, "--key", filepath.Join(folder, "nothing"))},
		{"unexpected argument", append(some, "more")},
	} {
		code, stdout, stderr := doctorOf(t, nil, c.args...)
		require.Equal(t, 2, code, "%v: %s", c.args, stderr)
		require.Contains(t, stderr, c.says)
		require.Empty(t, stdout)
	}
	code, _, stderr := doctorOf(t, nil, "--config", filepath.Join(folder, "nothing"))
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "read configuration")
}
