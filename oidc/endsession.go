package oidc

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"idpbridge/session"
)

// savedLogout is a logout that waits for the user's confirmation.
type savedLogout struct {
	SessionID   string `json:"s"`
	ContinueURL string `json:"a,omitempty"` // registered, with the client's state
}

// logoutRequest is a logout request, as far as it can be trusted.
type logoutRequest struct {
	client       *Client // audience of a genuine hint; nil without one
	subject      string  // subject of that hint
	sessionID    string  // session of that hint; may be empty
	clientName   string  // name of the client that asks, unverified; may be empty
	requestedURL string  // where to go afterwards, as received
	continueURL  string  // the same with the client's state if it is registered, else empty
}

// handleEndSession serves GET /end_session (OpenID Connect RP-Initiated Logout 1.0). A
// genuine hint of the browser's session ends it at once. A genuine hint without a session in
// the browser ends only what the client has; see endWithoutBrowser. Otherwise the user is
// asked. Only a genuine hint with a registered URI redirects anywhere afterwards.
func (p *Provider) handleEndSession(c echo.Context) error {
	logout, damaged := p.readLogoutRequest(c)
	if damaged != nil {
		return p.showErrorPage(c, damaged, "")
	}
	current, signedIn, err := p.sessions.Find(c.Request())
	if err != nil {
		return err
	}
	if signedIn && !logout.isFor(current) {
		sealed, err := p.logoutSealer.Seal(savedLogout{SessionID: current.ID, ContinueURL: logout.continueURL})
		if err != nil {
			return err
		}
		return p.pages.ConfirmLogout(c, LogoutPage{
			Person: current.Person, Client: logout.clientName, Request: sealed,
		})
	}
	if !signedIn && logout.sessionID != "" {
		return p.endWithoutBrowser(c, logout)
	}
	clients, err := p.sessions.End(c.Response(), c.Request())
	if err != nil {
		return err
	}
	if signedIn {
		p.recordLogout(c, logout)
	}
	return p.finishRequestedLogout(c, logout, p.frameURLs(clients, current.ID))
}

// isFor reports whether the hint of a logout request is of this session.
func (logout logoutRequest) isFor(current session.Current) bool {
	return logout.client != nil && logout.subject == current.Person.Subject && logout.sessionID == current.ID
}

// endWithoutBrowser serves a logout request with a genuine hint whose browser has no
// session. It may come from the client's server, or from anyone else who has the ID token,
// which is not a secret. So it ends only what the client itself has from the session, unless
// the client may end sessions this way.
func (p *Provider) endWithoutBrowser(c echo.Context, logout logoutRequest) error {
	ctx := c.Request().Context()
	if logout.client.ServerLogout {
		clients, err := p.sessions.EndOf(ctx, logout.sessionID, logout.subject)
		if err != nil {
			return err
		}
		p.recordLogout(c, logout)
		return p.finishRequestedLogout(c, logout, p.frameURLs(clients, logout.sessionID))
	}
	closed, err := p.sessions.Store.LeaveSession(ctx, logout.sessionID, logout.subject, logout.client.ID)
	if err != nil {
		return err
	}
	p.events("logout_partial", logout.client.ID)
	p.log.InfoContext(ctx, "client logged out without a browser session", "client_id", logout.client.ID,
		"subject", logout.subject, "signins", closed, "address", c.RealIP())
	if logout.continueURL != "" {
		return p.pages.RedirectTo(c, logout.continueURL)
	}
	return p.pages.ShowLoggedOut(c, LoggedOutPage{OnlyClient: logout.client.Name})
}

// recordLogout logs and counts a logout that a client asked for.
func (p *Provider) recordLogout(c echo.Context, logout logoutRequest) {
	p.events("logout_succeeded", logout.client.ID)
	p.log.InfoContext(c.Request().Context(), "logout succeeded", "client_id", logout.client.ID, "subject", logout.subject)
}

// finishRequestedLogout is finishLogout, with an error page if the client names a URI that is
// not registered.
func (p *Provider) finishRequestedLogout(c echo.Context, logout logoutRequest, frames []string) error {
	if logout.requestedURL != "" && logout.continueURL == "" && len(frames) == 0 {
		return p.showErrorPage(c, &pageError{
			message: "You are signed out, but the page to go to next is not registered.",
			remedy:  "You may close this page.", redirectURI: logout.requestedURL,
		}, "")
	}
	return p.finishLogout(c, logout.continueURL, frames)
}

// refusePrefetch refuses requests by which a browser only prepares for a page that the
// user may open next: they must not sign anyone out, or use up a request.
func refusePrefetch(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Request().Header
		purpose := h.Get("Sec-Purpose") + " " + h.Get("Purpose") + " " + h.Get("X-Moz")
		if strings.Contains(strings.ToLower(purpose), "prefetch") {
			setNoStore(c)
			return c.NoContent(http.StatusServiceUnavailable) // browsers then discard the prefetch
		}
		return next(c)
	}
}

// readLogoutRequest reads a logout request.
func (p *Provider) readLogoutRequest(c echo.Context) (logoutRequest, *pageError) {
	params, repeated, err := parseParameters(c.Request().URL.RawQuery)
	if err != nil || len(repeated) > 0 {
		return logoutRequest{}, &pageError{
			message: "The link that brought you here is damaged.", remedy: "Go back and sign out again.",
		}
	}
	logout := logoutRequest{requestedURL: params.Get("post_logout_redirect_uri")}
	id := params.Get("client_id")
	if client, ok := p.clients[id]; ok {
		logout.clientName = client.Name
	}
	hint, err := p.verifyHint(c.Request().Context(), params.Get("id_token_hint"))
	if err != nil || len(hint.Audience) != 1 || id != "" && id != hint.Audience[0] || p.clients[hint.Audience[0]] == nil {
		return logout, nil //nolint:nilerr // an invalid hint counts as none
	}
	logout.client, logout.subject, logout.sessionID = p.clients[hint.Audience[0]], hint.Subject, hint.SessionID
	logout.clientName = logout.client.Name
	if slices.Contains(logout.client.PostLogoutRedirectURIs, logout.requestedURL) {
		logout.continueURL = appendState(logout.requestedURL, params.Get("state"))
	}
	return logout, nil
}

// handleEndSessionPost serves POST /end_session by redirecting to the same request by GET,
// as handleAuthorizePost does: without its SameSite=Lax cookie, a signed-in browser looks
// signed out.
func (p *Provider) handleEndSessionPost(c echo.Context) error {
	return p.redirectPostToGet(c, PathEndSession)
}

// handleConfirmLogout ends the session after the user has confirmed.
func (p *Provider) handleConfirmLogout(c echo.Context) error {
	if err := CheckFormOrigin(c.Request(), p.issuer, true); err != nil {
		return p.showErrorPage(c, &pageError{
			message: "This form was sent by another site.", remedy: "Go back and sign out again.",
		}, "")
	}
	params, err := p.readForm(c)
	if err != nil {
		return p.showErrorPage(c, &pageError{message: "The request is damaged.", remedy: "Go back and sign out again."}, "")
	}
	var saved savedLogout
	if err := p.logoutSealer.Open(params.Get("request"), &saved); err != nil {
		return p.showErrorPage(c, &pageError{message: "The request is damaged.", remedy: "Go back and sign out again."}, "")
	}
	current, signedIn, err := p.sessions.Find(c.Request())
	if err != nil {
		return err
	}
	if signedIn && current.ID != saved.SessionID {
		// Someone has signed in since: the user has not agreed to end that session.
		return p.pages.RedirectTo(c, p.base+PathEndSession)
	}
	if !signedIn {
		return p.finishLogout(c, saved.ContinueURL, nil)
	}
	clients, err := p.sessions.End(c.Response(), c.Request())
	if err != nil {
		return err
	}
	p.events("logout_succeeded", "")
	p.log.InfoContext(c.Request().Context(), "logout succeeded", "subject", current.Person.Subject)
	return p.finishLogout(c, saved.ContinueURL, p.frameURLs(clients, current.ID))
}

// finishLogout redirects to the client, or shows the signed-out page. If clients are
// notified by frames, there is always a page.
func (p *Provider) finishLogout(c echo.Context, to string, frames []string) error {
	if to == "" || len(frames) > 0 {
		return p.pages.ShowLoggedOut(c, LoggedOutPage{Frames: frames, ContinueURL: to})
	}
	return p.pages.RedirectTo(c, to)
}

// frameURLs are the URLs that notify clients in the browser (OpenID Connect Front-Channel
// Logout 1.0 section 3).
func (p *Provider) frameURLs(clients []string, sessionID string) []string {
	var out []string
	for _, id := range clients {
		if client := p.clients[id]; client != nil && client.FrontchannelLogoutURI != "" {
			out = append(out, appendParam(appendParam(client.FrontchannelLogoutURI, "iss", p.issuer), "sid", sessionID))
		}
	}
	return out
}

// appendState adds the client's state to its URL, if it sent one.
func appendState(uri, state string) string {
	if state == "" {
		return uri
	}
	return appendParam(uri, "state", state)
}

func appendParam(uri, name, value string) string {
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
	}
	return uri + separator + name + "=" + url.QueryEscape(value)
}
