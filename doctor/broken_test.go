package doctor_test

import (
	"crypto/tls"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/doctor"
	"idpbridge/keys"
)

// broken is an installation with one thing wrong, and what must be found.
type broken struct {
	name     string
	code     doctor.Code
	level    doctor.Level
	says     string // is in the sentence, the remedy or what was seen
	sabotage func(s *site)
}

// response is a handler that says one thing.
func response(status int, kind, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// moved is the site at another issuer.
func moved(to string) func(*site) {
	return func(s *site) {
		s.cfg.Issuer = to
		for name, path := range map[string]string{"issuer": "", "authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"} {
			s.document[name] = to + path
		}
	}
}

func brokenPlaces() []broken {
	return []broken{
		{"issuer that is no address", doctor.AddressForm, doctor.Error, "ftp://", func(s *site) { s.cfg.Issuer = "ftp://login.brand.example" }},
		{"plain http", doctor.AddressHTTPS, doctor.Error, "The issuer is http", moved("http://login.brand.example")},
		{"another port", doctor.AddressPort, doctor.Error, "port 8443", moved("https://login.brand.example:8443")},
		{"token endpoint on another port", doctor.AddressPort, doctor.Error, "The token endpoint is on port 8443", func(s *site) {
			s.document["token_endpoint"] = "https://login.brand.example:8443/token"
		}},
		{"loopback", doctor.AddressPublic, doctor.Error, "this very machine", moved("http://127.0.0.1:8081")},
		{"name of the own network", doctor.AddressPublic, doctor.Error, "has no domain", moved("https://login")},
		{"ending of the own network", doctor.AddressPublic, doctor.Error, "ending .local", moved("https://login.local")},
		{"private address", doctor.AddressPublic, doctor.Warn, "10.1.2.3", func(s *site) { s.remote = "10.1.2.3:443" }},
		{"nobody there", doctor.AddressAnswers, doctor.Error, "no route", moved("https://nobody.example")},
		{"slash at the end", doctor.IssuerForm, doctor.Warn, "two issuers", func(s *site) {
			s.cfg.Issuer, s.document["issuer"] = issuer+"/", issuer+"/"
		}},

		{"old TLS", doctor.TLSVersion, doctor.Error, "nothing newer than TLS 1.1", func(s *site) {
			s.tls = func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }
		}},
		{"certificate of somebody else", doctor.TLSName, doctor.Error, "not for that name", func(s *site) { s.leaf.DNSNames = []string{"www.brand.example"} }},
		{"expired certificate", doctor.TLSExpiry, doctor.Error, "expired on 3 March 2026", func(s *site) { s.leaf.NotBefore, s.leaf.NotAfter = noon.Add(-48*time.Hour), noon.Add(-24*time.Hour) }},
		{"certificate that expires soon", doctor.TLSExpiry, doctor.Warn, "expires in 5 days", func(s *site) { s.leaf.NotAfter = noon.Add(5*24*time.Hour + time.Hour) }},
		{"certificate of tomorrow", doctor.TLSExpiry, doctor.Error, "not valid before", func(s *site) { s.leaf.NotBefore = noon.Add(24 * time.Hour) }},
		{"intermediate missing", doctor.TLSChain, doctor.Error, "CN=Middle", func(s *site) { s.bare = true }},
		{"signed by itself", doctor.TLSTrust, doctor.Error, "no public authority vouches", func(s *site) { s.rogue = true }},

		{"discovery missing", doctor.DiscoveryDocument, doctor.Error, "404", func(s *site) {
			s.handle["/.well-known/openid-configuration"] = http.NotFound
		}},
		{"discovery is a page", doctor.DiscoveryDocument, doctor.Error, "not JSON", func(s *site) {
			s.handle["/.well-known/openid-configuration"] = response(200, "text/html", "<h1>Welcome</h1>")
		}},
		{"discovery without an address", doctor.DiscoveryDocument, doctor.Error, "lacks token_endpoint", func(s *site) { delete(s.document, "token_endpoint") }},
		{"another issuer", doctor.DiscoveryIssuer, doctor.Error, `character 9 is 'L' and should be 'l'`, func(s *site) { s.document["issuer"] = "https://Login.brand.example" }},
		{"no RS256", doctor.DiscoverySupport, doctor.Warn, "RS256", func(s *site) { s.document["id_token_signing_alg_values_supported"] = []string{"ES256"} }},
		{"no Basic", doctor.DiscoverySupport, doctor.Warn, "client_secret_basic", func(s *site) { s.document["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"} }},
		{"clock a minute behind", doctor.Clock, doctor.Warn, "1m0s behind", wrongClock(-time.Minute)},
		{"clock an hour ahead", doctor.Clock, doctor.Error, "1h0m0s ahead", wrongClock(time.Hour)},
		{"no clock", doctor.Clock, doctor.Note, "no Date", func(s *site) {
			s.header = func(path string, h http.Header) { h["Date"] = nil }
		}},
		{"no HSTS", doctor.HSTS, doctor.Note, "Strict-Transport-Security", func(s *site) {
			s.header = func(path string, h http.Header) { h.Del("Strict-Transport-Security") }
		}},
		{"believes forwarded headers", doctor.ProxyHeaders, doctor.Error, "the discovery document", func(s *site) {
			s.handle["/.well-known/openid-configuration"] = func(w http.ResponseWriter, r *http.Request) {
				if host := r.Header.Get("X-Forwarded-Host"); host != "" {
					s.document["jwks_uri"] = "http://" + host + "/jwks"
				}
				writeJSON(w, 200, s.document)
			}
		}},
		{"believes the forwarded scheme", doctor.ProxyHeaders, doctor.Error, "X-Forwarded-Proto", func(s *site) {
			s.handle["/.well-known/openid-configuration"] = func(w http.ResponseWriter, r *http.Request) {
				document := map[string]any{}
				for name, value := range s.document {
					document[name] = value
				}
				if scheme := r.Header.Get("X-Forwarded-Proto"); scheme != "" {
					document["token_endpoint"] = scheme + "://login.brand.example/token"
				}
				writeJSON(w, 200, document)
			}
		}},
		{"cookie for http", doctor.Cookies, doctor.Error, "sid lacks Secure", func(s *site) { s.cookie = "sid=1; Path=/; HttpOnly" }},
		{"cookie for neighbours", doctor.Cookies, doctor.Note, "no prefix __Host-", func(s *site) { s.cookie = "sid=1; Path=/; HttpOnly; Secure" }},
		{"public metrics", doctor.OperationsPrivate, doctor.Warn, "/metrics", func(s *site) {
			s.handle["/metrics"] = response(200, "text/plain", "# TYPE idp_events_total counter\n")
		}},
		{"not ready", doctor.OperationsReady, doctor.Error, "503", func(s *site) { s.handle["/readyz"] = response(503, "text/plain", "no database\n") }},
	}
}

// wrongClock is a provider whose clock is off.
func wrongClock(by time.Duration) func(*site) {
	return func(s *site) {
		s.header = func(_ string, h http.Header) { h.Set("Date", noon.Add(by).Format(http.TimeFormat)) }
	}
}

func brokenKeys() []broken {
	other := func() map[string]any { return jwkOf("k2", keyOf()[1]) }
	return []broken{
		{"key set asks for a password", doctor.KeysDocument, doctor.Error, "asks who is there", func(s *site) {
			s.handle["/jwks"] = response(401, "text/plain", "", "WWW-Authenticate", "Basic")
		}},
		{"key set leads elsewhere", doctor.KeysDocument, doctor.Error, "https://elsewhere.example/jwks", func(s *site) {
			s.handle["/jwks"] = response(302, "text/plain", "", "Location", "https://elsewhere.example/jwks")
		}},
		{"key set too large", doctor.KeysDocument, doctor.Error, "larger than 256 kB", func(s *site) {
			s.handle["/jwks"] = response(200, "application/json", strings.Repeat(" ", 300<<10))
		}},
		{"key set empty", doctor.KeysDocument, doctor.Error, "list of keys", func(s *site) { s.handle["/jwks"] = response(200, "application/json", `{"keys":[]}`) }},
		{"key set as text", doctor.KeysDocument, doctor.Warn, "text/plain", func(s *site) {
			s.header = func(path string, h http.Header) {
				if path == "/jwks" {
					h.Set("Content-Type", "text/plain")
				}
			}
		}},
		{"kid is a number", doctor.KeysDocument, doctor.Error, "wrong type", func(s *site) { s.jwk["kid"] = 1 }},
		{"private key published", doctor.KeysPrivate, doctor.Error, "private half", func(s *site) { s.jwk["d"] = "AQAB" }},
		{"no kid", doctor.KeysKid, doctor.Error, "has no kid", func(s *site) { delete(s.jwk, "kid") }},
		{"kid twice", doctor.KeysKid, doctor.Error, `"k1"`, func(s *site) { s.more = append(s.more, jwkOf("k1", keyOf()[1])) }},
		{"elliptic curve beside it", doctor.KeysKind, doctor.Note, `"EC"`, func(s *site) {
			s.more = append(s.more, map[string]any{"kty": "EC", "kid": "k2", "crv": "P-256", "x": "AA", "y": "AA"})
		}},
		{"elliptic curve alone", doctor.KeysRS256, doctor.Error, "RS256", func(s *site) {
			s.jwk = map[string]any{"kty": "EC", "kid": "k2", "crv": "P-256", "x": "AA", "y": "AA"}
		}},
		{"certificate alone", doctor.KeysNumbers, doctor.Error, "x5c", func(s *site) {
			delete(s.jwk, "n")
			s.jwk["x5c"] = []string{"MIIB"}
		}},
		{"exponent of nobody", doctor.KeysNumbers, doctor.Error, "exponent", func(s *site) { s.jwk["e"] = "AQ" }},
		{"plain base64", doctor.KeysEncoding, doctor.Error, "'='", func(s *site) {
			s.jwk["n"] = base64.URLEncoding.EncodeToString(s.key.N.Bytes())
		}},
		{"plain base64 with a plus", doctor.KeysEncoding, doctor.Error, "'+' as character 4", func(s *site) { s.jwk["n"] = "AAA+AAAA" }},
		{"sign byte", doctor.KeysEncoding, doctor.Warn, "zero byte", func(s *site) {
			s.jwk["n"] = base64.RawURLEncoding.EncodeToString(append([]byte{0}, s.key.N.Bytes()...))
		}},
		{"short key", doctor.KeysSize, doctor.Error, "1024 bits", func(s *site) { s.more = append(s.more, jwkOf("k2", keyOf()[2])) }},
		{"key for encryption", doctor.KeysUse, doctor.Note, `"enc"`, func(s *site) {
			k := other()
			k["use"] = "enc"
			s.more = append(s.more, k)
		}},
		{"no key for RS256", doctor.KeysRS256, doctor.Error, "RS256", func(s *site) { s.jwk["alg"] = "RS512" }},
		{"line of another key", doctor.KeyLine, doctor.Error, "none of the key set", func(s *site) { s.line = lineOf(keyOf()[1]) }},
		{"line in two", doctor.KeyLine, doctor.Error, "one line", func(s *site) { s.line = s.line[:64] + "\n" + s.line[64:] }},
		{"PEM of another key", doctor.KeyPEM, doctor.Error, "another than the one on one line", func(s *site) {
			s.pem = keys.PublicKey{Key: keyOf()[1].Public()}.PEM()
		}},
		{"another key signs", doctor.KeyActive, doctor.Error, "another one signs", func(s *site) {
			s.setup = keys.PublicKey{Key: keyOf()[1].Public()}.Fingerprint()
		}},
		{"pinned key", doctor.KeyPinned, doctor.Note, "k1, 4 days old", func(s *site) { s.pinned = true }},
		{"pinned key that others have left", doctor.KeyPinned, doctor.Warn, "moved on", func(s *site) { s.pinned, s.retired = true, true }},
		{"pasted with a character lost", doctor.KeyPasted, doctor.Error, "character 101 is", func(s *site) {
			line := []byte(s.cfg.PastedKey)
			line = append(line[:100], line[101:]...)
			line[100] = '!'
			s.cfg.PastedKey = string(line)
		}},
		{"pasted with the end lost", doctor.KeyPasted, doctor.Error, "ends after 390 of 392", func(s *site) { s.cfg.PastedKey = s.cfg.PastedKey[:390] }},
		{"pasted as PEM", doctor.KeyPasted, doctor.Error, "between BEGIN and END", func(s *site) { s.cfg.PastedKey = s.pem }},
		{"pasted with a line break", doctor.KeyPasted, doctor.Error, "character 65 is a space or a line break", func(s *site) {
			s.cfg.PastedKey = s.cfg.PastedKey[:64] + "\n" + s.cfg.PastedKey[64:]
		}},
		{"pasted the next key", doctor.KeyPasted, doctor.Error, "k2 of the key set, which is not the one that signs", func(s *site) {
			s.more = append(s.more, other())
			s.cfg.PastedKey = lineOf(keyOf()[1])
		}},
		{"pasted a short key", doctor.KeyPasted, doctor.Error, "1024 bits", func(s *site) { s.cfg.PastedKey = lineOf(keyOf()[2]) }},
		{"pasted the tutorial's key", doctor.KeyPasted, doctor.Error, "private half is published", func(s *site) { s.cfg.PastedKey = tutorialKey }},
		{"pasted a private key", doctor.KeyPasted, doctor.Error, "private key", func(s *site) {
			s.cfg.PastedKey = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"
		}},
		{"pasted nothing", doctor.KeyPasted, doctor.Error, "is empty", func(s *site) { s.cfg.PastedKey = " \n" }},
	}
}

// tutorialKey is in LivePerson's tutorial on authentication.
const tutorialKey = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDdlatRjRjogo3WojgGHFHYLugdUWAY9iR3fy4arWNA1KoS8kVw33cJibXr8bvwUAUparCwlvdbH6dvEOfou0/" +
	"gCFQsHUfQrSDv+MuSUMAe8jzKE4qW+jK+xQU9a03GUnKHkkle+Q0pX/g6jXZ7r1/xAK5Do2kQ+X5xK9cipRgEKwIDAQAB"

func brokenEndpoints() []broken {
	redirect := func(change func(w http.ResponseWriter, r *http.Request, q url.Values) bool) func(*site) {
		return func(s *site) {
			s.handle["/authorize"] = func(w http.ResponseWriter, r *http.Request) {
				if !change(w, r, r.URL.Query()) {
					s.authorize(w, r)
				}
			}
		}
	}
	return []broken{
		{"window not registered", doctor.RedirectAccepted, doctor.Error, windowURI, redirect(func(w http.ResponseWriter, _ *http.Request, q url.Values) bool {
			if q.Get("redirect_uri") == windowURI {
				http.Error(w, "not registered", http.StatusBadRequest)
				return true
			}
			return false
		})},
		{"shows a page", doctor.RedirectAccepted, doctor.Warn, "prompt=none", redirect(func(w http.ResponseWriter, r *http.Request, q url.Values) bool {
			if q.Get("redirect_uri") == windowURI {
				http.Redirect(w, r, "/login", http.StatusFound)
				return true
			}
			return false
		})},
		{"response type refused", doctor.RedirectRequest, doctor.Error, "unsupported_response_type", redirect(func(w http.ResponseWriter, r *http.Request, q url.Values) bool {
			if q.Get("response_type") == "id_token" && q.Get("redirect_uri") == windowURI {
				http.Redirect(w, r, windowURI+"#error=unsupported_response_type", http.StatusFound)
				return true
			}
			return false
		})},
		{"nonce demanded", doctor.RedirectNonce, doctor.Warn, "without a nonce is refused", redirect(func(w http.ResponseWriter, r *http.Request, q url.Values) bool {
			if q.Get("response_type") == "id_token" && q.Get("nonce") == "" && strings.HasPrefix(q.Get("redirect_uri"), "https://l") {
				http.Redirect(w, r, q.Get("redirect_uri")+"#error=invalid_request", http.StatusFound)
				return true
			}
			return false
		})},
		{"open redirect", doctor.RedirectForeign, doctor.Error, "stranger.invalid", redirect(func(w http.ResponseWriter, r *http.Request, q url.Values) bool {
			http.Redirect(w, r, q.Get("redirect_uri")+"?error=login_required&state="+url.QueryEscape(q.Get("state")), http.StatusFound)
			return true
		})},
		{"sign-in page for strangers", doctor.RedirectForeign, doctor.Note, "not refused", redirect(func(w http.ResponseWriter, r *http.Request, q url.Values) bool {
			if strings.Contains(q.Get("redirect_uri"), "stranger") {
				_, _ = io.WriteString(w, "<form>")
				return true
			}
			return false
		})},
		{"state changed", doctor.RedirectState, doctor.Error, `is ' ' and should be '+'`, redirect(func(w http.ResponseWriter, r *http.Request, q url.Values) bool {
			state := q.Get("state")
			if state == "" {
				return false
			}
			http.Redirect(w, r, q.Get("redirect_uri")+"?error=login_required&state="+url.QueryEscape(strings.Replace(state, "+", " ", 1)), http.StatusFound)
			return true
		})},
		{"state lost", doctor.RedirectState, doctor.Error, "has no state", redirect(func(w http.ResponseWriter, r *http.Request, q url.Values) bool {
			if q.Get("state") != "" {
				http.Redirect(w, r, q.Get("redirect_uri")+"?error=login_required", http.StatusFound)
			}
			return q.Get("state") != ""
		})},
		{"state too long", doctor.RedirectState, doctor.Warn, "414", redirect(func(w http.ResponseWriter, r *http.Request, q url.Values) bool {
			if len(r.URL.RawQuery) > 8000 {
				w.WriteHeader(http.StatusRequestURITooLong)
				return true
			}
			return false
		})},

		{"secret refused", doctor.TokenCredentials, doctor.Error, "refuses the id", func(s *site) { s.cfg.ClientSecret = "another" }},
		{"secret with special characters", doctor.TokenCredentials, doctor.Error, "writes them as they are", func(s *site) {
			s.cfg.ClientSecret = "a+b%2Fc"
			s.handle["/token"] = func(w http.ResponseWriter, r *http.Request) {
				id, given, _ := r.BasicAuth()
				if plain, err := url.QueryUnescape(given); err == nil && plain == s.cfg.ClientSecret {
					r.SetBasicAuth(id, secret)
				} else {
					r.SetBasicAuth(id, "wrong")
				}
				s.token(w, r)
			}
		}},
		{"secret ignored", doctor.TokenSecret, doctor.Error, "does not look at the secret", tokens(func(r *http.Request) { r.SetBasicAuth("liveengage", secret) }, nil)},
		{"wrong secret by 400", doctor.TokenSecret, doctor.Warn, "400 instead of 401", tokens(nil, map[int]int{401: 400})},
		{"challenge at 400", doctor.TokenChallenge, doctor.Warn, "400 has the header", func(s *site) {
			s.header = func(path string, h http.Header) {
				if path == "/token" {
					h.Set("WWW-Authenticate", "Basic")
				}
			}
		}},
		{"grant refused", doctor.TokenForm, doctor.Error, "unauthorized_client", func(s *site) {
			s.handle["/token"] = response(400, "application/json", `{"error":"unauthorized_client"}`)
		}},
		{"made-up code taken", doctor.TokenForm, doctor.Error, "made up", func(s *site) {
			s.handle["/token"] = response(200, "application/json", `{"access_token":"x"}`)
		}},
		{"token endpoint missing", doctor.TokenForm, doctor.Error, "404", func(s *site) { s.handle["/token"] = http.NotFound }},
		{"errors as pages", doctor.TokenHeaders, doctor.Error, "text/html", func(s *site) { s.handle["/token"] = response(400, "text/html", "<h1>Oops</h1>") }},
		{"errors kept by caches", doctor.TokenHeaders, doctor.Warn, "Pragma: no-cache", func(s *site) {
			s.header = func(path string, h http.Header) { h.Del("Pragma") }
		}},
		{"no JSON", doctor.TokenJSON, doctor.Note, "415", func(s *site) {
			s.handle["/token"] = func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.Header.Get("Content-Type"), "json") {
					writeJSON(w, http.StatusUnsupportedMediaType, map[string]string{"error": "invalid_request"})
					return
				}
				s.token(w, r)
			}
		}},
		{"tokens by GET", doctor.TokenMethod, doctor.Error, "GET", func(s *site) {
			s.handle["/token"] = func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet {
					return
				}
				s.token(w, r)
			}
		}},
		{"slow", doctor.TokenTime, doctor.Warn, "took 3s", func(s *site) {
			s.handle["/token"] = func(w http.ResponseWriter, r *http.Request) {
				s.elapsed.Add(int64(3 * time.Second))
				s.token(w, r)
			}
		}},
		{"token endpoint breaks off", doctor.TokenAnswers, doctor.Error, "cannot be asked", func(s *site) {
			s.handle["/token"] = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		}},
	}
}

// tokens is a token endpoint that changes requests, and statuses of answers.
func tokens(change func(*http.Request), statuses map[int]int) func(*site) {
	return func(s *site) {
		s.handle["/token"] = func(w http.ResponseWriter, r *http.Request) {
			if change != nil {
				change(r)
			}
			s.token(changed{w, statuses}, r)
		}
	}
}

type changed struct {
	http.ResponseWriter
	statuses map[int]int
}

func (c changed) WriteHeader(status int) {
	if other := c.statuses[status]; other != 0 {
		status = other
	}
	c.ResponseWriter.WriteHeader(status)
}

func brokenConnectors() []broken {
	set := func(name string, value any) func(*site) { return func(s *site) { s.fields[name] = value } }
	return []broken{
		{"account that leads elsewhere", doctor.AccountNumber, doctor.Error, "not an account number", func(s *site) { s.cfg.Account = "1/../../2" }},
		{"account that is not there", doctor.ConnectorList, doctor.Error, "404", func(s *site) { s.cfg.Account = "999" }},
		{"list leads elsewhere", doctor.ConnectorList, doctor.Error, "302", func(s *site) {
			s.handle["/api/account/12345678/configuration/le-connectors/all-connectors"] = response(302, "text/plain", "", "Location", "https://elsewhere.example/")
		}},
		{"list of another form", doctor.ConnectorList, doctor.Error, "another form", func(s *site) {
			s.handle["/api/account/12345678/configuration/le-connectors/all-connectors"] = response(200, "application/json", `{"a":1}`)
		}},
		{"no connector", doctor.ConnectorFound, doctor.Error, "https://elsewhere.example", func(s *site) {
			s.fields["issuer"], s.fields["clientId"] = "https://elsewhere.example", "x"
		}},
		{"no such connector", doctor.ConnectorFound, doctor.Error, "No connector", func(s *site) { s.cfg.Connector = "2" }},
		{"deleted connector", doctor.ConnectorDeleted, doctor.Error, "deleted", func(s *site) { s.connector["deleted"] = true }},
		{"other type", doctor.ConnectorType, doctor.Error, `there is "2"`, func(s *site) { s.cfg.ExpectedFields = map[string]string{"type": "1"} }},
		{"PKCE off", doctor.ConnectorPKCE, doctor.Error, "pkceEnabled", func(s *site) { s.cfg.ExpectedFields = map[string]string{"pkceEnabled": "true"} }},
		{"no display name", doctor.ConnectorDisplayName, doctor.Error, "has no Issuer Display Name", func(s *site) { s.cfg.ExpectedFields = map[string]string{"issuerDisplayName": "Brand"} }},
		{"slash in the connector", doctor.ConnectorIssuer, doctor.Error, "1 characters more", set("issuer", issuer+"/")},
		{"other authorization endpoint", doctor.ConnectorAuthorization, doctor.Error, "dummy.com", set("authorizationEndpoint", "https://dummy.com")},
		{"other token endpoint", doctor.ConnectorToken, doctor.Error, "it ends after", set("tokenEndpoint", issuer)},
		{"other client", doctor.ConnectorClientID, doctor.Error, `there is "liveEngage"`, set("clientId", "liveEngage")},
		{"unknown validation", doctor.ConnectorKeyType, doctor.Warn, "MAGIC", set("jwtValidationType", "MAGIC")},
		{"one character of the key", doctor.ConnectorKey, doctor.Error, "character 200 is '?' and should be '", func(s *site) {
			line := []byte(lineOf(s.key))
			line[199] = '?'
			s.fields["jwtPublicKey"] = string(line)
		}},
		{"key between BEGIN and END", doctor.ConnectorKey, doctor.Error, "between BEGIN and END", func(s *site) { s.fields["jwtPublicKey"] = s.pem }},
		{"key of the tutorial", doctor.ConnectorKey, doctor.Error, "tutorial", set("jwtPublicKey", tutorialKey)},
		{"no key", doctor.ConnectorKey, doctor.Error, "empty", set("jwtPublicKey", nil)},
		{"delegation", doctor.ConnectorKey, doctor.Note, "delegation", set("jwtPublicKey", "CONSUMER_DELEGATION")},
		{"other key set", doctor.ConnectorJWKS, doctor.Error, "has no JWKS Endpoint", set("jwtValidationType", "JWKS_ENDPOINT")},
		{"method called", doctor.ConnectorJSMethod, doctor.Warn, "no name", set("jsMethodName", "lpGetAuthenticationToken()")},
		{"other method", doctor.ConnectorJSMethod, doctor.Error, `"lpGetAuthenticationToken", it should be "other"`, func(s *site) { s.cfg.ExpectedFields = map[string]string{"jsMethodName": "other"} }},
		{"no context", doctor.ConnectorJSContext, doctor.Warn, "usual is window", set("jsContext", "")},
		{"old dialect", doctor.ConnectorRFC, doctor.Warn, "with a query", set("rfcCompliance", false)},
	}
}

// TestBroken breaks one thing at a time: what is found is named by its code, and
// is not found where nothing is broken.
func TestBroken(t *testing.T) {
	t.Parallel()
	healthy := newSite().examine(t)
	all := append(append(append(brokenPlaces(), brokenKeys()...), brokenEndpoints()...), brokenConnectors()...)
	for _, b := range all {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			s := newSite()
			b.sabotage(s)
			report := s.examine(t)
			require.Equal(t, b.level, report.Level(b.code), "%+v", report.Findings)
			said := false
			for _, f := range report.Findings {
				require.NotEmpty(t, f.Remedy, f.Code)
				require.NotContains(t, f.Sentence+f.Remedy+f.Seen, secret)
				text := f.Sentence + "\n" + f.Remedy + "\n" + f.Seen
				said = said || f.Code == b.code && f.Level == b.level && strings.Contains(text, b.says)
			}
			require.True(t, said, "%q is not said: %+v", b.says, report.Findings)
			for _, f := range healthy.Findings {
				require.False(t, f.Code == b.code && f.Level == b.level && strings.Contains(f.Sentence+"\n"+f.Remedy+"\n"+f.Seen, b.says), "found in the healthy one, too")
			}
		})
	}
}
