package oidc

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
)

// pageError is a request whose client or redirect URI cannot be trusted: the person
// sees a page, and the browser is sent nowhere (RFC 6749 section 4.1.2.1).
type pageError struct {
	message     string
	remedy      string
	client      *Client // nil while unknown
	redirectURI string  // the redirect URI that was sent
}

func (page *pageError) Error() string { return page.message }

// validateRequest reads and validates an authorization request; pushed says that it came
// by the pushed authorization request endpoint. The error is a *doubt when
// nothing may be redirected, else a *fault beside a request that says where to
// send it.
func (p *Provider) validateRequest(ctx context.Context, query string, pushed bool) (*authRequest, error) {
	params, repeated, err := parseParameters(query)
	if err != nil {
		return nil, &pageError{message: "The address that led here is damaged.", remedy: "Go back to where you came from and try again."}
	}
	client, err := p.clientOf(params, repeated)
	if err != nil {
		return nil, err
	}
	request, err := p.validateParameters(ctx, client, params, repeated, pushed)
	request.query = query
	return request, err
}

// validateParameters checks all of a request but its client and redirect URI. It returns the
// request also beside an error, which is a *fault.
func (p *Provider) validateParameters(ctx context.Context, client *Client, params url.Values, repeated []string, pushed bool) (*authRequest, error) {
	request := &authRequest{client: client}
	var err error
	request.AuthRequest, err = parseRequest(params)
	request.applyDialect()
	mode := request.ResponseMode
	request.ResponseMode = errorMode(params)
	if request.isImplicit() && (mode == "" || mode == zoidc.ResponseModeQuery) && request.useDeviation(AnswerInQuery) {
		mode, request.ResponseMode = zoidc.ResponseModeFragment, zoidc.ResponseModeQuery
	}
	if len(repeated) > 0 {
		return request, newOAuthError(invalidRequest, "A parameter occurs more than once.")
	}
	if err != nil {
		return request, err
	}
	if client.PushedOnly && !pushed {
		return request, newOAuthError(invalidRequest, "This client must push its requests first (RFC 9126).")
	}
	for _, rule := range []func(*authRequest, url.Values) error{validateNoRequestObject, validateResponseType, validateScope, validateClaims, validateNonceAndPKCE, validatePrompt} {
		if err := rule(request, params); err != nil {
			return request, err
		}
	}
	if err := validateResponseMode(request, mode); err != nil {
		return request, err
	}
	return request, p.validateHint(ctx, request)
}

// clientOf finds the client and makes sure that the redirect URI is one of its
// own, compared before any decoding beyond the form's.
func (p *Provider) clientOf(params url.Values, repeated []string) (*Client, error) {
	const remedy = "Go back to where you came from and try again. If it happens again, tell the people who run that site."
	if slices.Contains(repeated, "client_id") || slices.Contains(repeated, "redirect_uri") {
		return nil, &pageError{message: "The address that led here names its application twice.", remedy: remedy}
	}
	client, ok := p.clients[params.Get("client_id")]
	if !ok {
		return nil, &pageError{message: "The application that sent you here is not known to us.", remedy: remedy}
	}
	uri := params.Get("redirect_uri")
	if uri == "" || !client.allowsRedirectURI(uri) && !client.allowsRedirectQuery(uri) {
		return nil, &pageError{
			message: "The application that sent you here asked us to send you on to an address that is not registered for it.",
			remedy:  remedy, client: client, redirectURI: uri,
		}
	}
	return client, nil
}

// validateNoRequestObject refuses request objects by their own error codes (OIDC Core
// section 3.1.2.6) rather than ignoring them.
func validateNoRequestObject(_ *authRequest, params url.Values) error {
	switch {
	case params.Has("request"):
		return newOAuthError(requestNotSupported, "Request objects are not supported. Push the request instead (RFC 9126).")
	case params.Has("request_uri"):
		return newOAuthError(requestURINotSupported, "Request objects are not fetched. Push the request instead (RFC 9126).")
	case params.Has("registration"):
		return newOAuthError(registrationNotSupported, "Registration in a request is not supported.")
	}
	return nil
}

func validateResponseType(request *authRequest, _ url.Values) error {
	switch {
	case request.ResponseType == "":
		return newOAuthError(invalidRequest, "response_type is missing.")
	case !slices.Contains(responseTypes, string(request.ResponseType)):
		return newOAuthError(unsupportedResponseType, "This response_type is not supported.")
	case !slices.Contains(request.client.ResponseTypes, string(request.ResponseType)):
		return newOAuthError(unauthorizedClient, "This client may not use this response_type.")
	}
	return nil
}

// validateScope insists on openid (OIDC Core section 3.1.2.1) and drops what the
// client may not have or nobody knows, and offline_access where there is no code
// to redeem for a refresh token (OIDC Core section 11).
func validateScope(request *authRequest, _ url.Values) error {
	if !slices.Contains(request.Scopes, zoidc.ScopeOpenID) {
		return newOAuthError(invalidScope, "The scope openid is missing.")
	}
	kept := make([]string, 0, len(request.Scopes))
	for _, s := range request.Scopes {
		allowed := s == zoidc.ScopeOpenID || slices.Contains(request.client.Scopes, s)
		if allowed && !slices.Contains(kept, s) && (s != zoidc.ScopeOfflineAccess || request.wantsCode()) {
			kept = append(kept, s)
		}
	}
	request.Scopes = kept
	return nil
}

// validateNonceAndPKCE checks nonce (OIDC Core section 3.2.2.1) and PKCE (RFC 7636
// section 4.3, RFC 9700 section 2.1.1): S256 alone, and for public clients
// always.
func validateNonceAndPKCE(request *authRequest, params url.Values) error {
	if request.wantsIDToken() && request.Nonce == "" && (!request.isImplicit() || !request.useDeviation(NonceOptional)) {
		return newOAuthError(invalidRequest, "nonce is missing; an ID token in the front channel needs one.")
	}
	if !params.Has("code_challenge") && !params.Has("code_challenge_method") {
		if request.wantsCode() && request.client.isPublic() {
			return newOAuthError(invalidRequest, "code_challenge is missing; a public client must use PKCE.")
		}
		return nil
	}
	if request.CodeChallengeMethod != zoidc.CodeChallengeMethodS256 {
		return newOAuthError(invalidRequest, "code_challenge_method must be S256.")
	}
	if !isPKCEString(request.CodeChallenge) {
		return newOAuthError(invalidRequest, "code_challenge must be 43 to 128 unreserved characters.")
	}
	return nil
}

// isPKCEString says whether s may be a challenge or a verifier (RFC 7636
// sections 4.1 and 4.2).
func isPKCEString(s string) bool {
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

func validatePrompt(request *authRequest, _ url.Values) error {
	for _, value := range request.Prompt {
		switch value {
		case zoidc.PromptLogin, zoidc.PromptConsent, zoidc.PromptSelectAccount:
		case zoidc.PromptNone:
			if len(request.Prompt) > 1 {
				return newOAuthError(invalidRequest, "prompt none goes with no other value.")
			}
		default:
			return newOAuthError(invalidRequest, "A value of prompt is not known.")
		}
	}
	return nil
}

// validateResponseMode settles the response mode. Tokens never go into a query (Multiple
// Response Types section 3).
func validateResponseMode(request *authRequest, mode zoidc.ResponseMode) error {
	front := request.wantsIDToken() || request.wantsToken()
	switch mode {
	case zoidc.ResponseModeFormPost:
		if !survivesForm(request.State) {
			return newOAuthError(invalidRequest, "state has characters that a form cannot return.")
		}
	case "", zoidc.ResponseModeFragment:
	case zoidc.ResponseModeQuery:
		if front {
			return newOAuthError(invalidRequest, "response_mode query is not allowed where tokens are returned.")
		}
	default:
		return newOAuthError(invalidRequest, "This response_mode is not known.")
	}
	return nil // errorMode has set the mode already: for a good request it is the same
}

// survivesForm says whether a browser sends a text back from a form as it was: in
// HTML there is no null character, and a line break is always CR LF.
func survivesForm(s string) bool {
	rest := strings.ReplaceAll(s, "\r\n", "")
	return utf8.ValidString(s) && !strings.ContainsAny(rest, "\x00\r\n")
}

// validateHint verifies an id_token_hint: one of ours, made for this client. That
// it has expired does not matter (OIDC Core section 3.1.2.1).
func (p *Provider) validateHint(ctx context.Context, request *authRequest) error {
	if request.IDTokenHint == "" {
		return nil
	}
	hint, err := p.verifyHint(ctx, request.IDTokenHint)
	if err != nil || !slices.Contains(hint.Audience, request.client.ID) {
		return newOAuthError(invalidRequest, "id_token_hint is not an ID token that we issued to this client.")
	}
	request.hint = hint.Subject
	return nil
}

// allowsSubject says whether the request may be answered for a person: the one whom
// id_token_hint and the claims parameter name, where they do (OIDC Core sections
// 3.1.2.1 and 5.5.1).
func (request *authRequest) allowsSubject(subject string) bool {
	return (request.hint == "" || request.hint == subject) && request.claims.sub.accepts(subject)
}
