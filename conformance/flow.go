package conformance

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idpbridge/internal/robot"
)

// newRequest is a good authorization request of a client, with changes: pairs of
// name and value, where an empty value leaves the parameter out. State and nonce
// are random.
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

// authorizationURL is the authorization endpoint's address for a request.
func (r *run) authorizationURL(request url.Values) string {
	return appendQuery(r.metadata().AuthorizationEndpoint, request.Encode())
}

func appendQuery(address, query string) string {
	mark := "?"
	if strings.Contains(address, "?") {
		mark = "&"
	}
	return address + mark + query
}

// authorize asks the authorization endpoint and returns where the browser ends:
// at a page, or on its way to the client.
func (b *browser) authorize(request url.Values) *robot.Page {
	return b.get(b.r.authorizationURL(request))
}

// authorizeSilently asks and expects an answer without a page between.
func (b *browser) authorizeSilently(request url.Values) robot.Response {
	p := b.authorize(request)
	response, ok := p.AuthorizationResponse(request.Get("redirect_uri"))
	b.r.require(ok, "a page was shown (status %d) where an answer to the client was due: %s", p.Status, robot.Excerpt(p.Body))
	return response
}

// signIn asks, does what every page wants of the person, and returns the answer
// to the client, good or bad. It fails the check where there is none.
func (b *browser) signIn(request url.Values) robot.Response {
	return b.signInAs(b.r.target.Person, request)
}

func (b *browser) signInAs(person Person, request url.Values) robot.Response {
	return b.finishSignIn(b.authorize(request), person, request.Get("redirect_uri"))
}

// finishSignIn goes on from a page until the client is answered.
func (b *browser) finishSignIn(p *robot.Page, person Person, redirectURI string) robot.Response {
	response, err := b.robot.FinishSignIn(b.r.ctx, p, redirectURI, person)
	b.r.require(err == nil, "%v", err)
	return response
}

// requireSuccess demands that an answer is no error, is for the request, came in the mode
// that was due, and names the issuer rightly.
func (r *run) requireSuccess(response robot.Response, request url.Values) {
	r.require(response.Get("error") == "", "the request was refused: %s: %s", response.Get("error"), response.Get("error_description"))
	r.checkDelivery(response, request)
	parts := strings.Fields(request.Get("response_type"))
	for name, wanted := range map[string]string{"code": "code", "id_token": "id_token", "access_token": "token"} {
		r.require(response.Has(name) == slices.Contains(parts, wanted), "response_type %q was answered with %s", request.Get("response_type"), strings.Join(sortedNames(response.Values), ", "))
	}
}

// requireError demands that an answer is one of the errors, for the request, in the
// mode that was due.
func (r *run) requireError(response robot.Response, request url.Values, codes ...string) {
	r.require(slices.Contains(codes, response.Get("error")), "wanted the error %s, got %q with %s", strings.Join(codes, " or "), response.Get("error"), strings.Join(sortedNames(response.Values), ", "))
	r.checkDelivery(response, request)
	for _, name := range []string{"code", "id_token", "access_token"} {
		r.expect(!response.Has(name), "%s stands beside an error", name)
	}
	for _, name := range sortedNames(response.Values) {
		r.warnUnless(slices.Contains([]string{"error", "error_description", "error_uri", "state", "session_state", "iss"}, name), "the error answer has the parameter %s", name)
	}
	for _, c := range []byte(response.Get("error_description")) {
		r.require(c >= 0x20 && c <= 0x7e && c != '"' && c != '\\', "error_description has a character that RFC 6749 section 4.1.2.1 forbids: %q", response.Get("error_description"))
	}
}

func (r *run) checkDelivery(response robot.Response, request url.Values) {
	want := "query"
	for _, part := range strings.Fields(request.Get("response_type")) {
		if part != "code" {
			want = "fragment"
		}
	}
	if mode := request.Get("response_mode"); mode == "form_post" || mode == "fragment" || mode == "query" && want == "query" {
		want = mode
	}
	r.require(response.Mode == want, "the answer came as %s where %s was due", response.Mode, want)
	r.require(response.RedirectURI == request.Get("redirect_uri"), "the answer went to %q, not to %q", response.RedirectURI, request.Get("redirect_uri"))
	r.require(response.Get("state") == request.Get("state") && response.Has("state") == request.Has("state"), "state came back as %q instead of %q", response.Get("state"), request.Get("state"))
	// With an ID token in the answer its own iss will do (RFC 9207 section 2).
	if response.Has("iss") || r.metadata().IssParameter && !response.Has("id_token") {
		r.require(response.Get("iss") == r.target.Issuer, "the answer names the issuer %q", response.Get("iss"))
	}
	for name, values := range response.Values {
		r.expect(len(values) == 1, "%s is in the answer %d times", name, len(values))
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

// tokens is an answer of the token endpoint.
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

// requestTokens asks the token endpoint as the client. Changes are pairs of name and
// value, where an empty value leaves a parameter out.
func (r *run) requestTokens(c Client, grant url.Values, changes ...string) tokens {
	for i := 0; i+1 < len(changes); i += 2 {
		grant.Del(changes[i])
		if changes[i+1] != "" {
			grant.Set(changes[i], changes[i+1])
		}
	}
	return r.postForm(r.metadata().TokenEndpoint, grant, r.authenticateClient(c, grant))
}

// postForm posts to the token endpoint or one like it, however authenticated.
func (r *run) postForm(address string, form url.Values, edit ...func(*http.Request)) tokens {
	t := tokens{Page: r.fetch(http.MethodPost, address, form, edit...)}
	// An answer that is no JSON is left to the check: the fields stay empty.
	_ = json.Unmarshal([]byte(t.Body), &t)
	return t
}

// authenticateClient adds the client's credentials: to the form for a public, a keyed
// and the Post client, else as a Basic header, form-encoded (RFC 6749 section
// 2.3.1).
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

// longestToken is how many seconds an access token may live.
const longestToken = 365 * 24 * 3600

// redeemCode spends a code as the client and demands good tokens.
func (r *run) redeemCode(c Client, code string, changes ...string) tokens {
	t := r.sendCode(c, code, changes...)
	r.require(t.Status == http.StatusOK, "the code was refused with %d %s: %s", t.Status, t.Error, robot.Excerpt(t.Body))
	r.require(strings.HasPrefix(t.Header.Get("Content-Type"), "application/json"), "the token answer is %q, not JSON", t.Header.Get("Content-Type"))
	r.require(strings.EqualFold(t.TokenType, "Bearer"), "token_type is %q", t.TokenType)
	r.require(t.AccessToken != "", "there is no access_token")
	r.require(t.IDToken != "", "there is no id_token")
	r.warnUnless(t.ExpiresIn != nil, "there is no expires_in")
	r.require(t.ExpiresIn == nil || *t.ExpiresIn > 0 && *t.ExpiresIn <= longestToken, "expires_in is not within a year")
	return t
}

// sendCode spends a code as the client, for better or worse.
func (r *run) sendCode(c Client, code string, changes ...string) tokens {
	return r.requestTokens(c, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.RedirectURI}}, changes...)
}

// requireTokenError demands a JSON error of the token endpoint.
func (r *run) requireTokenError(t tokens, status int, code string) {
	r.require(t.Status == status && t.Error == code, "wanted %d %s, got %d %s: %s", status, code, t.Status, t.Error, robot.Excerpt(t.Body))
	r.require(strings.HasPrefix(t.Header.Get("Content-Type"), "application/json"), "the error is %q, not JSON", t.Header.Get("Content-Type"))
	r.expect(strings.Contains(t.Header.Get("Cache-Control"), "no-store"), "the error lacks Cache-Control: no-store")
}

// fetchUserinfo asks for claims with an access token in the header.
func (r *run) fetchUserinfo(access string) *robot.Page {
	return r.fetch(http.MethodGet, r.metadata().UserinfoEndpoint, nil, setBearer(access))
}

func setBearer(access string) func(*http.Request) {
	return func(req *http.Request) { req.Header.Set("Authorization", "Bearer "+access) }
}

// requireActive and dead demand that an access token works, or does not.
func (r *run) requireActive(access, why string) {
	res := r.fetchUserinfo(access)
	r.require(res.Status == http.StatusOK, "%s: userinfo answers %d", why, res.Status)
}

func (r *run) requireRevoked(access, why string) {
	res := r.fetchUserinfo(access)
	r.require(res.Status == http.StatusUnauthorized || res.Status == http.StatusForbidden, "%s: userinfo answers %d", why, res.Status)
}
