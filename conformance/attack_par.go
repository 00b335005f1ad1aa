package conformance

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"idpbridge/internal/robot"
)

// pushed is an answer to a push.
type pushed struct {
	*robot.Page `json:"-"`

	RequestURI string `json:"request_uri"`
	ExpiresIn  int64  `json:"expires_in"`
	Error      string `json:"error"`
}

// push hands in a request as the client.
func (r *run) push(c Client, q url.Values) pushed {
	r.needs("pushed_authorization_request_endpoint", r.meta().PAREndpoint != "")
	form := url.Values{}
	for name, values := range q {
		form[name] = values
	}
	p := pushed{Page: r.fetch(http.MethodPost, r.meta().PAREndpoint, form, r.authenticates(c, form))}
	_ = json.Unmarshal([]byte(p.Body), &p) // an answer that is no JSON is left to the check
	return p
}

// pushGood demands a request_uri.
func (r *run) pushGood(c Client, q url.Values) string {
	p := r.push(c, q)
	r.must(p.Status == http.StatusCreated, "the push is answered by %d: %s", p.Status, robot.Excerpt(p.Body))
	r.must(p.RequestURI != "" && p.ExpiresIn > 0, "the push is answered without request_uri or expires_in: %s", robot.Excerpt(p.Body))
	return p.RequestURI
}

func pushedRequest(r *run) {
	q := r.request(r.target.Web, code())
	uri := r.pushGood(r.target.Web, q)
	b := r.browser()
	a := b.signIn(url.Values{"client_id": {r.target.Web.ID}, "request_uri": {uri}, "redirect_uri": {"https://evil.example/"}, "scope": {"openid email profile"}, "state": {"evil"}, "response_type": {"id_token"}})
	r.good(a, q)
	t := r.redeem(r.target.Web, a.Get("code"))
	r.must(t.Scope == "" || t.Scope == "openid", "the scope beside the request_uri counted: %q", t.Scope)
	verifier := random(64)
	q = r.request(r.target.Web, code(), "code_challenge", challenge(verifier), "code_challenge_method", "S256")
	uri = r.pushGood(r.target.Web, q)
	a = b.silent(url.Values{"client_id": {r.target.Web.ID}, "request_uri": {uri}, "redirect_uri": {q.Get("redirect_uri")}})
	r.good(a, q)
	r.tokenRefused(r.tryCode(r.target.Web, a.Get("code")), http.StatusBadRequest, "invalid_grant")
}

func pushedByAnother(r *run) {
	r.needs("other client", r.target.Other.ID != "")
	uri := r.pushGood(r.target.Web, r.request(r.target.Web, code()))
	for _, id := range []string{r.target.Other.ID, "nobody", ""} {
		q := url.Values{"request_uri": {uri}}
		if id != "" {
			q.Set("client_id", id)
		}
		r.errorPage(r.browser().authorize(q), "a request_uri with the client "+id)
	}
	r.errorPage(r.browser().authorize(url.Values{"client_id": {r.target.Web.ID}, "request_uri": {uri + "A"}}), "a changed request_uri")
	if r.target.Other.ID != r.target.Post.ID { // who names itself in the body cannot name another
		p := r.push(r.target.Other, r.request(r.target.Web, code()))
		r.must(p.Status >= 400 && p.Status < 500, "a push for another client is answered by %d", p.Status)
	}
}

func pushedExpired(r *run) {
	q := r.request(r.target.Web, code())
	p := r.push(r.target.Web, q)
	r.must(p.Status == http.StatusCreated && p.ExpiresIn > 0 && p.ExpiresIn <= 600, "the push is answered by %d, good for %d seconds", p.Status, p.ExpiresIn)
	r.wait(time.Duration(p.ExpiresIn+1) * time.Second)
	r.errorPage(r.browser().authorize(url.Values{"client_id": {r.target.Web.ID}, "request_uri": {p.RequestURI}}), "an expired request_uri")
}

func pushRefused(r *run) {
	r.needs("pushed_authorization_request_endpoint", r.meta().PAREndpoint != "")
	refused := func(why string, p pushed, status int, code string) {
		r.must(p.Status == status && (p.Error == code || code == ""), "%s is answered by %d %s", why, p.Status, p.Error)
		r.must(p.RequestURI == "", "%s is answered with a request_uri", why)
	}
	q := r.request(r.target.Web, code())
	stranger := pushed{Page: r.fetch(http.MethodPost, r.meta().PAREndpoint, q)}
	refused("a push without authentication", stranger, http.StatusUnauthorized, "")
	refused("a bad redirect URI", r.push(r.target.Web, r.request(r.target.Web, code(), "redirect_uri", "https://evil.example/")), http.StatusBadRequest, "invalid_request")
	refused("a request_uri inside", r.push(r.target.Web, r.request(r.target.Web, code(), "request_uri", "urn:x")), http.StatusBadRequest, "invalid_request")
	refused("no scope", r.push(r.target.Web, r.request(r.target.Web, code(), "scope", "email")), http.StatusBadRequest, "invalid_scope")
	refused("plain PKCE", r.push(r.target.Web, r.request(r.target.Web, code(), "code_challenge", random(43), "code_challenge_method", "plain")), http.StatusBadRequest, "invalid_request")
	res := r.fetch(http.MethodGet, withQuery(r.meta().PAREndpoint, q.Encode()), nil)
	r.must(res.Status == http.StatusMethodNotAllowed, "GET is answered by %d", res.Status)
	if r.target.Public.ID != "" {
		refused("a public client without PKCE", r.push(r.target.Public, r.request(r.target.Public, code())), http.StatusBadRequest, "invalid_request")
	}
}
