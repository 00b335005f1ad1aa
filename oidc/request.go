package oidc

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
)

// authRequest is an authorization request with a known client and a registered redirect
// URI, so that a response or an error may go there.
type authRequest struct {
	zoidc.AuthRequest

	client *Client
	query  string // the parameters as received
	claims claimsParameter
	hint   string // subject of a valid id_token_hint

	deviations []Deviation // that it uses
}

// wantsCode, wantsIDToken and wantsToken report what the response type asks for.
func (request *authRequest) wantsCode() bool    { return request.hasResponseType("code") }
func (request *authRequest) wantsIDToken() bool { return request.hasResponseType("id_token") }
func (request *authRequest) wantsToken() bool   { return request.hasResponseType("token") }

func (request *authRequest) hasResponseType(part string) bool {
	return slices.Contains(strings.Fields(string(request.ResponseType)), part)
}

// hasPrompt reports whether the prompt parameter contains the value.
func (request *authRequest) hasPrompt(value string) bool {
	return slices.Contains(request.Prompt, value)
}

// parseParameters parses a query string or form body. It also returns the names of
// parameters that occur more than once, which RFC 6749 section 3.1 forbids.
func parseParameters(raw string) (params url.Values, repeated []string, err error) {
	params, err = url.ParseQuery(raw)
	if err != nil {
		return nil, nil, newOAuthError(invalidRequest, "The parameters are not form-encoded.")
	}
	for name, values := range params {
		if len(values) > 1 {
			repeated = append(repeated, name)
		}
	}
	return params, repeated, nil
}

// parseRequest parses the parameters of a request. It checks only their form; validate.go
// decides what is allowed.
func parseRequest(params url.Values) (zoidc.AuthRequest, error) {
	r := zoidc.AuthRequest{
		Scopes:              strings.Fields(params.Get("scope")),
		ResponseType:        canonicalResponseType(params.Get("response_type")),
		ClientID:            params.Get("client_id"),
		RedirectURI:         params.Get("redirect_uri"),
		State:               params.Get("state"),
		Nonce:               params.Get("nonce"),
		ResponseMode:        zoidc.ResponseMode(params.Get("response_mode")),
		Prompt:              strings.Fields(params.Get("prompt")),
		IDTokenHint:         params.Get("id_token_hint"),
		LoginHint:           params.Get("login_hint"),
		CodeChallenge:       params.Get("code_challenge"),
		CodeChallengeMethod: zoidc.CodeChallengeMethod(params.Get("code_challenge_method")),
	}
	if s := params.Get("max_age"); s != "" {
		n, err := strconv.ParseUint(s, 10, 31)
		if err != nil {
			return r, newOAuthError(invalidRequest, "max_age is not a number of seconds.")
		}
		age := uint(n)
		r.MaxAge = &age
	}
	return r, nil
}

// canonicalResponseType sorts the parts of a response type: their order means nothing
// (Multiple Response Types section 3).
func canonicalResponseType(s string) zoidc.ResponseType {
	parts := strings.Fields(s)
	slices.Sort(parts)
	return zoidc.ResponseType(strings.Join(parts, " "))
}

// errorMode is the response mode for an error, even if the request's own mode or type is
// the problem (Multiple Response Types section 5).
func errorMode(params url.Values) zoidc.ResponseMode {
	parts := strings.Fields(params.Get("response_type"))
	front := slices.Contains(parts, "id_token") || slices.Contains(parts, "token")
	mode := zoidc.ResponseMode(params.Get("response_mode"))
	if mode == zoidc.ResponseModeFormPost || mode == zoidc.ResponseModeFragment {
		return mode
	}
	if front {
		return zoidc.ResponseModeFragment
	}
	return zoidc.ResponseModeQuery
}
