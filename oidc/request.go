package oidc

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"

	"idpbridge/internal/jwtclaims"
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
// the problem (Multiple Response Types section 5). The mode can also be in a request object,
// which is always an error here.
func errorMode(params url.Values) zoidc.ResponseMode {
	parts := strings.Fields(params.Get("response_type"))
	front := slices.Contains(parts, "id_token") || slices.Contains(parts, "token")
	mode := zoidc.ResponseMode(params.Get("response_mode"))
	if mode == "" {
		mode = requestObjectMode(params.Get("request"))
	}
	if mode == zoidc.ResponseModeFormPost || mode == zoidc.ResponseModeFragment {
		return mode
	}
	if front {
		return zoidc.ResponseModeFragment
	}
	return zoidc.ResponseModeQuery
}

// requestObjectMode returns the response mode that a request object asks for, unverified:
// nothing but the form of an error depends on it (RFC 9101 section 6).
func requestObjectMode(object string) zoidc.ResponseMode {
	parts := strings.Split(object, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := encoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	claims, err := jwtclaims.Parse(payload)
	if err != nil {
		return ""
	}
	mode, _ := claims.ReadString("response_mode")
	return zoidc.ResponseMode(mode)
}
