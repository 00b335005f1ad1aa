package sim

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"

	"idpbridge/internal/pkce"
	"idpbridge/liveengage"
)

func (s *Simulator) registerAuthenticate(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/account/{account}/authenticate", s.authenticateV1)
	mux.HandleFunc("POST /api/account/{account}/app/{connector}/authenticate", s.authenticateV2And3)
	mux.HandleFunc("POST /api/account/{account}/app/{connector}/pkce", s.createChallenge)
}

// credential is what the window sends. Which member is used depends on the version and
// on the flow.
type credential struct {
	AuthCode     string `json:"authCode"` // a token or a code; versions 1 and 2
	IDToken      string `json:"id_token"`
	Code         string `json:"code"`
	RedirectURI  string `json:"redirect_uri"`
	CodeVerifier string `json:"code_verifier"` // the handle from …/pkce, or a verifier made by an app
	// StepUp is LivePerson's token of the visitor this consumer was before. The
	// conversation continues. LivePerson does not document how it does that.
	StepUp string `json:"step_up"`
}

// authenticateV1 takes a token or a code for the default connector.
func (s *Simulator) authenticateV1(w http.ResponseWriter, r *http.Request) {
	s.writeToken(w, r, "jwt", "default")
}

// authenticateV2And3 serves versions 2 and 3. They differ in the name of the token in
// the response.
func (s *Simulator) authenticateV2And3(w http.ResponseWriter, r *http.Request) {
	name := map[string]string{"": "jwt", "2.0": "jwt", "3.0": "token"}[r.URL.Query().Get("v")]
	if name == "" {
		s.writeIDPError(w, r, "authenticate", idpErrorf(liveengage.CodeInputValidationError, "v must be 2.0 or 3.0"))
		return
	}
	s.writeToken(w, r, name, r.PathValue("connector"))
}

func (s *Simulator) writeToken(w http.ResponseWriter, r *http.Request, name, connector string) {
	token, err := s.authenticateConsumer(r, connector)
	if err != nil {
		s.writeIDPError(w, r, "authenticate", err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{name: token})
}

// authenticateConsumer checks the credential and returns LivePerson's own token.
func (s *Simulator) authenticateConsumer(r *http.Request, connector string) (string, error) {
	if err := s.requireAccount(r, liveengage.CodeACConnectorNotFound); err != nil {
		return "", err
	}
	var given credential
	if err := json.NewDecoder(r.Body).Decode(&given); err != nil {
		return "", errInvalidBody()
	}
	if given.IDToken != "" && isExternalToken(given.IDToken) {
		return s.admitExternalToken(given.IDToken)
	}
	c, ok := s.findConnector(connector)
	if !ok {
		return "", idpErrorf(liveengage.CodeACConnectorNotFound,
			"the account has no connector %q", truncateText(connector))
	}
	if c.Type != liveengage.TypeImplicit && c.Type != liveengage.TypeCode {
		return "", idpErrorf(liveengage.CodeACConnectorTypeNotFound,
			"the connector's type is %d, which is neither implicit nor code", c.Type)
	}
	token, err := s.checkCredential(r.Context(), c, given)
	if err != nil {
		return "", err
	}
	if given.StepUp != "" {
		err = s.stepUp(given.StepUp, token)
	}
	return token, err
}

// checkCredential checks that the credential fits the connector's flow and verifies it.
func (s *Simulator) checkCredential(ctx context.Context, c Connector, given credential) (string, error) {
	token, code := given.IDToken, given.Code
	if given.AuthCode != "" {
		if looksLikeJWT(given.AuthCode) || !c.UsesCode() {
			token = given.AuthCode
		} else {
			code = given.AuthCode
		}
	}
	if c.UsesCode() {
		if code == "" && token != "" {
			return "", idpErrorf(liveengage.CodeUnsupportedAuthType,
				"this is a token, but the connector uses the code flow")
		}
		return s.checkCode(ctx, c, code, given)
	}
	if token == "" && code != "" {
		return "", idpErrorf(liveengage.CodeUnsupportedAuthType,
			"this is a code, but the connector uses the implicit flow")
	}
	id, err := s.verifyToken(ctx, c, token)
	if err != nil {
		return "", err
	}
	return s.admitConsumer(c, id, "implicit", tokenResponse{})
}

// checkCode redeems a code and verifies the ID token that it gets.
func (s *Simulator) checkCode(ctx context.Context, c Connector, code string, given credential) (string, error) {
	verifier, method := "", "code"
	if c.Configuration.PKCEEnabled {
		method = "code with PKCE"
		if verifier = s.takeVerifier(given.CodeVerifier); verifier == "" && code != "" {
			return "", idpErrorf(liveengage.CodeInputValidationError,
				"the connector uses PKCE, but code_verifier is missing: send the handle from …/pkce, "+
					"or the verifier whose challenge was sent to the authorization endpoint")
		}
	}
	t, err := s.redeemCode(ctx, c, code, given.RedirectURI, verifier)
	if err != nil {
		return "", err
	}
	if t.IDToken == "" {
		return "", idpErrorf(liveengage.CodeCustomerAuthFailed, "the token endpoint's response has no id_token")
	}
	id, err := s.verifyToken(ctx, c, t.IDToken)
	if err != nil {
		return "", err
	}
	return s.admitConsumer(c, id, method, t)
}

// createChallenge creates and keeps a verifier. It returns the challenge and a handle
// that stands for the verifier, as the mobile SDK's service does. The URL is a guess.
func (s *Simulator) createChallenge(w http.ResponseWriter, r *http.Request) {
	c, ok := s.findConnector(r.PathValue("connector"))
	if !s.matchesAccount(r) || !ok || !c.UsesCode() || !c.Configuration.PKCEEnabled {
		err := idpErrorf(liveengage.CodeACConnectorNotFound, "the account has no such connector with PKCE")
		s.writeIDPError(w, r, "create a challenge", err)
		return
	}
	verifier, handle := pkce.NewVerifier(), newHandle()
	s.mu.Lock()
	s.verifiers.put(handle, verifier)
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]string{
		"code_verifier":         handle,
		"code_challenge":        pkce.Challenge(verifier),
		"code_challenge_method": pkce.Method,
	})
}

// takeVerifier returns the verifier for a handle, once. Anything else is returned as it
// is: an app that creates its own verifier sends that.
func (s *Simulator) takeVerifier(handle string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	verifier, ok := s.verifiers.get(handle)
	if !ok {
		return handle
	}
	s.verifiers.remove(handle)
	return cmp.Or(verifier, handle)
}
