package sim

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"

	cryptorand "crypto/rand"

	"idpbridge/liveengage"
)

func (s *Simulator) registerAuthenticate(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/account/{account}/authenticate", s.authenticateV1)
	mux.HandleFunc("POST /api/account/{account}/app/{connector}/authenticate", s.authenticateV2And3)
	mux.HandleFunc("POST /api/account/{account}/app/{connector}/pkce", s.createChallenge)
}

// credential is what the window hands over. Which member is used depends on the
// version and on the flow.
type credential struct {
	AuthCode     string `json:"authCode"` // a token or a code; versions 1 and 2
	IDToken      string `json:"id_token"`
	Code         string `json:"code"`
	RedirectURI  string `json:"redirect_uri"`
	CodeVerifier string `json:"code_verifier"` // the handle of pkce, or a plain verifier of an app's own
	// StepUp is LivePerson's token of the visitor that somebody was before; the
	// conversation goes on. How LivePerson does that is not documented.
	StepUp string `json:"step_up"`
}

// authenticateV1 is version 1: a token or a code, by the preferred connector.
func (s *Simulator) authenticateV1(w http.ResponseWriter, r *http.Request) {
	s.writeToken(w, r, "jwt", "default")
}

// authenticateV2And3 is versions 2 and 3. They differ in what they call the answer.
func (s *Simulator) authenticateV2And3(w http.ResponseWriter, r *http.Request) {
	name := map[string]string{"": "jwt", "2.0": "jwt", "3.0": "token"}[r.URL.Query().Get("v")]
	if name == "" {
		s.writeIDPError(w, r, "authenticate", idpErrorf(liveengage.CodeInputValidationError, "v is 2.0 or 3.0"))
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

// authenticateConsumer judges what the window hands over and returns LivePerson's own token.
func (s *Simulator) authenticateConsumer(r *http.Request, connector string) (string, error) {
	if !s.matchesAccount(r) {
		return "", idpErrorf(liveengage.CodeACConnectorNotFound, "there is no account %q", truncateText(r.PathValue("account")))
	}
	var in credential
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return "", idpErrorf(liveengage.CodeInputValidationError, "the request's body is not the JSON object that it should be")
	}
	if in.IDToken != "" && s.isExternalToken(in.IDToken) {
		return s.admitExternalToken(in.IDToken)
	}
	c, ok := s.findConnector(connector)
	if !ok {
		return "", idpErrorf(liveengage.CodeACConnectorNotFound, "the account has no connector %q", truncateText(connector))
	}
	if c.Type != liveengage.TypeImplicit && c.Type != liveengage.TypeCode {
		return "", idpErrorf(liveengage.CodeACConnectorTypeNotFound, "the connector's type is %d, which is neither implicit nor code", c.Type)
	}
	token, err := s.checkCredential(r.Context(), c, in)
	if err != nil {
		return "", err
	}
	if in.StepUp != "" {
		err = s.stepUp(in.StepUp, token)
	}
	return token, err
}

func (s *Simulator) checkCredential(ctx context.Context, c Connector, in credential) (string, error) {
	token, code := in.IDToken, in.Code
	if in.AuthCode != "" {
		if looksLikeJWT(in.AuthCode) || !c.UsesCode() {
			token = in.AuthCode
		} else {
			code = in.AuthCode
		}
	}
	switch {
	case c.UsesCode() && code == "" && token != "":
		return "", idpErrorf(liveengage.CodeUnsupportedAuthType, "this is a token, and the connector is set to the code flow")
	case !c.UsesCode() && token == "" && code != "":
		return "", idpErrorf(liveengage.CodeUnsupportedAuthType, "this is a code, and the connector is set to the implicit flow")
	case !c.UsesCode():
		id, err := s.verifyToken(ctx, c, token)
		if err != nil {
			return "", err
		}
		return s.admitConsumer(c, id, "implicit", tokenResponse{})
	}
	verifier, method := "", "code"
	if c.Configuration.PKCEEnabled {
		method = "code with PKCE"
		if verifier = s.takeVerifier(in.CodeVerifier); verifier == "" && code != "" {
			return "", idpErrorf(liveengage.CodeInputValidationError, "the connector is set to PKCE and there is no code_verifier beside the code: send the handle that …/pkce gave, or the verifier whose challenge was sent to the authorization endpoint")
		}
	}
	t, err := s.redeemCode(ctx, c, code, in.RedirectURI, verifier)
	if err != nil {
		return "", err
	}
	if t.IDToken == "" {
		return "", idpErrorf(liveengage.CodeCustomerAuthFailed, "the token endpoint's answer has no id_token")
	}
	id, err := s.verifyToken(ctx, c, t.IDToken)
	if err != nil {
		return "", err
	}
	return s.admitConsumer(c, id, method, t)
}

// createChallenge makes a verifier, keeps it, and hands out its challenge with a handle
// in place of the verifier: the mobile SDK's works like that. The address is a guess.
func (s *Simulator) createChallenge(w http.ResponseWriter, r *http.Request) {
	c, ok := s.findConnector(r.PathValue("connector"))
	if !s.matchesAccount(r) || !ok || !c.UsesCode() || !c.Configuration.PKCEEnabled {
		s.writeIDPError(w, r, "make a challenge", idpErrorf(liveengage.CodeACConnectorNotFound, "there is no connector with PKCE of that name"))
		return
	}
	verifier, name := cryptorand.Text()+cryptorand.Text(), newHandle()
	s.mu.Lock()
	s.verifiers.put(name, verifier)
	s.mu.Unlock()
	sum := sha256.Sum256([]byte(verifier))
	writeJSON(w, http.StatusOK, map[string]string{
		"code_verifier": name, "code_challenge": base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method": "S256",
	})
}

// takeVerifier is the verifier that a handle stands for, once; an app that made its own
// sends it plainly.
func (s *Simulator) takeVerifier(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	verifier, ok := s.verifiers.get(name)
	if !ok {
		return name
	}
	s.verifiers.remove(name)
	return cmp.Or(verifier, name)
}
