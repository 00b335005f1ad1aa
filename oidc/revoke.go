package oidc

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// revoke answers POST /revoke (RFC 7009). Whatever token is shown, the whole
// sign-in that it came of is closed.
func (p *Provider) revoke(c echo.Context) error {
	v, err := form(c)
	if err != nil {
		return p.writeFault(c, err)
	}
	client, err := p.authenticate(c, v)
	if err != nil {
		return p.writeFault(c, err)
	}
	if v.Get("token") == "" {
		return p.writeFault(c, refuse(invalidRequest, "token is missing."))
	}
	noStore(c)
	in, _, err := p.findAccess(c, v.Get("token"))
	if f := asFault(err); err != nil && f.code == invalidToken {
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
