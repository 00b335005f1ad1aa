package oidc

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"

	"idpbridge/claims"
)

// unmetRequirements is the error for an essential acr that is not available
// (OpenID Connect Core Error Code unmet_authentication_requirements 1.0).
const unmetRequirements = "unmet_authentication_requirements"

// claimRequest is one member of the claims parameter: null, or this (OIDC Core section
// 5.5.1).
type claimRequest struct {
	Essential bool              `json:"essential"`
	Value     *json.RawMessage  `json:"value"` // nil for null, which asks for nothing
	Values    []json.RawMessage `json:"values"`
}

// accepts reports whether the claim may have that value.
func (c *claimRequest) accepts(value string) bool {
	if c == nil || c.Value == nil && c.Values == nil {
		return true
	}
	equal := func(raw json.RawMessage) bool {
		var s string
		return json.Unmarshal(raw, &s) == nil && s == value
	}
	return c.Value != nil && equal(*c.Value) || slices.ContainsFunc(c.Values, equal)
}

// claimsParameter is what the claims parameter asks for: names of claims, and for sub and
// acr also values.
type claimsParameter struct {
	userinfo, idToken []string // sorted
	sub, acr          *claimRequest
}

// parseClaimsParameter parses the claims parameter (OIDC Core section 5.5). Unknown names
// are ignored, as that section demands.
func parseClaimsParameter(param string) (claimsParameter, error) {
	var c claimsParameter
	if param == "" {
		return c, nil
	}
	var parts map[string]json.RawMessage
	if json.Unmarshal([]byte(param), &parts) != nil {
		return c, newOAuthError(invalidRequest, "claims is not a JSON object.")
	}
	var userinfo, idToken map[string]*claimRequest
	for name, into := range map[string]*map[string]*claimRequest{"userinfo": &userinfo, "id_token": &idToken} {
		if raw, ok := parts[name]; ok && json.Unmarshal(raw, into) != nil {
			return c, newOAuthError(invalidRequest, "A member of claims does not follow OpenID Connect Core section 5.5.")
		}
	}
	c.userinfo, c.idToken = slices.Sorted(maps.Keys(userinfo)), slices.Sorted(maps.Keys(idToken))
	c.sub, c.acr = idToken["sub"], idToken["acr"]
	return c, nil
}

// validateClaims drops claims from the claims parameter that the client may not have: it
// must be registered for the scope that releases the claim.
func validateClaims(request *authRequest, params url.Values) error {
	asked, err := parseClaimsParameter(params.Get("claims"))
	if err != nil {
		return err
	}
	may := func(name string) bool { return slices.Contains(request.client.Scopes, releasingScope(name)) }
	kept := func(names []string) []string {
		return slices.DeleteFunc(names, func(name string) bool { return !may(name) })
	}
	asked.userinfo, asked.idToken = kept(asked.userinfo), kept(asked.idToken)
	request.claims = asked
	return nil
}

// requiresOtherACR reports whether the request calls an acr essential that the session
// does not have (OIDC Core section 5.5.1.1).
func (c claimsParameter) requiresOtherACR(acr string) bool {
	return c.acr != nil && c.acr.Essential && !c.acr.accepts(acr)
}

// releasedScopes lists the scopes that the response would release to the client,
// including those of claims that are asked for by name.
func (request *authRequest) releasedScopes() []string {
	out := slices.Clone(request.Scopes)
	if request.client.LiveEngage != nil && !slices.Contains(out, ScopeSDEs) {
		out = append(out, ScopeSDEs)
	}
	for _, name := range slices.Concat(request.claims.userinfo, request.claims.idToken) {
		if scope := releasingScope(name); !slices.Contains(out, scope) {
			out = append(out, scope)
		}
	}
	return out
}

// releasingScope is the scope that releases a claim; empty if none does.
func releasingScope(name string) string {
	if name == ScopeSDEs {
		return ScopeSDEs
	}
	return claims.ScopeOf(name)
}
