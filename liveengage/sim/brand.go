package sim

import (
	"encoding/json"
	"net/http"
	"net/url"
)

func (s *Simulator) registerBrand(mux *http.ServeMux) {
	mux.HandleFunc("GET /brand", s.showBrand)
	mux.HandleFunc("GET "+WindowPath, s.showWindow)
	mux.Handle("GET /static/", serveStatic())
}

// brandPage is the page "brand": the brand's website with LivePerson's chat.
type brandPage struct {
	Connectors []Connector
	Chosen     Connector
	Script     string // of the identity provider; empty if the page has none
	SignOut    string
	Settings   string // JSON for the scripts
}

// scriptSettings are the settings of the chat's scripts.
type scriptSettings struct {
	Account     string `json:"account"`
	Connector   string `json:"connector"`
	Method      string `json:"method"`
	Context     string `json:"context"`
	Code        bool   `json:"code"`
	PKCE        bool   `json:"pkce"`
	RedirectURI string `json:"redirect_uri"`
	RFC         bool   `json:"rfc"`
	PopOut      string `json:"pop_out"` // without redirect_uri and state
	SignIn      string `json:"sign_in"` // the brand's own link, likewise
	// Public is the connector, which the window carries along in its state.
	Public Connector `json:"public"`
}

// showBrand shows the brand's website. Its scripts come from the connector's identity
// provider and from the simulator.
func (s *Simulator) showBrand(w http.ResponseWriter, r *http.Request) {
	c, ok := s.findConnector(r.URL.Query().Get("connector"))
	if !ok {
		s.renderError(w, r, http.StatusNotFound, "Connector not found. You can add one on the Connectors page.")
		return
	}
	data := brandPage{Chosen: c, Settings: s.encodeSettings(c)}
	for _, other := range s.listConnectors() {
		if !other.Delegates() && !other.Deleted {
			data.Connectors = append(data.Connectors, other)
		}
	}
	issuer, origin := c.Configuration.Issuer, ""
	if u, err := url.Parse(issuer); err == nil && u.Host != "" && s.idp.checkURL(issuer) == nil {
		origin = u.Scheme + "://" + u.Host
		data.Script = issuer + "/liveengage.js?client_id=" + url.QueryEscape(c.Configuration.ClientID)
		data.SignOut = issuer + "/end_session"
	}
	s.renderPage(w, r, page{name: "brand", data: data, origin: origin})
}

// showWindow shows the pop-out window. LivePerson's is at lpcdn.lpsnmedia.net.
func (s *Simulator) showWindow(w http.ResponseWriter, r *http.Request) {
	s.renderPage(w, r, page{name: "window", data: map[string]string{"Account": s.Account}})
}

func (s *Simulator) encodeSettings(c Connector) string {
	f := c.Configuration
	query := url.Values{"response_type": {"id_token"}, "client_id": {f.ClientID}, "scope": {"openid"}}
	if c.UsesCode() {
		query.Set("response_type", "code")
	}
	signIn := addQuery(f.AuthorizationEndpoint, query)
	if !c.UsesCode() && !f.RFCCompliance {
		query.Set("response_type", "token") // how the older dialect asks for an ID token
		query.Del("scope")
	}
	raw, err := json.Marshal(scriptSettings{
		Account:     s.Account,
		Connector:   c.idString(),
		Method:      f.JSMethodName,
		Context:     f.JSContext,
		Code:        c.UsesCode(),
		PKCE:        c.UsesCode() && f.PKCEEnabled,
		RedirectURI: s.WindowURI(),
		RFC:         f.RFCCompliance,
		PopOut:      addQuery(f.AuthorizationEndpoint, query),
		SignIn:      signIn,
		Public:      c,
	})
	if err != nil {
		return "{}"
	}
	return string(raw)
}
