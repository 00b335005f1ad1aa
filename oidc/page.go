package oidc

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"

	"idpbridge/session"
)

// identity is what the identity function of a brand's page passes on: whom to
// offer a chat. It proves nothing. It is empty where nobody is signed in.
type identity struct {
	Issuer  string `json:"iss,omitempty"`
	Subject string `json:"sub,omitempty"`
	ACR     string `json:"acr,omitempty"`
	Other   bool   `json:"other,omitempty"` // somebody else is signed in than the page says
}

// pageAnswer is what the page script hands to LivePerson's window. Without an
// error it has an ID token, or a code with the redirect URI that it was issued for.
type pageAnswer struct {
	IDToken     string `json:"id_token,omitempty"`
	Code        string `json:"code,omitempty"`
	RedirectURI string `json:"redirect_uri,omitempty"`
	ExpiresIn   int64  `json:"expires_in,omitempty"` // seconds
	identity
	Error       string `json:"error,omitempty"`
	Description string `json:"error_description,omitempty"`
}

// pageIdentity answers POST /liveengage/identity: who is signed in in the browser
// of a page that the client lists.
func (p *Provider) pageIdentity(c echo.Context) error {
	client, v, err := p.pageRequest(c)
	if err != nil {
		return p.writeFault(c, err)
	}
	s, signedIn, err := p.sessions.FindForPage(c.Request(), client.LiveEngage.Page.AcrossSites)
	if err != nil {
		return p.writeFault(c, err)
	}
	noStore(c)
	switch {
	case !signedIn:
		return c.JSON(http.StatusOK, identity{})
	case anotherThan(v, s):
		return c.JSON(http.StatusOK, identity{Other: true})
	}
	return c.JSON(http.StatusOK, p.identify(s))
}

// anotherThan says whether the page names its customer and means somebody else.
func anotherThan(v url.Values, s session.Current) bool {
	return v.Get("sub") != "" && v.Get("sub") != s.Person.Subject
}

func (p *Provider) identify(s session.Current) identity {
	return identity{Issuer: p.issuer, Subject: s.Person.Subject, ACR: session.ACRPassword}
}

// pageToken answers POST /liveengage/token: a token or a code for the chat in a
// page that the client lists, as an authorization request with prompt=none would
// be answered. A refusal is an answer too, with status 200: a visitor who is not
// signed in is nothing that a browser's console should complain about.
func (p *Provider) pageToken(c echo.Context) error {
	client, v, err := p.pageRequest(c)
	if err != nil {
		return p.writeFault(c, err)
	}
	answer, err := p.answerPage(c, client, v)
	if err != nil {
		f := asFault(err)
		if f.code == serverError {
			return p.writeFault(c, err)
		}
		answer = &pageAnswer{Error: f.code, Description: f.description}
	}
	noStore(c)
	return c.JSON(http.StatusOK, answer)
}

func (p *Provider) answerPage(c echo.Context, client *Client, posted url.Values) (*pageAnswer, error) {
	ctx := c.Request().Context()
	page, redirectURI := client.LiveEngage.Page, client.pageRedirectURI()
	v := url.Values{
		"client_id": {client.ID}, "redirect_uri": {redirectURI}, "response_type": {paramIDToken},
		"scope": {zoidc.ScopeOpenID}, "prompt": {zoidc.PromptNone},
	}
	if page.Code {
		v.Set("response_type", "code")
		if challenge := posted.Get("code_challenge"); challenge != "" {
			v.Set("code_challenge", challenge)
			v.Set("code_challenge_method", string(zoidc.CodeChallengeMethodS256))
		}
	}
	r, err := p.examine(ctx, client, v, nil, true)
	if err != nil {
		return nil, err
	}
	s, signedIn, err := p.sessions.FindForPage(c.Request(), page.AcrossSites)
	switch {
	case err != nil:
		return nil, err
	case !signedIn:
		return nil, refuse(loginRequired, "Nobody is signed in.")
	case anotherThan(posted, s):
		return nil, refuse(loginRequired, "Somebody else is signed in than the page says.")
	}
	req := pending{Query: v.Encode(), Reference: newReference(), Started: p.now().UnixMilli()}
	if _, err := p.next(r, req, s, signedIn); err != nil {
		p.events("page_refused", client.ID)
		return nil, err
	}
	params, err := p.issue(ctx, r, req, s)
	if err != nil {
		return nil, err
	}
	p.count(ctx, r)
	answer := &pageAnswer{identity: p.identify(s)}
	if page.Code {
		answer.Code, answer.RedirectURI, answer.ExpiresIn = params[0].Value, redirectURI, int64(p.lifetimes.Code.Seconds())
	} else {
		answer.IDToken, answer.ExpiresIn = params[0].Value, int64(p.lifetimes.IDToken.Seconds())
	}
	return answer, nil
}

// pageRedirectURI is the redirect URI that codes for the page are issued for, and
// that LivePerson sends when it redeems them.
func (c *Client) pageRedirectURI() string {
	l := c.LiveEngage
	switch {
	case l.TokenRedirectURI != "":
		return l.TokenRedirectURI
	case l.Page.ReturnURI != "":
		return l.Page.ReturnURI
	}
	return c.RedirectURIs[0]
}

// pageRequest checks who asks before anything else: only pages of the origins that
// the client lists may, and only they get a CORS header, for their origin alone
// and with credentials (Fetch standard section 3.2; RFC 9700 section 2.6).
func (p *Provider) pageRequest(c echo.Context) (*Client, url.Values, error) {
	v, err := form(c)
	if err != nil {
		return nil, nil, err
	}
	client, ok := p.clients[v.Get("client_id")]
	origins := c.Request().Header.Values("Origin")
	if !ok || client.LiveEngage == nil || len(origins) != 1 || !slices.Contains(client.LiveEngage.Page.Origins, origins[0]) {
		p.events("page_foreign", "")
		return nil, nil, &fault{status: http.StatusForbidden, code: accessDenied, description: "This page is not listed for that client."}
	}
	h := c.Response().Header()
	h.Set("Access-Control-Allow-Origin", origins[0])
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Add("Vary", "Origin")
	return client, v, nil
}
