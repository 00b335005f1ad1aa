package oidc

import (
	"context"
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
	params, err := p.issueResponse(c.Request().Context(), request, saved, current)
	if err != nil {
		return p.redirectWithError(c, request, saved, err)
	}
	params = request.renameIDTokenParam(params)
	p.recordDeviations(c.Request().Context(), request)
	return p.sendResponse(c, request, params)
}

// issueResponse makes what a request asks for, a code, an access token, an ID token, in
// that order, since the last contains hashes of the others, and keeps the sign-in.
// It is one insert, and none for a bare ID token; clients that want to be told of
// sign-outs cost one more.
func (p *Provider) issueResponse(ctx context.Context, request *authRequest, saved savedRequest, current session.Current) ([]Param, error) {
	signin := p.newSignin(request, saved, current)
	var params []Param
	issued := idTokenOptions{}
	if request.wantsCode() {
		issued.code = newCode(p.tokenKey, signin.ID, signin.CodeExpires)
		params = append(params, Param{"code", issued.code})
	}
	if request.wantsToken() {
		issued.accessToken = newAccessToken(p.tokenKey, signin.ID, signin.Created.Add(p.lifetimes.AccessToken), 0)
		params = append(params,
			Param{"access_token", issued.accessToken}, Param{"token_type", "Bearer"},
			Param{"expires_in", strconv.Itoa(int(p.lifetimes.AccessToken / time.Second))},
			Param{"scope", strings.Join(request.Scopes, " ")})
	}
	if request.wantsIDToken() {
		issued.standalone = !request.wantsToken() && !request.wantsCode()
		token, err := p.newIDToken(request.client, current.Person, signin, issued)
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
	p.events("answered", request.client.ID)
	p.log.InfoContext(ctx, "signed in", "reference", saved.Reference, "client_id", request.client.ID,
		"response_type", string(request.ResponseType), "subject", current.Person.Subject)
	return params, nil
}

// newSignin is the row that an answer makes. Its tokens and the row end together.
func (p *Provider) newSignin(request *authRequest, saved savedRequest, current session.Current) Signin {
	now, l := p.now(), p.lifetimes
	signin := Signin{
		ID: newID(), Reference: saved.Reference, ClientID: request.client.ID, SessionID: current.ID, Subject: current.Person.Subject,
		State: Redeemed, Created: now, Expires: now.Add(l.AccessToken),
		Grant: Grant{
			RedirectURI: request.RedirectURI, Scopes: request.Scopes, Nonce: request.Nonce, CodeChallenge: request.CodeChallenge,
			AuthTime: current.AuthTime.Unix(), ACR: current.ACR, AMR: current.AMR,
			UserinfoClaims: request.claims.userinfo, IDTokenClaims: request.claims.idToken,
		},
	}
	if request.wantsCode() {
		signin.State, signin.CodeExpires = Issued, now.Add(l.Code)
		signin.Expires = signin.CodeExpires.Add(l.AccessToken)
	}
	if slices.Contains(request.Scopes, zoidc.ScopeOfflineAccess) || request.wantsCode() && request.useDeviation(RefreshUnasked) {
		signin.Refresh = Refresh{Number: 1, Issued: now, Expires: now.Add(min(l.RefreshIdle, l.Refresh)), Ends: now.Add(l.Refresh)}
		if signin.Refresh.Expires.After(signin.Expires) {
			signin.Expires = signin.Refresh.Expires
		}
	}
	return signin
}

// redirectWithError sends an error to the client in the mode that the request would have
// been answered in.
func (p *Provider) redirectWithError(c echo.Context, request *authRequest, saved savedRequest, err error) error {
	oauthErr := toOAuthError(err)
	if oauthErr.code == serverError {
		p.log.ErrorContext(c.Request().Context(), "sign-in failed", "reference", saved.Reference, "client_id", request.client.ID, "error", err.Error())
	} else {
		p.log.InfoContext(c.Request().Context(), "sign-in refused", "reference", saved.Reference, "client_id", request.client.ID,
			"code", oauthErr.code, "reason", oauthErr.description)
	}
	p.events("refused", request.client.ID)
	p.recordDeviations(c.Request().Context(), request)
	return p.sendResponse(c, request, []Param{{"error", oauthErr.code}, {"error_description", oauthErr.description}})
}

// sendResponse sends parameters to the client's redirect URI, with its state as it
// came and our issuer (RFC 9207), in good answers and bad ones alike.
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
	switch {
	case request.ResponseMode == zoidc.ResponseModeFragment:
		b.WriteByte('#')
	case strings.Contains(request.RedirectURI, "?"):
		b.WriteByte('&')
	default:
		b.WriteByte('?')
	}
	for i, param := range params {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(param.Name)
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(param.Value))
	}
	return redirectTo(c, b.String())
}
