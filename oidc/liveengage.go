package oidc

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"

	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"

	"idpbridge/liveengage"
)

// LiveEngage is the profile of the client that LivePerson is. Its services depart
// from the strict protocol in the ways that Exceptions lists, and no other client
// may. The zero value is the dialect of connectors set to RFC compliance, with a
// nonce that may be missing and nothing else.
type LiveEngage struct {
	// Legacy is the dialect of connectors that are not set to RFC compliance.
	Legacy bool
	// RedirectKeys are the query keys that a redirect URI may come with in the
	// legacy dialect, though it is registered without a query.
	RedirectKeys []string
	// TokenRedirectURI may stand at the token endpoint in place of the redirect URI
	// that a code was issued for; empty allows none.
	TokenRedirectURI string
	// AnswerParameter carries the ID token of an implicit answer: id_token, token or
	// code; empty means id_token.
	AnswerParameter string
	// AnswerInQuery sends implicit answers in the query instead of the fragment.
	AnswerInQuery bool
	// JSONRequests takes token requests as JSON beside form-encoded ones.
	JSONRequests bool
	// LivePersonErrors answers the token endpoint's refusals by LivePerson's names.
	LivePersonErrors bool
	// Delegation gives a refresh token with every code, asked for or not: LivePerson
	// keeps the brand's access token for bots and renews it.
	Delegation bool
	// JSMethod and JSContext name the function of the brand's pages that the chat
	// calls; empty means lpGetAuthenticationToken and window.
	JSMethod, JSContext string
	// Page is the brand's page with the chat in it.
	Page Page
}

// Page says which pages may ask for a token or a code by the page script, on
// behalf of whoever is signed in in their browser.
type Page struct {
	Origins []string // https://www.brand.example; empty allows none
	Code    bool     // hands out codes; false hands out ID tokens
	// ReturnURI is a redirect URI of the client, on one of the origins, that the page
	// script goes through where the browser keeps our cookies from the page; empty
	// for none.
	ReturnURI string
	// AcrossSites lets pages of other sites than ours use the session; see web.Config.
	AcrossSites bool
}

// Deviation is the name of one departure from the strict protocol, allowed to
// clients with the profile LiveEngage alone. Its uses are logged and counted.
type Deviation string

// The exceptions.
const (
	NonceOptional     Deviation = "nonce_optional"
	TokenMeansIDToken Deviation = "token_means_id_token"
	RedirectWithQuery Deviation = "redirect_uri_with_query"
	OtherRedirectURI  Deviation = "other_redirect_uri_at_token_endpoint"
	AnswerRenamed     Deviation = "implicit_answer_renamed"
	AnswerInQuery     Deviation = "implicit_answer_in_query"
	JSONTokenRequest  Deviation = "json_token_request"
	UnencodedBasic    Deviation = "unencoded_basic"
	SecretEitherWay   Deviation = "secret_in_header_or_body"
	LivePersonErrors  Deviation = "liveperson_error_names"
	RefreshUnasked    Deviation = "refresh_token_without_scope"
	ScopeOptional     Deviation = "scope_optional"
)

// String says in a sentence what the exception allows.
func (e Deviation) String() string {
	switch e {
	case NonceOptional:
		return "An ID token is answered from the authorization endpoint also where the request has no nonce: the chat window sends none."
	case TokenMeansIDToken:
		return "response_type=token is read as id_token: connectors without RFC compliance ask like that."
	case RedirectWithQuery:
		return "The redirect URI may come with a query of the listed keys: connectors without RFC compliance put the window’s own settings there."
	case OtherRedirectURI:
		return "At the token endpoint the redirect URI may be another fixed one than the code was issued for: LivePerson sends it where the page names none."
	case AnswerRenamed:
		return "Implicit answers carry the ID token in another parameter than id_token."
	case AnswerInQuery:
		return "Implicit answers come in the query, not in the fragment: the token passes through logs and histories."
	case JSONTokenRequest:
		return "The token request may be JSON: older connectors send it."
	case UnencodedBasic:
		return "Id and secret in the Basic header need not be form-encoded: LivePerson follows the older rule."
	case SecretEitherWay:
		return "The secret may come in the Basic header or in the body."
	case LivePersonErrors:
		return "The token endpoint’s refusals have LivePerson’s names."
	case ScopeOptional:
		return "A request without scope is read as one for openid: so documented for connectors without RFC compliance."
	case RefreshUnasked:
		return "Codes give a refresh token without the scope offline_access: LivePerson keeps the access token alive for bots."
	}
	return string(e)
}

// Deviations lists the exceptions that the client is allowed; none without the
// profile LiveEngage.
func (client *Client) Deviations() []Deviation {
	l := client.LiveEngage
	if l == nil {
		return nil
	}
	var out []Deviation
	code := slices.Contains(client.ResponseTypes, "code")
	for _, x := range []struct {
		name    Deviation
		allowed bool
	}{
		{NonceOptional, slices.Contains(client.ResponseTypes, "id_token")},
		{TokenMeansIDToken, l.Legacy},
		{RedirectWithQuery, l.Legacy && len(l.RedirectKeys) > 0},
		{OtherRedirectURI, l.TokenRedirectURI != "" && code},
		{AnswerRenamed, l.Parameter() != paramIDToken},
		{AnswerInQuery, l.AnswerInQuery},
		{JSONTokenRequest, l.JSONRequests && code},
		{UnencodedBasic, slices.Contains(client.AuthMethods, AuthBasic)},
		{SecretEitherWay, len(client.AuthMethods) > 1},
		{LivePersonErrors, l.LivePersonErrors && code},
		{RefreshUnasked, l.Delegation && code},
		{ScopeOptional, l.Legacy},
	} {
		if x.allowed {
			out = append(out, x.name)
		}
	}
	return out
}

const paramIDToken = "id_token"

// Parameter carries the ID token of an implicit answer; the default in place of "".
func (l *LiveEngage) Parameter() string { return cmp.Or(l.AnswerParameter, paramIDToken) }

// Method and Context name the function that the chat calls; defaults in place of "".
func (l *LiveEngage) Method() string  { return cmp.Or(l.JSMethod, liveengage.DefaultJSMethod) }
func (l *LiveEngage) Context() string { return cmp.Or(l.JSContext, liveengage.DefaultJSContext) }

// allowsDeviation says whether the client may use an exception.
func (client *Client) allowsDeviation(e Deviation) bool { return slices.Contains(client.deviations, e) }

// recordDeviation logs and counts the use of an exception.
func (p *Provider) recordDeviation(ctx context.Context, client *Client, e Deviation) {
	p.events("exception_"+string(e), client.ID)
	p.log.InfoContext(ctx, "exception used", "client_id", client.ID, "exception", string(e))
}

// recordDeviations logs and counts the exceptions that the answer to a request needed.
func (p *Provider) recordDeviations(ctx context.Context, request *authRequest) {
	for _, e := range request.deviations {
		p.recordDeviation(ctx, request.client, e)
	}
}

// useDeviation notes that the request needs an exception, where its client may have it.
func (request *authRequest) useDeviation(e Deviation) bool {
	if !request.client.allowsDeviation(e) {
		return false
	}
	if !slices.Contains(request.deviations, e) {
		request.deviations = append(request.deviations, e)
	}
	return true
}

// withoutRedirectQuery is a redirect URI without the query of the legacy dialect: empty
// where there is none, or a key of it is not listed.
func (l *LiveEngage) withoutRedirectQuery(uri string) string {
	plain, query, ok := strings.Cut(uri, "?")
	if !ok || query == "" || strings.ContainsAny(query, "#?") || strings.ContainsFunc(query, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return ""
	}
	params, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	if slices.Contains(strings.Split(query, "&"), "") {
		return ""
	}
	for key, values := range params {
		if !slices.Contains(l.RedirectKeys, key) || len(values) != 1 {
			return ""
		}
	}
	return plain
}

// isImplicit says whether the request is answered with an ID token and nothing else.
func (request *authRequest) isImplicit() bool {
	return request.wantsIDToken() && !request.wantsCode() && !request.wantsToken()
}

// applyDialect reads what is LivePerson's own in a request for its client: the redirect
// URI with a query, the legacy response type, and a scope that is left out.
func (request *authRequest) applyDialect() {
	if !request.client.allowsRedirectURI(request.RedirectURI) {
		request.useDeviation(RedirectWithQuery)
	}
	if request.ResponseType == "token" && request.useDeviation(TokenMeansIDToken) {
		request.ResponseType = zoidc.ResponseTypeIDTokenOnly
	}
	if len(request.Scopes) == 0 && request.useDeviation(ScopeOptional) {
		request.Scopes = []string{zoidc.ScopeOpenID}
	}
}

// renameIDTokenParam is the answer's parameters as LivePerson's window reads them.
func (request *authRequest) renameIDTokenParam(params []Param) []Param {
	if !request.isImplicit() || !request.useDeviation(AnswerRenamed) {
		return params
	}
	out := slices.Clone(params)
	for i := range out {
		if out[i].Name == paramIDToken {
			out[i].Name = request.client.LiveEngage.Parameter()
		}
	}
	return out
}
