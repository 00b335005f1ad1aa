package oidc

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
)

// authRequest is an authorization request whose client and redirect URI are known
// to be good, so that an answer, good or bad, may go there.
type authRequest struct {
	zoidc.AuthRequest

	client *Client
	query  string // the parameters as they came
	claims claimsParameter
	hint   string // the subject of a valid id_token_hint

	deviations []Deviation // that it needs and may have
}

// wantsCode, wantsIDToken and wantsToken say what the response type asks for.
func (request *authRequest) wantsCode() bool    { return request.hasResponseType("code") }
func (request *authRequest) wantsIDToken() bool { return request.hasResponseType("id_token") }
func (request *authRequest) wantsToken() bool   { return request.hasResponseType("token") }

func (request *authRequest) hasResponseType(part string) bool {
	return slices.Contains(strings.Fields(string(request.ResponseType)), part)
}

// hasPrompt says whether the request's prompt parameter contains the value.
func (request *authRequest) hasPrompt(value string) bool {
	return slices.Contains(request.Prompt, value)
}

// parseParameters reads a query string or form body. Parameters that occur more than
// once are returned by name: RFC 6749 section 3.1 forbids them.
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

// parseRequest fills the request's fields from its parameters. It checks only
// their form; validate.go decides what is allowed.
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

// canonicalResponseType puts the parts of a response type into one order: their
// order means nothing (Multiple Response Types section 3).
func canonicalResponseType(s string) zoidc.ResponseType {
	parts := strings.Fields(s)
	slices.Sort(parts)
	return zoidc.ResponseType(strings.Join(parts, " "))
}

// errorMode is the response mode in which an error goes back, also where the
// request's own mode or type is at fault (Multiple Response Types section 5).
func errorMode(params url.Values) zoidc.ResponseMode {
	parts := strings.Fields(params.Get("response_type"))
	front := slices.Contains(parts, "id_token") || slices.Contains(parts, "token")
	switch mode := zoidc.ResponseMode(params.Get("response_mode")); {
	case mode == zoidc.ResponseModeFormPost, mode == zoidc.ResponseModeFragment:
		return mode
	case front:
		return zoidc.ResponseModeFragment
	default:
		return zoidc.ResponseModeQuery
	}
}
