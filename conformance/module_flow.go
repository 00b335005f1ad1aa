package conformance

import (
	"net/http"
	"net/url"
)

// flowModules are about the flow itself and userinfo.
func flowModules() []module {
	return []module{
		{"oidcc-server", "A sign-in succeeds, with every token as the specification has it.", always, false, func(r *run, v variant) {
			r.happy(r.browser(), r.target.Web, v)
		}},
		{"oidcc-idtoken-signature", "The ID token is signed with RS256 and has a kid.", always, false, oidccIDTokenSignature},
		{"oidcc-userinfo-get", "Userinfo answers GET with a bearer header.", withAccess, false, func(r *run, v variant) {
			o := r.happy(r.browser(), r.target.Web, v)
			r.claimsOf(r.userinfo(o.access))
		}},
		{"oidcc-userinfo-post-header", "Userinfo answers POST with a bearer header.", withAccess, false, func(r *run, v variant) {
			o := r.happy(r.browser(), r.target.Web, v)
			info := r.claimsOf(r.fetch(http.MethodPost, r.meta().UserinfoEndpoint, nil, bearer(o.access)))
			r.must(info["sub"] == o.claims["sub"] || o.claims == nil, "sub is %v", info["sub"])
		}},
		{"oidcc-userinfo-post-body", "Userinfo answers POST with the token in the form, or refuses it.", withAccess, false, func(r *run, v variant) {
			o := r.happy(r.browser(), r.target.Web, v)
			res := r.fetch(http.MethodPost, r.meta().UserinfoEndpoint, url.Values{"access_token": {o.access}})
			r.should(res.Status == http.StatusOK, "userinfo answers %d to a token in the body", res.Status)
			if res.Status == http.StatusOK {
				r.claimsOf(res)
			}
		}},
		{"oidcc-response-type-missing", "A request without response_type is refused.", always, false, oidccResponseTypeMissing},
		{"oidcc-ensure-request-without-nonce-succeeds-for-code-flow", "nonce is optional where no ID token comes from the authorization endpoint.", noFrontID, false, func(r *run, v variant) {
			r.happy(r.browser(), r.target.Web, v, "nonce", "")
		}},
		{"oidcc-ensure-request-without-nonce-fails", "nonce is required where an ID token comes from the authorization endpoint.", frontIDToken, false, func(r *run, v variant) {
			q := r.request(r.target.Web, v, "nonce", "")
			p := r.browser().authorize(q)
			if a, ok := p.AuthorizationResponse(q.Get("redirect_uri")); ok {
				r.refused(a, q, "invalid_request")
				return
			}
			r.must(p.Status >= 400, "the request was not refused (status %d)", p.Status)
			r.pageShown(p, p.Status)
		}},
		{"oidcc-alternate-happy-flow", "Nothing depends on the order of parameters or scopes.", always, false, oidccAlternateHappyFlow},
		{"oidcc-ensure-registered-redirect-uri", "A redirect URI that is not registered leads to a page and nowhere else.", always, false, func(r *run, v variant) {
			q := r.request(r.target.Web, v, "redirect_uri", r.target.Web.RedirectURI+"/"+random(8))
			p := r.browser().authorize(q)
			r.pageShown(p, http.StatusBadRequest, http.StatusForbidden, http.StatusOK)
			_, asks := p.PasswordForm()
			r.must(!asks, "the person is asked to sign in, to be sent on to an address that is not registered")
		}},
		{"oidcc-ensure-post-request-succeeds", "The authorization endpoint takes POST.", always, false, func(r *run, v variant) {
			q := r.request(r.target.Web, v)
			b := r.browser()
			r.complete(r.target.Web, q, b.finish(b.post(r.meta().AuthorizationEndpoint, q), r.target.Person, q.Get("redirect_uri")))
		}},
	}
}

func oidccIDTokenSignature(r *run, v variant) {
	o := r.happy(r.browser(), r.target.Web, v)
	header, _ := r.open(o.idText)
	r.must(header.Algorithm == "RS256", "the ID token is signed with %s", header.Algorithm)
	r.must(header.KeyID != "", "the ID token has no kid")
}

func oidccResponseTypeMissing(r *run, v variant) {
	q := r.request(r.target.Web, v, "response_type", "")
	p := r.browser().authorize(q)
	if a, ok := p.AuthorizationResponse(q.Get("redirect_uri")); ok {
		r.refused(a, q, "invalid_request", "unsupported_response_type")
		return
	}
	r.must(p.Status >= 400, "the request was not refused (status %d)", p.Status)
	r.pageShown(p, p.Status)
}

func oidccAlternateHappyFlow(r *run, v variant) {
	q := r.request(r.target.Web, v, "scope", "email openid", "nonce", random(43), "state", random(120)+"-._~-._~")
	reversed := ""
	for _, name := range names(q) { // sorted, so that this turns them round
		pair := url.Values{name: q[name]}.Encode()
		if reversed != "" {
			pair += "&"
		}
		reversed = pair + reversed
	}
	b := r.browser()
	p := b.get(withQuery(r.meta().AuthorizationEndpoint, reversed))
	r.complete(r.target.Web, q, b.finish(p, r.target.Person, q.Get("redirect_uri")))
}
