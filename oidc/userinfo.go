package oidc

import (
	"errors"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"

	"idpbridge/claims"
)

// userinfoClaims is the response of /userinfo (OIDC Core section 5.3.2).
type userinfoClaims struct {
	Subject string `json:"sub"`
	claims.Standard
	SDEs *claims.SDEs `json:"lp_sdes,omitempty"`
}

// handleUserinfo serves GET and POST /userinfo (OIDC Core section 5.3).
func (p *Provider) handleUserinfo(c echo.Context) error {
	setNoStore(c)
	token, err := p.readBearerToken(c)
	if err != nil {
		return p.writeBearerError(c, err)
	}
	if token == "" {
		c.Response().Header().Set("WWW-Authenticate", `Bearer realm="idp"`)
		return c.NoContent(http.StatusUnauthorized)
	}
	signin, person, err := p.findAccessToken(c, token)
	if err != nil {
		return p.writeBearerError(c, err)
	}
	if !slices.Contains(signin.Grant.Scopes, zoidc.ScopeOpenID) {
		return p.writeBearerError(c, &oauthError{
			status: http.StatusForbidden, code: insufficientScope, description: "The access token lacks the scope openid.",
		})
	}
	grant := signin.Grant
	response := userinfoClaims{
		Subject: person.Subject, Standard: person.Standard.Filter(grant.Scopes, grant.UserinfoClaims),
	}
	client, sdes := p.clients[signin.ClientID], person.SDEs()
	if releasesSDEs(client, grant, grant.UserinfoClaims) && !sdes.Empty() {
		response.SDEs = &sdes
	}
	return c.JSON(http.StatusOK, response)
}

// errBadToken is the same for every access token that is not valid.
var errBadToken = &oauthError{
	status: http.StatusUnauthorized, code: invalidToken,
	description: "The access token is wrong, expired or revoked.",
}

// findAccessToken returns the sign-in of an access token, with the part of its grant that
// the token covers.
func (p *Provider) findAccessToken(c echo.Context, token string) (Signin, claims.Person, error) {
	now := p.now()
	id, b, ok := openCredential(p.tokenKey, kindAccess, token, now)
	if !ok {
		return Signin{}, claims.Person{}, errBadToken
	}
	signin, person, err := p.signins.FindSignin(c.Request().Context(), id, now)
	if errors.Is(err, ErrNotFound) {
		return Signin{}, claims.Person{}, errBadToken
	}
	if err != nil {
		return Signin{}, claims.Person{}, err
	}
	client, ok := p.clients[signin.ClientID]
	if !ok {
		return Signin{}, claims.Person{}, errBadToken
	}
	signin.Grant = signin.Grant.dropScopes(b.droppedScopes()).allowedTo(client)
	return signin, person, nil
}

// readBearerToken returns the access token of a request, from the header or a form body,
// never from the URL and never twice (RFC 6750 section 2).
func (p *Provider) readBearerToken(c echo.Context) (string, error) {
	r := c.Request()
	if parseForm(r.URL.RawQuery).Has("access_token") {
		return "", newOAuthError(invalidRequest, "Do not send an access token in the URL.")
	}
	headers := r.Header.Values("Authorization")
	if len(headers) > 1 {
		return "", newOAuthError(invalidRequest, "There is more than one Authorization header.")
	}
	posted := ""
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); r.Method == http.MethodPost && err == nil &&
		kind == "application/x-www-form-urlencoded" {
		params, err := p.readForm(c)
		if err != nil {
			return "", err
		}
		posted = params.Get("access_token")
	}
	if len(headers) == 0 {
		return posted, nil
	}
	if posted != "" {
		return "", newOAuthError(invalidRequest, "The access token is sent twice.")
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", newOAuthError(invalidRequest, "The Authorization header is not a Bearer header.")
	}
	return token, nil
}

// writeBearerError responds to an invalid access token (RFC 6750 section 3).
func (p *Provider) writeBearerError(c echo.Context, err error) error {
	oauthErr := toOAuthError(err)
	if !oauthErr.isServerError() {
		c.Response().Header().Set("WWW-Authenticate",
			`Bearer realm="idp", error="`+oauthErr.code+`", error_description="`+oauthErr.description+`"`)
	}
	return p.writeError(c, err)
}
