package conformance

import (
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idpbridge/internal/robot"
)

func requestAttacks() []Check {
	return []Check{
		{
			Name:        "attack/09-unknown-parameter",
			Requirement: "An unknown parameter is ignored and not returned.",
			do:          checkUnknownParameter,
		},
		{
			Name:        "attack/10-token-in-query",
			Requirement: "response_mode=query is rejected if a token is returned.",
			do: func(r *run) {
				for _, t := range r.supportedTypes("id_token", "id_token token", "code id_token", "code token") {
					request := r.newRequest(r.target.Web, variant{responseType: t}, "response_mode", "query")
					response := r.browser().signIn(request)
					r.require(response.Get("error") == "invalid_request",
						"%s in a query leads to a response with %s", t, strings.Join(sortedNames(response.Values), ", "))
					r.require(!response.Has("id_token") && !response.Has("access_token") && !response.Has("code"),
						"%s in a query returned a token", t)
				}
			},
		},
		{
			Name:        "attack/11-response-type-not-allowed",
			Requirement: "A response type that is unknown or not allowed for the client is rejected by redirect.",
			do:          checkTypeNotAllowed,
		},
		{
			Name:        "attack/12-form-post-error",
			Requirement: "With form_post, errors are posted too, by a page that works without scripts.",
			do:          checkFormPostError,
		},
		{
			Name:        "attack/19-no-web-message",
			Requirement: "response_mode=web_message is not supported.",
			do: func(r *run) {
				request := r.newRequest(r.target.Web, codeFlow(), "response_mode", "web_message")
				p := r.browser().authorize(request)
				response, ok := p.AuthorizationResponse(request.Get("redirect_uri"))
				r.require(ok && response.Get("error") != "" && !response.Has("code"),
					"response_mode=web_message is not rejected (status %d)", p.Status)
			},
		},
		{Name: "attack/36-nonce-missing", Requirement: "An ID token in the front channel needs a nonce.", do: func(r *run) {
			for _, t := range r.supportedTypes("id_token", "id_token token", "code id_token", "code id_token token") {
				r.requireRejected(r.newRequest(r.target.Web, variant{responseType: t}, "nonce", ""), "invalid_request")
			}
		}},
		{Name: "attack/39-no-openid", Requirement: "Without the scope openid there is no ID token.", do: func(r *run) {
			for _, scope := range []string{"", "email"} {
				request := r.newRequest(r.target.Web, codeFlow(), "scope", scope)
				response := r.browser().signIn(request)
				if response.Has("code") {
					t := r.sendCode(r.target.Web, response.Get("code"))
					r.require(t.IDToken == "", "an ID token came without openid")
					continue
				}
				r.require(response.Get("error") == "invalid_scope" || response.Get("error") == "invalid_request",
					"the error is %q", response.Get("error"))
			}
			for _, t := range r.supportedTypes("id_token") {
				response := r.browser().signIn(r.newRequest(r.target.Web, variant{responseType: t}, "scope", "email"))
				r.require(!response.Has("id_token"), "an ID token came without openid")
			}
		}},
		{
			Name:        "attack/87-request-object",
			Requirement: "A request object is rejected unless it is signed, current, for this issuer, and matches the query.",
			do:          checkRequestObject,
		},
		{
			Name:        "attack/88-request-uri-fetches-nothing",
			Requirement: "A request_uri is never fetched.",
			do:          checkRequestURI,
		},
		{Name: "attack/95-long-nonce", Requirement: "A nonce of 4 kB is rejected.", do: checkLongNonce},
	}
}

func checkLongNonce(r *run) {
	r.requireRejected(r.newRequest(r.target.Web, codeFlow(), "nonce", strings.Repeat("n", 4<<10)), "invalid_request")
}

func checkUnknownParameter(r *run) {
	mark := "mark" + randomString(12)
	request := r.newRequest(r.target.Web, codeFlow(), "zzz", mark)
	p := r.browser().authorize(request)
	r.require(!strings.Contains(p.Body, mark), "the sign-in page repeats an unknown parameter")
	b := r.browser()
	response := b.signIn(request)
	r.requireSuccess(response, request)
	r.require(!strings.Contains(response.Page.Location, mark), "the response repeats an unknown parameter")
}

func checkTypeNotAllowed(r *run) {
	for _, t := range []string{"token", "none", "code code", "id_token id_token", "nonsense", "code nonsense"} {
		request := r.newRequest(r.target.Web, variant{responseType: t})
		response := r.browser().authorizeSilently(request)
		r.require(response.Get("error") == "unsupported_response_type" || response.Get("error") == "unauthorized_client",
			"response_type %q got the error %q", t, response.Get("error"))
		r.require(response.Get("state") == request.Get("state"), "the error lacks the state")
	}
	if r.target.Public.ID != "" {
		request := r.newRequest(r.target.Public, variant{responseType: "id_token"})
		r.requireRejected(request, "unauthorized_client", "unsupported_response_type")
	}
}

func checkFormPostError(r *run) {
	request := r.newRequest(r.target.Web, variant{"code", "form_post"}, "prompt", "none")
	p := r.browser().authorize(request)
	r.require(p.Location == "", "the error was sent by redirect to %s", robot.Excerpt(p.Location))
	response, ok := p.AuthorizationResponse(request.Get("redirect_uri"))
	r.require(ok, "there is no form that posts to the client")
	r.requireError(response, request, loginErrors()...)
	r.requirePageHeaders(p)
	r.require(strings.Contains(p.Body, "<noscript>"), "the page does not work without script")
	r.require(!strings.Contains(p.Body, "onload="), "the page has an inline handler, which its policy would forbid")
}

func checkRequestObject(r *run) {
	good := map[string]any{
		"iss": r.target.Web.ID, "aud": r.target.Issuer, "client_id": r.target.Web.ID, "response_type": "code",
		"redirect_uri": r.target.Web.RedirectURI, "scope": "openid", "state": "inner",
	}
	forged := r.signClaims(jose.HS256, []byte("0123456789abcdef0123456789abcdef"), "", good)
	for why, object := range map[string]string{
		"unsigned":                   unsignedObject(good),
		"signed with another secret": forged,
		"not a JWT":                  "nonsense",
		"empty":                      "e30.e30.",
	} {
		request := r.newRequest(r.target.Web, codeFlow(), "request", object)
		response := r.browser().authorizeSilently(request)
		r.require(response.Get("error") == "request_not_supported" || response.Get("error") == "invalid_request_object",
			"%s: got the error %q", why, response.Get("error"))
	}
}

// listenForVisits listens on a loopback address and counts requests.
func (r *run) listenForVisits() (rawURL string, visits func() int64, stop func()) {
	l, err := (&net.ListenConfig{}).Listen(r.ctx, "tcp", "127.0.0.1:0")
	r.require(err == nil, "cannot listen: %v", err)
	var n atomic.Int64
	server := &http.Server{
		Handler:           http.HandlerFunc(func(http.ResponseWriter, *http.Request) { n.Add(1) }),
		ReadHeaderTimeout: time.Second,
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	return "http://" + l.Addr().String(), n.Load, func() { _ = server.Close(); <-done }
}

func checkRequestURI(r *run) {
	rawURL, visits, stop := r.listenForVisits()
	defer stop()
	for _, uri := range []string{
		rawURL + "/request.jwt", "file:///etc/passwd", "http://169.254.169.254/latest/meta-data",
		"urn:ietf:params:oauth:request_uri:nonsense",
	} {
		request := r.newRequest(r.target.Web, codeFlow(), "request_uri", uri)
		p := r.browser().authorize(request)
		if response, ok := p.AuthorizationResponse(request.Get("redirect_uri")); ok {
			r.requireError(response, request, "request_uri_not_supported", "invalid_request_uri", "invalid_request")
			continue
		}
		r.requireErrorPage(p, "request_uri "+uri)
	}
	r.require(visits() == 0, "the provider fetched a request_uri on the loopback address")
}
