package oidc

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
)

// pageError is an authorization request whose client or redirect URI cannot be trusted:
// the user sees an error page, and the browser is redirected nowhere (RFC 6749 section
// 4.1.2.1).
type pageError struct {
	message     string
	remedy      string
	client      *Client // nil if unknown
	clientID    string  // as received, if the client is unknown
	redirectURI string  // as received
	detail      string  // only for the log; nothing that the caller chose freely
}

func (e *pageError) Error() string { return e.message }

// validateRequest parses and validates an authorization request; pushed reports that it
// came from the pushed authorization request endpoint. The error is a *pageError if
// nothing may be redirected. Otherwise it is an *oauthError, and the returned request
// says where to send it.
func (p *Provider) validateRequest(ctx context.Context, query string, pushed bool) (*authRequest, error) {
	params, repeated, err := parseParameters(query)
	if err != nil {
		return nil, &pageError{
			message: "The link that brought you here is damaged.", remedy: "Go back to where you came from and try again.",
		}
	}
	client, err := p.clientOf(params, repeated)
	if err != nil {
		return nil, err
	}
	request, err := p.validateParameters(ctx, client, params, repeated, pushed)
	request.query = query
	return request, err
}

// validateParameters validates a request except for its client and redirect URI. It
// always returns the request; the error is an *oauthError.
func (p *Provider) validateParameters(
	ctx context.Context, client *Client, params url.Values, repeated []string, pushed bool,
) (*authRequest, error) {
	request := &authRequest{client: client}
	var err error
	request.AuthRequest, err = parseRequest(params)
	request.applyDialect()
	mode := request.ResponseMode
	request.ResponseMode = errorMode(params)
	queryMode := mode == "" || mode == zoidc.ResponseModeQuery
	if request.isImplicit() && queryMode && request.useDeviation(ImplicitResponseInQuery) {
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
	for _, validate := range []func(*authRequest, url.Values) error{
		validateNoRequestObject, validateResponseType, validateScope, validateClaims, validateNonceAndPKCE, validatePrompt,
	} {
		if err := validate(request, params); err != nil {
			return request, err
		}
	}
	if err := validateResponseMode(request, mode); err != nil {
		return request, err
	}
	return request, p.validateHint(ctx, request)
}

// clientOf finds the client and checks that the redirect URI is registered for it, byte
// for byte after form decoding.
func (p *Provider) clientOf(params url.Values, repeated []string) (*Client, error) {
	const remedy = "Go back to where you came from and try again. " +
		"If it happens again, tell the people who run that site."
	if slices.Contains(repeated, "client_id") || slices.Contains(repeated, "redirect_uri") {
		return nil, &pageError{message: "The link that brought you here names its app twice.", remedy: remedy}
	}
	client, ok := p.clients[params.Get("client_id")]
	if !ok {
		return nil, &pageError{
			message: "We don't know the app that sent you here.", remedy: remedy,
			clientID: strings.Join(params["client_id"], " "),
		}
	}
	uri := params.Get("redirect_uri")
	if uri == "" || !client.allowsRedirectURI(uri) && !client.allowsRedirectQuery(uri) {
		return nil, &pageError{
			message: "We can't send you back to that app: its return address isn't registered.",
			remedy:  remedy, client: client, redirectURI: uri,
		}
	}
	if err := client.checkWindowAccount(uri, params["state"]); err != nil {
		return nil, &pageError{
			message: "The chat window that sent you here doesn't belong to this site.",
			remedy:  remedy, client: client, detail: err.Error(),
		}
	}
	return client, nil
}

// validateNoRequestObject rejects request objects, with the error codes of OIDC Core
// section 3.1.2.6, rather than ignoring them.
func validateNoRequestObject(_ *authRequest, params url.Values) error {
	if params.Has("request") {
		return newOAuthError(requestNotSupported, "Request objects are not supported. Push the request instead (RFC 9126).")
	}
	if params.Has("request_uri") {
		return newOAuthError(requestURINotSupported, "Request objects are not fetched. Push the request instead (RFC 9126).")
	}
	if params.Has("registration") {
		return newOAuthError(registrationNotSupported, "Registration in a request is not supported.")
	}
	return nil
}

func validateResponseType(request *authRequest, _ url.Values) error {
	if request.ResponseType == "" {
		return newOAuthError(invalidRequest, "response_type is missing.")
	}
	if !slices.Contains(responseTypes, string(request.ResponseType)) {
		return newOAuthError(unsupportedResponseType, "This response_type is not supported.")
	}
	if !slices.Contains(request.client.ResponseTypes, string(request.ResponseType)) {
		return newOAuthError(unauthorizedClient, "This client may not use this response_type.")
	}
	return nil
}

// validateScope requires openid (OIDC Core section 3.1.2.1). It drops scopes that are
// unknown or not the client's, and offline_access if there is no code to exchange for a
// refresh token (OIDC Core section 11).
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
// section 4.3, RFC 9700 section 2.1.1): only S256, and required of public clients.
func validateNonceAndPKCE(request *authRequest, params url.Values) error {
	if len(request.Nonce) > maxNonceLength || !isStorable(request.Nonce) {
		return newOAuthError(invalidRequest, "nonce must be at most 512 bytes of text.")
	}
	if request.wantsIDToken() && request.Nonce == "" &&
		(!request.isImplicit() || !request.useDeviation(NonceOptional)) {
		return newOAuthError(invalidRequest, "nonce is missing; an ID token in the front channel needs one.")
	}
	if !params.Has("code_challenge") && !params.Has("code_challenge_method") {
		if request.wantsCode() && (request.client.isPublic() || request.client.RequirePKCE) {
			return newOAuthError(invalidRequest, "code_challenge is missing; this client must use PKCE.")
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

// maxNonceLength bounds the nonce, which is stored until the sign-in expires.
const maxNonceLength = 512

// isStorable reports whether both engines store s unchanged: PostgreSQL has no NUL, and JSON
// has only valid UTF-8.
func isStorable(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// unreserved are the characters of RFC 3986 section 2.3.
const unreserved = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"

// isPKCEString reports whether s can be a challenge or a verifier (RFC 7636 sections 4.1
// and 4.2).
func isPKCEString(s string) bool {
	if len(s) < 43 || len(s) > 128 {
		return false
	}
	return strings.Trim(s, unreserved) == ""
}

func validatePrompt(request *authRequest, _ url.Values) error {
	for _, value := range request.Prompt {
		switch value {
		case zoidc.PromptLogin, zoidc.PromptConsent, zoidc.PromptSelectAccount:
		case zoidc.PromptNone:
			if len(request.Prompt) > 1 {
				return newOAuthError(invalidRequest, "prompt=none allows no other value.")
			}
		default:
			return newOAuthError(invalidRequest, "prompt has an unknown value.")
		}
	}
	return nil
}

// validateResponseMode checks the response mode. Tokens never go into a query (Multiple
// Response Types section 3).
func validateResponseMode(request *authRequest, mode zoidc.ResponseMode) error {
	front := request.wantsIDToken() || request.wantsToken()
	switch mode {
	case zoidc.ResponseModeFormPost:
		if !survivesForm(request.State) {
			return newOAuthError(invalidRequest, "state has characters that a form cannot carry.")
		}
	case "", zoidc.ResponseModeFragment:
	case zoidc.ResponseModeQuery:
		if front {
			return newOAuthError(invalidRequest, "response_mode=query is not allowed for tokens.")
		}
	default:
		return newOAuthError(invalidRequest, "This response_mode is not supported.")
	}
	allowed := request.client.ResponseModes
	if len(allowed) > 0 && !slices.Contains(allowed, string(request.ResponseMode)) {
		return newOAuthError(invalidRequest, "This client may not use this response_mode.")
	}
	return nil // request.ResponseMode is already set: errorMode gives the same for a valid request
}

// survivesForm reports whether a browser returns s from a form unchanged: HTML has no
// null character, and a line break is always CR LF.
func survivesForm(s string) bool {
	rest := strings.ReplaceAll(s, "\r\n", "")
	return utf8.ValidString(s) && !strings.ContainsAny(rest, "\x00\r\n")
}

// validateHint verifies an id_token_hint: it must be ours and for this client. It may
// have expired (OIDC Core section 3.1.2.1).
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

// allowsSubject reports whether the response may be about the subject: if id_token_hint
// or the claims parameter name one, it must be that (OIDC Core sections 3.1.2.1 and
// 5.5.1).
func (request *authRequest) allowsSubject(subject string) bool {
	return (request.hint == "" || request.hint == subject) && request.claims.sub.accepts(subject)
}
