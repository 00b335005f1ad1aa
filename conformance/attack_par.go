package conformance

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"idpbridge/internal/pkce"
	"idpbridge/internal/robot"
)

// pushed is a response of the pushed authorization request endpoint.
type pushed struct {
	*robot.Page `json:"-"`

	RequestURI string `json:"request_uri"`
	ExpiresIn  int64  `json:"expires_in"`
	Error      string `json:"error"`
}

// pushRequest pushes an authorization request as the client.
func (r *run) pushRequest(c Client, request url.Values) pushed {
	r.skipWithout("pushed_authorization_request_endpoint", r.metadata().PAREndpoint != "")
	form := url.Values{}
	for name, values := range request {
		form[name] = values
	}
	p := pushed{Page: r.fetch(http.MethodPost, r.metadata().PAREndpoint, form, r.authenticateClient(c, form))}
	_ = json.Unmarshal([]byte(p.Body), &p) // a response that is not JSON leaves the fields empty
	return p
}

// requirePushed pushes a request and requires a request_uri.
func (r *run) requirePushed(c Client, request url.Values) string {
	p := r.pushRequest(c, request)
	r.require(p.Status == http.StatusCreated, "the pushed request returned %d: %s", p.Status, robot.Excerpt(p.Body))
	r.require(p.RequestURI != "" && p.ExpiresIn > 0,
		"the response has no request_uri or expires_in: %s", robot.Excerpt(p.Body))
	return p.RequestURI
}

func checkPushed(r *run) {
	request := r.newRequest(r.target.Web, codeFlow())
	uri := r.requirePushed(r.target.Web, request)
	b := r.browser()
	response := b.signIn(url.Values{
		"client_id":     {r.target.Web.ID},
		"request_uri":   {uri},
		"redirect_uri":  {"https://evil.example/"},
		"scope":         {"openid email profile"},
		"state":         {"evil"},
		"response_type": {"id_token"},
	})
	r.requireSuccess(response, request)
	t := r.redeemCode(r.target.Web, response.Get("code"))
	r.require(t.Scope == "" || t.Scope == "openid", "the scope beside the request_uri counted: %q", t.Scope)
	verifier := randomString(64)
	request = r.newRequest(r.target.Web, codeFlow(), "code_challenge", pkce.Challenge(verifier), "code_challenge_method",
		"S256")
	uri = r.requirePushed(r.target.Web, request)
	response = b.authorizeSilently(url.Values{
		"client_id":    {r.target.Web.ID},
		"request_uri":  {uri},
		"redirect_uri": {request.Get("redirect_uri")},
	})
	r.requireSuccess(response, request)
	r.requireTokenError(r.sendCode(r.target.Web, response.Get("code")), http.StatusBadRequest, "invalid_grant")
}

func checkPushedTwice(r *run) {
	request := r.newRequest(r.target.Web, codeFlow())
	uri := r.requirePushed(r.target.Web, request)
	again := url.Values{"client_id": {r.target.Web.ID}, "request_uri": {uri}}
	b := r.browser()
	r.requireSuccess(b.signIn(again), request)
	p := b.authorize(again)
	response, ok := p.AuthorizationResponse(request.Get("redirect_uri"))
	r.require(!ok || !response.Has("code"), "the request_uri got a second code")
}

func checkPushedByOther(r *run) {
	r.skipWithout("other client", r.target.Other.ID != "")
	uri := r.requirePushed(r.target.Web, r.newRequest(r.target.Web, codeFlow()))
	for _, id := range []string{r.target.Other.ID, "unknown", ""} {
		request := url.Values{"request_uri": {uri}}
		if id != "" {
			request.Set("client_id", id)
		}
		r.requireErrorPage(r.browser().authorize(request), "a request_uri with the client "+id)
	}
	r.requireErrorPage(r.browser().authorize(url.Values{"client_id": {r.target.Web.ID}, "request_uri": {uri + "A"}}),
		"a changed request_uri")
	if r.target.Other.ID != r.target.Post.ID { // a client that authenticates in the body cannot name another one
		p := r.pushRequest(r.target.Other, r.newRequest(r.target.Web, codeFlow()))
		r.require(p.Status >= 400 && p.Status < 500, "a pushed request for another client returned %d", p.Status)
	}
}

func checkPushedExpiry(r *run) {
	request := r.newRequest(r.target.Web, codeFlow())
	p := r.pushRequest(r.target.Web, request)
	r.require(p.Status == http.StatusCreated && p.ExpiresIn > 0 && p.ExpiresIn <= 600,
		"the pushed request returned %d and expires in %d seconds", p.Status, p.ExpiresIn)
	r.passTime(time.Duration(p.ExpiresIn+1) * time.Second)
	r.requireErrorPage(r.browser().authorize(url.Values{"client_id": {r.target.Web.ID}, "request_uri": {p.RequestURI}}),
		"an expired request_uri")
}

func checkPushRejected(r *run) {
	r.skipWithout("pushed_authorization_request_endpoint", r.metadata().PAREndpoint != "")
	refused := func(why string, p pushed, status int, code string) {
		r.require(p.Status == status && (p.Error == code || code == ""), "%s returned %d %s", why, p.Status, p.Error)
		r.require(p.RequestURI == "", "%s is answered with a request_uri", why)
	}
	request := r.newRequest(r.target.Web, codeFlow())
	anonymous := pushed{Page: r.fetch(http.MethodPost, r.metadata().PAREndpoint, request)}
	refused("a pushed request without authentication", anonymous, http.StatusUnauthorized, "")
	refused("a bad redirect URI",
		r.pushRequest(r.target.Web,
			r.newRequest(r.target.Web, codeFlow(), "redirect_uri",
				"https://evil.example/")), http.StatusBadRequest, "invalid_request")
	refused("a nested request_uri",
		r.pushRequest(r.target.Web,
			r.newRequest(r.target.Web, codeFlow(), "request_uri", "urn:x")), http.StatusBadRequest, "invalid_request")
	refused("no scope", r.pushRequest(r.target.Web, r.newRequest(r.target.Web, codeFlow(), "scope", "email")),
		http.StatusBadRequest, "invalid_scope")
	refused("plain PKCE",
		r.pushRequest(r.target.Web,
			r.newRequest(r.target.Web, codeFlow(), "code_challenge", randomString(43), "code_challenge_method",
				"plain")), http.StatusBadRequest, "invalid_request")
	res := r.fetch(http.MethodGet, appendQuery(r.metadata().PAREndpoint, request.Encode()), nil)
	r.require(res.Status == http.StatusMethodNotAllowed, "GET returned %d", res.Status)
	if r.target.Public.ID != "" {
		refused("a public client without PKCE", r.pushRequest(r.target.Public, r.newRequest(r.target.Public, codeFlow())),
			http.StatusBadRequest, "invalid_request")
	}
}
