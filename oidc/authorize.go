package oidc

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"

	"idpbridge/session"
)

// handleAuthorize serves GET /authorize (OIDC Core section 3.1.2).
func (p *Provider) handleAuthorize(c echo.Context) error {
	saved := savedRequest{
		Query: escapeNonASCII(c.Request().URL.RawQuery), Reference: newReference(), Started: p.now().UnixMilli(),
	}
	if err := p.loadPushed(&saved); err != nil {
		return p.showErrorPage(c, err, saved.Reference)
	}
	return p.continueRequest(c, saved)
}

// handleAuthorizePost serves POST /authorize by redirecting the browser to the same
// request by GET: a cross-site POST carries no SameSite=Lax cookie, so only the GET
// shows who is signed in.
func (p *Provider) handleAuthorizePost(c echo.Context) error {
	return p.redirectPostToGet(c, PathAuthorize)
}

// redirectPostToGet redirects a POST to the same endpoint by GET.
func (p *Provider) redirectPostToGet(c echo.Context, path string) error {
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return p.showErrorPage(c, &pageError{
			message: "The request was too large or incomplete.", remedy: "Go back and try again.",
		}, "")
	}
	// A form encodes everything as printable characters without #. A # would become a
	// fragment, which browsers carry on to the client.
	unencoded := func(r rune) bool { return r <= ' ' || r > '~' || r == '#' }
	if strings.ContainsFunc(string(body), unencoded) {
		return p.showErrorPage(c, &pageError{
			message: "The request that brought you here is damaged.", remedy: "Go back and try again.",
		}, "")
	}
	return p.pages.RedirectTo(c, p.base+path+"?"+string(body))
}

// handleResume serves GET /resume, to which every page of a sign-in returns. The
// request is validated again from the start: nothing that a page did is trusted.
func (p *Provider) handleResume(c echo.Context) error {
	sealed := c.QueryParam("request")
	saved, err := p.openSavedRequest(c.Request(), sealed)
	if err == nil {
		return p.continueRequest(c, saved)
	}
	if errors.Is(err, ErrExpired) {
		return p.RestartRequest(c, sealed, "")
	}
	const remedy = "Go back to where you came from and start again there."
	if errors.Is(err, ErrOtherBrowser) {
		return p.showErrorPage(c, &pageError{
			message: "This sign-in was started in another browser, or your browser blocks cookies.",
			remedy:  remedy + " Make sure that cookies are allowed.",
		}, "")
	}
	return p.showErrorPage(c, &pageError{message: "This link is damaged or no longer valid.", remedy: remedy}, "")
}

// continueRequest takes a request one step further: to an error, a page, or the
// response.
func (p *Provider) continueRequest(c echo.Context, saved savedRequest) error {
	request, err := p.validateRequest(c.Request().Context(), saved.Query, saved.Pushed)
	if page, ok := errors.AsType[*pageError](err); ok {
		return p.showErrorPage(c, page, saved.Reference)
	}
	if err != nil {
		return p.redirectWithError(c, request, saved, err)
	}
	current, signedIn, err := p.sessions.Find(c.Request())
	if err != nil {
		return p.redirectWithError(c, request, saved, err)
	}
	step, stepErr := p.nextStep(request, saved, current, signedIn)
	if step == "" {
		first, err := p.finishRequest(c.Request().Context(), saved)
		if err != nil {
			return p.redirectWithError(c, request, saved, err)
		}
		if !first {
			return p.showErrorPage(c, &pageError{
				message: "This sign-in is already complete.", client: request.client,
				remedy: "Go back to where you came from. If you are not signed in there, start again from there.",
			}, saved.Reference)
		}
	}
	if stepErr != nil {
		return p.redirectWithError(c, request, saved, stepErr)
	}
	if step == "" {
		return p.respond(c, request, saved, current)
	}
	if saved.BrowserHash == "" {
		saved.SessionBefore = sessionMark(current, signedIn)
	}
	return p.redirectToPage(c, step, saved)
}

// finishRequest records that a request that was saved for a page gets its response. It
// reports whether this is the first one: otherwise whoever is signed in by then would get
// another response to the same request.
func (p *Provider) finishRequest(ctx context.Context, saved savedRequest) (bool, error) {
	if saved.BrowserHash == "" {
		return true, nil // it is answered at once, and there is nothing that could come again
	}
	expires := saved.startedAt().Add(p.lifetimes.Request + time.Minute)
	return p.assertions.RecordAssertion(ctx, "", "request "+saved.Reference, expires)
}

// sessionMark identifies a login among all logins of the browser. It is empty if no
// user is signed in. The hash is of a secret that every login makes new; the time of the
// login would not do, because two logins at an upstream may have the same.
func sessionMark(current session.Current, signedIn bool) string {
	if !signedIn {
		return ""
	}
	return current.ID + " " + current.SecretHash
}

// nextStep decides what a request needs: the path of a page, "" for the response, or an
// error. It implements prompt, max_age, id_token_hint and the values in the claims
// parameter (OIDC Core sections 3.1.2.1 and 5.5.1).
func (p *Provider) nextStep(
	request *authRequest, saved savedRequest, current session.Current, signedIn bool,
) (string, error) {
	if saved.Denied {
		return "", newOAuthError(accessDenied, "The user did not allow it.")
	}
	silent := request.hasPrompt(zoidc.PromptNone)
	// The user has signed in since this request was saved for a page.
	fresh := signedIn && saved.BrowserHash != "" && saved.SessionBefore != sessionMark(current, signedIn)
	wanted := signedIn && request.allowsSubject(current.Person.Subject)
	if !signedIn || !fresh && (p.requiresLogin(request, current) || !wanted) {
		if silent {
			return "", newOAuthError(loginRequired, "No user that this request can be for is signed in.")
		}
		return PathLogin, nil
	}
	if !wanted {
		return "", newOAuthError(loginRequired, "The user who signed in is not the one that the request names.")
	}
	if request.claims.requiresOtherACR(current.ACR) {
		return "", newOAuthError(unmetRequirements, "The acr that claims calls essential is not available here.")
	}
	if request.hasPrompt(zoidc.PromptConsent) && saved.ConsentedBy != current.Person.Subject {
		return PathConsent, nil
	}
	return "", nil
}

// requiresLogin reports whether the request asks for a newer login than the session has.
func (p *Provider) requiresLogin(request *authRequest, current session.Current) bool {
	if request.hasPrompt(zoidc.PromptLogin) || request.hasPrompt(zoidc.PromptSelectAccount) {
		return true
	}
	if request.MaxAge == nil {
		return false
	}
	if current.AuthTimeUnknown {
		return true
	}
	maxAge := time.Duration(*request.MaxAge) * time.Second //nolint:gosec // parseRequest allows 31 bits
	return maxAge == 0 || p.now().Sub(current.AuthTime) > maxAge
}

// redirectToPage seals the request for this browser and redirects it to a page.
func (p *Provider) redirectToPage(c echo.Context, path string, saved savedRequest) error {
	saved.BrowserHash = p.browserHash(c.Response(), c.Request())
	sealed, err := p.requestSealer.Seal(saved)
	if err != nil {
		return err
	}
	return p.pages.RedirectTo(c, p.base+path+"?request="+sealed)
}

// showErrorPage shows the error page of a request that must not be redirected.
func (p *Provider) showErrorPage(c echo.Context, err *pageError, reference string) error {
	if reference == "" {
		reference = newReference()
	}
	page := ErrorPage{
		Message: err.message, Remedy: err.remedy, Reference: reference, Received: err.redirectURI, Cause: err.message,
	}
	log := p.log.With("reference", reference, "reason", err.message, "address", c.RealIP())
	if err.redirectURI != "" {
		log = log.With("redirect_uri", logValue(withoutSecrets(err.redirectURI)))
	}
	if err.clientID != "" {
		log = log.With("unknown_client_id", p.logClientID(err.clientID))
	}
	clientID := ""
	if err.client != nil {
		clientID = err.client.ID
		page.Registered = err.client.RedirectURIs
	}
	p.events("authorize_rejected", clientID)
	if err.detail != "" {
		log = log.With("detail", err.detail)
	}
	log.InfoContext(c.Request().Context(), "request rejected", "client_id", clientID)
	return p.pages.ShowError(c, page)
}
