package oidc

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"

	"idpbridge/claims"
)

// unmetRequirements is the error for an essential acr that cannot be given
// (OpenID Connect Core Error Code unmet_authentication_requirements 1.0).
const unmetRequirements = "unmet_authentication_requirements"

// claimRequest is one member of the parameter claims: null, or this (OIDC Core
// section 5.5.1).
type claimRequest struct {
	Essential bool              `json:"essential"`
	Value     *json.RawMessage  `json:"value"` // nil for null, which asks for nothing
	Values    []json.RawMessage `json:"values"`
}

// accepts says whether the claim may have that text as its value.
func (c *claimRequest) accepts(text string) bool {
	if c == nil || c.Value == nil && c.Values == nil {
		return true
	}
	equal := func(raw json.RawMessage) bool {
		var s string
		return json.Unmarshal(raw, &s) == nil && s == text
	}
	return c.Value != nil && equal(*c.Value) || slices.ContainsFunc(c.Values, equal)
}

// claimsParameter is what the parameter claims asks for: by name, and of the
// claims sub and acr also which value.
type claimsParameter struct {
	userinfo, idToken []string // sorted
	sub, acr          *claimRequest
}

// parseClaimsParameter reads the parameter claims (OIDC Core section 5.5). Names that
// nobody knows are ignored, as the section wants it.
func parseClaimsParameter(text string) (claimsParameter, error) {
	var c claimsParameter
	if text == "" {
		return c, nil
	}
	var parts map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &parts) != nil {
		return c, newOAuthError(invalidRequest, "claims is not a JSON object.")
	}
	var userinfo, idToken map[string]*claimRequest
	for name, into := range map[string]*map[string]*claimRequest{"userinfo": &userinfo, "id_token": &idToken} {
		if raw, ok := parts[name]; ok && json.Unmarshal(raw, into) != nil {
			return c, newOAuthError(invalidRequest, "A member of claims is not what OpenID Connect Core section 5.5 says.")
		}
	}
	c.userinfo, c.idToken = slices.Sorted(maps.Keys(userinfo)), slices.Sorted(maps.Keys(idToken))
	c.sub, c.acr = idToken["sub"], idToken["acr"]
	return c, nil
}

// validateClaims keeps of the claims parameter what the client may be told: a claim
// needs the client to be registered for the scope that releases it.
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

// requiresOtherACR says whether a person cannot be answered for: an essential acr that
// their sign-in does not reach (OIDC Core section 5.5.1.1).
func (c claimsParameter) requiresOtherACR(acr string) bool {
	return c.acr != nil && c.acr.Essential && !c.acr.accepts(acr)
}

// releasedScopes lists the scopes of what the request would tell the client, those of
// claims asked for by name among them.
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

// releasingScope is the scope that releases a claim; empty for one that none releases.
func releasingScope(name string) string {
	if name == ScopeSDEs {
		return ScopeSDEs
	}
	return claims.ScopeOf(name)
}
