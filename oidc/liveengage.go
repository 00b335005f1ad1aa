package oidc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"

	"idpbridge/liveengage"
)

// LiveEngage is the profile of LivePerson's client. LivePerson's services deviate from the
// strict protocol as Deviations lists; no other client may. The zero value is for
// connectors with RFC compliance, whose only deviation is that nonce may be missing.
type LiveEngage struct {
	// Legacy is the dialect of connectors without RFC compliance.
	Legacy bool
	// RedirectKeys are query keys that the legacy dialect may add to a redirect URI that
	// is registered without a query.
	RedirectKeys []string
	// TokenRedirectURI is allowed at the token endpoint instead of the redirect URI that a
	// code was issued for; empty allows none.
	TokenRedirectURI string
	// ResponseParameter carries the ID token of an implicit response: id_token, token or
	// code; empty means id_token.
	ResponseParameter string
	// ResponseInQuery sends implicit responses in the query instead of the fragment.
	ResponseInQuery bool
	// JSONRequests accepts token requests as JSON as well as form-encoded ones.
	JSONRequests bool
	// LivePersonErrors uses LivePerson's error codes at the token endpoint.
	LivePersonErrors bool
	// Delegation issues a refresh token with every code, requested or not: LivePerson
	// keeps the brand's access token for bots and renews it.
	Delegation bool
	// Account is the number of the brand's LiveEngage account. If it is set, a response
	// goes to LivePerson's window only for that account. All accounts share the window.
	Account string
	// JSMethod and JSContext name the function of the brand's pages that the chat
	// calls; empty means lpGetAuthenticationToken and window.
	JSMethod, JSContext string
	// Page is the brand's page that contains the chat.
	Page Page
}

// Page says which pages may get a token or a code by the page script, for the user who is
// signed in in the browser.
type Page struct {
	Origins []string // https://www.brand.example; empty allows none
	Code    bool     // hands out codes instead of ID tokens
	// ReturnURI is a redirect URI of the client, on one of the origins. The page script
	// goes through it if the browser keeps our cookies from the page; empty for none.
	ReturnURI string
	// AcrossSites lets pages on other sites use the session; see session.Config.
	AcrossSites bool
}

// Deviation is one deviation from the strict protocol, allowed only to clients with the
// profile LiveEngage. Each use is logged and counted.
type Deviation string

// The deviations.
const (
	NonceOptional           Deviation = "nonce_optional"
	TokenMeansIDToken       Deviation = "token_means_id_token"
	RedirectWithQuery       Deviation = "redirect_uri_with_query"
	OtherRedirectURI        Deviation = "other_redirect_uri_at_token_endpoint"
	ImplicitResponseRenamed Deviation = "implicit_answer_renamed"
	ImplicitResponseInQuery Deviation = "implicit_answer_in_query"
	JSONTokenRequest        Deviation = "json_token_request"
	UnencodedBasic          Deviation = "unencoded_basic"
	SecretInHeaderOrBody    Deviation = "secret_in_header_or_body"
	LivePersonErrors        Deviation = "liveperson_error_names"
	RefreshWithoutScope     Deviation = "refresh_token_without_scope"
	ScopeOptional           Deviation = "scope_optional"
)

// String describes the deviation in a sentence.
func (d Deviation) String() string {
	switch d {
	case NonceOptional:
		return "The authorization endpoint issues an ID token without a nonce: the chat window sends none."
	case TokenMeansIDToken:
		return "response_type=token means id_token: connectors without RFC compliance send it."
	case RedirectWithQuery:
		return "The redirect URI may have a query with the listed keys: " +
			"connectors without RFC compliance add the window’s settings."
	case OtherRedirectURI:
		return "The token endpoint also accepts one fixed redirect URI: LivePerson sends it if the page names none."
	case ImplicitResponseRenamed:
		return "Implicit responses carry the ID token in a parameter other than id_token."
	case ImplicitResponseInQuery:
		return "Implicit responses use the query, not the fragment: the token appears in logs and browser histories."
	case JSONTokenRequest:
		return "The token request may be JSON: older connectors send it."
	case UnencodedBasic:
		return "Client id and secret in the Basic header need not be form-encoded: LivePerson follows the older rule."
	case SecretInHeaderOrBody:
		return "The client secret may be in the Basic header or in the body."
	case LivePersonErrors:
		return "The token endpoint uses LivePerson’s error codes."
	case ScopeOptional:
		return "A request without scope means openid: documented for connectors without RFC compliance."
	case RefreshWithoutScope:
		return "Every code comes with a refresh token, without the scope offline_access: " +
			"LivePerson keeps the access token alive for bots."
	}
	return string(d)
}

// Deviations lists what the client is allowed; empty without the profile LiveEngage.
func (c *Client) Deviations() []Deviation {
	l := c.LiveEngage
	if l == nil {
		return nil
	}
	var out []Deviation
	code := slices.Contains(c.ResponseTypes, "code")
	for _, x := range []struct {
		name    Deviation
		allowed bool
	}{
		{NonceOptional, slices.Contains(c.ResponseTypes, "id_token")},
		{TokenMeansIDToken, l.Legacy},
		{RedirectWithQuery, l.Legacy && len(l.RedirectKeys) > 0},
		{OtherRedirectURI, l.TokenRedirectURI != "" && code},
		{ImplicitResponseRenamed, l.Parameter() != paramIDToken},
		{ImplicitResponseInQuery, l.ResponseInQuery},
		{JSONTokenRequest, l.JSONRequests && code},
		{UnencodedBasic, slices.Contains(c.AuthMethods, AuthBasic)},
		{SecretInHeaderOrBody, len(c.AuthMethods) > 1},
		{LivePersonErrors, l.LivePersonErrors && code},
		{RefreshWithoutScope, l.Delegation && code},
		{ScopeOptional, l.Legacy},
	} {
		if x.allowed {
			out = append(out, x.name)
		}
	}
	return out
}

const paramIDToken = "id_token"

// Parameter carries the ID token of an implicit response; the default instead of "".
func (l *LiveEngage) Parameter() string { return cmp.Or(l.ResponseParameter, paramIDToken) }

// Method and Context name the function that the chat calls; defaults instead of "".
func (l *LiveEngage) Method() string  { return cmp.Or(l.JSMethod, liveengage.DefaultJSMethod) }
func (l *LiveEngage) Context() string { return cmp.Or(l.JSContext, liveengage.DefaultJSContext) }

// allowsDeviation reports whether the client is allowed a deviation.
func (c *Client) allowsDeviation(d Deviation) bool { return slices.Contains(c.deviations, d) }

// recordDeviation logs and counts the use of a deviation.
func (p *Provider) recordDeviation(ctx context.Context, client *Client, d Deviation) {
	p.events("deviation_"+string(d), client.ID)
	p.log.InfoContext(ctx, "deviation used", "client_id", client.ID, "deviation", string(d))
}

// recordDeviations logs and counts the deviations that a request used.
func (p *Provider) recordDeviations(ctx context.Context, request *authRequest) {
	for _, d := range request.deviations {
		p.recordDeviation(ctx, request.client, d)
	}
}

// useDeviation notes that the request uses a deviation, and reports whether its client may.
func (request *authRequest) useDeviation(d Deviation) bool {
	if !request.client.allowsDeviation(d) {
		return false
	}
	if !slices.Contains(request.deviations, d) {
		request.deviations = append(request.deviations, d)
	}
	return true
}

// maxRedirectQuery bounds the query of the legacy dialect, which is stored with the code.
// The settings that LivePerson's window puts there have 2 kB and more.
const maxRedirectQuery = 8 << 10

// withoutRedirectQuery returns a redirect URI without the query of the legacy dialect. It
// returns "" if there is no query or it has a key that is not listed.
func (l *LiveEngage) withoutRedirectQuery(uri string) string {
	plain, query, ok := strings.Cut(uri, "?")
	unprintable := func(c rune) bool { return c <= ' ' || c > '~' }
	if !ok || query == "" || len(query) > maxRedirectQuery {
		return ""
	}
	if strings.ContainsAny(query, "#?") || strings.ContainsFunc(query, unprintable) {
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

// isImplicit reports whether the request asks for an ID token and nothing else.
func (request *authRequest) isImplicit() bool {
	return request.wantsIDToken() && !request.wantsCode() && !request.wantsToken()
}

// applyDialect handles what is specific to LivePerson's client in a request: a redirect
// URI with a query, the legacy response type, and a missing scope.
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

// renameIDTokenParam returns the response parameters as LivePerson's window expects them.
func (request *authRequest) renameIDTokenParam(params []Param) []Param {
	if !request.isImplicit() || !request.useDeviation(ImplicitResponseRenamed) {
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

// checkWindowAccount returns an error for a request that returns to LivePerson's window,
// unless the window's settings name the client's account exactly once. Anyone can make
// a link that opens the window for another account, which would get the token.
func (c *Client) checkWindowAccount(redirectURI string, states []string) error {
	if c.LiveEngage == nil || c.LiveEngage.Account == "" || !liveengage.IsWindowURI(redirectURI) {
		return nil
	}
	if len(states) > 1 {
		return errors.New("state occurs more than once")
	}
	account, err := liveengage.WindowAccount(redirectURI, strings.Join(states, ""))
	if err != nil {
		return err
	}
	if account != c.LiveEngage.Account {
		return fmt.Errorf("the window belongs to the account %s", account)
	}
	return nil
}
