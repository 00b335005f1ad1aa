package conformance

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
)

// requestModules are about parameters that must not be in the way, and about
// request objects.
func requestModules() []module {
	harmless := func(name, says string, changes ...string) module {
		return module{name, says, anyType, false, func(r *run, v variant) { r.runFlow(r.browser(), r.target.Web, v, changes...) }}
	}
	return []module{
		harmless("oidcc-display-page", "display=page breaks nothing.", "display", "page"),
		harmless("oidcc-display-popup", "display=popup breaks nothing.", "display", "popup"),
		harmless("oidcc-ensure-request-with-unknown-parameter-succeeds", "An unknown parameter is ignored.", "extra", "foobar"),
		harmless("oidcc-login-hint", "login_hint breaks nothing, also for somebody unknown.", "login_hint", "buffy@example.com"),
		harmless("oidcc-ui-locales", "ui_locales breaks nothing.", "ui_locales", "se"),
		harmless("oidcc-claims-locales", "claims_locales breaks nothing.", "claims_locales", "se"),
		{"oidcc-ensure-request-with-acr-values-succeeds", "acr_values is a wish, and the ID token says what came of it.", anyType, false, oidccACRValues},
		{"oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported", "A request object is obeyed or refused, never ignored.", anyType, false, oidccUnsignedRequestObject},
		{"oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported", "A request_uri is obeyed or refused, never ignored.", anyType, false, oidccRequestURIUnsigned},
		{"oidcc-ensure-request-object-with-redirect-uri", "A bad redirect URI beside a request object leads to a page.", anyType, false, oidccRequestObjectRedirectURI},
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

// unsignedObject is a request object with alg none.
func unsignedObject(claims map[string]any) string {
	payload, _ := json.Marshal(claims) //nolint:errchkjson // strings alone
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"none"}`)) + "." + enc(payload) + "."
}

func oidccUnsignedRequestObject(r *run, v variant) {
	request := r.newRequest(r.target.Web, v)
	inner := randomString(12)
	request.Set("request", unsignedObject(map[string]any{
		"iss": r.target.Web.ID, "aud": r.target.Issuer, "client_id": r.target.Web.ID, "response_type": v.responseType,
		"redirect_uri": request.Get("redirect_uri"), "scope": "openid", "state": inner, "nonce": request.Get("nonce"),
	}))
	response := r.browser().signIn(request)
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
		"redirect_uri": r.target.Web.RedirectURI, "scope": "openid", "state": request.Get("state"), "nonce": request.Get("nonce"),
	}))
	b := r.browser()
	p := b.authorize(request)
	if _, ok := p.PasswordForm(); ok { // then the one inside must be used
		request.Set("redirect_uri", r.target.Web.RedirectURI)
		r.finishFlow(r.target.Web, request, b.finishSignIn(p, r.target.Person, r.target.Web.RedirectURI))
		return
	}
	r.requirePage(p, http.StatusBadRequest, http.StatusForbidden, http.StatusOK)
}
