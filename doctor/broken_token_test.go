package doctor_test

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"idpbridge/doctor"
	"idpbridge/internal/secret"
)

func brokenTokens() []brokenCase {
	return []brokenCase{
		{
			name: "secret rejected", code: doctor.TokenCredentials, level: doctor.Error,
			text: "rejects the client ID", change: func(s *site) { s.cfg.ClientSecret = secret.New("another") },
		},
		{
			name: "secret must be encoded", code: doctor.TokenCredentials, level: doctor.Error,
			text: "LivePerson does not encode them",
			change: func(s *site) {
				s.cfg.ClientSecret = secret.New("a+b%2Fc")
				s.handlers["/token"] = func(w http.ResponseWriter, r *http.Request) {
					id, given, _ := r.BasicAuth()
					if plain, err := url.QueryUnescape(given); err == nil && s.cfg.ClientSecret.Equal(plain) {
						r.SetBasicAuth(id, clientSecret)
					} else {
						r.SetBasicAuth(id, "wrong")
					}
					s.token(w, r)
				}
			},
		},
		{
			name: "secret not checked", code: doctor.TokenSecret, level: doctor.Error,
			text:   "does not check the client secret",
			change: changeToken(func(r *http.Request) { r.SetBasicAuth("liveengage", clientSecret) }, nil),
		},
		{
			name: "wrong secret rejected with 400", code: doctor.TokenSecret, level: doctor.Warn,
			text: "400 instead of 401", change: changeToken(nil, map[int]int{401: 400}),
		},
		{
			name: "WWW-Authenticate with 400", code: doctor.TokenChallenge, level: doctor.Warn,
			text: "400 has the header",
			change: func(s *site) {
				s.editHeader = func(path string, h http.Header) {
					if path == "/token" {
						h.Set("WWW-Authenticate", "Basic")
					}
				}
			},
		},
		{
			name: "grant type not allowed", code: doctor.TokenForm, level: doctor.Error,
			text: "unauthorized_client",
			change: func(s *site) {
				s.handlers["/token"] = respondWith(400, "application/json", `{"error":"unauthorized_client"}`)
			},
		},
		{
			name: "made-up code accepted", code: doctor.TokenForm, level: doctor.Error,
			text: "made up",
			change: func(s *site) {
				s.handlers["/token"] = respondWith(200, "application/json", `{"access_token":"x"}`)
			},
		},
		{
			name: "token endpoint missing", code: doctor.TokenForm, level: doctor.Error,
			text: "404", change: func(s *site) { s.handlers["/token"] = http.NotFound },
		},
		{
			name: "errors are HTML pages", code: doctor.TokenHeaders, level: doctor.Error,
			text:   "text/html",
			change: func(s *site) { s.handlers["/token"] = respondWith(400, "text/html", "<h1>Oops</h1>") },
		},
		{
			name: "errors may be cached", code: doctor.TokenHeaders, level: doctor.Warn,
			text: "Pragma: no-cache",
			change: func(s *site) {
				s.editHeader = func(path string, h http.Header) { h.Del("Pragma") }
			},
		},
		{
			name: "JSON body not accepted", code: doctor.TokenJSON, level: doctor.Note,
			text: "415",
			change: func(s *site) {
				s.handlers["/token"] = func(w http.ResponseWriter, r *http.Request) {
					if strings.Contains(r.Header.Get("Content-Type"), "json") {
						writeJSON(w, http.StatusUnsupportedMediaType, map[string]string{"error": "invalid_request"})
						return
					}
					s.token(w, r)
				}
			},
		},
		{
			name: "GET accepted", code: doctor.TokenMethod, level: doctor.Error,
			text: "GET",
			change: func(s *site) {
				s.handlers["/token"] = func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodGet {
						return
					}
					s.token(w, r)
				}
			},
		},
		{
			name: "slow token endpoint", code: doctor.TokenTime, level: doctor.Warn,
			text: "took 3s",
			change: func(s *site) {
				s.handlers["/token"] = func(w http.ResponseWriter, r *http.Request) {
					s.elapsed.Add(int64(3 * time.Second))
					s.token(w, r)
				}
			},
		},
		{
			name: "token endpoint closes the connection", code: doctor.TokenAnswers, level: doctor.Error,
			text: "does not respond",
			change: func(s *site) {
				s.handlers["/token"] = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
			},
		},
	}
}

// changeToken changes requests before the token endpoint sees them, and statuses of
// its responses.
func changeToken(change func(*http.Request), statuses map[int]int) func(*site) {
	return func(s *site) {
		s.handlers["/token"] = func(w http.ResponseWriter, r *http.Request) {
			if change != nil {
				change(r)
			}
			s.token(statusWriter{w, statuses}, r)
		}
	}
}

// statusWriter replaces statuses.
type statusWriter struct {
	http.ResponseWriter
	statuses map[int]int
}

func (c statusWriter) WriteHeader(status int) {
	if other := c.statuses[status]; other != 0 {
		status = other
	}
	c.ResponseWriter.WriteHeader(status)
}
