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
	externalTokenLifetime = 10 * time.Minute
	externalRenewalLimit  = 730 * time.Hour
	signupTokenLifetime   = 13 * 365 * 24 * time.Hour
)

func (s *Simulator) registerAnonymous(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/account/{account}/signup", s.signUpVisitor)
	mux.HandleFunc("POST /api/account/{account}/anonymous/authorize", s.authorizeVisitor)
}

// signUpVisitor hands out LivePerson's own token of a new visitor, for years.
func (s *Simulator) signUpVisitor(w http.ResponseWriter, r *http.Request) {
	if !s.matchesAccount(r) {
		s.writeIDPError(w, r, "sign a visitor up", idpErrorf(liveengage.CodeNonAuthJWTAccountUnknown, "there is no account %q", truncateText(r.PathValue("account"))))
		return
	}
	token, err := s.admitVisitor(newUUID(), s.Now().Add(signupTokenLifetime))
	if err != nil {
		s.writeIDPError(w, r, "sign a visitor up", err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"jwt": token})
}

// authorizeVisitor hands out the external token of a visitor, or a new one for an old one,
// for 730 hours from the first.
func (s *Simulator) authorizeVisitor(w http.ResponseWriter, r *http.Request) {
	token, err := s.issueExternalToken(r)
	if err != nil {
		s.writeIDPError(w, r, "authorize a visitor", err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"token": token})
}

func (s *Simulator) issueExternalToken(r *http.Request) (string, error) {
	if !s.matchesAccount(r) {
		return "", idpErrorf(liveengage.CodeNonAuthJWTAccountUnknown, "there is no account %q", truncateText(r.PathValue("account")))
	}
	now := s.Now()
	c := ownClaims{
		Subject: newUUID(), Audience: "acc:" + s.Account, Issuer: anonymousIssuer,
		Expires: now.Add(externalTokenLifetime).Unix(), IssuedAt: now.Unix(), Ends: now.Add(externalRenewalLimit).Unix(),
	}
	var in struct {
		IDToken string `json:"id_token"`
	}
	if r.ContentLength != 0 && json.NewDecoder(r.Body).Decode(&in) != nil {
		return "", idpErrorf(liveengage.CodeInputValidationError, "the request's body is not the JSON object that it should be")
	}
	if in.IDToken != "" {
		old, err := s.readExternalToken(in.IDToken)
		if err != nil {
			return "", err
		}
		if now.Unix() >= old.Ends {
			return "", idpErrorf(liveengage.CodeNonAuthJWTRefreshExpired, "the visitor's token can be renewed no more: 730 hours have passed")
		}
		c.Subject, c.Ends = old.Subject, old.Ends
		c.Expires = min(c.Expires, c.Ends)
	}
	return s.keyring.issueToken(c)
}

// readExternalToken verifies a visitor's external token, whatever its age.
func (s *Simulator) readExternalToken(token string) (ownClaims, error) {
	c, err := s.keyring.readToken(token)
	switch {
	case err != nil || c.Issuer != anonymousIssuer:
		return c, idpErrorf(liveengage.CodeNonAuthJWTInvalidSignature, "the visitor's token was not signed here; the simulator forgets its keys when it stops")
	case c.Audience != "acc:"+s.Account:
		return c, idpErrorf(liveengage.CodeNonAuthJWTAccountUnknown, "the visitor's token is for another account")
	}
	return c, nil
}

// admitExternalToken is authenticate for a visitor.
func (s *Simulator) admitExternalToken(token string) (string, error) {
	c, err := s.readExternalToken(token)
	if err != nil {
		return "", err
	}
	if s.Now().Unix() >= c.Expires {
		return "", idpErrorf(liveengage.CodeJWTExpired, "the visitor's token has expired; renew it at anonymous/authorize")
	}
	return s.admitVisitor(c.Subject, time.Unix(c.Expires, 0))
}

// isExternalToken says whether a token claims to be a visitor's.
func (s *Simulator) isExternalToken(token string) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	var c ownClaims
	return err == nil && json.Unmarshal(raw, &c) == nil && c.Issuer == anonymousIssuer
}
