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

// userinfoClaims is the answer of /userinfo (OIDC Core section 5.3.2).
type userinfoClaims struct {
	Subject string `json:"sub"`
	claims.Standard
	SDEs *claims.SDEs `json:"lp_sdes,omitempty"`
}

// userinfo answers GET and POST /userinfo (OIDC Core section 5.3).
func (p *Provider) userinfo(c echo.Context) error {
	noStore(c)
	token, err := bearer(c)
	if err != nil {
		return p.challenge(c, err)
	}
	if token == "" {
		c.Response().Header().Set("WWW-Authenticate", `Bearer realm="idp"`)
		return c.NoContent(http.StatusUnauthorized)
	}
	in, person, err := p.findAccess(c, token)
	if err != nil {
		return p.challenge(c, err)
	}
	if !slices.Contains(in.Grant.Scopes, zoidc.ScopeOpenID) {
		return p.challenge(c, &fault{
			status: http.StatusForbidden, code: insufficientScope, description: "The access token lacks the scope openid.",
		})
	}
	answer := userinfoClaims{Subject: person.Subject, Standard: person.Standard.Filter(in.Grant.Scopes, in.Grant.UserinfoClaims)}
	if sdes := person.SDEs(); releasesSDEs(p.clients[in.ClientID], in.Grant, in.Grant.UserinfoClaims) && !sdes.Empty() {
		answer.SDEs = &sdes
	}
	return c.JSON(http.StatusOK, answer)
}

// errBadToken is the one answer to every access token that is no good.
var errBadToken = &fault{
	status: http.StatusUnauthorized, code: invalidToken,
	description: "The access token is wrong, expired or revoked.",
}

// findAccess returns the sign-in that an access token came of, with what of its
// grant the token is good for.
func (p *Provider) findAccess(c echo.Context, token string) (Signin, claims.Person, error) {
	now := p.now()
	id, b, ok := open(p.tokenKey, kindAccess, token, now)
	if !ok {
		return Signin{}, claims.Person{}, errBadToken
	}
	in, person, err := p.signins.Find(c.Request().Context(), id, now)
	if errors.Is(err, ErrNotFound) {
		return Signin{}, claims.Person{}, errBadToken
	}
	if err != nil {
		return Signin{}, claims.Person{}, err
	}
	client, ok := p.clients[in.ClientID]
	if !ok {
		return Signin{}, claims.Person{}, errBadToken
	}
	in.Grant = in.Grant.narrowed(b.without()).allowedTo(client)
	return in, person, nil
}

// bearer returns the access token of a request: in the header or in a form
// body, never in the address and never twice (RFC 6750 section 2).
func bearer(c echo.Context) (string, error) {
	r := c.Request()
	if r.URL.Query().Has("access_token") {
		return "", refuse(invalidRequest, "An access token does not belong into an address.")
	}
	headers := r.Header.Values("Authorization")
	if len(headers) > 1 {
		return "", refuse(invalidRequest, "There is more than one Authorization header.")
	}
	posted := ""
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); r.Method == http.MethodPost && err == nil &&
		kind == "application/x-www-form-urlencoded" {
		v, err := form(c)
		if err != nil {
			return "", err
		}
		posted = v.Get("access_token")
	}
	if len(headers) == 0 {
		return posted, nil
	}
	if posted != "" {
		return "", refuse(invalidRequest, "The access token is sent in two ways.")
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", refuse(invalidRequest, "The Authorization header is not a Bearer header.")
	}
	return token, nil
}

// challenge answers a refused access token (RFC 6750 section 3).
func (p *Provider) challenge(c echo.Context, err error) error {
	f := asFault(err)
	if f.code != serverError {
		c.Response().Header().Set("WWW-Authenticate",
			`Bearer realm="idp", error="`+f.code+`", error_description="`+f.description+`"`)
	}
	return p.writeFault(c, err)
}
