package oidc

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"
)

// handleRevoke serves POST /revoke (RFC 7009). For an access token or a refresh token it
// closes the whole sign-in. token_type_hint is not needed to tell them apart.
func (p *Provider) handleRevoke(c echo.Context) error {
	client, token, err := p.readTokenParameter(c)
	if err != nil {
		return p.writeError(c, err)
	}
	setNoStore(c)
	signin, _, err := p.findRefreshToken(c, token)
	if errors.Is(err, errBadToken) {
		signin, _, err = p.findAccessToken(c, token)
	}
	if errors.Is(err, errBadToken) {
		return c.NoContent(http.StatusOK) // it is not valid anyway (RFC 7009 section 2.2)
	}
	if err != nil {
		return p.writeError(c, err)
	}
	if signin.ClientID != client.ID {
		return p.writeError(c, newOAuthError(unauthorizedClient, "The token was issued to another client."))
	}
	if err := p.signins.CloseSignin(c.Request().Context(), signin.ID); err != nil {
		return p.writeError(c, err)
	}
	p.events("token_revoked", client.ID)
	p.log.InfoContext(c.Request().Context(), "token revoked", "reference", signin.Reference, "client_id", client.ID)
	return c.NoContent(http.StatusOK)
}

// readTokenParameter authenticates the client of a request to /revoke or /introspect, and
// then reads the token.
func (p *Provider) readTokenParameter(c echo.Context) (client *Client, token string, err error) {
	client, params, err := p.readClientRequest(c)
	if err != nil {
		return nil, "", err
	}
	if token = params.Get("token"); token == "" {
		return nil, "", newOAuthError(invalidRequest, "token is missing.")
	}
	return client, token, nil
}
