package conformance

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"idpbridge/internal/netaddr"
)

// configModules returns the modules of the plan Config.
func configModules() []module {
	return []module{
		{
			name:        "oidcc-discovery-endpoint-verification",
			requirement: "The discovery document is complete and has the right types.",
			do:          oidccDiscovery,
		},
	}
}

func oidccDiscovery(r *run, _ variant) {
	res := r.fetch(http.MethodGet, r.target.Issuer+pathDiscovery, nil)
	r.require(res.Status == http.StatusOK && strings.HasPrefix(res.Header.Get("Content-Type"), "application/json"),
		"discovery returned %d %s", res.Status, res.Header.Get("Content-Type"))
	m := r.metadata()
	issuer, err := url.Parse(m.Issuer)
	r.require(err == nil && issuer.Host != "" && issuer.RawQuery == "" && issuer.Fragment == "" && issuer.User == nil,
		"the issuer %q has a query or fragment", m.Issuer)
	r.requireHTTPS("issuer", m.Issuer)
	r.warnUnless(issuer.Scheme == "https", "the issuer is http on a loopback address; in production it must be https")
	for name := range m.all {
		if strings.HasSuffix(name, "_endpoint") || name == "jwks_uri" {
			r.requireHTTPS(name, r.requireString(name))
		}
	}
	r.warnUnless(m.UserinfoEndpoint != "", "userinfo_endpoint is missing")

	types := r.requireList("response_types_supported", true)
	r.require(slices.ContainsFunc(types, func(t string) bool { return t == "code" || strings.Contains(t, "id_token") }),
		"response_types_supported has no type of OpenID Connect")
	r.requireList("subject_types_supported", true)
	r.require(slices.Contains(r.requireList("id_token_signing_alg_values_supported", true), "RS256"),
		"id_token_signing_alg_values_supported lacks RS256")
	scopes := r.requireList("scopes_supported", false)
	r.warnUnless(len(scopes) > 0, "scopes_supported is missing")
	r.require(len(scopes) == 0 || slices.Contains(scopes, "openid"), "scopes_supported lacks openid")
	for _, s := range scopes {
		r.require(regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]+$`).MatchString(s),
			"scopes_supported has %q, which is not a scope (RFC 6749 section 3.3)", s)
	}
	r.warnUnless(len(r.requireList("claims_supported", false)) > 0, "claims_supported is missing")
	if _, has := m.all["grant_types_supported"]; has {
		r.requireList("grant_types_supported", true)
	}
	r.requireList("code_challenge_methods_supported", false)
	for _, name := range []string{"ui_locales_supported", "claims_locales_supported"} {
		for _, tag := range r.requireList(name, false) {
			r.require(regexp.MustCompile(`^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$`).MatchString(tag),
				"%s has %q, which is not a language tag in canonical case", name, tag)
		}
	}
	if algorithms, has := m.all["request_object_signing_alg_values_supported"]; has {
		r.warnUnless(strings.Contains(string(algorithms), "RS256"), "request_object_signing_alg_values_supported lacks RS256")
	}
	r.checkBooleans()
	r.checkKnownMembers()
	r.fetchKeySet()
}

// requireHTTPS requires an https URL. If the issuer itself is http on a
// loopback address, its endpoints may be http too.
func (r *run) requireHTTPS(name, rawURL string) {
	u, err := url.Parse(rawURL)
	r.require(err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http"),
		"%s is %q, which is not a URL", name, rawURL)
	r.require(u.Scheme == "https" || strings.HasPrefix(r.target.Issuer, "http:") && netaddr.IsLoopback(u.Hostname()),
		"%s is %q, not https", name, rawURL)
}

// requireString requires that a member of the metadata is a string and returns
// it.
func (r *run) requireString(name string) string {
	var s string
	r.require(json.Unmarshal(r.metadata().all[name], &s) == nil, "%s is %s, not a string", name, r.metadata().all[name])
	return s
}

func (r *run) requireList(name string, required bool) []string {
	raw, has := r.metadata().all[name]
	r.require(has || !required, "%s is missing", name)
	var out []string
	r.require(!has || json.Unmarshal(raw, &out) == nil, "%s is %s, not a list of strings", name, raw)
	r.require(!required || len(out) > 0, "%s is empty", name)
	return out
}

func (r *run) checkBooleans() {
	for _, name := range []string{
		"claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported",
		"require_request_uri_registration",
		"authorization_response_iss_parameter_supported",
		"backchannel_logout_supported", "backchannel_logout_session_supported",
		"frontchannel_logout_supported", "frontchannel_logout_session_supported", "require_pushed_authorization_requests",
	} {
		var b bool
		if raw, has := r.metadata().all[name]; has {
			r.require(json.Unmarshal(raw, &b) == nil, "%s is %s, not true or false", name, raw)
		}
	}
}

// checkKnownMembers warns of metadata members that no specification defines.
func (r *run) checkKnownMembers() {
	known := strings.Fields(`
		issuer authorization_endpoint token_endpoint userinfo_endpoint jwks_uri registration_endpoint scopes_supported
		response_types_supported response_modes_supported grant_types_supported acr_values_supported
		subject_types_supported id_token_signing_alg_values_supported id_token_encryption_alg_values_supported
		id_token_encryption_enc_values_supported userinfo_signing_alg_values_supported
		userinfo_encryption_alg_values_supported userinfo_encryption_enc_values_supported
		request_object_signing_alg_values_supported request_object_encryption_alg_values_supported
		request_object_encryption_enc_values_supported token_endpoint_auth_methods_supported
		token_endpoint_auth_signing_alg_values_supported display_values_supported claim_types_supported
		claims_supported service_documentation claims_locales_supported ui_locales_supported
		claims_parameter_supported request_parameter_supported request_uri_parameter_supported
		require_request_uri_registration op_policy_uri op_tos_uri revocation_endpoint
		revocation_endpoint_auth_methods_supported revocation_endpoint_auth_signing_alg_values_supported
		introspection_endpoint introspection_endpoint_auth_methods_supported
		introspection_endpoint_auth_signing_alg_values_supported code_challenge_methods_supported signed_metadata
		device_authorization_endpoint pushed_authorization_request_endpoint require_pushed_authorization_requests
		authorization_response_iss_parameter_supported require_signed_request_object
		tls_client_certificate_bound_access_tokens mtls_endpoint_aliases dpop_signing_alg_values_supported
		end_session_endpoint check_session_iframe frontchannel_logout_supported frontchannel_logout_session_supported
		backchannel_logout_supported backchannel_logout_session_supported prompt_values_supported
		authorization_signing_alg_values_supported authorization_encryption_alg_values_supported
		authorization_encryption_enc_values_supported backchannel_token_delivery_modes_supported
		backchannel_authentication_endpoint backchannel_authentication_request_signing_alg_values_supported
		backchannel_user_code_parameter_supported
	`)
	for name := range r.metadata().all {
		r.warnUnless(slices.Contains(known, name), "no specification defines the member %s", name)
	}
}
