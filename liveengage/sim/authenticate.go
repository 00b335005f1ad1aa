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
	mux.HandleFunc("POST /api/account/{account}/authenticate", s.authenticateOld)
	mux.HandleFunc("POST /api/account/{account}/app/{connector}/authenticate", s.authenticate)
	mux.HandleFunc("POST /api/account/{account}/app/{connector}/pkce", s.challenge)
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

// authenticateOld is version 1: a token or a code, by the preferred connector.
func (s *Simulator) authenticateOld(w http.ResponseWriter, r *http.Request) {
	s.answerJWT(w, r, "jwt", "default")
}

// authenticate is versions 2 and 3. They differ in what they call the answer.
func (s *Simulator) authenticate(w http.ResponseWriter, r *http.Request) {
	name := map[string]string{"": "jwt", "2.0": "jwt", "3.0": "token"}[r.URL.Query().Get("v")]
	if name == "" {
		s.refuse(w, r, "authenticate", fault("9012", "v is 2.0 or 3.0"))
		return
	}
	s.answerJWT(w, r, name, r.PathValue("connector"))
}

func (s *Simulator) answerJWT(w http.ResponseWriter, r *http.Request, name, connector string) {
	token, err := s.admission(r, connector)
	if err != nil {
		s.refuse(w, r, "authenticate", err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{name: token})
}

// admission judges what the window hands over and returns LivePerson's own token.
func (s *Simulator) admission(r *http.Request, connector string) (string, error) {
	if !s.knows(r) {
		return "", fault("1024", "there is no account %q", clip(r.PathValue("account")))
	}
	var in credential
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return "", fault("9012", "the request's body is not the JSON object that it should be")
	}
	if in.IDToken != "" && s.ownExternal(in.IDToken) {
		return s.admitExternal(in.IDToken)
	}
	c, ok := s.named(connector)
	if !ok {
		return "", fault("1024", "the account has no connector %q", clip(connector))
	}
	if c.Type != liveengage.TypeImplicit && c.Type != liveengage.TypeCode {
		return "", fault("1025", "the connector's type is %d, which is neither implicit nor code", c.Type)
	}
	token, err := s.judge(r.Context(), c, in)
	if err != nil {
		return "", err
	}
	if in.StepUp != "" {
		err = s.stepUp(in.StepUp, token)
	}
	return token, err
}

func (s *Simulator) judge(ctx context.Context, c Connector, in credential) (string, error) {
	token, code := in.IDToken, in.Code
	if in.AuthCode != "" {
		if looksSigned(in.AuthCode) || !c.UsesCode() {
			token = in.AuthCode
		} else {
			code = in.AuthCode
		}
	}
	switch {
	case c.UsesCode() && code == "" && token != "":
		return "", fault("9015", "this is a token, and the connector is set to the code flow")
	case !c.UsesCode() && token == "" && code != "":
		return "", fault("9015", "this is a code, and the connector is set to the implicit flow")
	case !c.UsesCode():
		id, err := s.verify(ctx, c, token)
		if err != nil {
			return "", err
		}
		return s.admit(c, id, "implicit", tokens{})
	}
	verifier, method := "", "code"
	if c.Configuration.PKCEEnabled {
		method = "code with PKCE"
		if verifier = s.verifier(in.CodeVerifier); verifier == "" && code != "" {
			return "", fault("9012", "the connector is set to PKCE and there is no code_verifier beside the code: send the handle that …/pkce gave, or the verifier whose challenge was sent to the authorization endpoint")
		}
	}
	t, err := s.redeem(ctx, c, code, in.RedirectURI, verifier)
	if err != nil {
		return "", err
	}
	if t.IDToken == "" {
		return "", fault("9011", "the token endpoint's answer has no id_token")
	}
	id, err := s.verify(ctx, c, t.IDToken)
	if err != nil {
		return "", err
	}
	return s.admit(c, id, method, t)
}

// challenge makes a verifier, keeps it, and hands out its challenge with a handle
// in place of the verifier: the mobile SDK's works like that. The address is a guess.
func (s *Simulator) challenge(w http.ResponseWriter, r *http.Request) {
	c, ok := s.named(r.PathValue("connector"))
	if !s.knows(r) || !ok || !c.UsesCode() || !c.Configuration.PKCEEnabled {
		s.refuse(w, r, "make a challenge", fault("1024", "there is no connector with PKCE of that name"))
		return
	}
	verifier, name := cryptorand.Text()+cryptorand.Text(), handle()
	s.mu.Lock()
	s.verifiers.put(name, verifier)
	s.mu.Unlock()
	sum := sha256.Sum256([]byte(verifier))
	writeJSON(w, http.StatusOK, map[string]string{
		"code_verifier": name, "code_challenge": base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method": "S256",
	})
}

// verifier is the verifier that a handle stands for, once; an app that made its own
// sends it plainly.
func (s *Simulator) verifier(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	verifier, ok := s.verifiers.get(name)
	if !ok {
		return name
	}
	s.verifiers.remove(name)
	return cmp.Or(verifier, name)
}
