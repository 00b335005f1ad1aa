package oidc

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
)

// answer gives the client what it asked for: a code, an ID token, an access
// token. It is one insert, and none for a bare ID token.
func (p *Provider) answer(c echo.Context, r *request, req pending, s Session) error {
	now := p.now()
	g := Grant{
		RedirectURI: r.RedirectURI, Scopes: r.Scopes, Nonce: r.Nonce, CodeChallenge: r.CodeChallenge,
		AuthTime: s.AuthTime.Unix(), ACR: s.ACR, AMR: s.AMR,
	}
	in := Signin{
		ID: newID(), Reference: req.Reference, ClientID: r.client.ID, SessionID: s.ID, Subject: s.Person.Subject,
		State: Redeemed, Created: now, Expires: now.Add(p.lifetimes.AccessToken), Grant: g,
	}
	var params []Param
	if r.wantsCode() {
		in.State, in.CodeExpires = Answered, now.Add(p.lifetimes.Code)
		in.Expires = in.CodeExpires.Add(p.lifetimes.AccessToken)
		params = append(params, Param{"code", mint(p.tokenKey, kindCode, in.ID, in.CodeExpires)})
	}
	access := ""
	if r.wantsToken() {
		access = mint(p.tokenKey, kindAccess, in.ID, in.Expires)
		params = append(params,
			Param{"access_token", access}, Param{"token_type", "Bearer"},
			Param{"expires_in", strconv.Itoa(int(p.lifetimes.AccessToken / time.Second))},
			Param{"scope", strings.Join(r.Scopes, " ")})
	}
	if r.wantsIDToken() {
		token, err := p.idToken(r.client, s.Person, g, access, !r.wantsToken())
		if err != nil {
			return p.deny(c, r, req, err)
		}
		params = append(params, Param{"id_token", token})
	}
	if r.wantsCode() || r.wantsToken() {
		if err := p.signins.Answer(c.Request().Context(), in); err != nil {
			return p.deny(c, r, req, err)
		}
	}
	p.events("answered", r.client.ID)
	p.log.InfoContext(c.Request().Context(), "signed in", "reference", req.Reference, "client_id", r.client.ID,
		"response_type", string(r.ResponseType), "subject", s.Person.Subject)
	return p.deliver(c, r, params)
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
		return p.pages.FormPost(c, r.RedirectURI, params)
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
