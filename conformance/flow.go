package conformance

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idpbridge/internal/robot"
)

// request is a good authorization request of a client, with changes: pairs of
// name and value, where an empty value leaves the parameter out. State and nonce
// are random.
func (r *run) request(c Client, v variant, changes ...string) url.Values {
	q := url.Values{
		"client_id": {c.ID}, "redirect_uri": {c.RedirectURI}, "response_type": {v.responseType},
		"scope": {"openid"}, "state": {random(10)}, "nonce": {random(10)},
	}
	if v.responseMode != "" {
		q.Set("response_mode", v.responseMode)
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if changes[i+1] == "" {
			q.Del(changes[i])
			continue
		}
		q.Set(changes[i], changes[i+1])
	}
	return q
}

// at is the authorization endpoint's address for a request.
func (r *run) at(q url.Values) string { return withQuery(r.meta().AuthorizationEndpoint, q.Encode()) }

func withQuery(address, query string) string {
	mark := "?"
	if strings.Contains(address, "?") {
		mark = "&"
	}
	return address + mark + query
}

// authorize asks the authorization endpoint and returns where the browser ends:
// at a page, or on its way to the client.
func (b *browser) authorize(q url.Values) *robot.Page { return b.get(b.r.at(q)) }

// silent asks and expects an answer without a page between.
func (b *browser) silent(q url.Values) robot.Response {
	p := b.authorize(q)
	a, ok := p.AuthorizationResponse(q.Get("redirect_uri"))
	b.r.must(ok, "a page was shown (status %d) where an answer to the client was due: %s", p.Status, robot.Excerpt(p.Body))
	return a
}

// signIn asks, does what every page wants of the person, and returns the answer
// to the client, good or bad. It fails the check where there is none.
func (b *browser) signIn(q url.Values) robot.Response { return b.signInAs(b.r.target.Person, q) }

func (b *browser) signInAs(person Person, q url.Values) robot.Response {
	return b.finish(b.authorize(q), person, q.Get("redirect_uri"))
}

// finish goes on from a page until the client is answered.
func (b *browser) finish(p *robot.Page, person Person, redirectURI string) robot.Response {
	a, err := b.robot.FinishSignIn(b.r.ctx, p, redirectURI, person)
	b.r.must(err == nil, "%v", err)
	return a
}

// good demands that an answer is no error, is for the request, came in the mode
// that was due, and names the issuer rightly.
func (r *run) good(a robot.Response, q url.Values) {
	r.must(a.Get("error") == "", "the request was refused: %s: %s", a.Get("error"), a.Get("error_description"))
	r.common(a, q)
	parts := strings.Fields(q.Get("response_type"))
	for name, wanted := range map[string]string{"code": "code", "id_token": "id_token", "access_token": "token"} {
		r.must(a.Has(name) == slices.Contains(parts, wanted), "response_type %q was answered with %s", q.Get("response_type"), strings.Join(names(a.Values), ", "))
	}
}

// refused demands that an answer is one of the errors, for the request, in the
// mode that was due.
func (r *run) refused(a robot.Response, q url.Values, codes ...string) {
	r.must(slices.Contains(codes, a.Get("error")), "wanted the error %s, got %q with %s", strings.Join(codes, " or "), a.Get("error"), strings.Join(names(a.Values), ", "))
	r.common(a, q)
	for _, name := range []string{"code", "id_token", "access_token"} {
		r.fail(!a.Has(name), "%s stands beside an error", name)
	}
	for _, name := range names(a.Values) {
		r.should(slices.Contains([]string{"error", "error_description", "error_uri", "state", "session_state", "iss"}, name), "the error answer has the parameter %s", name)
	}
	for _, c := range []byte(a.Get("error_description")) {
		r.must(c >= 0x20 && c <= 0x7e && c != '"' && c != '\\', "error_description has a character that RFC 6749 section 4.1.2.1 forbids: %q", a.Get("error_description"))
	}
}

func (r *run) common(a robot.Response, q url.Values) {
	want := "query"
	for _, part := range strings.Fields(q.Get("response_type")) {
		if part != "code" {
			want = "fragment"
		}
	}
	if mode := q.Get("response_mode"); mode == "form_post" || mode == "fragment" || mode == "query" && want == "query" {
		want = mode
	}
	r.must(a.Mode == want, "the answer came as %s where %s was due", a.Mode, want)
	r.must(a.RedirectURI == q.Get("redirect_uri"), "the answer went to %q, not to %q", a.RedirectURI, q.Get("redirect_uri"))
	r.must(a.Get("state") == q.Get("state") && a.Has("state") == q.Has("state"), "state came back as %q instead of %q", a.Get("state"), q.Get("state"))
	// With an ID token in the answer its own iss will do (RFC 9207 section 2).
	if a.Has("iss") || r.meta().IssParameter && !a.Has("id_token") {
		r.must(a.Get("iss") == r.target.Issuer, "the answer names the issuer %q", a.Get("iss"))
	}
	for name, values := range a.Values {
		r.fail(len(values) == 1, "%s is in the answer %d times", name, len(values))
	}
}

func names(v url.Values) []string {
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

// exchange asks the token endpoint as the client. Changes are pairs of name and
// value, where an empty value leaves a parameter out.
func (r *run) exchange(c Client, grant url.Values, changes ...string) tokens {
	for i := 0; i+1 < len(changes); i += 2 {
		grant.Del(changes[i])
		if changes[i+1] != "" {
			grant.Set(changes[i], changes[i+1])
		}
	}
	return r.ask(r.meta().TokenEndpoint, grant, r.authenticates(c, grant))
}

// ask posts to the token endpoint or one like it, however authenticated.
func (r *run) ask(address string, form url.Values, edit ...func(*http.Request)) tokens {
	t := tokens{Page: r.fetch(http.MethodPost, address, form, edit...)}
	// An answer that is no JSON is left to the check: the fields stay empty.
	_ = json.Unmarshal([]byte(t.Body), &t)
	return t
}

// authenticates adds the client's credentials: to the form for a public, a keyed
// and the Post client, else as a Basic header, form-encoded (RFC 6749 section
// 2.3.1).
func (r *run) authenticates(c Client, form url.Values) func(*http.Request) {
	nothing := func(*http.Request) {}
	switch {
	case c.Key != nil:
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", r.assertion(c))
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

// redeem spends a code as the client and demands good tokens.
func (r *run) redeem(c Client, code string, changes ...string) tokens {
	t := r.tryCode(c, code, changes...)
	r.must(t.Status == http.StatusOK, "the code was refused with %d %s: %s", t.Status, t.Error, robot.Excerpt(t.Body))
	r.must(strings.HasPrefix(t.Header.Get("Content-Type"), "application/json"), "the token answer is %q, not JSON", t.Header.Get("Content-Type"))
	r.must(strings.EqualFold(t.TokenType, "Bearer"), "token_type is %q", t.TokenType)
	r.must(t.AccessToken != "", "there is no access_token")
	r.must(t.IDToken != "", "there is no id_token")
	r.should(t.ExpiresIn != nil, "there is no expires_in")
	r.must(t.ExpiresIn == nil || *t.ExpiresIn > 0 && *t.ExpiresIn <= longestToken, "expires_in is not within a year")
	return t
}

// tryCode spends a code as the client, for better or worse.
func (r *run) tryCode(c Client, code string, changes ...string) tokens {
	return r.exchange(c, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.RedirectURI}}, changes...)
}

// tokenRefused demands a JSON error of the token endpoint.
func (r *run) tokenRefused(t tokens, status int, code string) {
	r.must(t.Status == status && t.Error == code, "wanted %d %s, got %d %s: %s", status, code, t.Status, t.Error, robot.Excerpt(t.Body))
	r.must(strings.HasPrefix(t.Header.Get("Content-Type"), "application/json"), "the error is %q, not JSON", t.Header.Get("Content-Type"))
	r.fail(strings.Contains(t.Header.Get("Cache-Control"), "no-store"), "the error lacks Cache-Control: no-store")
}

// userinfo asks for claims with an access token in the header.
func (r *run) userinfo(access string) *robot.Page {
	return r.fetch(http.MethodGet, r.meta().UserinfoEndpoint, nil, bearer(access))
}

func bearer(access string) func(*http.Request) {
	return func(req *http.Request) { req.Header.Set("Authorization", "Bearer "+access) }
}

// alive and dead demand that an access token works, or does not.
func (r *run) alive(access, why string) {
	res := r.userinfo(access)
	r.must(res.Status == http.StatusOK, "%s: userinfo answers %d", why, res.Status)
}

func (r *run) dead(access, why string) {
	res := r.userinfo(access)
	r.must(res.Status == http.StatusUnauthorized || res.Status == http.StatusForbidden, "%s: userinfo answers %d", why, res.Status)
}
