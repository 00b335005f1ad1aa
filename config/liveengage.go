package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"idpbridge/liveengage"
	"idpbridge/oidc"
)

const (
	dialectLegacy = "legacy"
	sameURI       = "same"
	idToken       = "id_token"
	code          = "code"
)

// LiveEngage has the settings of a client with the profile liveengage: how
// LivePerson's services use the protocol.
type LiveEngage struct {
	// Account is the number of the LiveEngage account. LivePerson's window, which all
	// accounts share, gets responses only for that account. Empty means for any account.
	Account string `yaml:"account"`
	// Dialect is rfc, the default, or legacy, for connectors without RFC compliance.
	Dialect string `yaml:"dialect"`
	// RedirectQueryKeys may be in the query of a redirect URI in the legacy dialect.
	// The default is lpUnifiedWindowConfig.
	RedirectQueryKeys []string `yaml:"redirect_query_keys"`
	// TokenRedirectURI is the redirect URI that LivePerson sends to the token endpoint
	// if the page names none. The default is https://liveperson.net; with "same", it
	// must be the one of the authorization request.
	TokenRedirectURI string `yaml:"token_redirect_uri"`
	// ImplicitParameter has the token of an implicit response: id_token, the default,
	// token or code.
	ImplicitParameter string `yaml:"implicit_parameter"`
	// ImplicitIn is fragment, the default, or query.
	ImplicitIn string `yaml:"implicit_in"`
	// TokenRequests is form_or_json, the default, or form.
	TokenRequests string `yaml:"token_requests"`
	// TokenErrors is oauth, the default, or liveperson: how the token endpoint names
	// errors.
	TokenErrors string `yaml:"token_errors"`
	// Delegation returns a refresh token with every code, for LivePerson's consumer
	// delegation.
	Delegation bool `yaml:"delegation"`
	// JSMethod and JSContext name the function that the page script defines. The
	// defaults are lpGetAuthenticationToken and window.
	JSMethod  string `yaml:"js_method"`
	JSContext string `yaml:"js_context"`
	// Page is nil if no page may use the page script.
	Page *Page `yaml:"page"`
}

// Page says which of the brand's pages may use the page script.
type Page struct {
	// Origins are the origins of the pages: https, or http on loopback. There is at
	// least one.
	Origins []string `yaml:"origins"`
	// HandsOut is code, the default if the client may use codes, or id_token.
	HandsOut string `yaml:"hands_out"`
	// ReturnURI is one of the client's redirect URIs, on one of the origins, that the
	// script uses if the browser keeps cookies from it. It may be empty.
	ReturnURI string `yaml:"return_uri"`
	// AcrossSites sends a second session cookie to pages on another site than the
	// issuer's, if the browser allows it. It needs an https issuer.
	AcrossSites bool `yaml:"across_sites"`
}

// fillDefaults sets what the file leaves out.
func (l *LiveEngage) fillDefaults(usesCode bool) {
	setDefault(&l.Dialect, "rfc")
	if l.Dialect == dialectLegacy && len(l.RedirectQueryKeys) == 0 {
		l.RedirectQueryKeys = []string{liveengage.WindowQueryKey}
	}
	setDefault(&l.TokenRedirectURI, liveengage.EmbeddedRedirectURI)
	setDefault(&l.ImplicitParameter, idToken)
	setDefault(&l.ImplicitIn, "fragment")
	setDefault(&l.TokenRequests, "form_or_json")
	setDefault(&l.TokenErrors, "oauth")
	setDefault(&l.JSMethod, liveengage.DefaultJSMethod)
	setDefault(&l.JSContext, liveengage.DefaultJSContext)
	if l.Page == nil {
		return
	}
	if usesCode {
		setDefault(&l.Page.HandsOut, code)
	}
	setDefault(&l.Page.HandsOut, idToken)
}

// build returns the settings in the form that package oidc uses, or nil for nil.
func (l *LiveEngage) build() *oidc.LiveEngage {
	if l == nil {
		return nil
	}
	out := &oidc.LiveEngage{
		Legacy:            l.Dialect == dialectLegacy,
		RedirectKeys:      l.RedirectQueryKeys,
		ResponseParameter: l.ImplicitParameter,
		ResponseInQuery:   l.ImplicitIn == "query",
		JSONRequests:      l.TokenRequests == "form_or_json",
		LivePersonErrors:  l.TokenErrors == "liveperson",
		Delegation:        l.Delegation,
		Account:           l.Account,
		JSMethod:          l.JSMethod,
		JSContext:         l.JSContext,
	}
	if l.TokenRedirectURI != sameURI {
		out.TokenRedirectURI = l.TokenRedirectURI
	}
	if p := l.Page; p != nil {
		out.Page = oidc.Page{
			Origins:     p.Origins,
			Code:        p.HandsOut == code,
			ReturnURI:   p.ReturnURI,
			AcrossSites: p.AcrossSites,
		}
	}
	return out
}

// jsNamePattern matches one JavaScript name, or several with dots between them.
var jsNamePattern = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]{0,63}(\.[A-Za-z_$][A-Za-z0-9_$]{0,63}){0,7}$`)

// validateLiveEngage checks the settings of the profile liveengage.
func (d *decoder) validateLiveEngage(clientPath string, c Client, issuer string) {
	path := clientPath + ".liveengage"
	if c.Profile != profileLiveEngage {
		if d.isSet(path) {
			d.addProblem(path, "liveengage is only for clients with profile: liveengage; add that profile, or remove the key")
		}
		return
	}
	l := c.LiveEngage
	d.requireOneOf(path+".dialect", "dialect", l.Dialect, "rfc", dialectLegacy)
	d.requireOneOf(path+".implicit_parameter", "implicit_parameter", l.ImplicitParameter, idToken, "token", code)
	d.requireOneOf(path+".implicit_in", "implicit_in", l.ImplicitIn, "fragment", "query")
	d.requireOneOf(path+".token_requests", "token_requests", l.TokenRequests, "form_or_json", "form")
	d.requireOneOf(path+".token_errors", "token_errors", l.TokenErrors, "oauth", "liveperson")
	if len(l.RedirectQueryKeys) > 0 && l.Dialect != dialectLegacy {
		d.addProblem(path+".redirect_query_keys", "redirect_query_keys needs dialect: legacy; add it, or remove the key")
	}
	if l.TokenRedirectURI != sameURI {
		if err := checkRedirectURI(l.TokenRedirectURI, c.Type); err != nil {
			d.addProblem(path+".token_redirect_uri", "%s", err)
		}
	}
	for i, uri := range c.RedirectURIs {
		if l.Dialect == dialectLegacy && strings.Contains(uri, "?") {
			d.addProblem(fmt.Sprintf("%s.redirect_uris[%d]", clientPath, i),
				"redirect URI %q has a query; remove it, because the legacy dialect adds one", hideUserinfo(uri))
		}
	}
	d.validateAccount(clientPath, c)
	if !jsNamePattern.MatchString(l.JSMethod) || strings.Contains(l.JSMethod, ".") {
		d.addProblem(path+".js_method", "js_method %q is not the name of a JavaScript function; use one such as %s",
			shorten(l.JSMethod), liveengage.DefaultJSMethod)
	}
	if !jsNamePattern.MatchString(l.JSContext) {
		d.addProblem(path+".js_context",
			"js_context %q is not the name of a JavaScript object; use one such as window or lpMethods",
			shorten(l.JSContext))
	}
	if l.Page != nil {
		d.validatePage(path+".page", c, *l.Page, issuer)
	}
}

// validateAccount checks the account, and that the redirect URIs of consumer delegation
// are those of that account.
func (d *decoder) validateAccount(clientPath string, c Client) {
	account := c.LiveEngage.Account
	if account == "" {
		if d.isSet(clientPath + ".liveengage.account") {
			d.addProblem(clientPath+".liveengage.account", "account is empty; set it to the number of the LiveEngage account, "+
				"or remove the key")
		}
		return
	}
	if !liveengage.IsAccount(account) {
		d.addProblem(clientPath+".liveengage.account",
			"account %q is not an account number; use its digits and letters only, as in the URL of the LiveEngage console",
			shorten(account))
		return
	}
	for i, uri := range c.RedirectURIs {
		if named, ok := liveengage.DelegationAccount(uri); ok && named != account {
			d.addProblem(fmt.Sprintf("%s.redirect_uris[%d]", clientPath, i),
				"redirect URI %q is that of the account %s, but account is %s; correct one of them",
				hideUserinfo(uri), shorten(named), account)
		}
	}
}

func (d *decoder) validatePage(path string, c Client, p Page, issuer string) {
	if len(p.Origins) == 0 {
		d.addProblem(path+".origins", "origins is missing; list the origins of your pages, such as https://www.brand.example")
	}
	for i, origin := range p.Origins {
		if err := CheckPageOrigin(origin); err != nil {
			d.addProblem(fmt.Sprintf("%s.origins[%d]", path, i), "%s", err)
		}
	}
	d.requireOneOf(path+".hands_out", "hands_out", p.HandsOut, code, idToken)
	if !slices.Contains(c.ResponseTypes, p.HandsOut) {
		d.addProblem(path+".hands_out", "hands_out is %s, which is not in this client's response_types; add it there",
			p.HandsOut)
	}
	if p.AcrossSites && strings.HasPrefix(issuer, "http:") {
		d.addProblem(path+".across_sites", "across_sites needs an https issuer, or browsers don't send its cookie; remove it")
	}
	if p.ReturnURI == "" {
		return
	}
	isOn := func(origin string) bool { return p.ReturnURI == origin || strings.HasPrefix(p.ReturnURI, origin+"/") }
	if !slices.ContainsFunc(p.Origins, isOn) || !slices.Contains(c.RedirectURIs, p.ReturnURI) {
		d.addProblem(path+".return_uri", "return_uri %q must be in redirect_uris and on one of the origins",
			hideUserinfo(p.ReturnURI))
	}
}
