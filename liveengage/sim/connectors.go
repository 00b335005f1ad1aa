package sim

import (
	"net/http"
	"slices"
	"strconv"

	"idpbridge/internal/secret"
	"idpbridge/liveengage"
)

// Connector is an authentication server of the account, with the parts that
// LivePerson's services do not show.
type Connector struct {
	ID int64 `json:"id"` // zero means the next free one
	liveengage.Connector
	TokenRequest TokenRequest `json:"tokenRequest"`
	ClientSecret secret.Value `json:"-"`
}

// TokenRequest is the form of the request to the token endpoint, about which
// LivePerson's pages disagree. The zero value is what the newest ones say: a form, with
// client ID and secret unencoded in a Basic header.
type TokenRequest struct {
	JSON    bool `json:"json"`    // a JSON body, as on older pages
	Body    bool `json:"body"`    // client ID and secret in the body instead of the header
	Encoded bool `json:"encoded"` // client ID and secret form-encoded (RFC 6749 section 2.3.1)
}

// firstConnectorID has as many digits as LivePerson's.
const firstConnectorID = 4056284238

func (c Connector) idString() string { return strconv.FormatInt(c.ID, 10) }

func (s *Simulator) registerConnectors(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/account/{account}/configuration/le-connectors/all-connectors", s.serveConnectors)
	mux.HandleFunc("GET /connectors", s.showConnectors)
	mux.HandleFunc("POST /connectors", s.addConnector)
	mux.HandleFunc("GET /connectors/{id}", s.showConnector)
	mux.HandleFunc("POST /connectors/{id}", s.saveConnector)
	mux.HandleFunc("POST /connectors/{id}/fill", s.fillConnector)
	mux.HandleFunc("POST /connectors/{id}/remove", s.removeConnector)
}

// serveConnectors serves the list of connectors. It is public, like LivePerson's, and
// contains no secrets.
func (s *Simulator) serveConnectors(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if !s.matchesAccount(r) {
		writeError(w, http.StatusNotFound, "Account "+r.PathValue("account")+" does not exist.")
		return
	}
	writeJSON(w, http.StatusOK, s.listConnectors())
}

// nextConnectorID returns a free ID. The caller holds the mutex.
func (s *Simulator) nextConnectorID() int64 {
	id := int64(firstConnectorID)
	for slices.ContainsFunc(s.connectors, func(c Connector) bool { return c.ID == id }) {
		id++
	}
	return id
}

// putConnector replaces the connector with the same ID, or adds one. It reports false
// if there are too many.
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

// listConnectors returns a copy of the connectors.
func (s *Simulator) listConnectors() []Connector {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.connectors)
}

// connectorByID returns the connector unless it is deleted.
func (s *Simulator) connectorByID(id int64) (Connector, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.connectors, func(c Connector) bool { return c.ID == id && !c.Deleted })
	if i < 0 {
		return Connector{}, false
	}
	return s.connectors[i], true
}

// defaultConnector returns the preferred connector, or the first one.
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

// findConnector returns the connector of a path or query: an ID, or "default".
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

// requireConnector returns the connector of a page's path. If there is none, it writes
// an error page and reports false.
func (s *Simulator) requireConnector(w http.ResponseWriter, r *http.Request) (Connector, bool) {
	c, ok := s.findConnector(r.PathValue("id"))
	if !ok {
		s.renderError(w, r, http.StatusNotFound, "Connector not found.")
	}
	return c, ok
}
