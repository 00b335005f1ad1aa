package doctor_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"idpbridge/doctor"
	"idpbridge/liveengage"
)

func brokenAuthorization() []brokenCase {
	return []brokenCase{
		{
			name: "redirect URI of the window not registered", code: doctor.RedirectAccepted, level: doctor.Error,
			text: liveengage.WindowURI,
			change: changeAuthorize(func(w http.ResponseWriter, _ *http.Request, query url.Values) bool {
				if query.Get("redirect_uri") == liveengage.WindowURI {
					http.Error(w, "not registered", http.StatusBadRequest)
					return true
				}
				return false
			}),
		},
		{
			name: "page in spite of prompt=none", code: doctor.RedirectAccepted, level: doctor.Warn,
			text: "prompt=none",
			change: changeAuthorize(func(w http.ResponseWriter, r *http.Request, query url.Values) bool {
				if query.Get("redirect_uri") == liveengage.WindowURI {
					http.Redirect(w, r, "/login", http.StatusFound)
					return true
				}
				return false
			}),
		},
		{
			name: "response type not allowed", code: doctor.RedirectRequest, level: doctor.Error,
			text: "unsupported_response_type",
			change: changeAuthorize(func(w http.ResponseWriter, r *http.Request, query url.Values) bool {
				if query.Get("response_type") == "id_token" && query.Get("redirect_uri") == liveengage.WindowURI {
					http.Redirect(w, r, liveengage.WindowURI+"#error=unsupported_response_type", http.StatusFound)
					return true
				}
				return false
			}),
		},
		{
			name: "nonce required", code: doctor.RedirectNonce, level: doctor.Warn,
			text: "rejects a request for an ID token without a nonce",
			change: changeAuthorize(func(w http.ResponseWriter, r *http.Request, query url.Values) bool {
				redirectURI := query.Get("redirect_uri")
				noNonce := query.Get("response_type") == "id_token" && query.Get("nonce") == ""
				if noNonce && strings.HasPrefix(redirectURI, "https://l") {
					http.Redirect(w, r, redirectURI+"#error=invalid_request", http.StatusFound)
					return true
				}
				return false
			}),
		},
		{
			name: "LivePerson's website registered", code: doctor.RedirectWebsite, level: doctor.Warn,
			text: liveengage.EmbeddedRedirectURI,
			change: changeAuthorize(func(w http.ResponseWriter, r *http.Request, query url.Values) bool {
				if query.Get("redirect_uri") == liveengage.EmbeddedRedirectURI {
					http.Redirect(w, r, liveengage.EmbeddedRedirectURI+"?error=login_required", http.StatusFound)
					return true
				}
				return false
			}),
		},
		{
			name: "window of any account", code: doctor.RedirectAccount, level: doctor.Warn,
			text: "Use the code flow", change: changeAuthorize(redirectEveryWindow),
		},
		{
			name: "window of any account, code flow only", code: doctor.RedirectAccount, level: doctor.Note,
			text: "window of any account", change: func(s *site) {
				s.cfg.ResponseTypes = []string{"code"}
				changeAuthorize(redirectEveryWindow)(s)
			},
		},
		{
			name: "window of any account, our own provider", code: doctor.RedirectAccount, level: doctor.Warn,
			text: "Set it.", change: func(s *site) {
				s.cfg.ResponseTypes, s.cfg.AccountRemedy = []string{"code"}, "Set it."
				changeAuthorize(redirectEveryWindow)(s)
			},
		},
		{
			name: "open redirect", code: doctor.RedirectForeign, level: doctor.Error,
			text: "attacker.invalid",
			change: changeAuthorize(func(w http.ResponseWriter, r *http.Request, query url.Values) bool {
				redirectWithState(w, r, query.Get("state"))
				return true
			}),
		},
		{
			name: "sign-in page for an unregistered redirect URI", code: doctor.RedirectForeign, level: doctor.Note,
			text: "shows no error",
			change: changeAuthorize(func(w http.ResponseWriter, r *http.Request, query url.Values) bool {
				if strings.Contains(query.Get("redirect_uri"), "attacker") {
					_, _ = io.WriteString(w, "<form>")
					return true
				}
				return false
			}),
		},
		{
			name: "state changed", code: doctor.RedirectState, level: doctor.Error,
			text: `is ' ' and should be '+'`,
			change: changeAuthorize(func(w http.ResponseWriter, r *http.Request, query url.Values) bool {
				state := query.Get("state")
				if state == "" {
					return false
				}
				redirectWithState(w, r, strings.Replace(state, "+", " ", 1))
				return true
			}),
		},
		{
			name: "state missing in the response", code: doctor.RedirectState, level: doctor.Error,
			text: "has no state",
			change: changeAuthorize(func(w http.ResponseWriter, r *http.Request, query url.Values) bool {
				if query.Get("state") != "" {
					http.Redirect(w, r, query.Get("redirect_uri")+"?error=login_required", http.StatusFound)
				}
				return query.Get("state") != ""
			}),
		},
		{
			name: "long state rejected", code: doctor.RedirectState, level: doctor.Warn,
			text: "414",
			change: changeAuthorize(func(w http.ResponseWriter, r *http.Request, query url.Values) bool {
				if len(r.URL.RawQuery) > 8000 {
					w.WriteHeader(http.StatusRequestURITooLong)
					return true
				}
				return false
			}),
		},
	}
}

// changeAuthorize changes the authorization endpoint. The handler returns false if
// the good one is to respond.
func changeAuthorize(handler func(w http.ResponseWriter, r *http.Request, query url.Values) bool) func(*site) {
	return func(s *site) {
		s.handlers["/authorize"] = func(w http.ResponseWriter, r *http.Request) {
			if !handler(w, r, r.URL.Query()) {
				s.authorize(w, r)
			}
		}
	}
}

// redirectWithState responds to an authorization request with login_required.
func redirectWithState(w http.ResponseWriter, r *http.Request, state string) {
	params := url.Values{"error": {"login_required"}, "state": {state}}
	http.Redirect(w, r, r.URL.Query().Get("redirect_uri")+"?"+params.Encode(), http.StatusFound)
}

// redirectEveryWindow responds to LivePerson's window, whatever account it names.
func redirectEveryWindow(w http.ResponseWriter, r *http.Request, query url.Values) bool {
	if query.Get("redirect_uri") != liveengage.WindowURI {
		return false
	}
	separator := "?"
	if query.Get("response_type") == "id_token" {
		separator = "#"
	}
	params := url.Values{"error": {"login_required"}, "state": {query.Get("state")}}
	http.Redirect(w, r, liveengage.WindowURI+separator+params.Encode(), http.StatusFound)
	return true
}
