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
	"idpbridge/internal/pkce"
)

// tokenResponse is the body of a successful response (RFC 6749 section 5.1, OIDC Core
// section 3.1.3.3).
type tokenResponse struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"`
	IDToken      string `json:"id_token,omitempty"`
}

// handleToken serves POST /token (OIDC Core sections 3.1.3 and 12).
func (p *Provider) handleToken(c echo.Context) error {
	client, response, err := p.exchangeGrant(c)
	if err != nil {
		return p.writeError(c, p.renameForLivePerson(c.Request().Context(), client, err))
	}
	setNoStore(c)
	return c.JSON(http.StatusOK, response)
}

// exchangeGrant exchanges a code or a refresh token for tokens. Once the client has
// authenticated, it is returned even with an error.
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
	p.events("code_redeemed", client.ID)
	return p.issueTokens(ctx, client, person, signin, 0, idTokenOptions{})
}

// issueTokens issues the tokens of a sign-in at the token endpoint. dropped are the
// scopes that the access token leaves out; an ID token needs openid.
func (p *Provider) issueTokens(
	ctx context.Context, client *Client, person claims.Person, signin Signin, dropped uint16, options idTokenOptions,
) (*tokenResponse, error) {
	now := p.now()
	expires := now.Add(p.lifetimes.AccessToken)
	if signin.Expires.Before(expires) {
		expires = signin.Expires // the row ends then
	}
	signin.Grant = signin.Grant.dropScopes(dropped).allowedTo(client)
	scopes := signin.Grant.Scopes
	options.accessToken = newAccessToken(p.tokenKey, signin.ID, expires, dropped)
	response := &tokenResponse{
		AccessToken: options.accessToken, TokenType: zoidc.BearerToken, ExpiresIn: int64(expires.Sub(now) / time.Second),
		Scope: strings.Join(scopes, " "),
	}
	if signin.Refresh.Number > 0 {
		response.RefreshToken = newRefreshToken(p.tokenKey, signin.ID, signin.Refresh.Number)
	}
	if !slices.Contains(scopes, zoidc.ScopeOpenID) {
		return response, nil
	}
	var err error
	response.IDToken, err = p.tokens.newIDToken(ctx, client, person, signin, options)
	return response, err
}

// errBadGrant is the same for every code or refresh token that is not valid. The cause is
// for the log, not for the caller.
func errBadGrant(what string, cause error) error {
	return &oauthError{
		code: invalidGrant, cause: cause,
		description: "The " + what + " is wrong, expired, already used, or not for this client.",
	}
}

// redeemCode redeems a code, before any comparison: a code that was presented wrongly
// does not work again (RFC 7636 section 4.6, RFC 9700 section 4.5.3.1).
func (p *Provider) redeemCode(ctx context.Context, client *Client, params url.Values) (Signin, claims.Person, error) {
	// The row decides whether the code has expired: even a late replay ends the sign-in.
	id, _, ok := verifyCredential(p.tokenKey, kindCode, params.Get("code"))
	if !ok {
		p.events("code_rejected", client.ID)
		return Signin{}, claims.Person{}, errBadGrant("code", nil)
	}
	signin, person, err := p.signins.RedeemCode(ctx, id, p.now(), p.lifetimes.AccessToken)
	log := p.log.With("reference", signin.Reference, "client_id", client.ID)
	if errors.Is(err, ErrReplayed) {
		p.events("code_replayed", client.ID)
		log.WarnContext(ctx, "code used twice; sign-in closed")
		return Signin{}, claims.Person{}, errBadGrant("code", err)
	}
	if errors.Is(err, ErrNotFound) {
		p.events("code_rejected", client.ID)
		return Signin{}, claims.Person{}, errBadGrant("code", err)
	}
	if err != nil {
		return Signin{}, claims.Person{}, err
	}
	if reason := findCodeMisuse(signin, client, params); reason != "" {
		p.events("code_rejected", client.ID)
		log.WarnContext(ctx, "code rejected; sign-in closed", "reason", reason)
		err := errors.Join(errBadGrant("code", nil), p.signins.CloseSignin(ctx, signin.ID))
		return Signin{}, claims.Person{}, err
	}
	if params.Get("redirect_uri") != signin.Grant.RedirectURI {
		p.recordDeviation(ctx, client, OtherRedirectURI)
	}
	log.InfoContext(ctx, "code redeemed")
	return signin, person, nil
}

// findCodeMisuse returns what is wrong with how a valid code was presented, or "".
func findCodeMisuse(signin Signin, client *Client, params url.Values) string {
	if signin.ClientID != client.ID {
		return "code of another client"
	}
	redirectURI := params.Get("redirect_uri")
	if redirectURI != signin.Grant.RedirectURI && !client.allowsTokenRedirectURI(redirectURI) {
		return "redirect_uri differs from the one at the authorization endpoint"
	}
	verifier, challenge := params.Get("code_verifier"), signin.Grant.CodeChallenge
	if challenge == "" && verifier != "" {
		return "code_verifier without a code_challenge"
	}
	if challenge == "" {
		return ""
	}
	if !isPKCEString(verifier) {
		return "code_verifier missing or malformed"
	}
	if !verifyPKCE(verifier, challenge) {
		return "wrong code_verifier"
	}
	return ""
}

// allowsTokenRedirectURI reports whether a token request may have that redirect URI
// instead of the one that the code was issued for.
func (c *Client) allowsTokenRedirectURI(uri string) bool {
	return c.allowsDeviation(OtherRedirectURI) && uri == c.LiveEngage.TokenRedirectURI
}

// verifyPKCE compares a verifier with an S256 challenge (RFC 7636 section 4.6).
func verifyPKCE(verifier, challenge string) bool {
	return subtle.ConstantTimeCompare([]byte(pkce.Challenge(verifier)), []byte(challenge)) == 1
}
