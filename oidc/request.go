package oidc

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
)

// request is an authorization request whose client and redirect URI are known
// to be good, so that an answer, good or bad, may go there.
type request struct {
	zoidc.AuthRequest

	client *Client
	query  string // the parameters as they came
	claims claimsParameter
	hint   string // the subject of a valid id_token_hint

	exceptions []Exception // that it needs and may have
}

// wantsCode, wantsIDToken and wantsToken say what the response type asks for.
func (r *request) wantsCode() bool    { return r.asksFor("code") }
func (r *request) wantsIDToken() bool { return r.asksFor("id_token") }
func (r *request) wantsToken() bool   { return r.asksFor("token") }

func (r *request) asksFor(part string) bool {
	return slices.Contains(strings.Fields(string(r.ResponseType)), part)
}

// prompts says whether the request's prompt parameter contains the value.
func (r *request) prompts(value string) bool { return slices.Contains(r.Prompt, value) }

// parameters reads a query string or form body. Parameters that occur more than
// once are returned by name: RFC 6749 section 3.1 forbids them.
func parameters(raw string) (v url.Values, repeated []string, err error) {
	v, err = url.ParseQuery(raw)
	if err != nil {
		return nil, nil, refuse(invalidRequest, "The parameters are not form-encoded.")
	}
	for name, values := range v {
		if len(values) > 1 {
			repeated = append(repeated, name)
		}
	}
	return v, repeated, nil
}

// readRequest fills the request's fields from its parameters. It checks only
// their form; check.go decides what is allowed.
func readRequest(v url.Values) (zoidc.AuthRequest, error) {
	r := zoidc.AuthRequest{
		Scopes:              strings.Fields(v.Get("scope")),
		ResponseType:        canonicalResponseType(v.Get("response_type")),
		ClientID:            v.Get("client_id"),
		RedirectURI:         v.Get("redirect_uri"),
		State:               v.Get("state"),
		Nonce:               v.Get("nonce"),
		ResponseMode:        zoidc.ResponseMode(v.Get("response_mode")),
		Prompt:              strings.Fields(v.Get("prompt")),
		IDTokenHint:         v.Get("id_token_hint"),
		LoginHint:           v.Get("login_hint"),
		CodeChallenge:       v.Get("code_challenge"),
		CodeChallengeMethod: zoidc.CodeChallengeMethod(v.Get("code_challenge_method")),
	}
	if s := v.Get("max_age"); s != "" {
		n, err := strconv.ParseUint(s, 10, 31)
		if err != nil {
			return r, refuse(invalidRequest, "max_age is not a number of seconds.")
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
func errorMode(v url.Values) zoidc.ResponseMode {
	parts := strings.Fields(v.Get("response_type"))
	front := slices.Contains(parts, "id_token") || slices.Contains(parts, "token")
	switch mode := zoidc.ResponseMode(v.Get("response_mode")); {
	case mode == zoidc.ResponseModeFormPost, mode == zoidc.ResponseModeFragment:
		return mode
	case front:
		return zoidc.ResponseModeFragment
	default:
		return zoidc.ResponseModeQuery
	}
}
