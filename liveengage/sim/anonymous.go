package sim

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"idpbridge/liveengage"
)

// Lives of visitors' tokens.
const (
	externalLives = 10 * time.Minute
	externalEnds  = 730 * time.Hour
	signupLives   = 13 * 365 * 24 * time.Hour
)

func (s *Simulator) registerAnonymous(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/account/{account}/signup", s.signup)
	mux.HandleFunc("POST /api/account/{account}/anonymous/authorize", s.anonymous)
}

// signup hands out LivePerson's own token of a new visitor, for years.
func (s *Simulator) signup(w http.ResponseWriter, r *http.Request) {
	if !s.knows(r) {
		s.refuse(w, r, "sign a visitor up", fault(liveengage.CodeNonAuthJWTAccountUnknown, "there is no account %q", clip(r.PathValue("account"))))
		return
	}
	token, err := s.admitVisitor(uuid(), s.Now().Add(signupLives))
	if err != nil {
		s.refuse(w, r, "sign a visitor up", err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"jwt": token})
}

// anonymous hands out the external token of a visitor, or a new one for an old one,
// for 730 hours from the first.
func (s *Simulator) anonymous(w http.ResponseWriter, r *http.Request) {
	token, err := s.external(r)
	if err != nil {
		s.refuse(w, r, "authorize a visitor", err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"token": token})
}

func (s *Simulator) external(r *http.Request) (string, error) {
	if !s.knows(r) {
		return "", fault(liveengage.CodeNonAuthJWTAccountUnknown, "there is no account %q", clip(r.PathValue("account")))
	}
	now := s.Now()
	c := ownClaims{
		Subject: uuid(), Audience: "acc:" + s.Account, Issuer: anonymousIssuer,
		Expires: now.Add(externalLives).Unix(), IssuedAt: now.Unix(), Ends: now.Add(externalEnds).Unix(),
	}
	var in struct {
		IDToken string `json:"id_token"`
	}
	if r.ContentLength != 0 && json.NewDecoder(r.Body).Decode(&in) != nil {
		return "", fault(liveengage.CodeInputValidationError, "the request's body is not the JSON object that it should be")
	}
	if in.IDToken != "" {
		old, err := s.readExternal(in.IDToken)
		if err != nil {
			return "", err
		}
		if now.Unix() >= old.Ends {
			return "", fault(liveengage.CodeNonAuthJWTRefreshExpired, "the visitor's token can be renewed no more: 730 hours have passed")
		}
		c.Subject, c.Ends = old.Subject, old.Ends
		c.Expires = min(c.Expires, c.Ends)
	}
	return s.crypto.issue(c)
}

// readExternal verifies a visitor's external token, whatever its age.
func (s *Simulator) readExternal(token string) (ownClaims, error) {
	c, err := s.crypto.read(token)
	switch {
	case err != nil || c.Issuer != anonymousIssuer:
		return c, fault(liveengage.CodeNonAuthJWTInvalidSignature, "the visitor's token was not signed here; the simulator forgets its keys when it stops")
	case c.Audience != "acc:"+s.Account:
		return c, fault(liveengage.CodeNonAuthJWTAccountUnknown, "the visitor's token is for another account")
	}
	return c, nil
}

// admitExternal is authenticate for a visitor.
func (s *Simulator) admitExternal(token string) (string, error) {
	c, err := s.readExternal(token)
	if err != nil {
		return "", err
	}
	if s.Now().Unix() >= c.Expires {
		return "", fault(liveengage.CodeJWTExpired, "the visitor's token has expired; renew it at anonymous/authorize")
	}
	return s.admitVisitor(c.Subject, time.Unix(c.Expires, 0))
}

// ownExternal says whether a token claims to be a visitor's.
func (s *Simulator) ownExternal(token string) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	var c ownClaims
	return err == nil && json.Unmarshal(raw, &c) == nil && c.Issuer == anonymousIssuer
}
