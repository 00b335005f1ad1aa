package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"idpbridge/conformance"
	"idpbridge/dev"
)

// conformanceClients are the clients of the conformance checks. PORT is where logout
// tokens are received.
const conformanceClients = `
clients:
  - id: web
    name: Web
    secret: web-secret-0123456789abcdef0123456789
    redirect_uris: ["https://web.example/test/a/web/callback"]
    post_logout_redirect_uris: ["https://web.example/test/a/web/post_logout_redirect"]
    response_types: [code, id_token, "id_token token", "code id_token", "code token", "code id_token token"]
    scopes: [openid, profile, email, address, phone, offline_access]
    backchannel_logout_uri: http://127.0.0.1:PORT/backchannel/web
    frontchannel_logout_uri: https://web.example/test/a/web/frontchannel_logout
  - id: other
    name: Other
    secret: other-secret-0123456789abcdef01234567
    redirect_uris: ["https://other.example/test/a/other/callback"]
    response_types: [code, id_token, "id_token token", "code id_token", "code token", "code id_token token"]
    scopes: [openid, profile, email, address, phone, offline_access]
  - id: post
    name: Post
    secret: post-secret-0123456789abcdef012345678
    token_endpoint_auth_method: client_secret_post
    redirect_uris: ["https://post.example/test/a/post/callback"]
    response_types: [code, id_token, "id_token token", "code id_token", "code token", "code id_token token"]
    scopes: [openid, profile, email, address, phone, offline_access]
  - id: public
    name: Public
    redirect_uris: ["https://public.example/test/a/public/callback"]
    scopes: [openid, profile, email, address, phone, offline_access]
  - id: keyed
    name: Keyed
    jwks: {file: keyed.jwks.json}
    redirect_uris: ["https://keyed.example/test/a/keyed/callback"]
    scopes: [openid, profile, email, address, phone, offline_access]
`

// testedServer is a server to test over https, with everything lent that the
// checks need.
type testedServer struct {
	target *conformance.Target
	folder string // of the configuration
	log    *lockedBuffer
	clock  *clock
}

// writeConformance writes the configuration of a server to test, and returns the
// target that it will be once somebody runs idp serve there. Lines are added to
// the configuration.
func writeConformance(t testing.TB, folder, lines string) (*conformance.Target, *clock) {
	t.Helper()
	lender := httptest.NewTLSServer(http.NotFoundHandler()) // lends its certificate for 127.0.0.1
	defer lender.Close()
	certificate, key := pemOf(t, lender.TLS.Certificates[0])
	trusted, ok := lender.Client().Transport.(*http.Transport)
	require.True(t, ok)

	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	jwks, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}})
	require.NoError(t, err)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	receiver := conformance.NewReceiver(listener)
	t.Cleanup(func() { require.NoError(t, receiver.Close()) })

	address := freeAddress(t)
	text := "issuer: https://" + address + "\nlisten: " + address + "\noperations: off\ndata: data\npeople: people.yaml\nbrand: {name: Brand}\n" +
		"tls: {certificate: cert.pem, key: key.pem}\n" + lines + strings.ReplaceAll(conformanceClients, "PORT", port)
	for name, content := range map[string][]byte{
		"idp.yaml": []byte(text), "people.yaml": servedPeople(), "cert.pem": certificate, "key.pem": key, "keyed.jwks.json": jwks,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), content, 0o600))
	}

	c := &clock{}
	client := func(id, secret string) conformance.Client {
		return conformance.Client{ID: id, Secret: secret, RedirectURI: "https://" + id + ".example/test/a/" + id + "/callback"}
	}
	target := &conformance.Target{
		Issuer: "https://" + address, HTTP: trusted.Clone(), Now: c.now,
		Wait: func(_ context.Context, d time.Duration) error { c.add(d); return nil },
		Web:  client("web", "web-secret-0123456789abcdef0123456789"), Other: client("other", "other-secret-0123456789abcdef01234567"),
		Post: client("post", "post-secret-0123456789abcdef012345678"), Public: client("public", ""), Keyed: client("keyed", ""),
		Person:      conformance.Person{Username: "jane", Password: "jane-password"},
		OtherPerson: conformance.Person{Username: "victor", Password: "victor-password"},
		Logouts:     receiver,
	}
	target.HTTP.MaxIdleConnsPerHost = 16
	t.Cleanup(target.HTTP.CloseIdleConnections)
	target.Web.PostLogoutRedirectURI = "https://web.example/test/a/web/post_logout_redirect"
	target.Web.FrontchannelLogoutURI = "https://web.example/test/a/web/frontchannel_logout"
	target.Web.BackchannelLogoutURI = "http://127.0.0.1:" + port + "/backchannel/web"
	target.Keyed.Key, target.Keyed.KeyID = private, "k1"
	return target, c
}

// startConformance runs idp serve in this process until the test ends.
func startConformance(t testing.TB) *testedServer {
	t.Helper()
	folder := t.TempDir()
	target, c := writeConformance(t, folder, "")
	s := &testedServer{target: target, folder: folder, clock: c}
	s.log = serveConfig(t, c.now, folder)
	return s
}

// serveConfig runs idp serve with the configuration in a folder until the test
// ends, and returns its log.
func serveConfig(t testing.TB, now func() time.Time, folder string) *lockedBuffer {
	t.Helper()
	return serveConfigWith(t, now, os.Getenv, folder)
}

// serveConfigWith is serveConfig with an environment of its own.
func serveConfigWith(t testing.TB, now func() time.Time, getenv func(string) string, folder string) *lockedBuffer {
	t.Helper()
	log, _ := stoppable(t, now, getenv, folder)
	return log
}

// stoppable is serveConfigWith for a server that the test may stop before its end.
func stoppable(t testing.TB, now func() time.Time, getenv func(string) string, folder string) (log *lockedBuffer, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log = &lockedBuffer{}
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, &process{stdin: strings.NewReader(""), stdout: log, stderr: log, getenv: getenv, now: now},
			[]string{"serve", "--config", filepath.Join(folder, "idp.yaml")})
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		require.Equal(t, 0, <-done, log.String())
	})
	t.Cleanup(stop)
	require.Eventually(t, func() bool { return strings.Contains(log.String(), `"serving"`) }, 20*time.Second, 10*time.Millisecond, log.String())
	return log, stop
}

// freeAddress is a loopback address whose port was free a moment ago.
func freeAddress(t testing.TB) string {
	t.Helper()
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, probe.Close())
	return probe.Addr().String()
}

// servedPeople are the demo people as idp serve takes them: without passwords in
// the clear.
func servedPeople() []byte {
	var kept []string
	for line := range strings.Lines(string(dev.PeopleFile)) {
		if key := strings.TrimSpace(line); !strings.HasPrefix(key, "password:") && !strings.HasPrefix(key, "note:") {
			kept = append(kept, line)
		}
	}
	return []byte(strings.Join(kept, ""))
}

// runChecks runs checks as subtests below plan and module: those that move the
// clock one after the other, then the others side by side.
func runChecks(t *testing.T, target *conformance.Target, checks []conformance.Check) {
	t.Helper()
	for _, check := range checks {
		if check.Serial {
			_, name, _ := strings.Cut(check.Name, "/")
			t.Run(name, func(t *testing.T) { report(t, check.Run(t.Context(), target)) })
		}
	}
	for _, check := range checks {
		if !check.Serial {
			_, name, _ := strings.Cut(check.Name, "/")
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				report(t, check.Run(t.Context(), target))
			})
		}
	}
}

// report fails the test unless the check has passed. A warning of the suite is a
// failure here, and so is a check that could not be run.
func report(t *testing.T, r conformance.Result) {
	t.Helper()
	if r.Outcome != conformance.Passed {
		t.Errorf("%s %s\ndemanded: %s\n%s%s", r.Outcome, r.Name, r.Requirement, strings.Join(r.Problems, "\n"), r.Reason)
	}
}

// plansOf groups checks by what stands before the slash, in order.
func plansOf(checks []conformance.Check) (names []string, plans map[string][]conformance.Check) {
	plans = map[string][]conformance.Check{}
	for _, c := range checks {
		plan, _, _ := strings.Cut(c.Name, "/")
		if plans[plan] == nil {
			names = append(names, plan)
		}
		plans[plan] = append(plans[plan], c)
	}
	return names, plans
}

// TestOIDF runs every module of the OpenID Foundation's suite for static clients,
// in every variant, against the real server over https. A warning there is a
// failure here.
func TestOIDF(t *testing.T) {
	t.Parallel()
	s := startConformance(t)
	names, plans := plansOf(conformance.All())
	for _, plan := range names {
		if plan == "attack" || plan == "extra" {
			continue
		}
		t.Run(plan, func(t *testing.T) { runChecks(t, s.target, plans[plan]) })
	}
}
