package oidc

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
)

// inactiveResponse is the response for every token that is not valid or not the caller's
// (RFC 7662 section 2.2).
type inactiveResponse struct {
	Active bool `json:"active"`
}

// introspectionResponse describes a valid token (RFC 7662 section 2.2). A refresh token has
// no token_type, which distinguishes the two.
type introspectionResponse struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope"`
	ClientID  string `json:"client_id"`
	TokenType string `json:"token_type,omitempty"`
	Expires   int64  `json:"exp"` // seconds
	IssuedAt  int64  `json:"iat"` // seconds
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	Issuer    string `json:"iss"`
}

// handleIntrospect serves POST /introspect (RFC 7662), for the confidential client that the
// token was issued to.
func (p *Provider) handleIntrospect(c echo.Context) error {
	client, token, err := p.readTokenParameter(c)
	if err != nil {
		return p.writeError(c, err)
	}
	if client.isPublic() {
		return p.writeError(c, errClientAuth("Introspection needs a client that can authenticate."))
	}
	setNoStore(c)
	t, err := p.findToken(c, token)
	withdrawn := err == nil && t.kind == "" && !client.allowsRefresh()
	if errors.Is(err, errBadToken) || err == nil && t.signin.ClientID != client.ID || withdrawn {
		return c.JSON(http.StatusOK, inactiveResponse{})
	}
	if err != nil {
		return p.writeError(c, err)
	}
	return c.JSON(http.StatusOK, introspectionResponse{
		Active: true, Scope: strings.Join(t.signin.Grant.Scopes, " "), ClientID: client.ID, TokenType: t.kind,
		Expires: t.expires.Unix(), IssuedAt: t.issued.Unix(),
		Subject: t.signin.Subject, Audience: client.ID, Issuer: p.issuer,
	})
}

// foundToken is a valid access token or refresh token.
type foundToken struct {
	signin          Signin
	kind            string // token_type; empty for a refresh token
	issued, expires time.Time
}

// findToken finds a valid token of either kind, or returns errBadToken. Only the newest
// refresh token of a sign-in is valid.
func (p *Provider) findToken(c echo.Context, token string) (foundToken, error) {
	signin, number, err := p.findRefreshToken(c, token)
	if err == nil {
		if number != signin.Refresh.Number || !p.now().Before(signin.Refresh.Expires) {
			return foundToken{}, errBadToken
		}
		return foundToken{signin: signin, issued: signin.Refresh.Issued, expires: signin.Refresh.Expires}, nil
	}
	if !errors.Is(err, errBadToken) {
		return foundToken{}, err
	}
	signin, _, err = p.findAccessToken(c, token)
	if err != nil {
		return foundToken{}, err
	}
	_, b, _ := openCredential(p.tokenKey, kindAccess, token, p.now())
	return foundToken{
		signin: signin, kind: zoidc.BearerToken, issued: b.expiresAt().Add(-p.lifetimes.AccessToken), expires: b.expiresAt(),
	}, nil
}

// findRefreshToken returns the open sign-in of a genuine refresh token, used or not, and
// the token's number. Otherwise it returns errBadToken.
func (p *Provider) findRefreshToken(c echo.Context, token string) (Signin, int, error) {
	id, number, ok := openRefreshToken(p.tokenKey, token)
	if !ok {
		return Signin{}, 0, errBadToken
	}
	signin, _, err := p.signins.FindSignin(c.Request().Context(), id, p.now())
	if errors.Is(err, ErrNotFound) {
		return Signin{}, 0, errBadToken
	}
	return signin, number, err
}
