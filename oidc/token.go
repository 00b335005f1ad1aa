package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"

	"idpbridge/claims"
)

// tokenAnswer is the body of a good answer (RFC 6749 section 5.1, OIDC Core
// section 3.1.3.3).
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"` // seconds
	Scope       string `json:"scope"`
	IDToken     string `json:"id_token"`
}

// token answers POST /token (OIDC Core section 3.1.3).
func (p *Provider) token(c echo.Context) error {
	answer, err := p.exchange(c)
	if err != nil {
		return p.writeFault(c, err)
	}
	noStore(c)
	return c.JSON(http.StatusOK, answer)
}

func (p *Provider) exchange(c echo.Context) (*tokenAnswer, error) {
	v, err := form(c)
	if err != nil {
		return nil, err
	}
	client, err := p.authenticate(c, v)
	if err != nil {
		return nil, err
	}
	switch zoidc.GrantType(v.Get("grant_type")) {
	case zoidc.GrantTypeCode:
	case "":
		return nil, refuse(invalidRequest, "grant_type is missing.")
	default:
		return nil, refuse(unsupportedGrantType, "Only authorization_code is supported.")
	}
	if v.Get("code") == "" {
		return nil, refuse(invalidRequest, "code is missing.")
	}
	in, person, err := p.redeem(c.Request().Context(), client, v)
	if err != nil {
		return nil, err
	}
	access := mint(p.tokenKey, kindAccess, in.ID, p.now().Add(p.lifetimes.AccessToken))
	token, err := p.idToken(client, person, in.Grant, access, false)
	if err != nil {
		return nil, err
	}
	p.events("redeemed", client.ID)
	return &tokenAnswer{
		AccessToken: access, TokenType: zoidc.BearerToken, ExpiresIn: int64(p.lifetimes.AccessToken / time.Second),
		Scope: strings.Join(in.Grant.Scopes, " "), IDToken: token,
	}, nil
}

// errBadCode is the one answer to every code that is no good: why is for the
// log, not for whoever holds it.
func errBadCode(cause error) error {
	return &fault{
		code: invalidGrant, cause: cause,
		description: "The code is wrong, expired, used already, or not for this client and redirect URI.",
	}
}

// redeem spends a code. Spending comes before every comparison: a code that was
// presented wrongly is burnt (RFC 7636 section 4.6, RFC 9700 section 4.5.3.1).
func (p *Provider) redeem(ctx context.Context, client *Client, v url.Values) (Signin, claims.Person, error) {
	id, _, ok := open(p.tokenKey, kindCode, v.Get("code"), p.now())
	if !ok {
		p.events("code_refused", client.ID)
		return Signin{}, claims.Person{}, errBadCode(nil)
	}
	in, person, err := p.signins.Redeem(ctx, id, p.now())
	switch {
	case errors.Is(err, ErrReplayed):
		p.events("replayed", client.ID)
		p.log.WarnContext(ctx, "code used twice; sign-in closed", "client_id", client.ID)
		return Signin{}, claims.Person{}, errBadCode(err)
	case errors.Is(err, ErrNotFound):
		p.events("code_refused", client.ID)
		return Signin{}, claims.Person{}, errBadCode(err)
	case err != nil:
		return Signin{}, claims.Person{}, err
	}
	reason := misuse(in, client, v)
	if reason == "" {
		p.log.InfoContext(ctx, "code redeemed", "reference", in.Reference, "client_id", client.ID)
		return in, person, nil
	}
	p.events("code_refused", client.ID)
	p.log.WarnContext(ctx, "code refused; sign-in closed", "reference", in.Reference, "client_id", client.ID, "reason", reason)
	return Signin{}, claims.Person{}, errors.Join(errBadCode(nil), p.signins.CloseSignin(ctx, in.ID))
}

// misuse says what is wrong with the way in which a good code was presented.
func misuse(in Signin, client *Client, v url.Values) string {
	verifier := v.Get("code_verifier")
	switch {
	case in.ClientID != client.ID:
		return "code of another client"
	case v.Get("redirect_uri") != in.Grant.RedirectURI:
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

// proves compares a verifier with its S256 challenge (RFC 7636 section 4.6).
func proves(verifier, challenge string) bool {
	return subtle.ConstantTimeCompare([]byte(Challenge(verifier)), []byte(challenge)) == 1
}

// Challenge is the S256 code challenge of a verifier (RFC 7636 section 4.2).
func Challenge(verifier string) string { return hashed(verifier) }
