package conformance

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

func redirectAttacks() []Check {
	return []Check{
		{Name: "attack/01-redirect-uri-variants", Says: "A redirect URI that differs by anything is refused on a page.", do: func(r *run) { redirectVariants(r, r.target.Web) }},
		{Name: "attack/02-redirect-uri-encoded-again", Says: "A redirect URI that is percent-encoded once more is another one.", do: redirectEncoded},
		{Name: "attack/03-unknown-client", Says: "An unknown client leads to a page like that of a bad redirect URI.", do: unknownClient},
		{Name: "attack/04-redirect-uri-missing", Says: "Without a redirect URI there is a page.", do: func(r *run) {
			r.errorPage(r.browser().authorize(r.request(r.target.Web, code(), "redirect_uri", "")), "no redirect_uri")
		}},
		{Name: "attack/07-nobody-registers-redirects", Says: "Strangers cannot register a client to be redirected to.", do: nobodyRegisters},
		{Name: "attack/08-repeated-parameters", Says: "A parameter that occurs twice is refused; where it decides about trust, on a page.", do: repeatedParameters},
		{Name: "attack/14-issuer-in-answers", Says: "Every answer, good or bad, names the issuer.", do: issuerInAnswers},
		{Name: "attack/13-hostile-state", Says: "state comes back as it was, and never as markup or headers.", do: hostileState},
	}
}

func redirectVariants(r *run, c Client) {
	u, err := url.Parse(c.RedirectURI)
	r.must(err == nil, "the client's redirect URI is no address")
	in := func(change func(u *url.URL)) string {
		v := *u
		change(&v)
		return v.String()
	}
	b := r.browser()
	for why, uri := range map[string]string{
		"a suffix":           c.RedirectURI + "/more",
		"a letter more":      c.RedirectURI + "x",
		"a slash more":       c.RedirectURI + "/",
		"a query":            withQuery(c.RedirectURI, "x=1"),
		"a question mark":    c.RedirectURI + "?",
		"a fragment":         c.RedirectURI + "#x",
		"capitals":           in(func(u *url.URL) { u.Path = strings.ToUpper(u.Path) }),
		"the scheme":         strings.Replace(c.RedirectURI, u.Scheme+":", "ftp:", 1),
		"a user":             strings.Replace(c.RedirectURI, "://", "://user@", 1),
		"a host behind @":    strings.Replace(c.RedirectURI, u.Host, u.Host+"@evil.example", 1),
		"a sub-domain":       strings.Replace(c.RedirectURI, "://", "://evil.", 1),
		"a longer host":      strings.Replace(c.RedirectURI, u.Host, u.Host+".evil.example", 1),
		"a trailing dot":     strings.Replace(c.RedirectURI, u.Hostname(), u.Hostname()+".", 1),
		"dots in the path":   strings.Replace(c.RedirectURI, u.Path, "/x/.."+u.Path, 1),
		"a backslash":        strings.Replace(c.RedirectURI, u.Path, "\\"+u.Path, 1),
		"a space":            c.RedirectURI + " ",
		"a line break":       c.RedirectURI + "\r\nX: y",
		"a null character":   c.RedirectURI + "\x00",
		"no scheme":          strings.TrimPrefix(c.RedirectURI, u.Scheme+":"),
		"a script":           "javascript:alert(1)//" + c.RedirectURI,
		"data":               "data:text/html,x",
		"another client's":   "https://evil.example" + u.Path,
		"two with a space":   c.RedirectURI + " https://evil.example/",
		"two with a comma":   c.RedirectURI + ",https://evil.example/",
		"only its beginning": strings.TrimSuffix(c.RedirectURI, u.Path),
	} {
		r.errorPage(b.authorize(r.request(c, code(), "redirect_uri", uri)), why)
	}
	if u.Hostname() != "127.0.0.1" && u.Hostname() != "::1" {
		port := strings.Replace(c.RedirectURI, u.Host, u.Hostname()+":8443", 1)
		r.errorPage(b.authorize(r.request(c, code(), "redirect_uri", port)), "a port")
	}
}

func redirectEncoded(r *run) {
	b := r.browser()
	once := url.QueryEscape(r.target.Web.RedirectURI)
	u, _ := url.Parse(r.target.Web.RedirectURI)
	inner := strings.Replace(r.target.Web.RedirectURI, u.Path, "/"+strings.ReplaceAll(url.PathEscape(u.Path[1:]+"/"), "/", "%2F"), 1)
	for why, uri := range map[string]string{
		"encoded once more": once, "encoded twice more": url.QueryEscape(once),
		"its slashes encoded":                 strings.ReplaceAll(r.target.Web.RedirectURI, "/", "%2F"),
		"its slashes encoded twice":           strings.ReplaceAll(r.target.Web.RedirectURI, "/", "%252F"),
		"a letter of its path encoded":        strings.Replace(r.target.Web.RedirectURI, u.Path, "/%"+hex(u.Path[1])+u.Path[2:], 1),
		"a slash and an end that are encoded": inner,
	} {
		r.errorPage(b.authorize(r.request(r.target.Web, code(), "redirect_uri", uri)), why)
	}
}

func hex(c byte) string {
	const digits = "0123456789ABCDEF"
	return string([]byte{digits[c>>4], digits[c&15]})
}

func unknownClient(r *run) {
	b := r.browser()
	unknown := b.authorize(r.request(r.target.Web, code(), "client_id", "nobody-"+random(6)))
	r.errorPage(unknown, "an unknown client")
	r.errorPage(b.authorize(r.request(r.target.Web, code(), "client_id", "")), "no client")
	bad := b.authorize(r.request(r.target.Web, code(), "redirect_uri", "https://evil.example/"))
	r.errorPage(bad, "a bad redirect URI")
	r.must(unknown.Status == bad.Status, "an unknown client answers %d, a bad redirect URI %d", unknown.Status, bad.Status)
	r.must(!strings.Contains(unknown.Body, "nobody-"), "the page repeats the client_id that was sent")
}

func nobodyRegisters(r *run) {
	if _, has := r.meta().all["registration_endpoint"]; has {
		r.skip("the provider offers dynamic registration, which this check knows nothing of")
	}
	for _, path := range []string{"/register", "/connect/register", "/registration", "/oauth2/register"} {
		res := r.fetch(http.MethodPost, r.target.Issuer+path, nil, func(req *http.Request) {
			rebody(req, `{"redirect_uris":["https://evil.example/cb"],"client_name":"evil"}`)
			req.Header.Set("Content-Type", "application/json")
		})
		r.must(res.Status >= 400, "POST %s answers %d, though discovery names no registration_endpoint", path, res.Status)
	}
}

func repeatedParameters(r *run) {
	b := r.browser()
	q := r.request(r.target.Web, code())
	for _, name := range []string{"client_id", "redirect_uri"} {
		for _, value := range []string{q.Get(name), "evil"} {
			r.errorPage(b.rawPage(q.Encode()+"&"+name+"="+url.QueryEscape(value)), name+" twice")
		}
	}
	for _, name := range []string{"scope", "response_type", "nonce", "prompt"} {
		p := b.rawPage(q.Encode() + "&" + name + "=x&" + name + "=y")
		a, ok := p.AuthorizationResponse(q.Get("redirect_uri"))
		r.must(ok, "%s twice leads to a page (status %d)", name, p.Status)
		r.must(a.Get("error") == "invalid_request" && !a.Has("code"), "%s twice is answered with %s", name, strings.Join(names(a.Values), ", "))
	}
	t := r.ask(r.meta().TokenEndpoint, url.Values{"grant_type": {"authorization_code"}, "code": {"a", "b"}, "redirect_uri": {q.Get("redirect_uri")}},
		r.authenticates(r.target.Web, nil))
	r.tokenRefused(t, http.StatusBadRequest, "invalid_request")
}

func issuerInAnswers(r *run) {
	r.must(r.meta().IssParameter, "discovery does not say authorization_response_iss_parameter_supported")
	b := r.browser()
	for _, v := range []variant{{"code", ""}, {"code", "form_post"}} {
		bad := r.request(r.target.Web, v, "prompt", "none")
		a := r.browser().silent(bad)
		r.refused(a, bad, nobody()...)
		r.must(a.Get("iss") == r.target.Issuer, "an error names the issuer %q", a.Get("iss"))
		q := r.request(r.target.Web, v)
		good := b.signIn(q)
		r.good(good, q)
		r.must(good.Get("iss") == r.target.Issuer, "a good answer names the issuer %q", good.Get("iss"))
	}
}

func hostileState(r *run) {
	b := r.browser()
	b.code(r.target.Web)
	states := []string{
		`"><script>alert(1)</script>`, "a\r\nSet-Cookie: x=y", "a&code=evil&b=c", "a#b=c", "日本語 é ÿ", strings.Repeat("0123456789abcdef", 256),
		"%0d%0a", "+ +%20", "\x00\x01", "\xff\xfe", "a\nb", "a\rb", `'"\;{}`,
	}
	for _, state := range states {
		for _, v := range []variant{{"code", ""}, {"code", "form_post"}, {"code", "fragment"}} {
			q := r.request(r.target.Web, v, "state", state)
			a := b.silent(q)
			if a.Get("error") == "invalid_request" {
				continue
			}
			r.good(a, q)
			r.must(!slices.Contains(a.Page.Attributes("script", "src"), "") || !strings.Contains(a.Page.Body, "<script>alert"), "state became markup")
			r.must(a.Page.Header.Get("Set-Cookie") == "" || !strings.Contains(a.Page.Header.Get("Set-Cookie"), "x=y"), "state became a header")
		}
	}
}
