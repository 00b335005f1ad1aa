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

// brandPage is the page "brand": a page of the brand's with LivePerson's window.
type brandPage struct {
	Connectors []Connector
	Chosen     Connector
	Script     string // of the identity provider; empty: the page has none
	PopOut     string // address of the window of its own, but for state and challenge
	SignOut    string
	Settings   string // JSON for the scripts
}

// scriptSettings are what the window's scripts work with.
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
	SignIn      string `json:"sign_in"` // likewise, of the brand's own link
	// Public is the connector, which the window carries along in its state.
	Public Connector `json:"public"`
}

// showBrand is the brand's page. Its scripts come from the identity provider and from
// here; the connector says which.
func (s *Simulator) showBrand(w http.ResponseWriter, r *http.Request) {
	c, ok := s.findConnector(r.URL.Query().Get("connector"))
	if !ok {
		s.renderError(w, r, http.StatusNotFound, "There is no such connector: make one on the page of connectors.")
		return
	}
	p := brandPage{Chosen: c, Settings: s.encodeSettings(c)}
	for _, o := range s.listConnectors() {
		if !o.Delegates() && !o.Deleted {
			p.Connectors = append(p.Connectors, o)
		}
	}
	origin := ""
	if u, err := url.Parse(c.Configuration.Issuer); err == nil && u.Host != "" && s.idp.allowed(c.Configuration.Issuer) == nil {
		origin = u.Scheme + "://" + u.Host
		p.Script = c.Configuration.Issuer + "/liveengage.js?client_id=" + url.QueryEscape(c.Configuration.ClientID)
		p.SignOut = c.Configuration.Issuer + "/end_session"
	}
	s.renderPage(w, r, page{name: "brand", data: p, origin: origin})
}

// showWindow is the window of its own: where LivePerson's is at lpcdn.lpsnmedia.net.
func (s *Simulator) showWindow(w http.ResponseWriter, r *http.Request) {
	s.renderPage(w, r, page{name: "window", data: map[string]string{"Account": s.Account}})
}

func (s *Simulator) encodeSettings(c Connector) string {
	f := c.Configuration
	ask := url.Values{"response_type": {"id_token"}, "client_id": {f.ClientID}, "scope": {"openid"}}
	if c.UsesCode() {
		ask.Set("response_type", "code")
	}
	signIn := addQuery(f.AuthorizationEndpoint, ask)
	if !c.UsesCode() && !f.RFCCompliance {
		ask.Set("response_type", "token") // the openID dialect's word for an ID token
		ask.Del("scope")
	}
	raw, err := json.Marshal(scriptSettings{
		Account: s.Account, Connector: c.idString(), Method: f.JSMethodName, Context: f.JSContext, Code: c.UsesCode(), PKCE: c.UsesCode() && f.PKCEEnabled,
		RedirectURI: s.WindowURI(), RFC: f.RFCCompliance, Public: c,
		PopOut: addQuery(f.AuthorizationEndpoint, ask), SignIn: signIn,
	})
	if err != nil {
		return "{}"
	}
	return string(raw)
}
