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

// wants says whether the claim may have that text as its value.
func (c *claimRequest) wants(text string) bool {
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

// readClaims reads the parameter claims (OIDC Core section 5.5). Names that
// nobody knows are ignored, as the section wants it.
func readClaims(text string) (claimsParameter, error) {
	var c claimsParameter
	if text == "" {
		return c, nil
	}
	var parts map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &parts) != nil {
		return c, refuse(invalidRequest, "claims is not a JSON object.")
	}
	var userinfo, idToken map[string]*claimRequest
	for name, into := range map[string]*map[string]*claimRequest{"userinfo": &userinfo, "id_token": &idToken} {
		if raw, ok := parts[name]; ok && json.Unmarshal(raw, into) != nil {
			return c, refuse(invalidRequest, "A member of claims is not what OpenID Connect Core section 5.5 says.")
		}
	}
	c.userinfo, c.idToken = slices.Sorted(maps.Keys(userinfo)), slices.Sorted(maps.Keys(idToken))
	c.sub, c.acr = idToken["sub"], idToken["acr"]
	return c, nil
}

// checkClaims keeps of the claims parameter what the client may be told: a claim
// needs the client to be registered for the scope that releases it.
func checkClaims(r *request, v url.Values) error {
	asked, err := readClaims(v.Get("claims"))
	if err != nil {
		return err
	}
	may := func(name string) bool { return slices.Contains(r.client.Scopes, scopeOf(name)) }
	kept := func(names []string) []string {
		return slices.DeleteFunc(names, func(name string) bool { return !may(name) })
	}
	asked.userinfo, asked.idToken = kept(asked.userinfo), kept(asked.idToken)
	r.claims = asked
	return nil
}

// unmet says whether a person cannot be answered for: an essential acr that
// their sign-in does not reach (OIDC Core section 5.5.1.1).
func (c claimsParameter) unmet(acr string) bool {
	return c.acr != nil && c.acr.Essential && !c.acr.wants(acr)
}

// shared lists the scopes of what the request would tell the client, those of
// claims asked for by name among them.
func (r *request) shared() []string {
	out := slices.Clone(r.Scopes)
	if r.client.LiveEngage != nil && !slices.Contains(out, ScopeSDEs) {
		out = append(out, ScopeSDEs)
	}
	for _, name := range slices.Concat(r.claims.userinfo, r.claims.idToken) {
		if scope := scopeOf(name); !slices.Contains(out, scope) {
			out = append(out, scope)
		}
	}
	return out
}

// scopeOf is the scope that releases a claim; empty for one that none releases.
func scopeOf(name string) string {
	if name == ScopeSDEs {
		return ScopeSDEs
	}
	return claims.ScopeOf(name)
}
