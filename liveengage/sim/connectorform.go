package sim

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"idpbridge/internal/secret"
	"idpbridge/keys"
	"idpbridge/liveengage"
)

// connectorPage is the page "connector".
type connectorPage struct {
	Connector Connector
	Issuer    string // to fill from
	HasSecret bool
	Message   string
	Failed    bool
	Warnings  []string
	Key       encryptionKey
	Print     string // fingerprint of the connector's key
}

// encryptionKey is the simulator's encryption key, as LivePerson hands theirs out.
type encryptionKey struct{ ID, Line, Certificate string }

func (s *Simulator) encryptionKey() encryptionKey {
	return encryptionKey{ID: EncryptionKeyID, Line: s.keyring.publicKeyLine(), Certificate: s.keyring.certificate}
}

func (s *Simulator) showConnectors(w http.ResponseWriter, r *http.Request) {
	s.renderPage(w, r, page{name: "connectors", data: struct {
		Connectors []Connector
		Address    string
		Key        encryptionKey
	}{s.listConnectors(), "/api/account/" + s.Account + "/configuration/le-connectors/all-connectors", s.encryptionKey()}})
}

func (s *Simulator) showConnector(w http.ResponseWriter, r *http.Request) {
	if c, ok := s.pathConnector(w, r); ok {
		s.showForm(w, r, c, "", false)
	}
}

// showForm shows the form.
func (s *Simulator) showForm(w http.ResponseWriter, r *http.Request, c Connector, message string, failed bool) {
	p := connectorPage{Connector: c, Issuer: s.Issuer, HasSecret: c.ClientSecret.IsSet(), Message: message, Failed: failed, Key: s.encryptionKey(), Warnings: c.listWarnings()}
	if p.Issuer == "" {
		p.Issuer = c.Configuration.Issuer
	}
	if key, err := keys.ParsePublicKey(c.Configuration.JWTPublicKey); err == nil {
		p.Print = key.Fingerprint()
	}
	status := http.StatusOK
	if failed {
		status = http.StatusUnprocessableEntity
	}
	s.renderPage(w, r, page{name: "connector", status: status, data: p})
}

// listWarnings say what will not work as the connector stands.
func (c Connector) listWarnings() []string {
	var out []string
	f := c.Configuration
	add := func(wrong bool, text string) {
		if wrong {
			out = append(out, text)
		}
	}
	add(f.Issuer == "", "JWT issuer is empty: every token will be refused with 9007.")
	add(strings.HasSuffix(f.Issuer, "/"), "JWT issuer ends in a slash; that is right only if the token's iss does, too.")
	add(c.UsesCode() && f.TokenEndpoint == "", "The code flow needs a Token Endpoint.")
	add(c.UsesCode() && !c.ClientSecret.IsSet(), "There is no client secret: the token endpoint will most likely refuse (9011).")
	add(c.UsesKeySet() && f.JWKSEndpoint == "", "JWKS Endpoint is empty.")
	if !c.UsesKeySet() && !c.Delegates() {
		_, err := keys.ParsePublicKey(f.JWTPublicKey)
		add(err != nil, fmt.Sprintf("JWT Public Key cannot be used (1028): %v.", err))
	}
	return out
}

func (s *Simulator) addConnector(w http.ResponseWriter, r *http.Request) {
	c := newConnector(s.Issuer)
	s.mu.Lock()
	c.ID, c.Configuration.Preferred = s.nextConnectorID(), len(s.connectors) == 0
	s.mu.Unlock()
	if !s.putConnector(c) {
		s.renderError(w, r, http.StatusConflict, fmt.Sprintf("The simulator keeps %d connectors; remove one first.", maxConnectors))
		return
	}
	redirectTo(w, r, "/connectors/"+c.idString())
}

func (s *Simulator) removeConnector(w http.ResponseWriter, r *http.Request) {
	c, ok := s.pathConnector(w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	kept := s.connectors[:0:0]
	for _, o := range s.connectors {
		if o.ID != c.ID {
			kept = append(kept, o)
		}
	}
	s.connectors = kept
	s.mu.Unlock()
	redirectTo(w, r, "/connectors")
}

// saveConnector takes the form.
func (s *Simulator) saveConnector(w http.ResponseWriter, r *http.Request) {
	c, ok := s.pathConnector(w, r)
	if !ok {
		return
	}
	old := c
	c, err := c.withForm(r)
	if err != nil {
		s.showForm(w, r, c, err.Error(), true)
		return
	}
	dropped := ""
	if r.PostFormValue("secret") == "" {
		c, dropped = c.dropMovedSecret(old, s.Issuer, false)
	}
	s.storeConnector(c)
	s.showForm(w, r, c, "Saved."+dropped, false)
}

// fillConnector takes the form, fills it from an identity provider and keeps it.
func (s *Simulator) fillConnector(w http.ResponseWriter, r *http.Request) {
	c, ok := s.pathConnector(w, r)
	if !ok {
		return
	}
	old := c
	c, err := c.withForm(r)
	if err == nil {
		c, err = s.discoverConnector(r.Context(), c, strings.TrimSpace(r.PostFormValue("from")))
	}
	if f, ok := errors.AsType[*idpError](err); ok {
		s.showForm(w, r, c, explainError(f), true)
		return
	}
	if err != nil {
		s.showForm(w, r, c, err.Error(), true)
		return
	}
	dropped := ""
	if r.PostFormValue("secret") == "" {
		c, dropped = c.dropMovedSecret(old, s.Issuer, c.UsesCode())
	}
	s.storeConnector(c)
	s.showForm(w, r, c, "Filled from "+c.Configuration.Issuer+" and saved."+dropped, false)
}

// dropMovedSecret is the connector without the secret that it had for another place, and a
// sentence that says so. Where it had no issuer yet, its secret is for the operator's
// identity provider. The first token endpoint must be the issuer's own, or vouched
// for: the issuer's discovery names it.
func (c Connector) dropMovedSecret(old Connector, operators string, vouched bool) (Connector, string) {
	was, is := old.Configuration, c.Configuration
	home := originOf(cmp.Or(was.Issuer, operators))
	place := originOf(was.TokenEndpoint)
	if place == "" && !vouched {
		place = home
	}
	moved := is.Issuer != "" && originOf(is.Issuer) != home
	moved = moved || is.TokenEndpoint != "" && place != "" && originOf(is.TokenEndpoint) != place
	if !c.ClientSecret.IsSet() || !moved {
		return c, ""
	}
	c.ClientSecret = secret.Value{}
	return c, " The client secret was dropped: it was for another issuer or token endpoint. Enter it again if it is for this one."
}

// originOf is scheme and host of an address, or the whole text where it is none.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}

// storeConnector saves a connector. Where it is preferred, no other is.
func (s *Simulator) storeConnector(c Connector) {
	s.putConnector(c)
	if !c.Configuration.Preferred {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.connectors {
		s.connectors[i].Configuration.Preferred = s.connectors[i].ID == c.ID
	}
}

// withForm is the connector with what the form says. An empty secret leaves the old.
func (c Connector) withForm(r *http.Request) (Connector, error) {
	if err := r.ParseForm(); err != nil {
		return c, errors.New("the form is too large")
	}
	value := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	f := &c.Configuration
	c.Type = liveengage.TypeImplicit
	if value("type") == strconv.Itoa(int(liveengage.TypeCode)) {
		c.Type = liveengage.TypeCode
	}
	f.IssuerDisplayName, f.Issuer, f.ClientID = value("display"), value("issuer"), value("client_id")
	c.Name = f.IssuerDisplayName
	f.AuthorizationEndpoint, f.TokenEndpoint, f.JWKSEndpoint = value("authorize"), value("token"), value("jwks")
	f.JWTPublicKey, f.JWTValidationType = value("key"), liveengage.KeyTypePasted
	if value("validation") == string(liveengage.KeyTypeJWKS) {
		f.JWTValidationType = liveengage.KeyTypeJWKS
	}
	f.JSMethodName, f.JSContext = value("method"), value("context")
	f.PKCEEnabled, f.RFCCompliance, f.Preferred = value("pkce") != "", value("rfc") != "", value("preferred") != ""
	c.TokenRequest = TokenRequest{JSON: value("json") != "", Body: value("body") != "", Encoded: value("encoded") != ""}
	if entered := r.PostFormValue("secret"); entered != "" {
		c.ClientSecret = secret.New(entered)
	}
	for name, address := range map[string]string{"Authentication Endpoint": f.AuthorizationEndpoint, "Token Endpoint": f.TokenEndpoint, "JWKS Endpoint": f.JWKSEndpoint} {
		if address != "" && !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
			return c, fmt.Errorf("%s is no address: it begins with https://, or here also with http://", name)
		}
	}
	if f.JSMethodName == "" {
		return c, errors.New("JS Method Name is empty; the usual one is " + liveengage.DefaultJSMethod)
	}
	return c, nil
}
