package sim

import (
	"encoding/json"
	"net/http"
	"slices"
)

// serviceNames returns the names of the services in the Domain API. They are
// case-sensitive.
func serviceNames() []string {
	return []string{
		"accountConfigReadOnly", "accountConfigReadWrite", "agentVep", "asyncMessagingEnt", "idp", "liveEngageUI",
		"msgHist", "sentinel", "smt", "swift", "visitorFeed",
	}
}

// baseURI is an entry of the Domain API. BaseURI has no scheme.
type baseURI struct {
	Service string `json:"service"`
	Account string `json:"account"`
	BaseURI string `json:"baseURI"`
}

func (s *Simulator) registerDomain(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/account/{account}/service/baseURI.json", s.serveDomains)
	mux.HandleFunc("GET /api/account/{account}/service/{service}/baseURI.json", s.serveDomain)
}

// serveDomains serves the list of all services.
func (s *Simulator) serveDomains(w http.ResponseWriter, r *http.Request) {
	if !s.checkDomainRequest(w, r) {
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"baseURIs": s.listBaseURIs()})
}

// serveDomain serves a single service. LivePerson documents a list with one entry, but
// the real service is said to return just the entry. The response is both: the members
// of the entry, and the list.
func (s *Simulator) serveDomain(w http.ResponseWriter, r *http.Request) {
	if !s.checkDomainRequest(w, r) {
		return
	}
	name := r.PathValue("service")
	if !slices.Contains(serviceNames(), name) {
		writeError(w, http.StatusBadRequest, "Bad Request: unknown service "+name+". Service names are case-sensitive.")
		return
	}
	one := s.baseURI(name)
	writeJSON(w, http.StatusOK, struct {
		baseURI

		BaseURIs []baseURI `json:"baseURIs"`
	}{one, []baseURI{one}})
}

func (s *Simulator) baseURI(name string) baseURI {
	return baseURI{Service: name, Account: s.Account, BaseURI: s.origin.Host}
}

func (s *Simulator) listBaseURIs() []baseURI {
	all := make([]baseURI, 0, len(serviceNames()))
	for _, name := range serviceNames() {
		all = append(all, s.baseURI(name))
	}
	return all
}

// checkDomainRequest checks the version and the account. If they are wrong, it writes an
// error and reports false: 400 for a mistake in the request, 401 for an unknown account.
func (s *Simulator) checkDomainRequest(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Set("Access-Control-Allow-Origin", "*") // public, like LivePerson's
	account := r.PathValue("account")
	if r.URL.Query().Get("version") != "1.0" {
		writeError(w, http.StatusBadRequest, "Bad Request: version=1.0 is required.")
		return false
	}
	if !isNumber(account) {
		writeError(w, http.StatusBadRequest, "Bad Request: the account must be a number.")
		return false
	}
	if account != s.Account {
		writeError(w, http.StatusUnauthorized, "Unauthorized: account "+account+" does not exist.")
		return false
	}
	return true
}

// isNumber reports whether text has 1 to 20 digits and nothing else.
func isNumber(text string) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return text != "" && len(text) <= 20
}

// writeJSON writes a JSON response that is not cached.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client may be gone
}

// writeError writes an error in the form that most services share.
func writeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]any{
		"error": map[string]any{"message": message, "responseStatus": http.StatusText(status)},
	})
}
