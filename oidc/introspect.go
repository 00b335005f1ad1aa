package oidc

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
)

// inactive is all that is said about a token that is no good, or none of the
// caller's business (RFC 7662 section 2.2).
type inactive struct {
	Active bool `json:"active"`
}

// introspected describes a good access token (RFC 7662 section 2.2).
type introspected struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope"`
	ClientID  string `json:"client_id"`
	TokenType string `json:"token_type"`
	Expires   int64  `json:"exp"`
	IssuedAt  int64  `json:"iat"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	Issuer    string `json:"iss"`
}

// introspect answers POST /introspect (RFC 7662) to the confidential client
// that the token was issued to.
func (p *Provider) introspect(c echo.Context) error {
	client, token, err := p.presentedToken(c)
	if err != nil {
		return p.writeFault(c, err)
	}
	if client.public() {
		return p.writeFault(c, &fault{status: http.StatusUnauthorized, code: invalidClient, description: "Introspection needs a client secret."})
	}
	noStore(c)
	in, _, err := p.findAccess(c, token)
	if f := asFault(err); err != nil && f.code == serverError {
		return p.writeFault(c, err)
	}
	if err != nil || in.ClientID != client.ID {
		return c.JSON(http.StatusOK, inactive{})
	}
	_, expires, _ := open(p.tokenKey, kindAccess, token, p.now())
	return c.JSON(http.StatusOK, introspected{
		Active: true, Scope: strings.Join(in.Grant.Scopes, " "), ClientID: client.ID, TokenType: zoidc.BearerToken,
		Expires: expires.Unix(), IssuedAt: expires.Add(-p.lifetimes.AccessToken).Unix(),
		Subject: in.Subject, Audience: client.ID, Issuer: p.issuer,
	})
}
