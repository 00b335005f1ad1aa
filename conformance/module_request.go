package conformance

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
)

// requestModules returns the modules about parameters that must be ignored, and
// about request objects.
func requestModules() []module {
	harmless := func(name, requirement string, changes ...string) module {
		return module{
			name:        name,
			requirement: requirement,
			appliesTo:   anyType,
			do:          func(r *run, v variant) { r.runFlow(r.browser(), r.target.Web, v, changes...) },
		}
	}
	return []module{
		harmless("oidcc-display-page", "display=page breaks nothing.", "display", "page"),
		harmless("oidcc-display-popup", "display=popup breaks nothing.", "display", "popup"),
		harmless("oidcc-ensure-request-with-unknown-parameter-succeeds", "An unknown parameter is ignored.", "extra",
			"foobar"),
		harmless("oidcc-login-hint", "login_hint breaks nothing, even for an unknown user.", "login_hint",
			"buffy@example.com"),
		harmless("oidcc-ui-locales", "ui_locales breaks nothing.", "ui_locales", "se"),
		harmless("oidcc-claims-locales", "claims_locales breaks nothing.", "claims_locales", "se"),
		{
			name:        "oidcc-ensure-request-with-acr-values-succeeds",
			requirement: "acr_values is voluntary, and acr in the ID token says what was done.",
			appliesTo:   anyType,
			do:          oidccACRValues,
		},
		{
			name:        "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported",
			requirement: "A request object is used or rejected, never ignored.",
			appliesTo:   anyType,
			do:          oidccUnsignedRequestObject,
		},
		{
			name:        "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported",
			requirement: "A request_uri is used or rejected, never ignored.",
			appliesTo:   anyType,
			do:          oidccRequestURIUnsigned,
		},
		{
			name:        "oidcc-ensure-request-object-with-redirect-uri",
			requirement: "A wrong redirect URI beside a request object leads to an error page.",
			appliesTo:   anyType,
			do:          oidccRequestObjectRedirectURI,
		},
	}
}

func oidccACRValues(r *run, v variant) {
	wanted := r.metadata().ACRValuesSupported
	if len(wanted) == 0 {
		wanted = []string{"1", "2"}
	}
	flow := r.runFlow(r.browser(), r.target.Web, v, "acr_values", strings.Join(wanted, " "))
	met := false
	for _, acr := range wanted {
		met = met || flow.claims["acr"] == acr
	}
	r.warnUnless(met, "acr is %v, none of %v", flow.claims["acr"], wanted)
}

// unsignedObject returns a request object with alg none.
func unsignedObject(claims map[string]any) string {
	payload, _ := json.Marshal(claims) //nolint:errchkjson // strings only
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"none"}`)) + "." + enc(payload) + "."
}

func oidccUnsignedRequestObject(r *run, v variant) {
	request := r.newRequest(r.target.Web, v)
	inner := randomString(12)
	object := map[string]any{
		"iss": r.target.Web.ID, "aud": r.target.Issuer, "client_id": r.target.Web.ID, "response_type": v.responseType,
		"redirect_uri": request.Get("redirect_uri"), "scope": "openid", "state": inner, "nonce": request.Get("nonce"),
	}
	if v.responseMode != "" { // it is only in the request object
		object["response_mode"] = v.responseMode
		request.Del("response_mode")
	}
	request.Set("request", unsignedObject(object))
	response := r.browser().signIn(request)
	if v.responseMode != "" {
		request.Set("response_mode", v.responseMode)
	}
	if response.Get("error") != "" {
		r.requireError(response, request, "request_not_supported", "invalid_request_object")
		return
	}
	r.require(response.Get("state") == inner, "the request object was ignored: state is not the one inside")
	request.Set("state", inner)
	r.finishFlow(r.target.Web, request, response)
}

func oidccRequestURIUnsigned(r *run, v variant) {
	request := r.newRequest(r.target.Web, v, "request_uri", "https://rp.example/request.jwt")
	response := r.browser().signIn(request)
	r.requireError(response, request, "request_uri_not_supported", "invalid_request_uri")
}

func oidccRequestObjectRedirectURI(r *run, v variant) {
	request := r.newRequest(r.target.Web, v, "redirect_uri", r.target.Web.RedirectURI+"/"+randomString(8))
	request.Set("request", unsignedObject(map[string]any{
		"iss": r.target.Web.ID, "aud": r.target.Issuer, "client_id": r.target.Web.ID, "response_type": v.responseType,
		"redirect_uri": r.target.Web.RedirectURI, "scope": "openid",
		"state": request.Get("state"), "nonce": request.Get("nonce"),
	}))
	b := r.browser()
	p := b.authorize(request)
	if _, ok := p.PasswordForm(); ok { // then the redirect URI in the request object must be used
		request.Set("redirect_uri", r.target.Web.RedirectURI)
		r.finishFlow(r.target.Web, request, b.finishSignIn(p, r.person(), r.target.Web.RedirectURI))
		return
	}
	r.requirePage(p, http.StatusBadRequest, http.StatusForbidden, http.StatusOK)
}
