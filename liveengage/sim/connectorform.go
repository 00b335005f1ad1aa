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
	Connector   Connector
	Issuer      string // to fill the form from
	HasSecret   bool
	Message     string
	Failed      bool
	Warnings    []string
	Fingerprint string // of the connector's key
}

// encryptionKey is the simulator's encryption key, in the forms in which LivePerson
// publishes theirs.
type encryptionKey struct{ ID, Line, Certificate string }

func (s *Simulator) encryptionKey() encryptionKey {
	return encryptionKey{ID: EncryptionKeyID, Line: s.keyring.publicKeyLine(), Certificate: s.keyring.certificate}
}

func (s *Simulator) showConnectors(w http.ResponseWriter, r *http.Request) {
	list := "/api/account/" + s.Account + "/configuration/le-connectors/all-connectors"
	s.renderPage(w, r, page{name: "connectors", data: struct {
		Connectors []Connector
		Address    string
		Key        encryptionKey
	}{s.listConnectors(), list, s.encryptionKey()}})
}

func (s *Simulator) showConnector(w http.ResponseWriter, r *http.Request) {
	if c, ok := s.requireConnector(w, r); ok {
		s.showForm(w, r, c, "", false)
	}
}

func (s *Simulator) showForm(w http.ResponseWriter, r *http.Request, c Connector, message string, failed bool) {
	data := connectorPage{
		Connector: c,
		Issuer:    cmp.Or(s.Issuer, c.Configuration.Issuer),
		HasSecret: c.ClientSecret.IsSet(),
		Message:   message,
		Failed:    failed,
		Warnings:  c.listWarnings(),
	}
	if key, err := keys.ParsePublicKey(c.Configuration.JWTPublicKey); err == nil {
		data.Fingerprint = key.Fingerprint()
	}
	status := http.StatusOK
	if failed {
		status = http.StatusUnprocessableEntity
	}
	s.renderPage(w, r, page{name: "connector", status: status, data: data})
}

// listWarnings says what will not work with this connector.
func (c Connector) listWarnings() []string {
	var out []string
	f := c.Configuration
	add := func(wrong bool, warning string) {
		if wrong {
			out = append(out, warning)
		}
	}
	add(f.Issuer == "", "JWT issuer is empty. Every token will be rejected with 9007.")
	add(strings.HasSuffix(f.Issuer, "/"),
		"JWT issuer ends with a slash. That is correct only if iss in the token does too.")
	add(c.UsesCode() && f.TokenEndpoint == "", "The code flow needs a Token Endpoint.")
	add(c.UsesCode() && !c.ClientSecret.IsSet(),
		"The client secret is missing. The token endpoint will most likely reject the request (9011).")
	add(c.UsesKeySet() && f.JWKSEndpoint == "", "JWKS Endpoint is empty.")
	if !c.UsesKeySet() && !c.Delegates() {
		_, err := keys.ParsePublicKey(f.JWTPublicKey)
		add(err != nil, fmt.Sprintf("JWT Public Key is invalid (1028): %v.", err))
	}
	return out
}

func (s *Simulator) addConnector(w http.ResponseWriter, r *http.Request) {
	c := newConnector(s.Issuer)
	s.mu.Lock()
	c.ID, c.Configuration.Preferred = s.nextConnectorID(), len(s.connectors) == 0
	s.mu.Unlock()
	if !s.putConnector(c) {
		s.renderError(w, r, http.StatusConflict,
			fmt.Sprintf("The simulator keeps up to %d connectors. Remove one first.", maxConnectors))
		return
	}
	redirectTo(w, r, "/connectors/"+c.idString())
}

func (s *Simulator) removeConnector(w http.ResponseWriter, r *http.Request) {
	c, ok := s.requireConnector(w, r)
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

// saveConnector saves the form.
func (s *Simulator) saveConnector(w http.ResponseWriter, r *http.Request) {
	old, ok := s.requireConnector(w, r)
	if !ok {
		return
	}
	c, err := old.withForm(r)
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

// fillConnector takes the form, fills it from an identity provider and saves it.
func (s *Simulator) fillConnector(w http.ResponseWriter, r *http.Request) {
	old, ok := s.requireConnector(w, r)
	if !ok {
		return
	}
	c, err := old.withForm(r)
	if err == nil {
		c, err = s.discoverConnector(r.Context(), c, strings.TrimSpace(r.PostFormValue("from")))
	}
	if e, ok := errors.AsType[*idpError](err); ok {
		s.showForm(w, r, c, explainError(e), true)
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

// dropMovedSecret removes the client secret if the issuer or the token endpoint has
// moved to another origin, and returns a sentence that says so. A connector without an
// issuer had its secret for the operator's identity provider. The first token endpoint
// must be at the issuer's origin, unless trusted says that the issuer's discovery
// document names it.
func (c Connector) dropMovedSecret(old Connector, operatorsIssuer string, trusted bool) (Connector, string) {
	before, after := old.Configuration, c.Configuration
	issuerOrigin := originOf(cmp.Or(before.Issuer, operatorsIssuer))
	tokenOrigin := originOf(before.TokenEndpoint)
	if tokenOrigin == "" && !trusted {
		tokenOrigin = issuerOrigin
	}
	moved := after.Issuer != "" && originOf(after.Issuer) != issuerOrigin ||
		after.TokenEndpoint != "" && tokenOrigin != "" && originOf(after.TokenEndpoint) != tokenOrigin
	if !c.ClientSecret.IsSet() || !moved {
		return c, ""
	}
	c.ClientSecret = secret.Value{}
	return c, " The client secret was removed because it was for another issuer or token endpoint. " +
		"Enter it again if it is for this one."
}

// originOf returns the scheme and host of a URL. Anything else is returned as it is.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}

// storeConnector saves a connector. If it is the preferred one, no other is.
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

// withForm returns the connector with the values of the form. An empty secret keeps the
// old one.
func (c Connector) withForm(r *http.Request) (Connector, error) {
	if err := r.ParseForm(); err != nil {
		return c, errors.New("the form is too large")
	}
	value := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	isSet := func(name string) bool { return value(name) != "" }
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
	f.PKCEEnabled, f.RFCCompliance, f.Preferred = isSet("pkce"), isSet("rfc"), isSet("preferred")
	c.TokenRequest = TokenRequest{JSON: isSet("json"), Body: isSet("body"), Encoded: isSet("encoded")}
	if entered := r.PostFormValue("secret"); entered != "" {
		c.ClientSecret = secret.New(entered)
	}
	for _, endpoint := range []struct{ name, address string }{
		{"Authentication Endpoint", f.AuthorizationEndpoint},
		{"Token Endpoint", f.TokenEndpoint},
		{"JWKS Endpoint", f.JWKSEndpoint},
	} {
		address := endpoint.address
		if address != "" && !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
			return c, fmt.Errorf("%s must be a URL that starts with https:// or, in the simulator, http://", endpoint.name)
		}
	}
	if f.JSMethodName == "" {
		return c, errors.New("JS Method Name is empty; it is usually " + liveengage.DefaultJSMethod)
	}
	return c, nil
}
