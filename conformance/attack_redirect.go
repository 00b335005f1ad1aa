package conformance

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

func redirectAttacks() []Check {
	return []Check{
		{
			Name:        "attack/01-redirect-uri-variants",
			Requirement: "A redirect URI that differs in any way leads to an error page.",
			do:          func(r *run) { checkRedirectVariants(r, r.target.Web) },
		},
		{
			Name:        "attack/02-redirect-uri-encoded-again",
			Requirement: "A redirect URI with additional percent-encoding is a different one.",
			do:          checkRedirectEncoded,
		},
		{
			Name:        "attack/03-unknown-client",
			Requirement: "An unknown client leads to an error page like that for a wrong redirect URI.",
			do:          checkUnknownClient,
		},
		{Name: "attack/04-redirect-uri-missing", Requirement: "Without a redirect URI there is a page.", do: func(r *run) {
			r.requireErrorPage(r.browser().authorize(r.newRequest(r.target.Web, codeFlow(), "redirect_uri", "")),
				"no redirect_uri")
		}},
		{
			Name:        "attack/07-nobody-registers-redirects",
			Requirement: "Unauthenticated callers cannot register a client.",
			do:          checkNoRegistration,
		},
		{
			Name:        "attack/08-repeated-parameters",
			Requirement: "A repeated parameter is rejected; client_id and redirect_uri lead to an error page.",
			do:          checkRepeatedParameters,
		},
		{
			Name:        "attack/14-issuer-in-answers",
			Requirement: "Every authorization response has iss, including errors.",
			do:          checkIssuerParameter,
		},
		{
			Name:        "attack/13-hostile-state",
			Requirement: "state is returned unchanged and never as markup or headers.",
			do:          checkHostileState,
		},
	}
}

func checkRedirectVariants(r *run, c Client) {
	u, err := url.Parse(c.RedirectURI)
	r.require(err == nil, "the client's redirect URI is not a URL")
	in := func(change func(u *url.URL)) string {
		v := *u
		change(&v)
		return v.String()
	}
	b := r.browser()
	for why, uri := range map[string]string{
		"a longer path":        c.RedirectURI + "/more",
		"an additional letter": c.RedirectURI + "x",
		"a trailing slash":     c.RedirectURI + "/",
		"a query":              appendQuery(c.RedirectURI, "x=1"),
		"a question mark":      c.RedirectURI + "?",
		"a fragment":           c.RedirectURI + "#x",
		"capitals":             in(func(u *url.URL) { u.Path = strings.ToUpper(u.Path) }),
		"the scheme":           strings.Replace(c.RedirectURI, u.Scheme+":", "ftp:", 1),
		"a user":               strings.Replace(c.RedirectURI, "://", "://user@", 1),
		"a host after @":       strings.Replace(c.RedirectURI, u.Host, u.Host+"@evil.example", 1),
		"a subdomain":          strings.Replace(c.RedirectURI, "://", "://evil.", 1),
		"a longer host":        strings.Replace(c.RedirectURI, u.Host, u.Host+".evil.example", 1),
		"a trailing dot":       strings.Replace(c.RedirectURI, u.Hostname(), u.Hostname()+".", 1),
		"dots in the path":     strings.Replace(c.RedirectURI, u.Path, "/x/.."+u.Path, 1),
		"a backslash":          strings.Replace(c.RedirectURI, u.Path, "\\"+u.Path, 1),
		"a space":              c.RedirectURI + " ",
		"a line break":         c.RedirectURI + "\r\nX: y",
		"a null character":     c.RedirectURI + "\x00",
		"no scheme":            strings.TrimPrefix(c.RedirectURI, u.Scheme+":"),
		"a script":             "javascript:alert(1)//" + c.RedirectURI,
		"data":                 "data:text/html,x",
		"another client's":     "https://evil.example" + u.Path,
		"two with a space":     c.RedirectURI + " https://evil.example/",
		"two with a comma":     c.RedirectURI + ",https://evil.example/",
		"a prefix":             strings.TrimSuffix(c.RedirectURI, u.Path),
	} {
		r.requireErrorPage(b.authorize(r.newRequest(c, codeFlow(), "redirect_uri", uri)), why)
	}
	if u.Hostname() != "127.0.0.1" && u.Hostname() != "::1" {
		port := strings.Replace(c.RedirectURI, u.Host, u.Hostname()+":8443", 1)
		r.requireErrorPage(b.authorize(r.newRequest(c, codeFlow(), "redirect_uri", port)), "a port")
	}
}

func checkRedirectEncoded(r *run) {
	b := r.browser()
	once := url.QueryEscape(r.target.Web.RedirectURI)
	u, _ := url.Parse(r.target.Web.RedirectURI)
	inner := strings.Replace(r.target.Web.RedirectURI, u.Path,
		"/"+strings.ReplaceAll(url.PathEscape(u.Path[1:]+"/"), "/", "%2F"), 1)
	for why, uri := range map[string]string{
		"encoded again": once, "encoded twice": url.QueryEscape(once),
		"its slashes encoded":       strings.ReplaceAll(r.target.Web.RedirectURI, "/", "%2F"),
		"its slashes encoded twice": strings.ReplaceAll(r.target.Web.RedirectURI, "/", "%252F"),
		"a letter of its path encoded": strings.Replace(r.target.Web.RedirectURI, u.Path,
			"/%"+hexDigits(u.Path[1])+u.Path[2:], 1),
		"a slash and an end that are encoded": inner,
	} {
		r.requireErrorPage(b.authorize(r.newRequest(r.target.Web, codeFlow(), "redirect_uri", uri)), why)
	}
}

func hexDigits(c byte) string {
	const digits = "0123456789ABCDEF"
	return string([]byte{digits[c>>4], digits[c&15]})
}

func checkUnknownClient(r *run) {
	b := r.browser()
	unknown := b.authorize(r.newRequest(r.target.Web, codeFlow(), "client_id", "unknown-"+randomString(6)))
	r.requireErrorPage(unknown, "an unknown client")
	r.requireErrorPage(b.authorize(r.newRequest(r.target.Web, codeFlow(), "client_id", "")), "no client")
	bad := b.authorize(r.newRequest(r.target.Web, codeFlow(), "redirect_uri", "https://evil.example/"))
	r.requireErrorPage(bad, "a bad redirect URI")
	r.require(unknown.Status == bad.Status,
		"an unknown client returns %d, a wrong redirect URI %d", unknown.Status, bad.Status)
	r.require(!strings.Contains(unknown.Body, "unknown-"), "the page repeats the client_id that was sent")
}

func checkNoRegistration(r *run) {
	if _, has := r.metadata().all["registration_endpoint"]; has {
		r.skipCheck("the provider offers dynamic registration, which this check does not cover")
	}
	for _, path := range []string{"/register", "/connect/register", "/registration", "/oauth2/register"} {
		res := r.fetch(http.MethodPost, r.target.Issuer+path, nil, func(req *http.Request) {
			setBody(req, `{"redirect_uris":["https://evil.example/cb"],"client_name":"evil"}`)
			req.Header.Set("Content-Type", "application/json")
		})
		r.require(res.Status >= 400, "POST %s returned %d, though discovery names no registration_endpoint", path, res.Status)
	}
}

func checkRepeatedParameters(r *run) {
	b := r.browser()
	request := r.newRequest(r.target.Web, codeFlow())
	for _, name := range []string{"client_id", "redirect_uri"} {
		for _, value := range []string{request.Get(name), "evil"} {
			r.requireErrorPage(b.openQuery(request.Encode()+"&"+name+"="+url.QueryEscape(value)), name+" twice")
		}
	}
	for _, name := range []string{"scope", "response_type", "nonce", "prompt"} {
		p := b.openQuery(request.Encode() + "&" + name + "=x&" + name + "=y")
		response, ok := p.AuthorizationResponse(request.Get("redirect_uri"))
		r.require(ok, "repeating %s leads to a page (status %d)", name, p.Status)
		r.require(response.Get("error") == "invalid_request" && !response.Has("code"),
			"repeating %s leads to a response with %s", name, strings.Join(sortedNames(response.Values), ", "))
	}
	t := r.postForm(r.metadata().TokenEndpoint,
		url.Values{"grant_type": {"authorization_code"}, "code": {"a", "b"}, "redirect_uri": {request.Get("redirect_uri")}},
		r.authenticateClient(r.target.Web, nil))
	r.requireTokenError(t, http.StatusBadRequest, "invalid_request")
}

func checkIssuerParameter(r *run) {
	r.require(r.metadata().IssParameter, "discovery lacks authorization_response_iss_parameter_supported")
	b := r.browser()
	for _, v := range []variant{{"code", ""}, {"code", "form_post"}} {
		bad := r.newRequest(r.target.Web, v, "prompt", "none")
		response := r.browser().authorizeSilently(bad)
		r.requireError(response, bad, loginErrors()...)
		r.require(response.Get("iss") == r.target.Issuer, "iss in the error is %q", response.Get("iss"))
		request := r.newRequest(r.target.Web, v)
		good := b.signIn(request)
		r.requireSuccess(good, request)
		r.require(good.Get("iss") == r.target.Issuer, "iss in the response is %q", good.Get("iss"))
	}
}

func checkHostileState(r *run) {
	b := r.browser()
	b.obtainCode(r.target.Web)
	states := []string{
		`"><script>alert(1)</script>`, "a\r\nSet-Cookie: x=y", "a&code=evil&b=c", "a#b=c", "日本語 é ÿ",
		strings.Repeat("0123456789abcdef", 256),
		"%0d%0a", "+ +%20", "\x00\x01", "\xff\xfe", "a\nb", "a\rb", `'"\;{}`,
	}
	for _, state := range states {
		for _, v := range []variant{{"code", ""}, {"code", "form_post"}, {"code", "fragment"}} {
			request := r.newRequest(r.target.Web, v, "state", state)
			response := b.authorizeSilently(request)
			if response.Get("error") == "invalid_request" {
				continue
			}
			r.requireSuccess(response, request)
			r.require(!slices.Contains(response.Page.Attributes("script", "src"),
				"") || !strings.Contains(response.Page.Body, "<script>alert"), "state became markup")
			r.require(response.Page.Header.Get("Set-Cookie") == "" || !strings.Contains(response.Page.Header.Get("Set-Cookie"),
				"x=y"), "state became a header")
		}
	}
}
