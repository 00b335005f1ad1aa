package doctor_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/doctor"
	"idpbridge/internal/secret"
	"idpbridge/keys"
	"idpbridge/liveengage"
)

const (
	issuer       = "https://login.brand.example"
	operations   = "http://127.0.0.1:8081"
	clientID     = "liveengage"
	clientSecret = "0123456789abcdef0123456789abcdef"

	pathDiscovery  = "/.well-known/openid-configuration"
	pathConnectors = "/api/account/12345678/configuration/le-connectors/all-connectors"
)

// noon is the time in these tests.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // read only

// site is a provider, its certificate, and LivePerson's list of connectors. In a
// new site everything is right; a test breaks something, and then calls run.
type site struct {
	cfg     doctor.Config
	elapsed atomic.Int64 // nanoseconds after noon

	document  map[string]any // the discovery document
	key       *rsa.PrivateKey
	jwk       map[string]any   // the key in the key set
	moreKeys  []map[string]any // in the key set as well
	line, pem string           // of the key, for pasting
	cookie    string

	setupFingerprint      string // of the key on the set-up page
	keyPinned, keyRetired bool   // on the set-up page

	connector map[string]any
	fields    map[string]any // the connector's configuration

	handlers   map[string]http.HandlerFunc // by path, instead of the good ones
	wrap       func(http.Handler) http.Handler
	editHeader func(path string, h http.Header)

	leaf           x509.Certificate
	noIntermediate bool
	selfSigned     bool
	editTLS        func(*tls.Config)
	remoteAddr     string // the provider's, as the checks see it
}

// testKeys creates the RSA keys of all tests: two good ones and a short one.
var testKeys = sync.OnceValue(func() []*rsa.PrivateKey { //nolint:gochecknoglobals // made once
	var all []*rsa.PrivateKey
	for _, bits := range []int{2048, 2048, 1024} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		all = append(all, key)
	}
	return all
})

func keyLine(key *rsa.PrivateKey) string { return keys.PublicKey{Key: key.Public()}.Base64() }

func newJWK(kid string, key *rsa.PrivateKey) map[string]any {
	return map[string]any{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "e": "AQAB",
		"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
	}
}

func newSite() *site {
	key := testKeys()[0]
	public := keys.PublicKey{Key: key.Public()}
	s := &site{
		document: map[string]any{
			"issuer":                                issuer,
			"authorization_endpoint":                issuer + "/authorize",
			"token_endpoint":                        issuer + "/token",
			"jwks_uri":                              issuer + "/jwks",
			"response_types_supported":              []string{"code", "id_token"},
			"id_token_signing_alg_values_supported": []string{"RS256"},
		},
		key:              key,
		jwk:              newJWK("k1", key),
		line:             public.Base64() + "\n",
		pem:              public.PEM(),
		cookie:           "__Host-idp_browser=x; Path=/; HttpOnly; Secure; SameSite=Lax",
		setupFingerprint: public.Fingerprint(),
		fields: map[string]any{
			"issuer":                issuer,
			"clientId":              clientID,
			"authorizationEndpoint": issuer + "/authorize",
			"tokenEndpoint":         issuer + "/token",
			"jwtValidationType":     string(liveengage.KeyTypePasted),
			"jwtPublicKey":          public.Base64(),
			"jwksEndpoint":          "",
			"jsMethodName":          liveengage.DefaultJSMethod,
			"jsContext":             liveengage.DefaultJSContext,
			"rfcCompliance":         true,
			"pkceEnabled":           false,
		},
		handlers:   map[string]http.HandlerFunc{},
		wrap:       func(h http.Handler) http.Handler { return h },
		editHeader: func(string, http.Header) {},
		leaf: x509.Certificate{
			DNSNames:  []string{"login.brand.example", "accdn.lpsnmedia.net"},
			NotBefore: noon.Add(-24 * time.Hour),
			NotAfter:  noon.Add(60 * 24 * time.Hour),
		},
		editTLS:    func(*tls.Config) {},
		remoteAddr: "198.51.100.7:443",
	}
	s.connector = map[string]any{
		"id": json.Number("4056284238"), "deleted": false, "name": "Brand", "type": 2, "configuration": s.fields,
	}
	s.cfg = doctor.Config{
		Issuer:        issuer,
		ClientID:      clientID,
		ClientSecret:  secret.New(clientSecret),
		ResponseTypes: []string{"code", "id_token"},
		PastedKey:     public.Base64(),
		OperationsURL: operations,
		Account:       "12345678",
		Now:           s.now,
	}
	return s
}

func (s *site) now() time.Time { return noon.Add(time.Duration(s.elapsed.Load())) }

// run serves the site and checks it. The network is in memory and time stands
// still while anything happens, so no timeout depends on the machine's speed.
func (s *site) run(t *testing.T) doctor.Report {
	t.Helper()
	var report doctor.Report
	synctest.Test(t, func(t *testing.T) {
		s.cfg.Dial = s.serve(t)
		report = doctor.Run(t.Context(), s.cfg)
	})
	return report
}

// handler serves the handlers of the test, or else the good ones.
func (s *site) handler() http.Handler {
	handlers := s.goodHandlers()
	maps.Copy(handlers, s.handlers)
	return s.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.now().Format(http.TimeFormat))
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		handler := handlers[r.URL.Path]
		if handler == nil {
			http.NotFound(w, r)
			return
		}
		handler(headerWriter{w, r.URL.Path, s.editHeader}, r)
	}))
}

func (s *site) goodHandlers() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		pathDiscovery: func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.document) },
		"/jwks": func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, http.StatusOK, map[string]any{"keys": append([]map[string]any{s.jwk}, s.moreKeys...)})
		},
		"/keys/public.txt": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s.line) },
		"/keys/public.pem": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s.pem) },
		"/setup.json": func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, http.StatusOK, map[string]any{"Key": map[string]any{
				"ID": "k1", "Fingerprint": s.setupFingerprint, "Created": noon.Add(-100 * time.Hour),
				"Pinned": s.keyPinned, "Retired": s.keyRetired,
			}})
		},
		"/readyz":    func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ready\n") },
		"/authorize": s.authorize,
		"/token":     s.token,
		pathConnectors: func(w http.ResponseWriter, _ *http.Request) {
			other := map[string]any{"issuer": "https://other.example", "clientId": "x"}
			writeJSON(w, http.StatusOK, []any{
				map[string]any{"id": 7, "name": "Other", "configuration": other},
				s.connector,
			})
		},
	}
}

// authorize responds as a provider without a session does.
func (s *site) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	redirectURI := query.Get("redirect_uri")
	registered := redirectURI == liveengage.WindowURI
	if account, err := liveengage.WindowAccount(redirectURI, query.Get("state")); registered {
		registered = err == nil && account != "99999999"
	}
	if !registered || query.Get("client_id") != clientID {
		http.Error(w, "not registered", http.StatusBadRequest)
		return
	}
	if query.Get("prompt") != "none" {
		w.Header().Set("Set-Cookie", s.cookie)
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	separator := "?"
	if query.Get("response_type") == "id_token" {
		separator = "#"
	}
	params := "error=login_required&state=" + url.QueryEscape(query.Get("state"))
	http.Redirect(w, r, redirectURI+separator+params, http.StatusSeeOther)
}

// token responds as a provider that has issued no code.
func (s *site) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	if id, given, _ := r.BasicAuth(); id != clientID || given != clientSecret {
		w.Header().Set("WWW-Authenticate", "Basic")
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	oauthError := "invalid_grant"
	if !strings.Contains(r.Header.Get("Content-Type"), "json") && r.PostFormValue("code") == "" {
		oauthError = "invalid_request"
	}
	writeJSON(w, http.StatusBadRequest, map[string]string{"error": oauthError})
}

// headerWriter lets a test change headers before they are sent.
type headerWriter struct {
	http.ResponseWriter
	path string
	edit func(path string, h http.Header)
}

func (w headerWriter) WriteHeader(status int) {
	w.edit(w.path, w.Header())
	w.ResponseWriter.WriteHeader(status)
}

func (w headerWriter) Write(b []byte) (int, error) {
	w.edit(w.path, w.Header())
	return w.ResponseWriter.Write(b)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// allText returns the texts of all findings.
func allText(report doctor.Report) string {
	var b strings.Builder
	for _, f := range report.Findings {
		b.WriteString(f.Sentence + " " + f.Remedy + " " + f.Seen + " ")
	}
	return b.String()
}

// requireLevel requires that the most severe finding of the code has the level.
func requireLevel(t *testing.T, report doctor.Report, code doctor.Code, level doctor.Level) {
	t.Helper()
	require.Equal(t, level, report.Level(code), "%s: %+v", code, report.Findings)
}
