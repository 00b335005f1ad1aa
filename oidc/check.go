package oidc

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
)

// doubt is a request whose client or redirect URI cannot be trusted: the person
// sees a page, and the browser is sent nowhere (RFC 6749 section 4.1.2.1).
type doubt struct {
	happened string
	remedy   string
	client   *Client // nil while unknown
	received string  // the redirect URI that was sent
}

func (d *doubt) Error() string { return d.happened }

// check reads and validates an authorization request; pushed says that it came
// by the pushed authorization request endpoint. The error is a *doubt when
// nothing may be redirected, else a *fault beside a request that says where to
// send it.
func (p *Provider) check(ctx context.Context, query string, pushed bool) (*request, error) {
	v, repeated, err := parameters(query)
	if err != nil {
		return nil, &doubt{happened: "The address that led here is damaged.", remedy: "Go back to where you came from and try again."}
	}
	client, err := p.party(v, repeated)
	if err != nil {
		return nil, err
	}
	r, err := p.examine(ctx, client, v, repeated, pushed)
	r.query = query
	return r, err
}

// examine checks all of a request but its client and redirect URI. It returns the
// request also beside an error, which is a *fault.
func (p *Provider) examine(ctx context.Context, client *Client, v url.Values, repeated []string, pushed bool) (*request, error) {
	r := &request{client: client}
	var err error
	r.AuthRequest, err = readRequest(v)
	r.dialect()
	mode := r.ResponseMode
	r.ResponseMode = errorMode(v)
	if r.implicit() && (mode == "" || mode == zoidc.ResponseModeQuery) && r.use(AnswerInQuery) {
		mode, r.ResponseMode = zoidc.ResponseModeFragment, zoidc.ResponseModeQuery
	}
	if len(repeated) > 0 {
		return r, refuse(invalidRequest, "A parameter occurs more than once.")
	}
	if err != nil {
		return r, err
	}
	if client.PushedOnly && !pushed {
		return r, refuse(invalidRequest, "This client must push its requests first (RFC 9126).")
	}
	for _, rule := range []func(*request, url.Values) error{checkObject, checkType, checkScope, checkClaims, checkFlow, checkPrompt} {
		if err := rule(r, v); err != nil {
			return r, err
		}
	}
	if err := checkMode(r, mode); err != nil {
		return r, err
	}
	return r, p.checkHint(ctx, r)
}

// party finds the client and makes sure that the redirect URI is one of its
// own, compared before any decoding beyond the form's.
func (p *Provider) party(v url.Values, repeated []string) (*Client, error) {
	const remedy = "Go back to where you came from and try again. If it happens again, tell the people who run that site."
	if slices.Contains(repeated, "client_id") || slices.Contains(repeated, "redirect_uri") {
		return nil, &doubt{happened: "The address that led here names its application twice.", remedy: remedy}
	}
	client, ok := p.clients[v.Get("client_id")]
	if !ok {
		return nil, &doubt{happened: "The application that sent you here is not known to us.", remedy: remedy}
	}
	uri := v.Get("redirect_uri")
	if uri == "" || !client.redirectAllowed(uri) && !client.redirectsWithQuery(uri) {
		return nil, &doubt{
			happened: "The application that sent you here asked us to send you on to an address that is not registered for it.",
			remedy:   remedy, client: client, received: uri,
		}
	}
	return client, nil
}

// checkObject refuses request objects by their own error codes (OIDC Core
// section 3.1.2.6) rather than ignoring them.
func checkObject(_ *request, v url.Values) error {
	switch {
	case v.Has("request"):
		return refuse(requestNotSupported, "Request objects are not supported. Push the request instead (RFC 9126).")
	case v.Has("request_uri"):
		return refuse(requestURINotSupported, "Request objects are not fetched. Push the request instead (RFC 9126).")
	case v.Has("registration"):
		return refuse(registrationNotSupported, "Registration in a request is not supported.")
	}
	return nil
}

func checkType(r *request, _ url.Values) error {
	switch {
	case r.ResponseType == "":
		return refuse(invalidRequest, "response_type is missing.")
	case !slices.Contains(responseTypes, string(r.ResponseType)):
		return refuse(unsupportedResponseType, "This response_type is not supported.")
	case !slices.Contains(r.client.ResponseTypes, string(r.ResponseType)):
		return refuse(unauthorizedClient, "This client may not use this response_type.")
	}
	return nil
}

// checkScope insists on openid (OIDC Core section 3.1.2.1) and drops what the
// client may not have or nobody knows, and offline_access where there is no code
// to redeem for a refresh token (OIDC Core section 11).
func checkScope(r *request, _ url.Values) error {
	if !slices.Contains(r.Scopes, zoidc.ScopeOpenID) {
		return refuse(invalidScope, "The scope openid is missing.")
	}
	kept := make([]string, 0, len(r.Scopes))
	for _, s := range r.Scopes {
		allowed := s == zoidc.ScopeOpenID || slices.Contains(r.client.Scopes, s)
		if allowed && !slices.Contains(kept, s) && (s != zoidc.ScopeOfflineAccess || r.wantsCode()) {
			kept = append(kept, s)
		}
	}
	r.Scopes = kept
	return nil
}

// checkFlow checks nonce (OIDC Core section 3.2.2.1) and PKCE (RFC 7636
// section 4.3, RFC 9700 section 2.1.1): S256 alone, and for public clients
// always.
func checkFlow(r *request, v url.Values) error {
	if r.wantsIDToken() && r.Nonce == "" && (!r.implicit() || !r.use(NonceOptional)) {
		return refuse(invalidRequest, "nonce is missing; an ID token in the front channel needs one.")
	}
	if !v.Has("code_challenge") && !v.Has("code_challenge_method") {
		if r.wantsCode() && r.client.public() {
			return refuse(invalidRequest, "code_challenge is missing; a public client must use PKCE.")
		}
		return nil
	}
	if r.CodeChallengeMethod != zoidc.CodeChallengeMethodS256 {
		return refuse(invalidRequest, "code_challenge_method must be S256.")
	}
	if !wellFormedPKCE(r.CodeChallenge) {
		return refuse(invalidRequest, "code_challenge must be 43 to 128 unreserved characters.")
	}
	return nil
}

// wellFormedPKCE says whether s may be a challenge or a verifier (RFC 7636
// sections 4.1 and 4.2).
func wellFormedPKCE(s string) bool {
	if len(s) < 43 || len(s) > 128 {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == '~':
		default:
			return false
		}
	}
	return true
}

func checkPrompt(r *request, _ url.Values) error {
	for _, value := range r.Prompt {
		switch value {
		case zoidc.PromptLogin, zoidc.PromptConsent, zoidc.PromptSelectAccount:
		case zoidc.PromptNone:
			if len(r.Prompt) > 1 {
				return refuse(invalidRequest, "prompt none goes with no other value.")
			}
		default:
			return refuse(invalidRequest, "A value of prompt is not known.")
		}
	}
	return nil
}

// checkMode settles the response mode. Tokens never go into a query (Multiple
// Response Types section 3).
func checkMode(r *request, mode zoidc.ResponseMode) error {
	front := r.wantsIDToken() || r.wantsToken()
	switch mode {
	case zoidc.ResponseModeFormPost:
		if !postable(r.State) {
			return refuse(invalidRequest, "state has characters that a form cannot return.")
		}
	case "", zoidc.ResponseModeFragment:
	case zoidc.ResponseModeQuery:
		if front {
			return refuse(invalidRequest, "response_mode query is not allowed where tokens are returned.")
		}
	default:
		return refuse(invalidRequest, "This response_mode is not known.")
	}
	return nil // errorMode has set the mode already: for a good request it is the same
}

// postable says whether a browser sends a text back from a form as it was: in
// HTML there is no null character, and a line break is always CR LF.
func postable(s string) bool {
	rest := strings.ReplaceAll(s, "\r\n", "")
	return utf8.ValidString(s) && !strings.ContainsAny(rest, "\x00\r\n")
}

// checkHint verifies an id_token_hint: one of ours, made for this client. That
// it has expired does not matter (OIDC Core section 3.1.2.1).
func (p *Provider) checkHint(ctx context.Context, r *request) error {
	if r.IDTokenHint == "" {
		return nil
	}
	hint, err := p.verifyHint(ctx, r.IDTokenHint)
	if err != nil || !slices.Contains(hint.Audience, r.client.ID) {
		return refuse(invalidRequest, "id_token_hint is not an ID token that we issued to this client.")
	}
	r.hint = hint.Subject
	return nil
}

// mayBe says whether the request may be answered for a person: the one whom
// id_token_hint and the claims parameter name, where they do (OIDC Core sections
// 3.1.2.1 and 5.5.1).
func (r *request) mayBe(subject string) bool {
	return (r.hint == "" || r.hint == subject) && r.claims.sub.wants(subject)
}
