package oidc

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"

	"idpbridge/session"
)

// respond gives the client what it asked for.
func (p *Provider) respond(c echo.Context, request *authRequest, saved savedRequest, current session.Current) error {
	first, err := p.usePushed(c.Request().Context(), request.client, saved)
	if err == nil && !first {
		return p.showErrorPage(c, &pageError{
			message: "The link that brought you here was used already.",
			remedy:  "Go back to where you came from and start again there.", client: request.client,
		}, saved.Reference)
	}
	if err != nil {
		return p.redirectWithError(c, request, saved, err)
	}
	params, err := p.issueResponse(c.Request().Context(), request, saved, current)
	if err != nil {
		return p.redirectWithError(c, request, saved, err)
	}
	params = request.renameIDTokenParam(params)
	p.recordDeviations(c.Request().Context(), request)
	return p.sendResponse(c, request, params)
}

// issueResponse issues what the response type asks for: a code, an access token, an ID
// token, in that order, since the last contains hashes of the others. It stores the
// sign-in by one insert, or none for a bare ID token. A client that wants to be notified
// of logouts costs one more.
func (p *Provider) issueResponse(
	ctx context.Context, request *authRequest, saved savedRequest, current session.Current,
) ([]Param, error) {
	signin := p.newSignin(request, saved, current)
	var params []Param
	options := idTokenOptions{}
	if request.wantsCode() {
		options.code = newCode(p.tokenKey, signin.ID, signin.CodeExpires)
		params = append(params, Param{"code", options.code})
	}
	if request.wantsToken() {
		options.accessToken = newAccessToken(p.tokenKey, signin.ID, signin.Created.Add(p.lifetimes.AccessToken), 0)
		params = append(params,
			Param{"access_token", options.accessToken}, Param{"token_type", "Bearer"},
			Param{"expires_in", strconv.Itoa(int(p.lifetimes.AccessToken / time.Second))},
			Param{"scope", strings.Join(request.Scopes, " ")})
	}
	if request.wantsIDToken() {
		options.standalone = !request.wantsToken() && !request.wantsCode()
		token, err := p.tokens.newIDToken(ctx, request.client, current.Person, signin, options)
		if err != nil {
			return nil, err
		}
		params = append(params, Param{paramIDToken, token})
	}
	if request.client.wantsLogout() {
		if err := p.logouts.JoinSession(ctx, current.ID, request.client.ID); err != nil {
			return nil, err
		}
	}
	if request.wantsCode() || request.wantsToken() {
		if err := p.signins.RecordSignin(ctx, signin); err != nil {
			return nil, err
		}
	}
	p.warnGuessableSubject(ctx, request.client, current.Person.Subject, saved.Reference)
	p.events("authorize_succeeded", request.client.ID)
	p.log.InfoContext(ctx, "authorization succeeded", "reference", saved.Reference, "client_id", request.client.ID,
		"response_type", string(request.ResponseType), "subject", current.Person.Subject)
	return params, nil
}

// newSignin is the row of a response. The row expires with the tokens of the response and
// the code. Redeeming the code extends it, so a code that is never redeemed costs little.
func (p *Provider) newSignin(request *authRequest, saved savedRequest, current session.Current) Signin {
	now, lives := p.now(), p.lifetimes
	signin := Signin{
		ID: newID(), Reference: saved.Reference, ClientID: request.client.ID, SessionID: current.ID,
		Subject: current.Person.Subject, State: Redeemed, Created: now, Expires: now.Add(lives.AccessToken),
		Upstream: current.Upstream,
		Grant: Grant{
			RedirectURI: request.RedirectURI, Scopes: request.Scopes, Nonce: request.Nonce,
			CodeChallenge: request.CodeChallenge,
			AuthTime:      current.AuthTime.Unix(), ACR: current.ACR, AMR: current.AMR,
			UserinfoClaims: request.claims.userinfo, IDTokenClaims: request.claims.idToken,
		},
	}
	if request.wantsCode() {
		signin.State, signin.CodeExpires = Issued, now.Add(lives.Code)
		if !request.wantsToken() || signin.Expires.Before(signin.CodeExpires) {
			signin.Expires = signin.CodeExpires
		}
	}
	offline := slices.Contains(request.Scopes, zoidc.ScopeOfflineAccess)
	if offline || request.wantsCode() && request.useDeviation(RefreshWithoutScope) {
		signin.Refresh = Refresh{
			Number: 1, Issued: now, Expires: now.Add(min(lives.RefreshIdle, lives.Refresh)), Ends: now.Add(lives.Refresh),
		}
	}
	return signin
}

// redirectWithError sends an error to the client in the response mode of the request.
func (p *Provider) redirectWithError(c echo.Context, request *authRequest, saved savedRequest, err error) error {
	ctx, oauthErr := c.Request().Context(), toOAuthError(err)
	p.countUnavailable(err)
	log := p.log.With("reference", saved.Reference, "client_id", request.client.ID)
	if oauthErr.isServerError() && !errors.Is(err, context.Canceled) {
		log.ErrorContext(ctx, "authorization failed", "error", err.Error())
	} else {
		log.InfoContext(ctx, "authorization denied", "code", oauthErr.code, "reason", oauthErr.description)
	}
	p.events("authorize_failed", request.client.ID)
	p.recordDeviations(ctx, request)
	return p.sendResponse(c, request, []Param{
		{"error", oauthErr.code}, {"error_description", oauthErr.description},
	})
}

// sendResponse sends parameters to the client's redirect URI, with the client's state
// unchanged and our issuer (RFC 9207), for successes and errors alike.
func (p *Provider) sendResponse(c echo.Context, request *authRequest, params []Param) error {
	if request.State != "" {
		params = append(params, Param{"state", request.State})
	}
	params = append(params, Param{"iss", p.issuer})
	if request.ResponseMode == zoidc.ResponseModeFormPost {
		return p.pages.SubmitForm(c, request.RedirectURI, params)
	}
	var b strings.Builder
	b.Grow(len(request.RedirectURI) + 512)
	b.WriteString(request.RedirectURI)
	b.WriteByte(paramSeparator(request))
	for i, param := range params {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(param.Name)
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(param.Value))
	}
	return p.pages.RedirectTo(c, b.String())
}

// paramSeparator separates the redirect URI from the response parameters.
func paramSeparator(request *authRequest) byte {
	if request.ResponseMode == zoidc.ResponseModeFragment {
		return '#'
	}
	if strings.Contains(request.RedirectURI, "?") {
		return '&'
	}
	return '?'
}
