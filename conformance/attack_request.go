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
		{Name: "attack/09-unknown-parameter", Says: "An unknown parameter is ignored and comes back nowhere.", do: unknownParameter},
		{Name: "attack/10-token-in-query", Says: "response_mode=query is refused where a token is returned.", do: func(r *run) {
			for _, t := range r.types("id_token", "id_token token", "code id_token", "code token") {
				q := r.request(r.target.Web, variant{responseType: t}, "response_mode", "query")
				a := r.browser().signIn(q)
				r.must(a.Get("error") == "invalid_request", "%s in a query is answered with %s", t, strings.Join(names(a.Values), ", "))
				r.must(!a.Has("id_token") && !a.Has("access_token") && !a.Has("code"), "%s in a query gave something away", t)
			}
		}},
		{Name: "attack/11-response-type-not-allowed", Says: "A response type that is unknown, or not the client's, is refused by redirect.", do: typeNotAllowed},
		{Name: "attack/12-form-post-error", Says: "An error of form_post is posted, by a page that works without script.", do: formPostError},
		{Name: "attack/19-no-web-message", Says: "No answer is handed to whatever window has opened us.", do: func(r *run) {
			q := r.request(r.target.Web, code(), "response_mode", "web_message")
			p := r.browser().authorize(q)
			a, ok := p.AuthorizationResponse(q.Get("redirect_uri"))
			r.must(ok && a.Get("error") != "" && !a.Has("code"), "response_mode=web_message is not refused (status %d)", p.Status)
		}},
		{Name: "attack/36-nonce-missing", Says: "An ID token in the front channel needs a nonce.", do: func(r *run) {
			for _, t := range r.types("id_token", "id_token token", "code id_token", "code id_token token") {
				r.refusedBy(r.request(r.target.Web, variant{responseType: t}, "nonce", ""), "invalid_request")
			}
		}},
		{Name: "attack/39-no-openid", Says: "Without the scope openid there is no ID token.", do: func(r *run) {
			for _, scope := range []string{"", "email"} {
				q := r.request(r.target.Web, code(), "scope", scope)
				a := r.browser().signIn(q)
				if a.Has("code") {
					t := r.tryCode(r.target.Web, a.Get("code"))
					r.must(t.IDToken == "", "an ID token came without openid")
					continue
				}
				r.must(a.Get("error") == "invalid_scope" || a.Get("error") == "invalid_request", "the error is %q", a.Get("error"))
			}
			for _, t := range r.types("id_token") {
				a := r.browser().signIn(r.request(r.target.Web, variant{responseType: t}, "scope", "email"))
				r.must(!a.Has("id_token"), "an ID token came without openid")
			}
		}},
		{Name: "attack/87-request-object", Says: "A request object is refused unless it is signed, in time, for us, and agrees with the query.", do: requestObject},
		{Name: "attack/88-request-uri-fetches-nothing", Says: "A request_uri is never fetched from an address that a stranger names.", do: requestURIFetchesNothing},
	}
}

func unknownParameter(r *run) {
	mark := "mark" + random(12)
	q := r.request(r.target.Web, code(), "zzz", mark)
	p := r.browser().authorize(q)
	r.must(!strings.Contains(p.Body, mark), "the sign-in page repeats an unknown parameter")
	b := r.browser()
	a := b.signIn(q)
	r.good(a, q)
	r.must(!strings.Contains(a.Page.Location, mark), "the answer repeats an unknown parameter")
}

func typeNotAllowed(r *run) {
	for _, t := range []string{"token", "none", "code code", "id_token id_token", "nonsense", "code nonsense"} {
		q := r.request(r.target.Web, variant{responseType: t})
		a := r.browser().silent(q)
		r.must(a.Get("error") == "unsupported_response_type" || a.Get("error") == "unauthorized_client", "response_type %q is answered with %q", t, a.Get("error"))
		r.must(a.Get("state") == q.Get("state"), "the error lacks the state")
	}
	if r.target.Public.ID != "" {
		q := r.request(r.target.Public, variant{responseType: "id_token"})
		r.refusedBy(q, "unauthorized_client", "unsupported_response_type")
	}
}

func formPostError(r *run) {
	q := r.request(r.target.Web, variant{"code", "form_post"}, "prompt", "none")
	p := r.browser().authorize(q)
	r.must(p.Location == "", "the error was sent by redirect to %s", robot.Excerpt(p.Location))
	a, ok := p.AuthorizationResponse(q.Get("redirect_uri"))
	r.must(ok, "there is no form that posts to the client")
	r.refused(a, q, nobody()...)
	r.guarded(p)
	r.must(strings.Contains(p.Body, "<noscript>"), "the page does not work without script")
	r.must(!strings.Contains(p.Body, "onload="), "the page has an inline handler, which its policy would forbid")
}

func requestObject(r *run) {
	good := map[string]any{
		"iss": r.target.Web.ID, "aud": r.target.Issuer, "client_id": r.target.Web.ID, "response_type": "code",
		"redirect_uri": r.target.Web.RedirectURI, "scope": "openid", "state": "inner",
	}
	forged := r.signed(jose.HS256, []byte("0123456789abcdef0123456789abcdef"), "", good)
	for why, object := range map[string]string{"unsigned": unsigned(good), "signed with another secret": forged, "no JWT": "nonsense", "empty": "e30.e30."} {
		q := r.request(r.target.Web, code(), "request", object)
		a := r.browser().silent(q)
		r.must(a.Get("error") == "request_not_supported" || a.Get("error") == "invalid_request_object", "%s: answered with %q", why, a.Get("error"))
	}
}

// canary listens on a loopback address and counts who comes.
func (r *run) canary() (address string, visits func() int64, stop func()) {
	l, err := (&net.ListenConfig{}).Listen(r.ctx, "tcp", "127.0.0.1:0")
	r.must(err == nil, "no port for the canary: %v", err)
	var n atomic.Int64
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { n.Add(1) }), ReadHeaderTimeout: time.Second}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	return "http://" + l.Addr().String(), n.Load, func() { _ = server.Close(); <-done }
}

func requestURIFetchesNothing(r *run) {
	address, visits, stop := r.canary()
	defer stop()
	for _, uri := range []string{address + "/request.jwt", "file:///etc/passwd", "http://169.254.169.254/latest/meta-data", "urn:ietf:params:oauth:request_uri:nonsense"} {
		q := r.request(r.target.Web, code(), "request_uri", uri)
		p := r.browser().authorize(q)
		if a, ok := p.AuthorizationResponse(q.Get("redirect_uri")); ok {
			r.refused(a, q, "request_uri_not_supported", "invalid_request_uri", "invalid_request")
			continue
		}
		r.errorPage(p, "request_uri "+uri)
	}
	r.must(visits() == 0, "the provider fetched a request_uri on the loopback address")
}
