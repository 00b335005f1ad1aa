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

// authorizeRequest is an authorization request as LivePerson's window makes it.
type authorizeRequest struct {
	uri     string
	kind    string // response type; empty: the first configured
	state   string
	nonce   bool // for id_token
	visible bool // may show a page
}

// authorizeURL is the address of a question.
func (e *exam) authorizeURL(q authorizeRequest) string {
	if q.kind == "" {
		q.kind = e.cfg.ResponseTypes[0]
	}
	v := url.Values{
		"response_type": {q.kind}, "client_id": {e.cfg.ClientID}, "scope": {"openid"}, "redirect_uri": {q.uri},
		"parentWindowOrigin": {"https://www.brand.example"},
	}
	if q.state != "" {
		v.Set("state", q.state)
	}
	if q.nonce {
		v.Set("nonce", randomText())
	}
	if !q.visible {
		v.Set("prompt", "none")
	}
	mark := "?"
	if strings.Contains(e.meta.AuthorizationEndpoint, "?") {
		mark = "&"
	}
	return e.meta.AuthorizationEndpoint + mark + v.Encode()
}

// authorize asks and keeps the cookies that came.
func (e *exam) authorize(ctx context.Context, q authorizeRequest) (response, error) {
	a, err := e.get(ctx, e.authorizeURL(q))
	if err == nil {
		e.cookies = append(e.cookies, (&http.Response{Header: a.header}).Cookies()...)
	}
	return a, err
}

// redirectParams returns the parameters of an answer that leads to a redirect URI.
func redirectParams(a response, uri string) (url.Values, bool) {
	location := a.header.Get("Location")
	rest, found := strings.CutPrefix(location, uri)
	rest = strings.TrimPrefix(rest, "/")
	if !found || a.status < 300 || a.status > 399 || rest != "" && !strings.ContainsAny(rest[:1], "?#&") {
		return nil, false
	}
	v, err := url.ParseQuery(strings.TrimLeft(rest, "?#&"))
	return v, err == nil
}

// checkRedirects asks the authorization endpoint without a session, as a chat window
// would, and without showing anything (prompt=none).
func (e *exam) checkRedirects(ctx context.Context) {
	if e.meta.AuthorizationEndpoint == "" {
		e.addFinding(Skip, RedirectAccepted, "The authorization endpoint was not asked, because its address is not known.", "Put the discovery document right first.")
		return
	}
	good := ""
	for _, uri := range e.cfg.RedirectURIs {
		for _, kind := range e.cfg.ResponseTypes {
			if e.checkRedirectURI(ctx, authorizeRequest{uri: uri, kind: kind, nonce: strings.Contains(kind, "id_token")}) {
				good = uri
			}
		}
	}
	e.checkUnregisteredURIs(ctx)
	if good == "" {
		e.addFinding(Skip, RedirectState, "Whether state comes back was not tried, because no redirect URI was answered.", "Put that right first.")
		return
	}
	e.checkState(ctx, good)
	if slices.Contains(e.cfg.ResponseTypes, "id_token") {
		e.checkMissingNonce(ctx, good)
	}
}

// noSessionErrors are the errors that mean: all is well, but somebody has to sign in.
func noSessionErrors() []string {
	return []string{"login_required", "interaction_required", "consent_required", "account_selection_required"}
}

// checkRedirectURI looks whether a redirect URI is registered. It is true where the
// provider answers there, be it with an error.
func (e *exam) checkRedirectURI(ctx context.Context, q authorizeRequest) bool {
	const remedy = "Register it with the client, letter by letter: LivePerson's window is answered there. " +
		"Name those that you do use by --redirect-uri if this is none of them."
	a, err := e.authorize(ctx, q)
	if err != nil {
		e.addFinding(Error, RedirectAccepted, fmt.Sprintf("The authorization endpoint cannot be asked: %v.", err), "Let everybody's browser reach it.")
		return false
	}
	v, ok := redirectParams(a, q.uri)
	problem := v.Get("error")
	switch {
	case ok && slices.Contains(noSessionErrors(), problem):
		e.addOK(RedirectAccepted, fmt.Sprintf("%s is registered and answered, with the response type %s.", q.uri, q.kind))
	case ok && problem == "":
		e.addFinding(Warn, RedirectRequest, fmt.Sprintf("%s is answered without anybody having signed in.", q.uri), "Check what signs people in there without asking them.")
	case ok:
		e.addFinding(Error, RedirectRequest, fmt.Sprintf("%s is registered, but a request with the response type %s is refused with %s.", q.uri, q.kind, problem),
			"Allow this client the response type and the scope openid, without further conditions.", v.Get("error_description"))
	case a.status == http.StatusRequestURITooLong || a.status == http.StatusRequestHeaderFieldsTooLarge || a.status >= 500:
		e.addFinding(Error, RedirectRequest, fmt.Sprintf("The authorization endpoint answers %d.", a.status), "Look into the provider's log, or into that of the proxy in front.", a.summarize())
	case a.status >= 400:
		e.addFinding(Error, RedirectAccepted, fmt.Sprintf("%s is refused for the client %s.", q.uri, e.cfg.ClientID), remedy, a.summarize())
	default:
		e.addFinding(Warn, RedirectAccepted, fmt.Sprintf("Whether %s is registered cannot be seen: the provider shows a page although it was asked not to (prompt=none).", q.uri),
			"Open the authorization endpoint in a browser and look whether the sign-in page comes.", a.summarize())
	}
	return ok
}

// checkUnregisteredURIs looks whether somebody else's address would be answered.
func (e *exam) checkUnregisteredURIs(ctx context.Context) {
	bad := false
	for _, uri := range []string{"https://" + foreignHost + "/cb", "https://lpcdn.lpsnmedia.net." + foreignHost + liveengage.WindowPath} {
		a, err := e.authorize(ctx, authorizeRequest{uri: uri})
		if err != nil {
			continue // said already
		}
		to, _ := url.Parse(a.header.Get("Location"))
		if to != nil && strings.HasSuffix(to.Hostname(), foreignHost) {
			bad = true
			e.addFinding(Error, RedirectForeign, fmt.Sprintf("The redirect URI %s, which nobody has registered, is answered.", uri),
				"Compare redirect URIs letter by letter with the client's list: like this anybody collects your customers' codes and tokens (RFC 9700 section 4.1).", a.summarize())
		} else if a.status < 400 {
			bad = true
			e.addFinding(Note, RedirectForeign, fmt.Sprintf("The redirect URI %s is not answered, but not refused with an error either.", uri),
				"Open the authorization endpoint with it in a browser: an error page must come, no sign-in page.", a.summarize())
		}
	}
	if !bad {
		e.addOK(RedirectForeign, "Redirect URIs of strangers are refused, and nobody is sent there.")
	}
}

// The sizes of state: what LivePerson's window has been seen to send, and what a
// provider should be ready for.
const (
	usualState = 2 << 10
	largeState = 8 << 10
)

// sampleState is a text of the form of LivePerson's state, of n bytes. It holds
// every kind of character that has been lost by somebody's code.
func sampleState(n int) string {
	head := `{"lpUnifiedWindowConfig":{"accountId":"12345678","env":"prod","clickedChannel":"-lpuw-authMessaging","external":true,` +
		`"note":"a+b/c=d&e%20f g é","engConf":{"async":true,"scid":"1","connector":{"id":4056284238,"configuration":{"jwtPublicKey":"`
	const tail = `"}}}}}`
	return head + strings.Repeat("MIIB+/", n)[:n-len(head)-len(tail)] + tail
}

// checkState looks whether state comes back, byte for byte, in a size that is more
// than enough.
func (e *exam) checkState(ctx context.Context, uri string) {
	large, err := e.sendState(ctx, uri, largeState)
	if err == nil {
		e.addOK(RedirectState, fmt.Sprintf("A state of %d bytes comes back byte for byte.", largeState))
		return
	}
	_, err = e.sendState(ctx, uri, usualState)
	if err != nil {
		e.addFinding(Error, RedirectState, fmt.Sprintf("A state of %d bytes does not come back: %v.", usualState, err),
			"Let the provider return state unchanged, whatever it holds; in a proxy, let request lines of 16 kB pass (nginx: large_client_header_buffers 4 32k).", large.summarize())
		return
	}
	e.addFinding(Warn, RedirectState, fmt.Sprintf("A state of %d bytes comes back, one of %d does not.", usualState, largeState),
		"Let request lines of 16 kB pass (nginx: large_client_header_buffers 4 32k): the window's state grows with the connector.", large.summarize())
}

// sendState returns an error unless a state of that size comes back.
func (e *exam) sendState(ctx context.Context, uri string, size int) (response, error) {
	state := sampleState(size)
	kind := e.cfg.ResponseTypes[0]
	a, err := e.authorize(ctx, authorizeRequest{uri: uri, kind: kind, state: state, nonce: strings.Contains(kind, "id_token")})
	if err != nil {
		return a, err
	}
	v, ok := redirectParams(a, uri)
	switch {
	case !ok:
		return a, fmt.Errorf("the answer is %d", a.status)
	case !v.Has("state"):
		return a, fmt.Errorf("the answer has no state")
	case v.Get("state") != state:
		return a, fmt.Errorf("%s", describeDifference(v.Get("state"), state))
	}
	return a, nil
}

// checkMissingNonce asks for an ID token as the window of its own has been seen to:
// without a nonce.
func (e *exam) checkMissingNonce(ctx context.Context, uri string) {
	a, err := e.authorize(ctx, authorizeRequest{uri: uri, kind: "id_token"})
	if err != nil {
		return
	}
	v, ok := redirectParams(a, uri)
	if ok && slices.Contains(noSessionErrors(), v.Get("error")) {
		e.addOK(RedirectNonce, "A request for an ID token without a nonce is answered.")
		return
	}
	e.addFinding(Warn, RedirectNonce, "A request for an ID token without a nonce is refused, and LivePerson's window of its own was seen to send none.",
		"Use the code flow for the window of its own. Chat embedded in your page is not affected: there your page makes the request.", a.summarize())
}

// checkCookies looks at what a browser is told to keep.
func (e *exam) checkCookies(ctx context.Context) {
	if e.meta.AuthorizationEndpoint == "" {
		return
	}
	kind := e.cfg.ResponseTypes[0]
	if _, err := e.authorize(ctx, authorizeRequest{uri: e.cfg.RedirectURIs[0], kind: kind, nonce: true, visible: true}); err != nil {
		return
	}
	if !strings.HasPrefix(e.meta.AuthorizationEndpoint, "https:") {
		e.addFinding(Skip, Cookies, "Cookies were not looked at, because the provider is not https.", "Examine it where it is.")
		return
	}
	seen, bad := map[string]bool{}, false
	for _, c := range e.cookies {
		if seen[c.Name] {
			continue
		}
		seen[c.Name] = true
		switch {
		case !c.Secure:
			bad = true
			e.addFinding(Error, Cookies, fmt.Sprintf("The cookie %s lacks Secure, so that it is sent over http as well.", c.Name),
				"Tell the provider that it is https (here: issuer: https://…), and let the proxy pass cookies unchanged.")
		case !strings.HasPrefix(c.Name, "__Host-"):
			bad = true
			e.addFinding(Note, Cookies, fmt.Sprintf("The cookie %s has no prefix __Host-, so that a neighbouring host can overwrite it.", c.Name), "Name it so, with Path=/ and without Domain.")
		}
	}
	if !bad {
		e.addOK(Cookies, fmt.Sprintf("Cookies are kept for https and for this host alone (%d seen).", len(seen)))
	}
}
