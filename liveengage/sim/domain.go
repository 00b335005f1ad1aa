package sim

import (
	"encoding/json"
	"net/http"
	"slices"
)

// services are the names by which the Domain API knows services. They are
// case-sensitive.
func services() []string {
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
	mux.HandleFunc("GET /api/account/{account}/service/baseURI.json", s.domains)
	mux.HandleFunc("GET /api/account/{account}/service/{service}/baseURI.json", s.domain)
}

// domains answers the Domain API for all services.
func (s *Simulator) domains(w http.ResponseWriter, r *http.Request) {
	if !s.asksDomain(w, r) {
		return
	}
	all := make([]baseURI, 0, len(services()))
	for _, name := range services() {
		all = append(all, s.baseURI(name))
	}
	writeJSON(w, http.StatusOK, map[string]any{"baseURIs": all})
}

// domain answers for one service. LivePerson's page shows an array with one entry,
// the live service is said to answer the entry alone: the answer is both, an object
// with the entry's members and the array.
func (s *Simulator) domain(w http.ResponseWriter, r *http.Request) {
	if !s.asksDomain(w, r) {
		return
	}
	name := r.PathValue("service")
	if !slices.Contains(services(), name) {
		writeFault(w, http.StatusBadRequest, "Bad Request: there is no service "+name+"; names are case-sensitive.")
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

// asksDomain checks what both requests have in common: 400 for what the caller got
// wrong, 401 for an account that is not there.
func (s *Simulator) asksDomain(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Set("Access-Control-Allow-Origin", "*") // public, as LivePerson's is
	account := r.PathValue("account")
	switch {
	case r.URL.Query().Get("version") != "1.0":
		writeFault(w, http.StatusBadRequest, "Bad Request: version=1.0 is required.")
	case !digits(account):
		writeFault(w, http.StatusBadRequest, "Bad Request: the account is a number.")
	case account != s.Account:
		writeFault(w, http.StatusUnauthorized, "Unauthorized: there is no account "+account+".")
	default:
		return true
	}
	return false
}

func digits(text string) bool {
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

// writeFault answers with a sentence, in the shape that the services share.
func writeFault(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]any{"error": map[string]any{"message": message, "responseStatus": http.StatusText(status)}})
}
