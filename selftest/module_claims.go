package selftest

import "slices"

// claimModules are about scopes and the claims parameter.
func claimModules() []module {
	scope := func(name, scope string, claims ...string) module {
		releases := func(r *run, v variant) { scopeReleases(r, v, scope, claims) }
		return module{"oidcc-scope-" + name, "The scope " + scope + " releases every one of its claims.", always, false, releases}
	}
	email, phone := []string{"email", "email_verified"}, []string{"phone_number", "phone_number_verified"}
	all := slices.Concat(profileClaims, email, phone, []string{"address"})
	return []module{
		scope("profile", "profile", profileClaims...),
		scope("email", "email", email...),
		scope("address", "address", "address"),
		scope("phone", "phone", phone...),
		scope("all", "profile email address phone", all...),
		{"oidcc-claims-essential", "A claim that is asked for by name comes where it was asked for.", always, false, oidccClaimsEssential},
	}
}

// scopeReleases demands every claim of the scopes: at userinfo, and in the ID
// token where there is no access token.
func scopeReleases(r *run, v variant, scope string, claims []string) {
	supported := r.meta().ScopesSupported
	for _, s := range spaced(scope) {
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
		known := slices.Concat(profileClaims, []string{"email", "email_verified", "phone_number", "phone_number_verified", "address"})
		r.should(!slices.Contains(known, name) || slices.Contains(claims, name), "%s has the claim %s, which the scope does not release", where, name)
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
