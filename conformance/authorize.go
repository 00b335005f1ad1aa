package conformance

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idpbridge/internal/robot"
)

// newRequest returns a valid authorization request of a client. Changes are
// pairs of a parameter and its value; an empty value removes the parameter.
// State and nonce are random.
func (r *run) newRequest(c Client, v variant, changes ...string) url.Values {
	request := url.Values{
		"client_id": {c.ID}, "redirect_uri": {c.RedirectURI}, "response_type": {v.responseType},
		"scope": {"openid"}, "state": {randomString(10)}, "nonce": {randomString(10)},
	}
	if v.responseMode != "" {
		request.Set("response_mode", v.responseMode)
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if changes[i+1] == "" {
			request.Del(changes[i])
			continue
		}
		request.Set(changes[i], changes[i+1])
	}
	return request
}

// authorizationURL returns the URL of an authorization request.
func (r *run) authorizationURL(request url.Values) string {
	return appendQuery(r.metadata().AuthorizationEndpoint, request.Encode())
}

func appendQuery(rawURL, query string) string {
	mark := "?"
	if strings.Contains(rawURL, "?") {
		mark = "&"
	}
	return rawURL + mark + query
}

// authorize opens the authorization endpoint and returns where the browser
// stops: at a page, or at a redirect to the client.
func (b *browser) authorize(request url.Values) *robot.Page {
	return b.get(b.r.authorizationURL(request))
}

// authorizeSilently requires a response without a page in between.
func (b *browser) authorizeSilently(request url.Values) robot.Response {
	p := b.authorize(request)
	response, ok := p.AuthorizationResponse(request.Get("redirect_uri"))
	b.r.require(ok,
		"expected a response to the client, got a page (status %d): %s", p.Status, robot.Excerpt(p.Body))
	return response
}

// signIn sends a request, completes every page, and returns the response to the
// client, good or bad. The check fails if there is none.
func (b *browser) signIn(request url.Values) robot.Response {
	return b.signInAs(b.r.person(), request)
}

func (b *browser) signInAs(person Person, request url.Values) robot.Response {
	return b.finishSignIn(b.authorize(request), person, request.Get("redirect_uri"))
}

// finishSignIn continues from a page until the client gets a response.
func (b *browser) finishSignIn(p *robot.Page, person Person, redirectURI string) robot.Response {
	response, err := b.robot.FinishSignIn(b.r.ctx, p, redirectURI, person)
	b.r.require(err == nil, "%v", err)
	return response
}

// requireSuccess requires a response without an error that belongs to the
// request, came in the right mode and names the issuer.
func (r *run) requireSuccess(response robot.Response, request url.Values) {
	r.require(response.Get("error") == "",
		"the request was rejected: %s: %s", response.Get("error"), response.Get("error_description"))
	r.checkDelivery(response, request)
	parts := strings.Fields(request.Get("response_type"))
	for name, wanted := range map[string]string{"code": "code", "id_token": "id_token", "access_token": "token"} {
		r.require(response.Has(name) == slices.Contains(parts, wanted),
			"the response to response_type %q has %s", request.Get("response_type"), strings.Join(sortedNames(response.Values),
				", "))
	}
}

// requireError requires one of the error codes, in a response that belongs to
// the request and came in the right mode.
func (r *run) requireError(response robot.Response, request url.Values, codes ...string) {
	r.require(slices.Contains(codes, response.Get("error")),
		"expected the error %s, got %q with %s", strings.Join(codes,
			" or "), response.Get("error"), strings.Join(sortedNames(response.Values), ", "))
	r.checkDelivery(response, request)
	for _, name := range []string{"code", "id_token", "access_token"} {
		r.expect(!response.Has(name), "the error response has %s", name)
	}
	for _, name := range sortedNames(response.Values) {
		r.warnUnless(slices.Contains([]string{"error", "error_description", "error_uri", "state", "session_state", "iss"},
			name), "the error response has the parameter %s", name)
	}
	for _, c := range []byte(response.Get("error_description")) {
		r.require(c >= 0x20 && c <= 0x7e && c != '"' && c != '\\',
			"error_description has a character that RFC 6749 section 4.1.2.1 forbids: %q", response.Get("error_description"))
	}
}

func (r *run) checkDelivery(response robot.Response, request url.Values) {
	want := robot.ModeQuery
	for _, part := range strings.Fields(request.Get("response_type")) {
		if part != "code" {
			want = robot.ModeFragment
		}
	}
	mode := request.Get("response_mode")
	if mode == robot.ModeFormPost || mode == robot.ModeFragment {
		want = mode
	}
	r.require(response.Mode == want, "the response came by %s instead of %s", response.Mode, want)
	r.require(response.RedirectURI == request.Get("redirect_uri"),
		"the response went to %q, not to %q", response.RedirectURI, request.Get("redirect_uri"))
	r.require(response.Get("state") == request.Get("state") && response.Has("state") == request.Has("state"),
		"state is %q instead of %q", response.Get("state"), request.Get("state"))
	// With an ID token in the response, its iss claim is enough (RFC 9207
	// section 2).
	if response.Has("iss") || r.metadata().IssParameter && !response.Has("id_token") {
		r.require(response.Get("iss") == r.target.Issuer, "iss in the response is %q", response.Get("iss"))
	}
	for name, values := range response.Values {
		r.expect(len(values) == 1, "the response has %s %d times", name, len(values))
	}
}

func sortedNames(v url.Values) []string {
	out := make([]string, 0, len(v))
	for name := range v {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// tokens is a response of the token endpoint.
type tokens struct {
	*robot.Page `json:"-"`

	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    *int64 `json:"expires_in"`
	IDToken      string `json:"id_token"`
	RefreshToken string `json:"refresh_token"`
	Scope        string `json:"scope"`
	Error        string `json:"error"`
}

// rejectsGrant reports whether the error says that the client cannot use a grant.
func (t tokens) rejectsGrant() bool {
	return slices.Contains([]string{"unsupported_grant_type", "unauthorized_client"}, t.Error)
}

// requestTokens sends a token request as the client. Changes are pairs of a
// parameter and its value; an empty value removes the parameter.
func (r *run) requestTokens(c Client, grant url.Values, changes ...string) tokens {
	for i := 0; i+1 < len(changes); i += 2 {
		grant.Del(changes[i])
		if changes[i+1] != "" {
			grant.Set(changes[i], changes[i+1])
		}
	}
	return r.postForm(r.metadata().TokenEndpoint, grant, r.authenticateClient(c, grant))
}

// postForm posts to the token endpoint or a similar one.
func (r *run) postForm(rawURL string, form url.Values, edit ...func(*http.Request)) tokens {
	t := tokens{Page: r.fetch(http.MethodPost, rawURL, form, edit...)}
	// If the response is not JSON, the fields stay empty and the check decides.
	_ = json.Unmarshal([]byte(t.Body), &t)
	return t
}

// authenticateClient adds the client's credentials: to the form for a public
// client, one with a key, and Target.Post; otherwise as a form-encoded Basic
// header (RFC 6749 section 2.3.1).
func (r *run) authenticateClient(c Client, form url.Values) func(*http.Request) {
	nothing := func(*http.Request) {}
	switch {
	case c.Key != nil:
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", r.signAssertion(c))
		return nothing
	case c.Secret == "":
		form.Set("client_id", c.ID)
		return nothing
	case c.ID == r.target.Post.ID:
		form.Set("client_id", c.ID)
		form.Set("client_secret", c.Secret)
		return nothing
	}
	return func(req *http.Request) { req.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret)) }
}

// longestToken is the longest lifetime of an access token, in seconds.
const longestToken = 365 * 24 * 3600

// redeemCode redeems a code as the client and requires valid tokens.
func (r *run) redeemCode(c Client, code string, changes ...string) tokens {
	t := r.sendCode(c, code, changes...)
	r.require(t.Status == http.StatusOK, "the code was rejected with %d %s: %s", t.Status, t.Error, robot.Excerpt(t.Body))
	r.require(strings.HasPrefix(t.Header.Get("Content-Type"), "application/json"),
		"the token response is %q, not JSON", t.Header.Get("Content-Type"))
	r.require(strings.EqualFold(t.TokenType, "Bearer"), "token_type is %q", t.TokenType)
	r.require(t.AccessToken != "", "there is no access_token")
	r.require(t.IDToken != "", "there is no id_token")
	r.warnUnless(t.ExpiresIn != nil, "there is no expires_in")
	r.require(t.ExpiresIn == nil || *t.ExpiresIn > 0 && *t.ExpiresIn <= longestToken, "expires_in is more than a year")
	return t
}

// sendCode redeems a code as the client and returns any response.
func (r *run) sendCode(c Client, code string, changes ...string) tokens {
	return r.requestTokens(c,
		url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.RedirectURI}}, changes...)
}

// requireTokenError requires a JSON error of the token endpoint.
func (r *run) requireTokenError(t tokens, status int, code string) {
	r.require(t.Status == status && t.Error == code,
		"expected %d %s, got %d %s: %s", status, code, t.Status, t.Error, robot.Excerpt(t.Body))
	r.require(strings.HasPrefix(t.Header.Get("Content-Type"), "application/json"),
		"the error is %q, not JSON", t.Header.Get("Content-Type"))
	r.expect(strings.Contains(t.Header.Get("Cache-Control"), "no-store"), "the error lacks Cache-Control: no-store")
}

// fetchUserinfo calls userinfo with an access token in the header.
func (r *run) fetchUserinfo(access string) *robot.Page {
	return r.fetch(http.MethodGet, r.metadata().UserinfoEndpoint, nil, setBearer(access))
}

func setBearer(access string) func(*http.Request) {
	return func(req *http.Request) { req.Header.Set("Authorization", "Bearer "+access) }
}

// requireActive requires that an access token works.
func (r *run) requireActive(access, why string) {
	res := r.fetchUserinfo(access)
	r.require(res.Status == http.StatusOK, "%s: userinfo returned %d", why, res.Status)
}

func (r *run) requireRevoked(access, why string) {
	res := r.fetchUserinfo(access)
	r.require(res.Status == http.StatusUnauthorized || res.Status == http.StatusForbidden,
		"%s: userinfo returned %d", why, res.Status)
}
