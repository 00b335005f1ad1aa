package conformance

import (
	"net/http"
	"net/url"
)

// flowModules returns the modules about the flow itself and userinfo.
func flowModules() []module {
	return []module{
		{
			name:        "oidcc-server",
			requirement: "A sign-in succeeds, and every token is as specified.",
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
			requirement: "Userinfo accepts GET with a bearer header.",
			appliesTo:   hasAccessToken,
			do: func(r *run, v variant) {
				flow := r.runFlow(r.browser(), r.target.Web, v)
				r.decodeUserinfo(r.fetchUserinfo(flow.accessToken))
			},
		},
		{
			name:        "oidcc-userinfo-post-header",
			requirement: "Userinfo accepts POST with a bearer header.",
			appliesTo:   hasAccessToken,
			do: func(r *run, v variant) {
				flow := r.runFlow(r.browser(), r.target.Web, v)
				info := r.decodeUserinfo(r.fetch(http.MethodPost, r.metadata().UserinfoEndpoint, nil, setBearer(flow.accessToken)))
				r.require(info["sub"] == flow.claims["sub"] || flow.claims == nil, "sub is %v", info["sub"])
			},
		},
		{
			name:        "oidcc-userinfo-post-body",
			requirement: "Userinfo accepts or rejects POST with the token in the form.",
			appliesTo:   hasAccessToken,
			do: func(r *run, v variant) {
				flow := r.runFlow(r.browser(), r.target.Web, v)
				res := r.fetch(http.MethodPost, r.metadata().UserinfoEndpoint, url.Values{"access_token": {flow.accessToken}})
				r.warnUnless(res.Status == http.StatusOK, "userinfo returned %d for a token in the body", res.Status)
				if res.Status == http.StatusOK {
					r.decodeUserinfo(res)
				}
			},
		},
	}
}

// authorizeModules returns the modules about the authorization endpoint.
func authorizeModules() []module {
	return []module{
		{
			name:        "oidcc-response-type-missing",
			requirement: "A request without response_type is rejected.",
			appliesTo:   anyType,
			do:          oidccResponseTypeMissing,
		},
		{
			name:        "oidcc-ensure-request-without-nonce-succeeds-for-code-flow",
			requirement: "nonce is optional if no ID token comes from the authorization endpoint.",
			appliesTo:   lacksFrontIDToken,
			do: func(r *run, v variant) {
				r.runFlow(r.browser(), r.target.Web, v, "nonce", "")
			},
		},
		{
			name:        "oidcc-ensure-request-without-nonce-fails",
			requirement: "nonce is required if an ID token comes from the authorization endpoint.",
			appliesTo:   hasFrontIDToken,
			do: func(r *run, v variant) {
				request := r.newRequest(r.target.Web, v, "nonce", "")
				p := r.browser().authorize(request)
				if response, ok := p.AuthorizationResponse(request.Get("redirect_uri")); ok {
					r.requireError(response, request, "invalid_request")
					return
				}
				r.require(p.Status >= 400, "the request was not rejected (status %d)", p.Status)
				r.requirePage(p, p.Status)
			},
		},
		{
			name:        "oidcc-alternate-happy-flow",
			requirement: "The order of parameters and scopes does not matter.",
			appliesTo:   anyType,
			do:          oidccAlternateHappyFlow,
		},
		{
			name:        "oidcc-ensure-registered-redirect-uri",
			requirement: "A redirect URI that is not registered leads to an error page.",
			appliesTo:   anyType,
			do: func(r *run, v variant) {
				request := r.newRequest(r.target.Web, v, "redirect_uri", r.target.Web.RedirectURI+"/"+randomString(8))
				p := r.browser().authorize(request)
				r.requirePage(p, http.StatusBadRequest, http.StatusForbidden, http.StatusOK)
				_, asks := p.PasswordForm()
				r.require(!asks, "the sign-in page is shown for a redirect URI that is not registered")
			},
		},
		{
			name:        "oidcc-ensure-post-request-succeeds",
			requirement: "The authorization endpoint accepts POST.",
			appliesTo:   anyType,
			do: func(r *run, v variant) {
				request := r.newRequest(r.target.Web, v)
				b := r.browser()
				r.finishFlow(r.target.Web, request,
					b.finishSignIn(b.post(r.metadata().AuthorizationEndpoint, request), r.person(), request.Get("redirect_uri")))
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
	r.require(p.Status >= 400, "the request was not rejected (status %d)", p.Status)
	r.requirePage(p, p.Status)
}

func oidccAlternateHappyFlow(r *run, v variant) {
	request := r.newRequest(r.target.Web, v, "scope", "email openid", "nonce", randomString(43), "state",
		randomString(120)+"-._~-._~")
	reversed := ""
	for _, name := range sortedNames(request) { // sorted above, so that this reverses them
		pair := url.Values{name: request[name]}.Encode()
		if reversed != "" {
			pair += "&"
		}
		reversed = pair + reversed
	}
	b := r.browser()
	p := b.get(appendQuery(r.metadata().AuthorizationEndpoint, reversed))
	r.finishFlow(r.target.Web, request, b.finishSignIn(p, r.person(), request.Get("redirect_uri")))
}
