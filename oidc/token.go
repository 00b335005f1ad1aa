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

// tokenResponse is the body of a good answer (RFC 6749 section 5.1, OIDC Core
// section 3.1.3.3).
type tokenResponse struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"`
	IDToken      string `json:"id_token,omitempty"`
}

// handleToken answers POST /token (OIDC Core sections 3.1.3 and 12).
func (p *Provider) handleToken(c echo.Context) error {
	client, response, err := p.exchangeGrant(c)
	if err != nil {
		return p.writeError(c, p.renameForLivePerson(c.Request().Context(), client, err))
	}
	setNoStore(c)
	return c.JSON(http.StatusOK, response)
}

// exchangeGrant returns the client also beside an error, once it has authenticated.
func (p *Provider) exchangeGrant(c echo.Context) (client *Client, response *tokenResponse, err error) {
	client, params, err := p.readTokenRequest(c)
	if err != nil {
		return client, nil, err
	}
	ctx := c.Request().Context()
	switch zoidc.GrantType(params.Get("grant_type")) {
	case zoidc.GrantTypeCode:
		response, err = p.exchangeCode(ctx, client, params)
	case zoidc.GrantTypeRefreshToken:
		response, err = p.exchangeRefreshToken(ctx, client, params)
	case "":
		err = newOAuthError(invalidRequest, "grant_type is missing.")
	default:
		err = newOAuthError(unsupportedGrantType, "Only authorization_code and refresh_token are supported.")
	}
	return client, response, err
}

// exchangeCode exchanges a code for tokens.
func (p *Provider) exchangeCode(ctx context.Context, client *Client, params url.Values) (*tokenResponse, error) {
	if params.Get("code") == "" {
		return nil, newOAuthError(invalidRequest, "code is missing.")
	}
	signin, person, err := p.redeemCode(ctx, client, params)
	if err != nil {
		return nil, err
	}
	p.events("redeemed", client.ID)
	return p.issueTokens(client, person, signin, 0, idTokenOptions{})
}

// issueTokens issues what a sign-in gives at the token endpoint. Without says which
// scopes the access token does without; an ID token needs openid.
func (p *Provider) issueTokens(client *Client, person claims.Person, signin Signin, without uint16, with idTokenOptions) (*tokenResponse, error) {
	now := p.now()
	expires := now.Add(p.lifetimes.AccessToken)
	if signin.Expires.Before(expires) {
		expires = signin.Expires // the row is gone then
	}
	signin.Grant = signin.Grant.dropScopes(without).allowedTo(client)
	scopes := signin.Grant.Scopes
	with.accessToken = newAccessToken(p.tokenKey, signin.ID, expires, without)
	response := &tokenResponse{
		AccessToken: with.accessToken, TokenType: zoidc.BearerToken, ExpiresIn: int64(expires.Sub(now) / time.Second),
		Scope: strings.Join(scopes, " "),
	}
	if signin.Refresh.Number > 0 {
		response.RefreshToken = newRefreshToken(p.tokenKey, signin.ID, signin.Refresh.Number)
	}
	if !slices.Contains(scopes, zoidc.ScopeOpenID) {
		return response, nil
	}
	var err error
	response.IDToken, err = p.newIDToken(client, person, signin, with)
	return response, err
}

// errBadGrant is the one answer to every code or refresh token that is no good:
// why is for the log, not for whoever holds it.
func errBadGrant(what string, cause error) error {
	return &oauthError{
		code: invalidGrant, cause: cause,
		description: "The " + what + " is wrong, expired, used already, or not for this client.",
	}
}

// redeemCode spends a code. Spending comes before every comparison: a code that was
// presented wrongly is burnt (RFC 7636 section 4.6, RFC 9700 section 4.5.3.1).
func (p *Provider) redeemCode(ctx context.Context, client *Client, params url.Values) (Signin, claims.Person, error) {
	// Whether it has expired is left to the row: a code that comes back however
	// late ends what it gave.
	id, _, ok := verifyCredential(p.tokenKey, kindCode, params.Get("code"))
	if !ok {
		p.events("code_refused", client.ID)
		return Signin{}, claims.Person{}, errBadGrant("code", nil)
	}
	signin, person, err := p.signins.RedeemCode(ctx, id, p.now())
	switch {
	case errors.Is(err, ErrReplayed):
		p.events("replayed", client.ID)
		p.log.WarnContext(ctx, "code used twice; sign-in closed", "reference", signin.Reference, "client_id", client.ID)
		return Signin{}, claims.Person{}, errBadGrant("code", err)
	case errors.Is(err, ErrNotFound):
		p.events("code_refused", client.ID)
		return Signin{}, claims.Person{}, errBadGrant("code", err)
	case err != nil:
		return Signin{}, claims.Person{}, err
	}
	reason := findCodeMisuse(signin, client, params)
	if reason == "" {
		if params.Get("redirect_uri") != signin.Grant.RedirectURI {
			p.recordDeviation(ctx, client, OtherRedirectURI)
		}
		p.log.InfoContext(ctx, "code redeemed", "reference", signin.Reference, "client_id", client.ID)
		return signin, person, nil
	}
	p.events("code_refused", client.ID)
	p.log.WarnContext(ctx, "code refused; sign-in closed", "reference", signin.Reference, "client_id", client.ID, "reason", reason)
	return Signin{}, claims.Person{}, errors.Join(errBadGrant("code", nil), p.signins.CloseSignin(ctx, signin.ID))
}

// findCodeMisuse says what is wrong with the way in which a good code was presented.
func findCodeMisuse(signin Signin, client *Client, params url.Values) string {
	verifier := params.Get("code_verifier")
	switch {
	case signin.ClientID != client.ID:
		return "code of another client"
	case params.Get("redirect_uri") != signin.Grant.RedirectURI && !client.allowsTokenRedirectURI(params.Get("redirect_uri")):
		return "another redirect_uri than at the authorization endpoint"
	case signin.Grant.CodeChallenge == "" && verifier != "":
		return "code_verifier without a code_challenge"
	case signin.Grant.CodeChallenge != "" && !isPKCEString(verifier):
		return "code_verifier missing or malformed"
	case signin.Grant.CodeChallenge != "" && !verifyPKCE(verifier, signin.Grant.CodeChallenge):
		return "wrong code_verifier"
	}
	return ""
}

// allowsTokenRedirectURI says whether that redirect URI may stand in a token request in place
// of the one that the code was issued for.
func (client *Client) allowsTokenRedirectURI(uri string) bool {
	return client.allowsDeviation(OtherRedirectURI) && uri == client.LiveEngage.TokenRedirectURI
}

// verifyPKCE compares a verifier with its S256 challenge (RFC 7636 section 4.6).
func verifyPKCE(verifier, challenge string) bool {
	return subtle.ConstantTimeCompare([]byte(Challenge(verifier)), []byte(challenge)) == 1
}

// Challenge is the S256 code challenge of a verifier (RFC 7636 section 4.2).
func Challenge(verifier string) string { return hashString(verifier) }
