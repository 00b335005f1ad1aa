package conformance

import (
	"net/http"
	"net/url"
)

// flowModules are about the flow itself and userinfo.
func flowModules() []module {
	return []module{
		{
			name:        "oidcc-server",
			requirement: "A sign-in succeeds, with every token as the specification has it.",
			appliesTo:   anyType,
			do: func(r *run, v variant) {
				r.runFlow(r.browser(), r.target.Web, v)
			},
		},
		{
			name:        "oidcc-idtoken-signature",
			requirement: "The ID token is signed with RS256 and has a kid.",
			appliesTo:   anyType,
			do:          oidccIDTokenSignature,
		},
		{
			name:        "oidcc-userinfo-get",
			requirement: "Userinfo answers GET with a bearer header.",
			appliesTo:   hasAccessToken,
			do: func(r *run, v variant) {
				flow := r.runFlow(r.browser(), r.target.Web, v)
				r.decodeUserinfo(r.fetchUserinfo(flow.accessToken))
			},
		},
		{
			name:        "oidcc-userinfo-post-header",
			requirement: "Userinfo answers POST with a bearer header.",
			appliesTo:   hasAccessToken,
			do: func(r *run, v variant) {
				flow := r.runFlow(r.browser(), r.target.Web, v)
				info := r.decodeUserinfo(r.fetch(http.MethodPost, r.metadata().UserinfoEndpoint, nil, setBearer(flow.accessToken)))
				r.require(info["sub"] == flow.claims["sub"] || flow.claims == nil, "sub is %v", info["sub"])
			},
		},
		{
			name:        "oidcc-userinfo-post-body",
			requirement: "Userinfo answers POST with the token in the form, or refuses it.",
			appliesTo:   hasAccessToken,
			do: func(r *run, v variant) {
				flow := r.runFlow(r.browser(), r.target.Web, v)
				res := r.fetch(http.MethodPost, r.metadata().UserinfoEndpoint, url.Values{"access_token": {flow.accessToken}})
				r.warnUnless(res.Status == http.StatusOK, "userinfo answers %d to a token in the body", res.Status)
				if res.Status == http.StatusOK {
					r.decodeUserinfo(res)
				}
			},
		},
		{
			name:        "oidcc-response-type-missing",
			requirement: "A request without response_type is refused.",
			appliesTo:   anyType,
			do:          oidccResponseTypeMissing,
		},
		{
			name:        "oidcc-ensure-request-without-nonce-succeeds-for-code-flow",
			requirement: "nonce is optional where no ID token comes from the authorization endpoint.",
			appliesTo:   lacksFrontIDToken,
			do: func(r *run, v variant) {
				r.runFlow(r.browser(), r.target.Web, v, "nonce", "")
			},
		},
		{
			name:        "oidcc-ensure-request-without-nonce-fails",
			requirement: "nonce is required where an ID token comes from the authorization endpoint.",
			appliesTo:   hasFrontIDToken,
			do: func(r *run, v variant) {
				request := r.newRequest(r.target.Web, v, "nonce", "")
				p := r.browser().authorize(request)
				if response, ok := p.AuthorizationResponse(request.Get("redirect_uri")); ok {
					r.requireError(response, request, "invalid_request")
					return
				}
				r.require(p.Status >= 400, "the request was not refused (status %d)", p.Status)
				r.requirePage(p, p.Status)
			},
		},
		{
			name:        "oidcc-alternate-happy-flow",
			requirement: "Nothing depends on the order of parameters or scopes.",
			appliesTo:   anyType,
			do:          oidccAlternateHappyFlow,
		},
		{
			name:        "oidcc-ensure-registered-redirect-uri",
			requirement: "A redirect URI that is not registered leads to a page and nowhere else.",
			appliesTo:   anyType,
			do: func(r *run, v variant) {
				request := r.newRequest(r.target.Web, v, "redirect_uri", r.target.Web.RedirectURI+"/"+randomString(8))
				p := r.browser().authorize(request)
				r.requirePage(p, http.StatusBadRequest, http.StatusForbidden, http.StatusOK)
				_, asks := p.PasswordForm()
				r.require(!asks, "the person is asked to sign in, to be sent on to an address that is not registered")
			},
		},
		{
			name:        "oidcc-ensure-post-request-succeeds",
			requirement: "The authorization endpoint takes POST.",
			appliesTo:   anyType,
			do: func(r *run, v variant) {
				request := r.newRequest(r.target.Web, v)
				b := r.browser()
				r.finishFlow(r.target.Web, request,
					b.finishSignIn(b.post(r.metadata().AuthorizationEndpoint, request), r.target.Person, request.Get("redirect_uri")))
			},
		},
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
	request := r.newRequest(r.target.Web, v, "scope", "email openid", "nonce", randomString(43), "state",
		randomString(120)+"-._~-._~")
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
