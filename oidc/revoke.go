package oidc

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"
)

// revoke answers POST /revoke (RFC 7009). Whatever token is shown, an access
// token or a refresh token, the whole sign-in that it came of is closed.
// token_type_hint is not needed to tell them apart.
func (p *Provider) revoke(c echo.Context) error {
	client, token, err := p.presentedToken(c)
	if err != nil {
		return p.writeFault(c, err)
	}
	noStore(c)
	in, _, err := p.findRefresh(c, token)
	if errors.Is(err, errBadToken) {
		in, _, err = p.findAccess(c, token)
	}
	if errors.Is(err, errBadToken) {
		return c.NoContent(http.StatusOK) // it is worth nothing already (RFC 7009 section 2.2)
	}
	if err != nil {
		return p.writeFault(c, err)
	}
	if in.ClientID != client.ID {
		return p.writeFault(c, refuse(unauthorizedClient, "The token was issued to another client."))
	}
	if err := p.signins.CloseSignin(c.Request().Context(), in.ID); err != nil {
		return p.writeFault(c, err)
	}
	p.events("revoked", client.ID)
	p.log.InfoContext(c.Request().Context(), "sign-in revoked", "reference", in.Reference, "client_id", client.ID)
	return c.NoContent(http.StatusOK)
}

// presentedToken reads what a client asks about a token, at /revoke and at
// /introspect: the client first, then the token.
func (p *Provider) presentedToken(c echo.Context) (client *Client, token string, err error) {
	client, v, err := p.clientRequest(c)
	if err != nil {
		return nil, "", err
	}
	if token = v.Get("token"); token == "" {
		return nil, "", refuse(invalidRequest, "token is missing.")
	}
	return client, token, nil
}
