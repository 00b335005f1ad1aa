package oidc

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"

	"idpbridge/session"
)

// pageIdentity is what the page's identity function passes on: the user to offer a
// chat. It proves nothing. It is empty if no user is signed in.
type pageIdentity struct {
	Issuer    string `json:"iss,omitempty"`
	Subject   string `json:"sub,omitempty"`
	ACR       string `json:"acr,omitempty"`
	OtherUser bool   `json:"other,omitempty"` // the signed-in user is not the one that the page names
}

// pageResponse is what the page script hands to LivePerson's window. Without an error
// it has an ID token, or a code with the redirect URI that it was issued for.
type pageResponse struct {
	IDToken     string `json:"id_token,omitempty"`
	Code        string `json:"code,omitempty"`
	RedirectURI string `json:"redirect_uri,omitempty"`
	ExpiresIn   int64  `json:"expires_in,omitempty"` // seconds
	pageIdentity
	Error       string `json:"error,omitempty"`
	Description string `json:"error_description,omitempty"`
}

// handlePageIdentity serves POST /liveengage/identity: who is signed in in the browser
// of a page that the client lists.
func (p *Provider) handlePageIdentity(c echo.Context) error {
	client, params, err := p.readPageRequest(c)
	if err != nil {
		return p.writeError(c, err)
	}
	current, signedIn, err := p.sessions.FindForPage(c.Request(), client.LiveEngage.Page.AcrossSites)
	if err != nil {
		return p.writeError(c, err)
	}
	setNoStore(c)
	if !signedIn {
		return c.JSON(http.StatusOK, pageIdentity{})
	}
	if expectsOtherSubject(params, current) {
		return c.JSON(http.StatusOK, pageIdentity{OtherUser: true})
	}
	return c.JSON(http.StatusOK, p.newIdentity(current))
}

// expectsOtherSubject reports whether the page names its customer, and it is not the
// signed-in user.
func expectsOtherSubject(params url.Values, current session.Current) bool {
	return params.Get("sub") != "" && params.Get("sub") != current.Person.Subject
}

func (p *Provider) newIdentity(current session.Current) pageIdentity {
	return pageIdentity{Issuer: p.issuer, Subject: current.Person.Subject, ACR: session.ACRPassword}
}

// handlePageToken serves POST /liveengage/token: a token or a code for the chat in a
// page that the client lists, as for an authorization request with prompt=none. OAuth
// errors have status 200 too: a visitor who is not signed in should not cause errors
// in the browser's console.
func (p *Provider) handlePageToken(c echo.Context) error {
	client, params, err := p.readPageRequest(c)
	if err != nil {
		return p.writeError(c, err)
	}
	response, err := p.issueForPage(c, client, params)
	if err != nil {
		oauthErr := toOAuthError(err)
		if oauthErr.isServerError() {
			return p.writeError(c, err)
		}
		response = &pageResponse{Error: oauthErr.code, Description: oauthErr.description}
	}
	setNoStore(c)
	return c.JSON(http.StatusOK, response)
}

func (p *Provider) issueForPage(c echo.Context, client *Client, posted url.Values) (*pageResponse, error) {
	ctx := c.Request().Context()
	page, redirectURI := client.LiveEngage.Page, client.pageRedirectURI()
	params := newPageParams(client, redirectURI, posted)
	request, err := p.validateParameters(ctx, client, params, nil, true)
	if err != nil {
		return nil, err
	}
	current, signedIn, err := p.sessions.FindForPage(c.Request(), page.AcrossSites)
	if err != nil {
		return nil, err
	}
	if !signedIn {
		return nil, newOAuthError(loginRequired, "No user is signed in.")
	}
	if expectsOtherSubject(posted, current) {
		return nil, newOAuthError(loginRequired, "The signed-in user is not the one that the page names.")
	}
	saved := savedRequest{Query: params.Encode(), Reference: newReference(), Started: p.now().UnixMilli()}
	if _, err := p.nextStep(request, saved, current, signedIn); err != nil {
		p.events("page_request_failed", client.ID)
		return nil, err
	}
	issued, err := p.issueResponse(ctx, request, saved, current)
	if err != nil {
		return nil, err
	}
	p.recordDeviations(ctx, request)
	response := &pageResponse{pageIdentity: p.newIdentity(current)}
	if page.Code {
		response.Code, response.RedirectURI = issued[0].Value, redirectURI
		response.ExpiresIn = int64(p.lifetimes.Code.Seconds())
	} else {
		response.IDToken, response.ExpiresIn = issued[0].Value, int64(p.lifetimes.IDToken.Seconds())
	}
	return response, nil
}

// newPageParams are the parameters of the authorization request that a page's request
// stands for.
func newPageParams(client *Client, redirectURI string, posted url.Values) url.Values {
	params := url.Values{
		"client_id": {client.ID}, "redirect_uri": {redirectURI}, "response_type": {paramIDToken},
		"scope": {zoidc.ScopeOpenID}, "prompt": {zoidc.PromptNone},
	}
	if client.LiveEngage.Page.Code {
		params.Set("response_type", "code")
		if challenge := posted.Get("code_challenge"); challenge != "" {
			params.Set("code_challenge", challenge)
			params.Set("code_challenge_method", string(zoidc.CodeChallengeMethodS256))
		}
	}
	return params
}

// pageRedirectURI is the redirect URI that codes for the page are issued for, and
// that LivePerson sends when it redeems them.
func (c *Client) pageRedirectURI() string {
	if uri := cmp.Or(c.LiveEngage.TokenRedirectURI, c.LiveEngage.Page.ReturnURI); uri != "" {
		return uri
	}
	return c.RedirectURIs[0]
}

// readPageRequest checks the caller first: only pages of the origins that the client
// lists may ask, and only they get a CORS header, for their own origin and with
// credentials (Fetch standard section 3.2; RFC 9700 section 2.6).
func (p *Provider) readPageRequest(c echo.Context) (*Client, url.Values, error) {
	params, err := p.readForm(c)
	if err != nil {
		return nil, nil, err
	}
	client, ok := p.clients[params.Get("client_id")]
	origins := c.Request().Header.Values("Origin")
	if !ok || client.LiveEngage == nil || len(origins) != 1 ||
		!slices.Contains(client.LiveEngage.Page.Origins, origins[0]) {
		p.events("page_origin_rejected", "")
		return nil, nil, &oauthError{
			status: http.StatusForbidden, code: accessDenied, description: "This page is not listed for that client.",
		}
	}
	allowPage(c, origins[0])
	return client, params, nil
}
