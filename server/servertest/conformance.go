package servertest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"idpbridge/conformance"
)

// conformanceClients are the clients that the conformance checks need. PORT is where
// logout tokens are received.
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
  - id: chat
    name: Chat
    secret: chat-secret-0123456789abcdef012345678
    profile: liveengage
    redirect_uris: ["https://lpcdn.lpsnmedia.net/le_unified_window/index.html"]
    response_types: [code, id_token]
    liveengage: {account: "12345678"}
`

// Clock is a clock that tests move. The zero value shows the real time.
type Clock struct{ ahead atomic.Int64 }

// Now returns the time.
func (c *Clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// Add moves the clock forward.
func (c *Clock) Add(d time.Duration) { c.ahead.Add(int64(d)) }

// Conformance is a server that has everything the conformance checks need.
type Conformance struct {
	*Server

	Target *conformance.Target
	Folder string // of the configuration
	Clock  *Clock
}

// StartConformance runs a server for the conformance checks over https until the test
// ends. Waiting moves its clock.
func StartConformance(t testing.TB) *Conformance {
	t.Helper()
	folder := t.TempDir()
	target, clock := WriteConformance(t, folder, "")
	return &Conformance{
		Server: StartFile(t, filepath.Join(folder, "idp.yaml"), clock.Now),
		Target: target, Folder: folder, Clock: clock,
	}
}

// WriteConformance writes the configuration of a server for the conformance checks to
// folder/idp.yaml, with additional lines, and returns the target that it will be.
func WriteConformance(t testing.TB, folder, lines string) (*conformance.Target, *Clock) {
	t.Helper()
	listener := listen(t)
	receiver := conformance.NewReceiver(listener)
	t.Cleanup(func() { require.NoError(t, receiver.Close()) })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	public := jose.JSONWebKey{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}
	jwks, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}})
	require.NoError(t, err)

	address := FreeAddress(t)
	certificate, certificateKey, transport := NewCertificate(t)
	settings := "issuer: https://" + address + "\nlisten: " + address + "\noperations: off\ndata: data\n" +
		"people: people.yaml\nbrand: {name: Brand}\ntls: {certificate: cert.pem, key: key.pem}\n" +
		lines + strings.ReplaceAll(conformanceClients, "PORT", port)
	WriteFiles(t, folder, map[string][]byte{
		"idp.yaml": []byte(settings), "people.yaml": PeopleFile(),
		"cert.pem": certificate, "key.pem": certificateKey, "keyed.jwks.json": jwks,
	})

	clock := &Clock{}
	target := &conformance.Target{
		Issuer: "https://" + address, HTTP: transport, Now: clock.Now,
		Wait:        func(_ context.Context, d time.Duration) error { clock.Add(d); return nil },
		Web:         conformanceClient("web", "web-secret-0123456789abcdef0123456789"),
		Other:       conformanceClient("other", "other-secret-0123456789abcdef01234567"),
		Post:        conformanceClient("post", "post-secret-0123456789abcdef012345678"),
		Public:      conformanceClient("public", ""),
		Keyed:       conformanceClient("keyed", ""),
		Chat:        conformanceClient("chat", "chat-secret-0123456789abcdef012345678"),
		ChatAccount: "12345678",
		Person:      conformance.Person{Username: "jane", Password: "jane-password"},
		OtherPerson: conformance.Person{Username: "victor", Password: "victor-password"},
		Logouts:     receiver,
	}
	target.Web.PostLogoutRedirectURI = "https://web.example/test/a/web/post_logout_redirect"
	target.Web.FrontchannelLogoutURI = "https://web.example/test/a/web/frontchannel_logout"
	target.Web.BackchannelLogoutURI = "http://127.0.0.1:" + port + "/backchannel/web"
	target.Chat.RedirectURI = WindowURI
	target.Keyed.Key, target.Keyed.KeyID = key, "k1"
	return target, clock
}

func conformanceClient(id, secret string) conformance.Client {
	redirectURI := "https://" + id + ".example/test/a/" + id + "/callback"
	return conformance.Client{ID: id, Secret: secret, RedirectURI: redirectURI}
}

// NewCertificate returns a certificate for 127.0.0.1 and its key in PEM, and a
// transport that trusts it.
func NewCertificate(t testing.TB) (certificate, key []byte, transport *http.Transport) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler()) // has such a certificate
	defer s.Close()
	trusting, ok := s.Client().Transport.(*http.Transport)
	require.True(t, ok)
	transport = trusting.Clone()
	transport.MaxIdleConnsPerHost = 16
	t.Cleanup(transport.CloseIdleConnections)
	certificate, key = encodeCertificate(t, s.TLS.Certificates[0])
	return certificate, key, transport
}

func encodeCertificate(t testing.TB, c tls.Certificate) (certificate, key []byte) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// FreeAddress returns host:port on 127.0.0.1 with a port that was free a moment ago.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l := listen(t)
	require.NoError(t, l.Close())
	return l.Addr().String()
}
