package conformance

import (
	"net/http"
	"net/url"
)

// flowModules are about the flow itself and userinfo.
func flowModules() []module {
	return []module{
		{"oidcc-server", "A sign-in succeeds, with every token as the specification has it.", anyType, false, func(r *run, v variant) {
			r.runFlow(r.browser(), r.target.Web, v)
		}},
		{"oidcc-idtoken-signature", "The ID token is signed with RS256 and has a kid.", anyType, false, oidccIDTokenSignature},
		{"oidcc-userinfo-get", "Userinfo answers GET with a bearer header.", hasAccessToken, false, func(r *run, v variant) {
			flow := r.runFlow(r.browser(), r.target.Web, v)
			r.decodeUserinfo(r.fetchUserinfo(flow.accessToken))
		}},
		{"oidcc-userinfo-post-header", "Userinfo answers POST with a bearer header.", hasAccessToken, false, func(r *run, v variant) {
			flow := r.runFlow(r.browser(), r.target.Web, v)
			info := r.decodeUserinfo(r.fetch(http.MethodPost, r.metadata().UserinfoEndpoint, nil, setBearer(flow.accessToken)))
			r.require(info["sub"] == flow.claims["sub"] || flow.claims == nil, "sub is %v", info["sub"])
		}},
		{"oidcc-userinfo-post-body", "Userinfo answers POST with the token in the form, or refuses it.", hasAccessToken, false, func(r *run, v variant) {
			flow := r.runFlow(r.browser(), r.target.Web, v)
			res := r.fetch(http.MethodPost, r.metadata().UserinfoEndpoint, url.Values{"access_token": {flow.accessToken}})
			r.warnUnless(res.Status == http.StatusOK, "userinfo answers %d to a token in the body", res.Status)
			if res.Status == http.StatusOK {
				r.decodeUserinfo(res)
			}
		}},
		{"oidcc-response-type-missing", "A request without response_type is refused.", anyType, false, oidccResponseTypeMissing},
		{"oidcc-ensure-request-without-nonce-succeeds-for-code-flow", "nonce is optional where no ID token comes from the authorization endpoint.", lacksFrontIDToken, false, func(r *run, v variant) {
			r.runFlow(r.browser(), r.target.Web, v, "nonce", "")
		}},
		{"oidcc-ensure-request-without-nonce-fails", "nonce is required where an ID token comes from the authorization endpoint.", hasFrontIDToken, false, func(r *run, v variant) {
			request := r.newRequest(r.target.Web, v, "nonce", "")
			p := r.browser().authorize(request)
			if response, ok := p.AuthorizationResponse(request.Get("redirect_uri")); ok {
				r.requireError(response, request, "invalid_request")
				return
			}
			r.require(p.Status >= 400, "the request was not refused (status %d)", p.Status)
			r.requirePage(p, p.Status)
		}},
		{"oidcc-alternate-happy-flow", "Nothing depends on the order of parameters or scopes.", anyType, false, oidccAlternateHappyFlow},
		{"oidcc-ensure-registered-redirect-uri", "A redirect URI that is not registered leads to a page and nowhere else.", anyType, false, func(r *run, v variant) {
			request := r.newRequest(r.target.Web, v, "redirect_uri", r.target.Web.RedirectURI+"/"+randomString(8))
			p := r.browser().authorize(request)
			r.requirePage(p, http.StatusBadRequest, http.StatusForbidden, http.StatusOK)
			_, asks := p.PasswordForm()
			r.require(!asks, "the person is asked to sign in, to be sent on to an address that is not registered")
		}},
		{"oidcc-ensure-post-request-succeeds", "The authorization endpoint takes POST.", anyType, false, func(r *run, v variant) {
			request := r.newRequest(r.target.Web, v)
			b := r.browser()
			r.finishFlow(r.target.Web, request, b.finishSignIn(b.post(r.metadata().AuthorizationEndpoint, request), r.target.Person, request.Get("redirect_uri")))
		}},
	}
}

func oidccIDTokenSignature(r *run, v variant) {
	flow := r.runFlow(r.browser(), r.target.Web, v)
	header, _ := r.verifyJWT(flow.idToken)
	r.require(header.Algorithm == "RS256", "the ID token is signed with %s", header.Algorithm)
	r.require(header.KeyID != "", "the ID token has no kid")
}

func oidccResponseTypeMissing(r *run, v variant) {
	request := r.newRequest(r.target.Web, v, "response_type", "")
	p := r.browser().authorize(request)
	if response, ok := p.AuthorizationResponse(request.Get("redirect_uri")); ok {
		r.requireError(response, request, "invalid_request", "unsupported_response_type")
		return
	}
	r.require(p.Status >= 400, "the request was not refused (status %d)", p.Status)
	r.requirePage(p, p.Status)
}

func oidccAlternateHappyFlow(r *run, v variant) {
	request := r.newRequest(r.target.Web, v, "scope", "email openid", "nonce", randomString(43), "state", randomString(120)+"-._~-._~")
	reversed := ""
	for _, name := range sortedNames(request) { // sorted, so that this turns them round
		pair := url.Values{name: request[name]}.Encode()
		if reversed != "" {
			pair += "&"
		}
		reversed = pair + reversed
	}
	b := r.browser()
	p := b.get(appendQuery(r.metadata().AuthorizationEndpoint, reversed))
	r.finishFlow(r.target.Web, request, b.finishSignIn(p, r.target.Person, request.Get("redirect_uri")))
}
