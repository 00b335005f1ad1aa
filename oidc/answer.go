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

// answer gives the client what it asked for.
func (p *Provider) answer(c echo.Context, r *request, req pending, s session.Current) error {
	params, err := p.issue(c.Request().Context(), r, req, s)
	if err != nil {
		return p.deny(c, r, req, err)
	}
	params = r.answered(params)
	p.count(c.Request().Context(), r)
	return p.deliver(c, r, params)
}

// issue makes what a request asks for, a code, an access token, an ID token, in
// that order, since the last contains hashes of the others, and keeps the sign-in.
// It is one insert, and none for a bare ID token; clients that want to be told of
// sign-outs cost one more.
func (p *Provider) issue(ctx context.Context, r *request, req pending, s session.Current) ([]Param, error) {
	in := p.signin(r, req, s)
	var params []Param
	issued := issue{}
	if r.wantsCode() {
		issued.code = mintCode(p.tokenKey, in.ID, in.CodeExpires)
		params = append(params, Param{"code", issued.code})
	}
	if r.wantsToken() {
		issued.access = mintAccess(p.tokenKey, in.ID, in.Created.Add(p.lifetimes.AccessToken), 0)
		params = append(params,
			Param{"access_token", issued.access}, Param{"token_type", "Bearer"},
			Param{"expires_in", strconv.Itoa(int(p.lifetimes.AccessToken / time.Second))},
			Param{"scope", strings.Join(r.Scopes, " ")})
	}
	if r.wantsIDToken() {
		issued.alone = !r.wantsToken() && !r.wantsCode()
		token, err := p.idToken(r.client, s.Person, in, issued)
		if err != nil {
			return nil, err
		}
		params = append(params, Param{paramIDToken, token})
	}
	if r.client.hearsOfSignOut() {
		if err := p.logouts.JoinSession(ctx, s.ID, r.client.ID); err != nil {
			return nil, err
		}
	}
	if r.wantsCode() || r.wantsToken() {
		if err := p.signins.Answer(ctx, in); err != nil {
			return nil, err
		}
	}
	p.warnOfSubject(ctx, r.client, s.Person.Subject, req.Reference)
	p.events("answered", r.client.ID)
	p.log.InfoContext(ctx, "signed in", "reference", req.Reference, "client_id", r.client.ID,
		"response_type", string(r.ResponseType), "subject", s.Person.Subject)
	return params, nil
}

// signin is the row that an answer makes. Its tokens and the row end together.
func (p *Provider) signin(r *request, req pending, s session.Current) Signin {
	now, l := p.now(), p.lifetimes
	in := Signin{
		ID: newID(), Reference: req.Reference, ClientID: r.client.ID, SessionID: s.ID, Subject: s.Person.Subject,
		State: Redeemed, Created: now, Expires: now.Add(l.AccessToken),
		Grant: Grant{
			RedirectURI: r.RedirectURI, Scopes: r.Scopes, Nonce: r.Nonce, CodeChallenge: r.CodeChallenge,
			AuthTime: s.AuthTime.Unix(), ACR: s.ACR, AMR: s.AMR,
			UserinfoClaims: r.claims.userinfo, IDTokenClaims: r.claims.idToken,
		},
	}
	if r.wantsCode() {
		in.State, in.CodeExpires = Answered, now.Add(l.Code)
		in.Expires = in.CodeExpires.Add(l.AccessToken)
	}
	if slices.Contains(r.Scopes, zoidc.ScopeOfflineAccess) || r.wantsCode() && r.use(RefreshUnasked) {
		in.Refresh = Refresh{Number: 1, Issued: now, Expires: now.Add(min(l.RefreshIdle, l.Refresh)), Ends: now.Add(l.Refresh)}
		if in.Refresh.Expires.After(in.Expires) {
			in.Expires = in.Refresh.Expires
		}
	}
	return in
}

// deny sends an error to the client in the mode that the request would have
// been answered in.
func (p *Provider) deny(c echo.Context, r *request, req pending, err error) error {
	f := asFault(err)
	if f.code == serverError {
		p.log.ErrorContext(c.Request().Context(), "sign-in failed", "reference", req.Reference, "client_id", r.client.ID, "error", err.Error())
	} else {
		p.log.InfoContext(c.Request().Context(), "sign-in refused", "reference", req.Reference, "client_id", r.client.ID,
			"code", f.code, "reason", f.description)
	}
	p.events("refused", r.client.ID)
	p.count(c.Request().Context(), r)
	return p.deliver(c, r, []Param{{"error", f.code}, {"error_description", f.description}})
}

// deliver sends parameters to the client's redirect URI, with its state as it
// came and our issuer (RFC 9207), in good answers and bad ones alike.
func (p *Provider) deliver(c echo.Context, r *request, params []Param) error {
	if r.State != "" {
		params = append(params, Param{"state", r.State})
	}
	params = append(params, Param{"iss", p.issuer})
	if r.ResponseMode == zoidc.ResponseModeFormPost {
		return p.pages.SubmitForm(c, r.RedirectURI, params)
	}
	var b strings.Builder
	b.Grow(len(r.RedirectURI) + 512)
	b.WriteString(r.RedirectURI)
	switch {
	case r.ResponseMode == zoidc.ResponseModeFragment:
		b.WriteByte('#')
	case strings.Contains(r.RedirectURI, "?"):
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
	return see(c, b.String())
}
