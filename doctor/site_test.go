package doctor_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/doctor"
	"idpbridge/keys"
)

const (
	issuer     = "https://login.brand.example"
	operations = "http://127.0.0.1:8081"
	secret     = "0123456789abcdef0123456789abcdef"
	windowURI  = "https://lpcdn.lpsnmedia.net/le_unified_window/index.html"
)

// noon is when every examination of these tests takes place.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // read only

// site is a provider, its certificate and LivePerson's list, all as they should
// be. A test breaks one of them before it is examined.
type site struct {
	cfg       doctor.Config
	issuer    string // in the discovery document
	document  map[string]any
	key       *rsa.PrivateKey
	jwk       map[string]any // the one key of the set
	more      []map[string]any
	line, pem string
	setup     string // fingerprint that the set-up page shows
	pinned    bool   // likewise
	retired   bool   // likewise
	connector map[string]any
	fields    map[string]any // the connector's configuration
	cookie    string

	handle map[string]http.HandlerFunc // by path, in place of the good ones
	wrap   func(http.Handler) http.Handler
	header func(path string, h http.Header)

	leaf    x509.Certificate
	bare    bool // the intermediate is not sent
	rogue   bool // signed by itself
	tls     func(*tls.Config)
	remote  string
	elapsed atomic.Int64 // by which the clock is ahead of noon
}

// keyOf makes RSA keys once for all tests.
var keyOf = sync.OnceValue(func() []*rsa.PrivateKey { //nolint:gochecknoglobals // made once
	var out []*rsa.PrivateKey
	for _, bits := range []int{2048, 2048, 1024} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		out = append(out, key)
	}
	return out
})

func lineOf(key *rsa.PrivateKey) string { return keys.PublicKey{Key: key.Public()}.Base64() }

func jwkOf(kid string, key *rsa.PrivateKey) map[string]any {
	return map[string]any{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "e": "AQAB",
		"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
	}
}

func newSite() *site {
	key := keyOf()[0]
	public := keys.PublicKey{Key: key.Public()}
	s := &site{
		issuer: issuer, key: key, jwk: jwkOf("k1", key), line: public.Base64() + "\n", pem: public.PEM(), setup: public.Fingerprint(),
		cookie: "__Host-idp_browser=x; Path=/; HttpOnly; Secure; SameSite=Lax",
		handle: map[string]http.HandlerFunc{}, wrap: func(h http.Handler) http.Handler { return h }, header: func(string, http.Header) {},
		tls: func(*tls.Config) {}, remote: "198.51.100.7:443",
	}
	s.document = map[string]any{
		"issuer": issuer, "authorization_endpoint": issuer + "/authorize", "token_endpoint": issuer + "/token", "jwks_uri": issuer + "/jwks",
		"response_types_supported": []string{"code", "id_token"}, "id_token_signing_alg_values_supported": []string{"RS256"},
	}
	s.fields = map[string]any{
		"issuer": issuer, "clientId": "liveengage", "authorizationEndpoint": issuer + "/authorize", "tokenEndpoint": issuer + "/token",
		"jwtValidationType": "PUBLIC_JWT_KEY", "jwtPublicKey": public.Base64(), "jwksEndpoint": "",
		"jsMethodName": "lpGetAuthenticationToken", "jsContext": "window", "rfcCompliance": true, "pkceEnabled": false,
	}
	s.connector = map[string]any{"id": json.Number("4056284238"), "deleted": false, "name": "Brand", "type": 2, "configuration": s.fields}
	s.leaf = x509.Certificate{
		DNSNames: []string{"login.brand.example", "accdn.lpsnmedia.net"}, NotBefore: noon.Add(-24 * time.Hour), NotAfter: noon.Add(60 * 24 * time.Hour),
	}
	s.cfg = doctor.Config{
		Issuer: issuer, ClientID: "liveengage", ClientSecret: secret, ResponseTypes: []string{"code", "id_token"},
		PastedKey: public.Base64(), OperationsURL: operations, Account: "12345678",
		Now: s.now,
	}
	return s
}

func (s *site) now() time.Time { return noon.Add(time.Duration(s.elapsed.Load())) }

// examine serves the site and examines it.
func (s *site) examine(t *testing.T) doctor.Report {
	t.Helper()
	handler := s.handler()
	public := httptest.NewUnstartedServer(handler)
	public.Config.ErrorLog = log.New(io.Discard, "", 0)
	var certificate tls.Certificate
	certificate, s.cfg.RootCAs = s.certificate(t)
	public.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	s.tls(public.TLS)
	public.StartTLS()
	t.Cleanup(public.Close)
	private := httptest.NewServer(handler)
	t.Cleanup(private.Close)
	s.cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		to := private.Listener.Addr().String()
		switch address {
		case "login.brand.example:443", "accdn.lpsnmedia.net:443", "login.brand.example:8443", "login:443":
			to = public.Listener.Addr().String()
		case "127.0.0.1:8081", "login.brand.example:80":
		default:
			return nil, errors.New("no route to " + address)
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, network, to)
		if err != nil {
			return nil, err
		}
		return distant{conn, net.TCPAddrFromAddrPort(mustAddr(s.remote))}, nil
	}
	return doctor.Run(t.Context(), s.cfg)
}

// distant is a connection that seems to lead across the internet.
type distant struct {
	net.Conn
	remote net.Addr
}

func (d distant) RemoteAddr() net.Addr { return d.remote }

// certificate makes an authority, an intermediate and the server's own.
func (s *site) certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	private := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		return key
	}
	sign := func(c, parent *x509.Certificate, key *ecdsa.PrivateKey, by *ecdsa.PrivateKey) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), by)
		require.NoError(t, err)
		out, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		return out
	}
	authority := func(name string, n int64) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(n), Subject: pkix.Name{CommonName: name}, NotBefore: noon.AddDate(-5, 0, 0), NotAfter: noon.AddDate(5, 0, 0),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		}
	}
	rootKey, middleKey, leafKey := private(), private(), private()
	root := sign(authority("Root", 1), authority("Root", 1), rootKey, rootKey)
	middle := sign(authority("Middle", 2), root, middleKey, rootKey)
	s.leaf.SerialNumber, s.leaf.Subject = big.NewInt(3), pkix.Name{CommonName: "Brand"}
	parent, by := middle, middleKey
	if s.rogue {
		parent, by = &s.leaf, leafKey
	}
	leaf := sign(&s.leaf, parent, leafKey, by)
	out := tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: leafKey}
	if !s.bare && !s.rogue {
		out.Certificate = append(out.Certificate, middle.Raw)
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	return out, roots
}

func (s *site) handler() http.Handler {
	good := map[string]http.HandlerFunc{
		"/.well-known/openid-configuration": func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 200, s.document) },
		"/jwks": func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, 200, map[string]any{"keys": append([]map[string]any{s.jwk}, s.more...)})
		},
		"/keys/public.txt": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s.line) },
		"/keys/public.pem": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s.pem) },
		"/setup.json": func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, 200, map[string]any{"Key": map[string]any{
				"ID": "k1", "Fingerprint": s.setup, "Created": noon.Add(-100 * time.Hour), "Pinned": s.pinned, "Retired": s.retired,
			}})
		},
		"/readyz":    func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ready\n") },
		"/authorize": s.authorize,
		"/token":     s.token,
		"/api/account/12345678/configuration/le-connectors/all-connectors": func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, 200, []any{
				map[string]any{"id": 7, "name": "Other", "configuration": map[string]any{"issuer": "https://other.example", "clientId": "x"}},
				s.connector,
			})
		},
	}
	return s.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.now().Format(http.TimeFormat))
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		h := s.handle[r.URL.Path]
		if h == nil {
			h = good[r.URL.Path]
		}
		if h == nil {
			http.NotFound(w, r)
			return
		}
		h(edited{w, r.URL.Path, s.header}, r)
	}))
}

// edited lets a test change headers before they are sent.
type edited struct {
	http.ResponseWriter
	path string
	edit func(path string, h http.Header)
}

func (e edited) WriteHeader(status int) {
	e.edit(e.path, e.Header())
	e.ResponseWriter.WriteHeader(status)
}

func (e edited) Write(b []byte) (int, error) {
	e.edit(e.path, e.Header())
	return e.ResponseWriter.Write(b)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// authorize answers as a provider does at which nobody is signed in.
func (s *site) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	to := q.Get("redirect_uri")
	switch {
	case to != windowURI && to != "https://liveperson.net", q.Get("client_id") != "liveengage":
		http.Error(w, "not registered", http.StatusBadRequest)
	case q.Get("prompt") != "none":
		w.Header().Set("Set-Cookie", s.cookie)
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	default:
		mark := "?"
		if q.Get("response_type") == "id_token" {
			mark = "#"
		}
		http.Redirect(w, r, to+mark+"error=login_required&state="+url.QueryEscape(q.Get("state")), http.StatusSeeOther)
	}
}

// token answers as a provider does that knows no code.
func (s *site) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	id, given, _ := r.BasicAuth()
	switch {
	case r.Method != http.MethodPost:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case id != "liveengage" || given != secret:
		w.Header().Set("WWW-Authenticate", "Basic")
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
	case !strings.Contains(r.Header.Get("Content-Type"), "json") && r.PostFormValue("code") == "":
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_request"})
	default:
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
	}
}
