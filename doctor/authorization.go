package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idpbridge/liveengage"
)

// Codes of the authorization endpoint.
const (
	RedirectAccepted Code = "redirect-accepted"
	RedirectRequest  Code = "redirect-request"
	RedirectNonce    Code = "redirect-nonce"
	RedirectForeign  Code = "redirect-foreign"
	RedirectWebsite  Code = "redirect-website"
	RedirectAccount  Code = "redirect-account"
)

// authorizeRequest is an authorization request as LivePerson's window makes it.
type authorizeRequest struct {
	redirectURI  string
	responseType string // empty: the first that is configured
	state        string
	nonce        bool // required for id_token
	mayShowPage  bool // without prompt=none
}

// authorizeURL returns the URL of a request.
func (e *exam) authorizeURL(request authorizeRequest) string {
	if request.responseType == "" {
		request.responseType = e.cfg.ResponseTypes[0]
	}
	query := url.Values{
		"response_type":      {request.responseType},
		"client_id":          {e.cfg.ClientID},
		"scope":              {"openid"},
		"redirect_uri":       {request.redirectURI},
		"parentWindowOrigin": {"https://www.brand.example"},
	}
	if request.state == "" && liveengage.IsWindowURI(request.redirectURI) {
		request.state = liveengage.WindowState(e.cfg.WindowAccount, randomText())
	}
	if request.state != "" {
		query.Set("state", request.state)
	}
	if request.nonce {
		query.Set("nonce", randomText())
	}
	if !request.mayShowPage {
		query.Set("prompt", "none")
	}
	separator := "?"
	if strings.Contains(e.meta.AuthorizationEndpoint, "?") {
		separator = "&"
	}
	return e.meta.AuthorizationEndpoint + separator + query.Encode()
}

// authorize sends a request, and collects the cookies of the response for
// checkCookies.
func (e *exam) authorize(ctx context.Context, request authorizeRequest) (response, error) {
	res, err := e.get(ctx, e.authorizeURL(request))
	if err == nil {
		e.cookies = append(e.cookies, (&http.Response{Header: res.header}).Cookies()...)
	}
	return res, err
}

// redirectParams returns the parameters of a response that redirects to the
// redirect URI, and false for any other response.
func redirectParams(res response, redirectURI string) (url.Values, bool) {
	rest, found := strings.CutPrefix(res.location, redirectURI)
	rest = strings.TrimPrefix(rest, "/")
	if !found || rest != "" && !strings.ContainsAny(rest[:1], "?#&") {
		return nil, false
	}
	params, err := url.ParseQuery(strings.TrimLeft(rest, "?#&"))
	return params, err == nil
}

// needsSignIn reports whether an error of the authorization endpoint means that
// the request is fine, but that a user has to act first.
func needsSignIn(oauthError string) bool {
	return slices.Contains([]string{
		"login_required", "interaction_required", "consent_required", "account_selection_required",
	}, oauthError)
}

// checkAuthorization sends requests to the authorization endpoint as a chat window
// does, without a session and with prompt=none.
func (e *exam) checkAuthorization(ctx context.Context) {
	if e.meta.AuthorizationEndpoint == "" {
		e.addSkip(RedirectAccepted, "The authorization endpoint was not checked, because its URL is not known.", fixDiscovery)
		return
	}
	accepted := ""
	for _, redirectURI := range e.cfg.RedirectURIs {
		for _, responseType := range e.cfg.ResponseTypes {
			request := authorizeRequest{
				redirectURI:  redirectURI,
				responseType: responseType,
				nonce:        strings.Contains(responseType, "id_token"),
			}
			if e.checkRedirectURI(ctx, request) {
				accepted = redirectURI
			}
		}
	}
	e.checkUnregisteredURIs(ctx)
	e.checkWebsite(ctx)
	e.checkWindowAccount(ctx)
	if accepted == "" {
		e.addSkip(RedirectState, "The state parameter was not checked, because no redirect URI is accepted.",
			"Fix the redirect URIs first.")
		return
	}
	e.checkState(ctx, accepted)
	if slices.Contains(e.cfg.ResponseTypes, "id_token") {
		e.checkMissingNonce(ctx, accepted)
	}
}

// checkRedirectURI checks whether a redirect URI is registered. It reports whether
// the provider redirects to it, even with an error.
func (e *exam) checkRedirectURI(ctx context.Context, request authorizeRequest) bool {
	res, err := e.authorize(ctx, request)
	if err != nil {
		e.addError(RedirectAccepted, fmt.Sprintf("The authorization endpoint does not respond: %v.", err),
			"Make it reachable from every browser.")
		return false
	}
	if params, ok := redirectParams(res, request.redirectURI); ok {
		e.checkRedirect(request, params)
		return true
	}
	e.explainNoRedirect(request, res)
	return false
}

// checkRedirect judges the parameters that were sent to the redirect URI.
func (e *exam) checkRedirect(request authorizeRequest, params url.Values) {
	oauthError := params.Get("error")
	if oauthError == "" {
		e.addWarning(RedirectRequest,
			fmt.Sprintf("The provider issued a response to %s although no user signed in.", request.redirectURI),
			"Find out why the provider signs users in without asking them.")
		return
	}
	if !needsSignIn(oauthError) {
		e.addError(RedirectRequest,
			fmt.Sprintf("The redirect URI %s is registered, but a request with response_type %s fails with %s.",
				request.redirectURI, request.responseType, oauthError),
			"Allow this client the response type and the scope openid, without further conditions.",
			params.Get("error_description"))
		return
	}
	e.addOK(RedirectAccepted,
		fmt.Sprintf("The redirect URI %s is accepted with response_type %s.", request.redirectURI, request.responseType))
}

// explainNoRedirect reports why a request did not end at its redirect URI.
func (e *exam) explainNoRedirect(request authorizeRequest, res response) {
	tooLong := res.status == http.StatusRequestURITooLong || res.status == http.StatusRequestHeaderFieldsTooLarge
	if tooLong || res.status >= 500 {
		e.addError(RedirectRequest, fmt.Sprintf("The authorization endpoint has status %d.", res.status),
			"Look in the log of the provider and of the proxy in front of it.", res.summarize())
		return
	}
	if res.status >= 400 {
		e.addError(RedirectAccepted,
			fmt.Sprintf("The provider rejects the redirect URI %s for the client %s.", request.redirectURI, e.cfg.ClientID),
			"Register exactly this URI for the client: LivePerson's window receives the response there. "+
				"If you do not use it, name those that you use (--redirect-uri). If the provider checks the account of "+
				"LivePerson's window, name that (--account).", res.summarize())
		return
	}
	e.addWarning(RedirectAccepted,
		fmt.Sprintf("It is not clear whether %s is registered: the provider shows a page in spite of prompt=none.",
			request.redirectURI),
		"Open the authorization endpoint in a browser, and check that the sign-in page appears.", res.summarize())
}

// checkUnregisteredURIs checks that the provider does not redirect to URIs that
// are not registered.
func (e *exam) checkUnregisteredURIs(ctx context.Context) {
	bad := false
	for _, redirectURI := range []string{
		"https://" + foreignHost + "/cb",
		"https://lpcdn." + liveengage.MediaDomain + "." + foreignHost + liveengage.WindowPath,
	} {
		res, err := e.authorize(ctx, authorizeRequest{redirectURI: redirectURI})
		if err != nil {
			continue // checkRedirectURI has reported it
		}
		target, _ := url.Parse(res.location)
		if target != nil && strings.HasSuffix(target.Hostname(), foreignHost) {
			bad = true
			e.addError(RedirectForeign, fmt.Sprintf("The provider redirects to %s, which is not registered.", redirectURI),
				"Compare redirect URIs exactly with the client's list. Without that, an attacker can collect your "+
					"customers' codes and tokens (RFC 9700 section 4.1).", res.summarize())
		} else if res.status < 400 {
			bad = true
			e.addNote(RedirectForeign,
				fmt.Sprintf("The provider does not redirect to %s, which is not registered, but shows no error either.",
					redirectURI),
				"Open the authorization endpoint with it in a browser: it must show an error page, not the sign-in page.",
				res.summarize())
		}
	}
	if !bad {
		e.addOK(RedirectForeign, "The provider rejects redirect URIs that are not registered.")
	}
}

// checkWebsite checks that LivePerson's website, which is sent to the token endpoint
// only, is not registered as a redirect URI.
func (e *exam) checkWebsite(ctx context.Context) {
	if slices.Contains(e.cfg.RedirectURIs, liveengage.EmbeddedRedirectURI) {
		return // the caller says that the brand uses it
	}
	res, err := e.authorize(ctx, authorizeRequest{redirectURI: liveengage.EmbeddedRedirectURI, nonce: true})
	if err != nil {
		return // checkRedirectURI has reported it
	}
	if _, registered := redirectParams(res, liveengage.EmbeddedRedirectURI); registered {
		e.addWarning(RedirectWebsite,
			fmt.Sprintf("The provider redirects to %s, LivePerson's website, which needs no responses.",
				liveengage.EmbeddedRedirectURI),
			"Remove it from the client's redirect URIs, because any link can send a signed-in customer's code or token "+
				"there. Accept it at the token endpoint only.")
		return
	}
	e.addOK(RedirectWebsite, "The provider does not redirect to LivePerson's website.")
}

// checkWindowAccount checks whether the provider sends responses to LivePerson's window
// for any account. The window is the same for all accounts.
func (e *exam) checkWindowAccount(ctx context.Context) {
	i := slices.IndexFunc(e.cfg.RedirectURIs, liveengage.IsWindowURI)
	if i < 0 {
		return
	}
	window, other := e.cfg.RedirectURIs[i], "99999999"
	res, err := e.authorize(ctx, authorizeRequest{
		redirectURI: window, state: liveengage.WindowState(other, randomText()), nonce: true,
	})
	if err != nil {
		return // checkRedirectURI has reported it
	}
	if _, redirects := redirectParams(res, window); !redirects {
		e.addOK(RedirectAccount, "The provider rejects LivePerson's window if it belongs to another account.")
		return
	}
	const sentence = "The provider sends responses to LivePerson's window of any account, so anyone with an account " +
		"can make a link that sends them your customers' responses."
	remedy := e.cfg.AccountRemedy
	if remedy == "" {
		remedy = "Use the code flow, because other accounts do not have the client secret. If the provider can do it, " +
			"reject requests whose state does not name your account."
	}
	if e.cfg.AccountRemedy == "" && !slices.Contains(e.cfg.ResponseTypes, "id_token") {
		e.addNote(RedirectAccount, sentence, remedy)
		return
	}
	e.addWarning(RedirectAccount, sentence, remedy)
}

// checkMissingNonce requests an ID token without a nonce. LivePerson's pop-out
// window was seen to do that.
func (e *exam) checkMissingNonce(ctx context.Context, redirectURI string) {
	res, err := e.authorize(ctx, authorizeRequest{redirectURI: redirectURI, responseType: "id_token"})
	if err != nil {
		return // checkRedirectURI has reported it
	}
	params, ok := redirectParams(res, redirectURI)
	if ok && needsSignIn(params.Get("error")) {
		e.addOK(RedirectNonce, "The provider accepts a request for an ID token without a nonce.")
		return
	}
	e.addWarning(RedirectNonce,
		"The provider rejects a request for an ID token without a nonce, but LivePerson's pop-out window was seen to "+
			"send none.",
		"Use the code flow for the pop-out window. Chat embedded in your page is not affected, because your page makes "+
			"the request itself.", res.summarize())
}
