package conformance

import (
	"slices"
	"strings"
)

// claimModules are about scopes and the claims parameter.
func claimModules() []module {
	scope := func(name, scope string) module {
		releases := func(r *run, v variant) { scopeReleases(r, v, scope) }
		return module{"oidcc-scope-" + name, "The scope " + scope + " releases every one of its claims.", always, false, releases}
	}
	return []module{
		scope("profile", "profile"),
		scope("email", "email"),
		scope("address", "address"),
		scope("phone", "phone"),
		scope("all", "profile email address phone"),
		{"oidcc-claims-essential", "A claim that is asked for by name comes where it was asked for.", always, false, oidccClaimsEssential},
	}
}

// claimsOfScope are the claims that a scope releases (OIDC Core section 5.4).
func claimsOfScope(scope string) []string {
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

// scopeReleases demands every claim of the scopes: at userinfo, and in the ID
// token where there is no access token.
func scopeReleases(r *run, v variant, scope string) {
	supported := r.meta().ScopesSupported
	var claims []string
	for _, s := range strings.Fields(scope) {
		claims = append(claims, claimsOfScope(s)...)
		if !slices.Contains(supported, s) {
			r.skip("scopes_supported lacks %s", s)
		}
	}
	o := r.happy(r.browser(), r.target.Web, v, "scope", "openid "+scope)
	where, told := "the ID token", o.claims
	if o.access != "" {
		where, told = "userinfo", r.claimsOf(r.userinfo(o.access))
	}
	for _, name := range claims {
		_, has := told[name]
		r.should(has, "%s lacks the claim %s", where, name)
	}
	for name := range told {
		known := slices.ContainsFunc([]string{"profile", "email", "address", "phone"}, func(s string) bool { return slices.Contains(claimsOfScope(s), name) })
		r.should(!known || slices.Contains(claims, name), "%s has the claim %s, which the scope does not release", where, name)
	}
}

func oidccClaimsEssential(r *run, v variant) {
	if !r.meta().ClaimsParameter {
		r.skip("claims_parameter_supported is not true")
	}
	where := "userinfo"
	if v.responseType == "id_token" {
		where = "id_token"
	}
	o := r.happy(r.browser(), r.target.Web, v, "claims", `{"`+where+`":{"name":{"essential":true}}}`)
	told := o.claims
	if where == "userinfo" {
		_, has := o.claims["name"]
		r.should(!has || r.target.Web.ClaimsInIDToken, "name was asked for at userinfo and is in the ID token")
		told = r.claimsOf(r.userinfo(o.access))
	}
	_, has := told["name"]
	r.should(has, "%s lacks name, which was asked for as essential", where)
}
