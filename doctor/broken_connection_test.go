package doctor_test

import (
	"crypto/tls"
	"net/http"
	"time"

	"idpbridge/doctor"
)

// moveTo moves the site to another issuer.
func moveTo(newIssuer string) func(*site) {
	return func(s *site) {
		s.cfg.Issuer = newIssuer
		for name, path := range map[string]string{
			"issuer": "", "authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks",
		} {
			s.document[name] = newIssuer + path
		}
	}
}

func brokenConnections() []brokenCase {
	return []brokenCase{
		{
			name: "issuer is not an https URL", code: doctor.AddressForm, level: doctor.Error,
			text: "ftp://", change: func(s *site) { s.cfg.Issuer = "ftp://login.brand.example" },
		},
		{
			name: "plain http", code: doctor.AddressHTTPS, level: doctor.Error,
			text: "The issuer uses http,", change: moveTo("http://login.brand.example"),
		},
		{
			name: "issuer on another port", code: doctor.AddressPort, level: doctor.Error,
			text: "port 8443", change: moveTo("https://login.brand.example:8443"),
		},
		{
			name: "token endpoint on another port", code: doctor.AddressPort, level: doctor.Error,
			text: "The token endpoint uses port 8443",
			change: func(s *site) {
				s.document["token_endpoint"] = "https://login.brand.example:8443/token"
			},
		},
		{
			name: "issuer on loopback", code: doctor.AddressPublic, level: doctor.Error,
			text: "only this machine can reach it", change: moveTo("http://127.0.0.1:8081"),
		},
		{
			name: "host name without a domain", code: doctor.AddressPublic, level: doctor.Error,
			text: "has no domain", change: moveTo("https://login"),
		},
		{
			name: "host name of a private network", code: doctor.AddressPublic, level: doctor.Error,
			text: "ends in .local", change: moveTo("https://login.local"),
		},
		{
			name: "host name that resolves to a private address", code: doctor.AddressPublic, level: doctor.Warn,
			text: "10.1.2.3", change: func(s *site) { s.remoteAddr = "10.1.2.3:443" },
		},
		{
			name: "nothing listens", code: doctor.AddressAnswers, level: doctor.Error,
			text: "connection refused", change: moveTo("https://closed.example"),
		},
		{
			name: "issuer ends with a slash", code: doctor.IssuerForm, level: doctor.Warn,
			text: "ends with a slash",
			change: func(s *site) {
				s.cfg.Issuer, s.document["issuer"] = issuer+"/", issuer+"/"
			},
		},

		{
			name: "TLS 1.1 only", code: doctor.TLSVersion, level: doctor.Error,
			text: "nothing newer than TLS 1.1",
			change: func(s *site) {
				s.editTLS = func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }
			},
		},
		{
			name: "certificate for another host", code: doctor.TLSName, level: doctor.Error,
			text:   "not valid for this host name",
			change: func(s *site) { s.leaf.DNSNames = []string{"www.brand.example"} },
		},
		{
			name: "expired certificate", code: doctor.TLSExpiry, level: doctor.Error,
			text:   "expired on 3 March 2026",
			change: func(s *site) { s.leaf.NotBefore, s.leaf.NotAfter = noon.Add(-48*time.Hour), noon.Add(-24*time.Hour) },
		},
		{
			name: "certificate that expires soon", code: doctor.TLSExpiry, level: doctor.Warn,
			text:   "expires in 5 days",
			change: func(s *site) { s.leaf.NotAfter = noon.Add(5*24*time.Hour + time.Hour) },
		},
		{
			name: "certificate not valid yet", code: doctor.TLSExpiry, level: doctor.Error,
			text: "not valid before", change: func(s *site) { s.leaf.NotBefore = noon.Add(24 * time.Hour) },
		},
		{
			name: "intermediate certificate missing", code: doctor.TLSChain, level: doctor.Error,
			text: "CN=Middle", change: func(s *site) { s.noIntermediate = true },
		},
		{
			name: "self-signed certificate", code: doctor.TLSTrust, level: doctor.Error,
			text: "not a public authority", change: func(s *site) { s.selfSigned = true },
		},

		{
			name: "discovery document missing", code: doctor.DiscoveryDocument, level: doctor.Error,
			text: "404",
			change: func(s *site) {
				s.handlers[pathDiscovery] = http.NotFound
			},
		},
		{
			name: "discovery document is a page", code: doctor.DiscoveryDocument, level: doctor.Error,
			text: "not valid JSON",
			change: func(s *site) {
				s.handlers[pathDiscovery] = respondWith(200, "text/html", "<h1>Welcome</h1>")
			},
		},
		{
			name: "discovery document without token endpoint", code: doctor.DiscoveryDocument, level: doctor.Error,
			text: "lacks token_endpoint", change: func(s *site) { delete(s.document, "token_endpoint") },
		},
		{
			name: "issuer in the discovery document differs", code: doctor.DiscoveryIssuer, level: doctor.Error,
			text:   `character 9 is 'L' and should be 'l'`,
			change: func(s *site) { s.document["issuer"] = "https://Login.brand.example" },
		},
		{
			name: "no RS256", code: doctor.DiscoverySupport, level: doctor.Warn,
			text:   "RS256",
			change: func(s *site) { s.document["id_token_signing_alg_values_supported"] = []string{"ES256"} },
		},
		{
			name: "no client_secret_basic", code: doctor.DiscoverySupport, level: doctor.Warn,
			text:   "client_secret_basic",
			change: func(s *site) { s.document["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"} },
		},
		{
			name: "clock a minute behind", code: doctor.Clock, level: doctor.Warn,
			text: "1m0s behind", change: shiftClock(-time.Minute),
		},
		{
			name: "clock an hour ahead", code: doctor.Clock, level: doctor.Error,
			text: "1h0m0s ahead", change: shiftClock(time.Hour),
		},
		{
			name: "no Date header", code: doctor.Clock, level: doctor.Note,
			text: "no Date",
			change: func(s *site) {
				s.editHeader = func(path string, h http.Header) { h["Date"] = nil }
			},
		},
		{
			name: "no HSTS", code: doctor.HSTS, level: doctor.Note,
			text: "Strict-Transport-Security",
			change: func(s *site) {
				s.editHeader = func(path string, h http.Header) { h.Del("Strict-Transport-Security") }
			},
		},
		{
			name: "trusts X-Forwarded-Host", code: doctor.ProxyHeaders, level: doctor.Error,
			text: "the discovery document",
			change: func(s *site) {
				s.handlers[pathDiscovery] = func(w http.ResponseWriter, r *http.Request) {
					if host := r.Header.Get("X-Forwarded-Host"); host != "" {
						s.document["jwks_uri"] = "http://" + host + "/jwks"
					}
					writeJSON(w, 200, s.document)
				}
			},
		},
		{
			name: "trusts X-Forwarded-Proto", code: doctor.ProxyHeaders, level: doctor.Error,
			text: "X-Forwarded-Proto",
			change: func(s *site) {
				s.handlers[pathDiscovery] = func(w http.ResponseWriter, r *http.Request) {
					document := map[string]any{}
					for name, value := range s.document {
						document[name] = value
					}
					if scheme := r.Header.Get("X-Forwarded-Proto"); scheme != "" {
						document["token_endpoint"] = scheme + "://login.brand.example/token"
					}
					writeJSON(w, 200, document)
				}
			},
		},
		{
			name: "cookie is not Secure", code: doctor.Cookies, level: doctor.Error,
			text: "sid is not Secure", change: func(s *site) { s.cookie = "sid=1; Path=/; HttpOnly" },
		},
		{
			name: "cookie without __Host-", code: doctor.Cookies, level: doctor.Note,
			text:   "does not have the prefix __Host-",
			change: func(s *site) { s.cookie = "sid=1; Path=/; HttpOnly; Secure" },
		},
		{
			name: "public metrics", code: doctor.OperationsPrivate, level: doctor.Warn,
			text: "/metrics",
			change: func(s *site) {
				s.handlers["/metrics"] = respondWith(200, "text/plain", "# TYPE idp_events_total counter\n")
			},
		},
		{
			name: "provider not ready", code: doctor.OperationsReady, level: doctor.Error,
			text: "503", change: func(s *site) { s.handlers["/readyz"] = respondWith(503, "text/plain", "no database\n") },
		},
	}
}

// shiftClock makes the provider's clock wrong.
func shiftClock(by time.Duration) func(*site) {
	return func(s *site) {
		s.editHeader = func(_ string, h http.Header) { h.Set("Date", noon.Add(by).Format(http.TimeFormat)) }
	}
}
