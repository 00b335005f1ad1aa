package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"

	"idpbridge/claims"
)

// tokenAnswer is the body of a good answer (RFC 6749 section 5.1, OIDC Core
// section 3.1.3.3).
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"`
	IDToken      string `json:"id_token,omitempty"`
}

// token answers POST /token (OIDC Core sections 3.1.3 and 12).
func (p *Provider) token(c echo.Context) error {
	client, answer, err := p.exchange(c)
	if err != nil {
		return p.writeFault(c, p.renamed(c.Request().Context(), client, err))
	}
	noStore(c)
	return c.JSON(http.StatusOK, answer)
}

// exchange returns the client also beside an error, once it has authenticated.
func (p *Provider) exchange(c echo.Context) (client *Client, answer *tokenAnswer, err error) {
	client, v, err := p.tokenRequest(c)
	if err != nil {
		return client, nil, err
	}
	ctx := c.Request().Context()
	switch zoidc.GrantType(v.Get("grant_type")) {
	case zoidc.GrantTypeCode:
		answer, err = p.spendCode(ctx, client, v)
	case zoidc.GrantTypeRefreshToken:
		answer, err = p.spendRefreshToken(ctx, client, v)
	case "":
		err = refuse(invalidRequest, "grant_type is missing.")
	default:
		err = refuse(unsupportedGrantType, "Only authorization_code and refresh_token are supported.")
	}
	return client, answer, err
}

// spendCode exchanges a code for tokens.
func (p *Provider) spendCode(ctx context.Context, client *Client, v url.Values) (*tokenAnswer, error) {
	if v.Get("code") == "" {
		return nil, refuse(invalidRequest, "code is missing.")
	}
	in, person, err := p.redeem(ctx, client, v)
	if err != nil {
		return nil, err
	}
	p.events("redeemed", client.ID)
	return p.tokens(client, person, in, 0, issue{})
}

// tokens issues what a sign-in gives at the token endpoint. Without says which
// scopes the access token does without; an ID token needs openid.
func (p *Provider) tokens(client *Client, person claims.Person, in Signin, without uint16, with issue) (*tokenAnswer, error) {
	now := p.now()
	expires := now.Add(p.lifetimes.AccessToken)
	if in.Expires.Before(expires) {
		expires = in.Expires // the row is gone then
	}
	in.Grant = in.Grant.narrowed(without).allowedTo(client)
	scopes := in.Grant.Scopes
	with.access = mintAccess(p.tokenKey, in.ID, expires, without)
	answer := &tokenAnswer{
		AccessToken: with.access, TokenType: zoidc.BearerToken, ExpiresIn: int64(expires.Sub(now) / time.Second),
		Scope: strings.Join(scopes, " "),
	}
	if in.Refresh.Number > 0 {
		answer.RefreshToken = mintRefresh(p.tokenKey, in.ID, in.Refresh.Number)
	}
	if !slices.Contains(scopes, zoidc.ScopeOpenID) {
		return answer, nil
	}
	var err error
	answer.IDToken, err = p.idToken(client, person, in, with)
	return answer, err
}

// errBadGrant is the one answer to every code or refresh token that is no good:
// why is for the log, not for whoever holds it.
func errBadGrant(what string, cause error) error {
	return &fault{
		code: invalidGrant, cause: cause,
		description: "The " + what + " is wrong, expired, used already, or not for this client.",
	}
}

// redeem spends a code. Spending comes before every comparison: a code that was
// presented wrongly is burnt (RFC 7636 section 4.6, RFC 9700 section 4.5.3.1).
func (p *Provider) redeem(ctx context.Context, client *Client, v url.Values) (Signin, claims.Person, error) {
	// Whether it has expired is left to the row: a code that comes back however
	// late ends what it gave.
	id, _, ok := genuine(p.tokenKey, kindCode, v.Get("code"))
	if !ok {
		p.events("code_refused", client.ID)
		return Signin{}, claims.Person{}, errBadGrant("code", nil)
	}
	in, person, err := p.signins.Redeem(ctx, id, p.now())
	switch {
	case errors.Is(err, ErrReplayed):
		p.events("replayed", client.ID)
		p.log.WarnContext(ctx, "code used twice; sign-in closed", "reference", in.Reference, "client_id", client.ID)
		return Signin{}, claims.Person{}, errBadGrant("code", err)
	case errors.Is(err, ErrNotFound):
		p.events("code_refused", client.ID)
		return Signin{}, claims.Person{}, errBadGrant("code", err)
	case err != nil:
		return Signin{}, claims.Person{}, err
	}
	reason := misuse(in, client, v)
	if reason == "" {
		if v.Get("redirect_uri") != in.Grant.RedirectURI {
			p.excepted(ctx, client, OtherRedirectURI)
		}
		p.log.InfoContext(ctx, "code redeemed", "reference", in.Reference, "client_id", client.ID)
		return in, person, nil
	}
	p.events("code_refused", client.ID)
	p.log.WarnContext(ctx, "code refused; sign-in closed", "reference", in.Reference, "client_id", client.ID, "reason", reason)
	return Signin{}, claims.Person{}, errors.Join(errBadGrant("code", nil), p.signins.CloseSignin(ctx, in.ID))
}

// misuse says what is wrong with the way in which a good code was presented.
func misuse(in Signin, client *Client, v url.Values) string {
	verifier := v.Get("code_verifier")
	switch {
	case in.ClientID != client.ID:
		return "code of another client"
	case v.Get("redirect_uri") != in.Grant.RedirectURI && !client.redeemsAt(v.Get("redirect_uri")):
		return "another redirect_uri than at the authorization endpoint"
	case in.Grant.CodeChallenge == "" && verifier != "":
		return "code_verifier without a code_challenge"
	case in.Grant.CodeChallenge != "" && !wellFormedPKCE(verifier):
		return "code_verifier missing or malformed"
	case in.Grant.CodeChallenge != "" && !proves(verifier, in.Grant.CodeChallenge):
		return "wrong code_verifier"
	}
	return ""
}

// redeemsAt says whether that redirect URI may stand in a token request in place
// of the one that the code was issued for.
func (c *Client) redeemsAt(uri string) bool {
	return c.allows(OtherRedirectURI) && uri == c.LiveEngage.TokenRedirectURI
}

// proves compares a verifier with its S256 challenge (RFC 7636 section 4.6).
func proves(verifier, challenge string) bool {
	return subtle.ConstantTimeCompare([]byte(Challenge(verifier)), []byte(challenge)) == 1
}

// Challenge is the S256 code challenge of a verifier (RFC 7636 section 4.2).
func Challenge(verifier string) string { return hashed(verifier) }
