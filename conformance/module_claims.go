package conformance

import (
	"slices"
	"strings"
)

// claimModules returns the modules about scopes and the claims parameter.
func claimModules() []module {
	scope := func(name, scope string) module {
		releases := func(r *run, v variant) { checkScope(r, v, scope) }
		return module{
			name:        "oidcc-scope-" + name,
			requirement: "The scope " + scope + " releases all of its claims.",
			appliesTo:   anyType,
			do:          releases,
		}
	}
	return []module{
		scope("profile", "profile"),
		scope("email", "email"),
		scope("address", "address"),
		scope("phone", "phone"),
		scope("all", "profile email address phone"),
		{
			name:        "oidcc-claims-essential",
			requirement: "A claim requested by name is returned where it was requested.",
			appliesTo:   anyType,
			do:          oidccClaimsEssential,
		},
	}
}

// scopeClaims returns the claims that a scope releases (OIDC Core section 5.4).
func scopeClaims(scope string) []string {
	switch scope {
	case "profile":
		return profileClaims
	case "email":
		return []string{"email", "email_verified"}
	case "phone":
		return []string{"phone_number", "phone_number_verified"}
	case "address":
		return []string{"address"}
	}
	return nil
}

// checkScope requires every claim of the scopes: at userinfo, and in the ID
// token if there is no access token.
func checkScope(r *run, v variant, scope string) {
	supported := r.metadata().ScopesSupported
	var claims []string
	for _, s := range strings.Fields(scope) {
		claims = append(claims, scopeClaims(s)...)
		if !slices.Contains(supported, s) {
			r.skipCheck("scopes_supported lacks %s", s)
		}
	}
	flow := r.runFlow(r.browser(), r.target.Web, v, "scope", "openid "+scope)
	where, told := "the ID token", flow.claims
	if flow.accessToken != "" {
		where, told = "userinfo", r.decodeUserinfo(r.fetchUserinfo(flow.accessToken))
	}
	for _, name := range claims {
		_, has := told[name]
		r.warnUnless(has, "%s lacks the claim %s", where, name)
	}
	for name := range told {
		known := slices.ContainsFunc([]string{"profile", "email", "address", "phone"},
			func(s string) bool { return slices.Contains(scopeClaims(s), name) })
		r.warnUnless(!known || slices.Contains(claims, name),
			"%s has the claim %s, which the scope does not release", where, name)
	}
}

func oidccClaimsEssential(r *run, v variant) {
	if !r.metadata().ClaimsParameter {
		r.skipCheck("claims_parameter_supported is not true")
	}
	where := "userinfo"
	if v.responseType == "id_token" {
		where = "id_token"
	}
	flow := r.runFlow(r.browser(), r.target.Web, v, "claims", `{"`+where+`":{"name":{"essential":true}}}`)
	told := flow.claims
	if where == "userinfo" {
		_, has := flow.claims["name"]
		r.warnUnless(!has || r.target.Web.ClaimsInIDToken, "name was requested at userinfo but is in the ID token")
		told = r.decodeUserinfo(r.fetchUserinfo(flow.accessToken))
	}
	_, has := told["name"]
	r.warnUnless(has, "%s lacks name, which was requested as essential", where)
}
