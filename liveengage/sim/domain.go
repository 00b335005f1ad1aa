package sim

import (
	"encoding/json"
	"net/http"
	"slices"
)

// serviceNames are the names by which the Domain API knows services. They are
// case-sensitive.
func serviceNames() []string {
	return []string{
		"accountConfigReadWrite", "agentVep", "asyncMessagingEnt", "idp", "liveEngageUI", "msgHist", "sentinel", "smt", "swift", "visitorFeed",
	}
}

// baseURI is an entry of the Domain API. BaseURI has no scheme.
type baseURI struct {
	Service string `json:"service"`
	Account string `json:"account"`
	BaseURI string `json:"baseURI"`
}

func (s *Simulator) registerDomain(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/account/{account}/service/baseURI.json", s.listDomains)
	mux.HandleFunc("GET /api/account/{account}/service/{service}/baseURI.json", s.showDomain)
}

// listDomains answers the Domain API for all services.
func (s *Simulator) listDomains(w http.ResponseWriter, r *http.Request) {
	if !s.checkDomainRequest(w, r) {
		return
	}
	all := make([]baseURI, 0, len(serviceNames()))
	for _, name := range serviceNames() {
		all = append(all, s.baseURI(name))
	}
	writeJSON(w, http.StatusOK, map[string]any{"baseURIs": all})
}

// showDomain answers for one service. LivePerson's page shows an array with one entry,
// the live service is said to answer the entry alone: the answer is both, an object
// with the entry's members and the array.
func (s *Simulator) showDomain(w http.ResponseWriter, r *http.Request) {
	if !s.checkDomainRequest(w, r) {
		return
	}
	name := r.PathValue("service")
	if !slices.Contains(serviceNames(), name) {
		writeError(w, http.StatusBadRequest, "Bad Request: there is no service "+name+"; names are case-sensitive.")
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

// checkDomainRequest checks what both requests have in common: 400 for what the caller got
// wrong, 401 for an account that is not there.
func (s *Simulator) checkDomainRequest(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Set("Access-Control-Allow-Origin", "*") // public, as LivePerson's is
	account := r.PathValue("account")
	switch {
	case r.URL.Query().Get("version") != "1.0":
		writeError(w, http.StatusBadRequest, "Bad Request: version=1.0 is required.")
	case !isNumber(account):
		writeError(w, http.StatusBadRequest, "Bad Request: the account is a number.")
	case account != s.Account:
		writeError(w, http.StatusUnauthorized, "Unauthorized: there is no account "+account+".")
	default:
		return true
	}
	return false
}

func isNumber(text string) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return text != "" && len(text) <= 20
}

// writeJSON answers with JSON that no cache keeps.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // whoever has gone needs no answer
}

// writeError answers with a sentence, in the shape that the services share.
func writeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]any{"error": map[string]any{"message": message, "responseStatus": http.StatusText(status)}})
}
