package sim

import (
	"errors"
	"net/http"
	"strings"

	"idpbridge/liveengage/oauth1"
)

func (s *Simulator) registerUsers(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/account/{account}/configuration/le-users/users", s.listUsers)
}

// listUsers is the Users API: for the bearer of a login, or signed with an API key.
func (s *Simulator) listUsers(w http.ResponseWriter, r *http.Request) {
	if scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "OAuth") {
		if _, err := s.verifySignature(r); err != nil || !s.matchesAccount(r) {
			problem := oauth1.ProblemPermission
			if err != nil {
				problem, _ = errors.AsType[oauth1.Problem](err)
			}
			text := "oauth_problem=" + string(problem) + "&oauth_problem_advice=" + oauth1.PercentEncode("see RFC 5849 section 3.4; the base string is of "+s.Address)
			w.Header().Set("WWW-Authenticate", "OAuth "+text)
			s.writeLoginError(w, http.StatusUnauthorized, "Bad authorization request. "+text, 5)
			return
		}
	} else if !s.requireBearer(w, r) {
		return
	}
	user := func(id int, name, full, kind string, typeID int) map[string]any {
		return map[string]any{
			"id": id, "deleted": false, "pid": stableID(name), "loginName": name, "fullName": full, "nickname": full,
			"email": name + "@example.com", "userTypeId": typeID, "userTypeName": kind, "isEnabled": true, "maxChats": -1,
		}
	}
	writeJSON(w, http.StatusOK, []map[string]any{
		user(1, s.AgentName, "Demo Agent", "HUMAN", 1), user(2, "bot", "Demo Bot", "BOT", 2),
	})
}
