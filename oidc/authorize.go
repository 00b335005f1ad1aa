package oidc

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"

	"idpbridge/session"
)

// authorize answers GET /authorize (OIDC Core section 3.1.2).
func (p *Provider) authorize(c echo.Context) error {
	req := pending{
		Query: c.Request().URL.RawQuery, Reference: newReference(), Started: p.now().UnixMilli(),
	}
	if err := p.unpush(&req); err != nil {
		return p.showDoubt(c, err, req.Reference)
	}
	return p.proceed(c, req)
}

// authorizePosted answers POST /authorize by sending the browser to the same
// request as GET: a cross-site POST carries no SameSite=Lax cookie, so only
// there can it be seen who is signed in.
func (p *Provider) authorizePosted(c echo.Context) error { return p.asGet(c, PathAuthorize) }

// asGet sends a posted request on to the same endpoint as GET.
func (p *Provider) asGet(c echo.Context, path string) error {
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return p.showDoubt(c, &doubt{happened: "The request was too large or broke off.", remedy: "Go back and try again."}, "")
	}
	// Whatever a form encodes is printable and has no #, which would become a
	// fragment that browsers carry on to the client.
	unfit := func(r rune) bool { return r <= ' ' || r > '~' || r == '#' }
	if _, err := url.ParseQuery(string(body)); err != nil || strings.ContainsFunc(string(body), unfit) {
		return p.showDoubt(c, &doubt{happened: "The request that led here is damaged.", remedy: "Go back and try again."}, "")
	}
	return see(c, p.base+path+"?"+string(body))
}

// resume is the dispatcher to which every page of a sign-in returns. The
// request is checked again from its beginning: nothing that a page did or did
// not do is taken on trust.
func (p *Provider) resume(c echo.Context) error {
	sealed := c.QueryParam("request")
	req, err := p.openPending(c.Request(), sealed)
	switch {
	case errors.Is(err, ErrExpired) && !req.Pushed:
		return see(c, p.base+PathAuthorize+"?"+req.Query)
	case errors.Is(err, ErrExpired):
		return p.showDoubt(c, &doubt{happened: "This sign-in has taken too long.", remedy: "Go back to where you came from and start again there."}, req.Reference)
	case errors.Is(err, ErrOtherBrowser):
		return p.showDoubt(c, &doubt{
			happened: "This sign-in was started in another browser, or your browser does not keep cookies.",
			remedy:   "Go back to where you came from and start again there. Make sure that cookies are allowed.",
		}, "")
	case err != nil:
		return p.showDoubt(c, &doubt{happened: "This address is damaged or no longer valid.", remedy: "Go back to where you came from and start again there."}, "")
	}
	return p.proceed(c, req)
}

// proceed takes a request one step further: a refusal, a page, or the answer.
func (p *Provider) proceed(c echo.Context, req pending) error {
	r, err := p.check(c.Request().Context(), req.Query, req.Pushed)
	if d, ok := errors.AsType[*doubt](err); ok {
		return p.showDoubt(c, d, req.Reference)
	}
	if err != nil {
		return p.deny(c, r, req, err)
	}
	current, signedIn, err := p.sessions.Find(c.Request())
	if err != nil {
		return p.deny(c, r, req, err)
	}
	step, err := p.next(r, req, current, signedIn)
	if err != nil {
		return p.deny(c, r, req, err)
	}
	if step == "" {
		return p.answer(c, r, req, current)
	}
	if req.Browser == "" {
		req.Before = mark(current, signedIn)
	}
	return p.visit(c, step, req)
}

// mark tells a sign-in from every other one of the browser. It is empty for
// nobody.
func mark(s session.Current, signedIn bool) string {
	if !signedIn {
		return ""
	}
	return s.ID + " " + strconv.FormatInt(s.AuthTime.UnixMilli(), 10)
}

// next decides what a request needs: the path of a page, "" for an answer, or
// an error. It is the whole of prompt, max_age, id_token_hint and the values in
// the claims parameter (OIDC Core sections 3.1.2.1 and 5.5.1).
func (p *Provider) next(r *request, req pending, s session.Current, signedIn bool) (string, error) {
	silent := r.prompts(zoidc.PromptNone)
	fresh := signedIn && req.Browser != "" && req.Before != mark(s, signedIn) // a page of this request has led to the sign-in
	switch {
	case req.Denied:
		return "", refuse(accessDenied, "The person did not allow it.")
	case !signedIn, !fresh && (p.mustSignIn(r, s) || !r.mayBe(s.Person.Subject)):
		if silent {
			return "", refuse(loginRequired, "Nobody who may be answered for is signed in.")
		}
		return pathLogin, nil
	case !r.mayBe(s.Person.Subject):
		return "", refuse(loginRequired, "Somebody else signed in than the request names.")
	case r.claims.unmet(s.ACR):
		return "", refuse(unmetRequirements, "The acr that claims calls essential cannot be reached here.")
	case r.prompts(zoidc.PromptConsent) && req.Consented != s.Person.Subject:
		return pathConsent, nil
	}
	return "", nil
}

// mustSignIn says whether the request asks for more than the session gives.
func (p *Provider) mustSignIn(r *request, s session.Current) bool {
	if r.prompts(zoidc.PromptLogin) || r.prompts(zoidc.PromptSelectAccount) {
		return true
	}
	return r.MaxAge != nil && (*r.MaxAge == 0 || p.now().Sub(s.AuthTime) > time.Duration(*r.MaxAge)*time.Second) //nolint:gosec // readRequest allows 31 bits
}

// visit seals the request to this browser and sends it to a page.
func (p *Provider) visit(c echo.Context, path string, req pending) error {
	req.Browser = p.browserOf(c.Response(), c.Request())
	sealed, err := p.requests.seal(req)
	if err != nil {
		return err
	}
	return see(c, p.base+path+"?request="+sealed)
}

// see sends the browser on by 303, so that what was posted is never posted
// again elsewhere (RFC 9700 section 4.12).
func see(c echo.Context, address string) error {
	noStore(c)
	c.Response().Header().Set("Referrer-Policy", "no-referrer")
	return c.Redirect(http.StatusSeeOther, address)
}

// showDoubt shows a page and counts the refusal.
func (p *Provider) showDoubt(c echo.Context, d *doubt, reference string) error {
	if reference == "" {
		reference = newReference()
	}
	page := ErrorPage{
		Message: d.happened, Remedy: d.remedy, Reference: reference, Received: d.received, Cause: d.happened,
	}
	clientID := ""
	if d.client != nil {
		clientID = d.client.ID
		page.Registered = d.client.RedirectURIs
	}
	p.events("doubted", clientID)
	p.log.InfoContext(c.Request().Context(), "request refused", "reference", reference, "client_id", clientID, "reason", d.happened)
	return p.pages.ShowError(c, page)
}
