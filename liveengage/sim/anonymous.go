package sim

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"idpbridge/liveengage"
)

// Lifetimes of visitors' tokens.
const (
	externalTokenLifetime = 10 * time.Minute
	externalRenewalLimit  = 730 * time.Hour // since the first token
	signupTokenLifetime   = 13 * 365 * 24 * time.Hour
)

func (s *Simulator) registerAnonymous(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/account/{account}/signup", s.signUpVisitor)
	mux.HandleFunc("POST /api/account/{account}/anonymous/authorize", s.authorizeVisitor)
}

// signUpVisitor issues LivePerson's own token for a new visitor. It is valid for years.
func (s *Simulator) signUpVisitor(w http.ResponseWriter, r *http.Request) {
	err := s.requireAccount(r, liveengage.CodeNonAuthJWTAccountUnknown)
	var token string
	if err == nil {
		token, err = s.admitVisitor(newUUID(), s.Now().Add(signupTokenLifetime))
	}
	if err != nil {
		s.writeIDPError(w, r, "sign up a visitor", err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"jwt": token})
}

// authorizeVisitor issues an external token for a new visitor, or renews one.
func (s *Simulator) authorizeVisitor(w http.ResponseWriter, r *http.Request) {
	token, err := s.issueExternalToken(r)
	if err != nil {
		s.writeIDPError(w, r, "authorize a visitor", err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"token": token})
}

func (s *Simulator) issueExternalToken(r *http.Request) (string, error) {
	if err := s.requireAccount(r, liveengage.CodeNonAuthJWTAccountUnknown); err != nil {
		return "", err
	}
	now := s.Now()
	c := ownClaims{
		Subject:  newUUID(),
		Audience: "acc:" + s.Account,
		Issuer:   anonymousIssuer,
		Expires:  now.Add(externalTokenLifetime).Unix(),
		IssuedAt: now.Unix(),
		Ends:     now.Add(externalRenewalLimit).Unix(),
	}
	var body struct {
		IDToken string `json:"id_token"`
	}
	if r.ContentLength != 0 && json.NewDecoder(r.Body).Decode(&body) != nil {
		return "", errInvalidBody()
	}
	if body.IDToken != "" {
		old, err := s.readExternalToken(body.IDToken)
		if err != nil {
			return "", err
		}
		if now.Unix() >= old.Ends {
			return "", idpErrorf(liveengage.CodeNonAuthJWTRefreshExpired,
				"the visitor's token can no longer be renewed: 730 hours have passed")
		}
		c.Subject, c.Ends = old.Subject, old.Ends
		c.Expires = min(c.Expires, c.Ends)
	}
	return s.keyring.issueToken(c)
}

// errInvalidBody is returned for a request whose body is not the expected JSON.
func errInvalidBody() error {
	return idpErrorf(liveengage.CodeInputValidationError, "the request body is not a valid JSON object")
}

// readExternalToken verifies a visitor's external token, but not its expiry.
func (s *Simulator) readExternalToken(token string) (ownClaims, error) {
	c, err := s.keyring.readToken(token)
	if err != nil || c.Issuer != anonymousIssuer {
		return c, idpErrorf(liveengage.CodeNonAuthJWTInvalidSignature,
			"this simulator did not sign the visitor's token; it forgets its keys when it stops")
	}
	if c.Audience != "acc:"+s.Account {
		return c, idpErrorf(liveengage.CodeNonAuthJWTAccountUnknown, "the visitor's token is for another account")
	}
	return c, nil
}

// admitExternalToken authenticates a visitor.
func (s *Simulator) admitExternalToken(token string) (string, error) {
	c, err := s.readExternalToken(token)
	if err != nil {
		return "", err
	}
	if s.Now().Unix() >= c.Expires {
		return "", idpErrorf(liveengage.CodeJWTExpired,
			"the visitor's token has expired; renew it at anonymous/authorize")
	}
	return s.admitVisitor(c.Subject, time.Unix(c.Expires, 0))
}

// isExternalToken reports whether a token, which is not verified here, is a visitor's.
func isExternalToken(token string) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	var c ownClaims
	return err == nil && json.Unmarshal(raw, &c) == nil && c.Issuer == anonymousIssuer
}
