package sim

import (
	"errors"
	"net/http"
	"strings"

	"idpbridge/liveengage/oauth1"
)

func (s *Simulator) registerUsers(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/account/{account}/configuration/le-users/users", s.serveUsers)
}

// serveUsers serves the Users API. A request needs the bearer of a session, or a
// signature with an API key.
func (s *Simulator) serveUsers(w http.ResponseWriter, r *http.Request) {
	if !s.requireAuthorization(w, r) {
		return
	}
	user := func(id int, name, full, kind string, kindID int) map[string]any {
		return map[string]any{
			"id":           id,
			"deleted":      false,
			"pid":          stableID(name),
			"loginName":    name,
			"fullName":     full,
			"nickname":     full,
			"email":        name + "@example.com",
			"userTypeId":   kindID,
			"userTypeName": kind,
			"isEnabled":    true,
			"maxChats":     -1,
		}
	}
	writeJSON(w, http.StatusOK, []map[string]any{
		user(1, agentName, "Demo Agent", "HUMAN", 1), user(2, botName, "Demo Bot", "BOT", 2),
	})
}

// requireAuthorization reports whether a request is signed or has a bearer. If not, it
// writes an error.
func (s *Simulator) requireAuthorization(w http.ResponseWriter, r *http.Request) bool {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "OAuth") {
		return s.requireBearer(w, r)
	}
	_, err := s.verifySignature(r)
	if err == nil && s.matchesAccount(r) {
		return true
	}
	problem := oauth1.ProblemPermission
	if err != nil {
		problem, _ = errors.AsType[oauth1.Problem](err)
	}
	advice := "see RFC 5849 section 3.4; the base string needs the URL with " + s.Address
	detail := "oauth_problem=" + string(problem) + "&oauth_problem_advice=" + oauth1.PercentEncode(advice)
	w.Header().Set("WWW-Authenticate", "OAuth "+detail)
	s.writeLoginError(w, http.StatusUnauthorized, "Bad authorization request. "+detail, loginBadAuthHeader)
	return false
}
