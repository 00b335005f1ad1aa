package sim

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"idpbridge/internal/secret"
	"idpbridge/liveengage"
)

// Connector is an authentication server of the account: what LivePerson's services
// show, and what they keep to themselves.
type Connector struct {
	ID int64 `json:"id"` // 0: the next free one
	liveengage.Connector
	TokenRequest TokenRequest `json:"tokenRequest"`
	ClientSecret secret.Value `json:"-"`
}

// TokenRequest is how the token endpoint is asked; LivePerson's pages differ about
// it. The zero value is what the newest ones say: a form, and id and secret in a
// Basic header as they are.
type TokenRequest struct {
	JSON    bool `json:"json"`    // a JSON body, as older pages have it
	Body    bool `json:"body"`    // id and secret in the body instead of the header
	Encoded bool `json:"encoded"` // id and secret form-encoded first (RFC 6749 section 2.3.1)
}

// idString is the connector's id as text.
func (c Connector) idString() string { return strconv.FormatInt(c.ID, 10) }

func (s *Simulator) registerConnectors(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/account/{account}/configuration/le-connectors/all-connectors", s.allConnectors)
	mux.HandleFunc("GET /connectors", s.showConnectors)
	mux.HandleFunc("POST /connectors", s.addConnector)
	mux.HandleFunc("GET /connectors/{id}", s.showConnector)
	mux.HandleFunc("POST /connectors/{id}", s.saveConnector)
	mux.HandleFunc("POST /connectors/{id}/fill", s.fillConnector)
	mux.HandleFunc("POST /connectors/{id}/remove", s.removeConnector)
}

// allConnectors is public, as LivePerson's list is; secrets are not in it.
func (s *Simulator) allConnectors(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if !s.matchesAccount(r) {
		writeError(w, http.StatusNotFound, "There is no account "+r.PathValue("account")+".")
		return
	}
	writeJSON(w, http.StatusOK, s.listConnectors())
}

// SetConnectors replaces the account's connectors.
func (s *Simulator) SetConnectors(connectors []Connector) error {
	if len(connectors) == 0 || len(connectors) > maxConnectors {
		return errors.New("an account has 1 to " + strconv.Itoa(maxConnectors) + " connectors")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connectors = nil
	for _, c := range connectors {
		if c.ID == 0 {
			c.ID = s.nextConnectorID()
		}
		s.connectors = append(s.connectors, c)
	}
	return nil
}

// nextConnectorID is an id that no connector has. The caller holds the mutex.
func (s *Simulator) nextConnectorID() int64 {
	id := int64(firstConnector)
	for slices.ContainsFunc(s.connectors, func(c Connector) bool { return c.ID == id }) {
		id++
	}
	return id
}

// putConnector puts a connector in the place of the one with its id, or behind all.
func (s *Simulator) putConnector(c Connector) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.connectors, func(o Connector) bool { return o.ID == c.ID }); i >= 0 {
		s.connectors[i] = c
		return true
	}
	if len(s.connectors) >= maxConnectors {
		return false
	}
	s.connectors = append(s.connectors, c)
	return true
}

// defaultConnector is the connector that is used where none is named.
func (s *Simulator) defaultConnector() (Connector, bool) {
	all := slices.DeleteFunc(s.listConnectors(), func(c Connector) bool { return c.Deleted || c.Delegates() })
	if i := slices.IndexFunc(all, func(c Connector) bool { return c.Configuration.Preferred }); i >= 0 {
		return all[i], true
	}
	if len(all) == 0 {
		return Connector{}, false
	}
	return all[0], true
}

// findConnector is the connector of a path or a query: a number, or default.
func (s *Simulator) findConnector(id string) (Connector, bool) {
	if id == "" || id == "default" {
		return s.defaultConnector()
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return Connector{}, false
	}
	return s.connectorByID(n)
}

// pathConnector is the connector of a page's path; where there is none it has answered.
func (s *Simulator) pathConnector(w http.ResponseWriter, r *http.Request) (Connector, bool) {
	c, ok := s.findConnector(r.PathValue("id"))
	if !ok {
		s.renderError(w, r, http.StatusNotFound, "There is no such connector.")
	}
	return c, ok
}
