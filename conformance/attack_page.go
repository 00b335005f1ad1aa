package conformance

import (
	"net/http"
	"net/url"
	"strings"

	"idpbridge/internal/robot"
)

func pageAttacks() []Check {
	return []Check{
		{
			Name:        "attack/15-cross-origin-authorize",
			Requirement: "The authorization endpoint has no CORS; other endpoints never allow credentials.",
			do:          checkCrossOrigin,
		},
		{Name: "attack/16-framed-page", Requirement: "No page can be framed.", do: checkPageHeaders},
		{
			Name:        "attack/17-referrer-leak",
			Requirement: "No page sends a referrer or loads anything from another site.",
			do:          checkReferrers,
		},
		{
			Name:        "attack/18-credentials-posted-on",
			Requirement: "A posted password is redirected by 303, so that it is not posted again.",
			do:          checkPostedPassword,
		},
		{
			Name:        "attack/20-strict-transport",
			Requirement: "Responses over https have Strict-Transport-Security.",
			do: func(r *run) {
				if !strings.HasPrefix(r.target.Issuer, "https:") {
					r.skipCheck("the issuer is http")
				}
				for _, rawURL := range []string{r.target.Issuer + pathDiscovery, r.authorizationURL(r.newRequest(r.target.Web,
					codeFlow()))} {
					r.require(r.fetch(http.MethodGet, rawURL, nil).Header.Get("Strict-Transport-Security") != "",
						"%s lacks Strict-Transport-Security", robot.Excerpt(rawURL))
				}
			},
		},
		{
			Name:        "attack/21-forged-headers",
			Requirement: "Forged forwarding headers change no URL.",
			do:          checkForgedHeaders,
		},
		{
			Name:        "attack/22-reflected-input",
			Requirement: "Input from the request never appears as markup on a page.",
			do:          checkReflectedInput,
		},
	}
}

func checkCrossOrigin(r *run) {
	evil := func(req *http.Request) { req.Header.Set("Origin", "https://evil.example") }
	request := r.newRequest(r.target.Web, codeFlow())
	for _, rawURL := range []string{
		r.authorizationURL(request),
		r.authorizationURL(r.newRequest(r.target.Web, codeFlow(), "client_id", "unknown")),
		r.authorizationURL(r.newRequest(r.target.Web, codeFlow(), "prompt", "none")),
	} {
		for _, method := range []string{http.MethodGet, http.MethodOptions, http.MethodPost} {
			res := r.fetch(method, rawURL, nil, evil)
			r.require(res.Header.Get("Access-Control-Allow-Origin") == "",
				"%s of the authorization endpoint allows the origin %q", method, res.Header.Get("Access-Control-Allow-Origin"))
		}
	}
	for _, rawURL := range []string{r.metadata().TokenEndpoint, r.metadata().UserinfoEndpoint, r.metadata().JWKSURI} {
		res := r.fetch(http.MethodGet, rawURL, nil, evil)
		r.require(res.Header.Get("Access-Control-Allow-Credentials") == "", "%s allows credentials to other origins", rawURL)
	}
}

func checkPageHeaders(r *run) {
	b := r.browser()
	r.requirePageHeaders(b.authorize(r.newRequest(r.target.Web, codeFlow())))
	wrong := b.authorize(r.newRequest(r.target.Web, codeFlow()))
	f := r.requireSignInForm(wrong)
	r.requirePageHeaders(b.submit(wrong, f, f.FillIn(Person{Username: "unknown-" + randomString(6), Password: "wrong"})))
	r.requirePageHeaders(b.authorize(r.newRequest(r.target.Web, codeFlow(), "redirect_uri", "https://evil.example/")))
	b.obtainCode(r.target.Web)
	r.requirePageHeaders(b.authorize(r.newRequest(r.target.Web, variant{"code", "form_post"})))
	if r.metadata().EndSessionEndpoint != "" {
		r.requirePageHeaders(b.openEndSession(nil))
	}
}

func checkReferrers(r *run) {
	b := r.browser()
	check := func(p *robot.Page) {
		r.require(p.Header.Get("Referrer-Policy") == "no-referrer",
			"Referrer-Policy is %q at %s", p.Header.Get("Referrer-Policy"), p.URL.Path)
		for element, attribute := range map[string]string{"script": "src", "iframe": "src"} {
			for _, src := range p.Attributes(element, attribute) {
				u, err := p.URL.Parse(src)
				r.require(err == nil && u.Host == p.URL.Host, "the page loads %s from %s", element, src)
			}
		}
	}
	check(b.authorize(r.newRequest(r.target.Web, codeFlow())))
	b.obtainCode(r.target.Web)
	check(b.authorize(r.newRequest(r.target.Web, variant{"code", "form_post"})))
	answered := b.sendOnce(http.MethodGet, r.authorizationURL(r.newRequest(r.target.Web, codeFlow())), nil)
	r.require(answered.Header.Get("Referrer-Policy") == "no-referrer",
		"the redirect to the client has Referrer-Policy %q", answered.Header.Get("Referrer-Policy"))
}

func checkPostedPassword(r *run) {
	b := r.browser()
	p := b.authorize(r.newRequest(r.target.Web, codeFlow()))
	res, _ := b.postPassword(p)
	r.require(res.Status == http.StatusSeeOther, "a posted password returned %d", res.Status)
	request := r.newRequest(r.target.Web, codeFlow())
	res = b.sendOnce(http.MethodPost, r.metadata().AuthorizationEndpoint, request)
	r.require(res.Status == http.StatusSeeOther || res.Status == http.StatusFound || res.Status == http.StatusOK,
		"a posted request returned %d", res.Status)
}

func checkForgedHeaders(r *run) {
	forge := func(req *http.Request) {
		req.Header.Set("X-Forwarded-Host", "evil.example")
		req.Header.Set("X-Forwarded-Proto", "http")
		req.Header.Set("X-Forwarded-For", "203.0.113.9")
		req.Header.Set("Forwarded", "host=evil.example;proto=http")
		req.Header.Set("X-Original-URL", "/evil")
		req.Header.Set("X-Client-Cert", "forged")
	}
	res := r.fetch(http.MethodGet, r.target.Issuer+pathDiscovery, nil, forge)
	r.require(!strings.Contains(res.Body, "evil.example"), "discovery names the forged host")
	r.require(res.Status != http.StatusOK || strings.Contains(res.Body, `"`+r.target.Issuer+`"`),
		"discovery names another issuer")
	res = r.fetch(http.MethodGet, r.authorizationURL(r.newRequest(r.target.Web, codeFlow())), nil, forge)
	r.require(!strings.Contains(res.Header.Get("Location")+res.Body, "evil.example"),
		"a URL of the provider has a forged host")
	res = r.fetch(http.MethodGet, r.target.Issuer+pathDiscovery, nil,
		func(req *http.Request) { req.Host = "evil.example" })
	r.require(!strings.Contains(res.Body,
		"https://evil.example") && !strings.Contains(res.Header.Get("Location"),
		"evil.example"), "the Host header makes the issuer")
}

func checkReflectedInput(r *run) {
	const script = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	b := r.browser()
	request := r.newRequest(r.target.Web, codeFlow(), "login_hint", script)
	pages := []*robot.Page{
		b.authorize(request), b.authorize(r.newRequest(r.target.Web, codeFlow(), "client_id", script)),
		b.authorize(r.newRequest(r.target.Web, codeFlow(), "redirect_uri", script)),
		b.get(r.target.Issuer + "/" + url.PathEscape(script)),
		b.authorize(r.newRequest(r.target.Web, variant{"code", "form_post"}, "prompt", "none", "state", script)),
	}
	f := r.requireSignInForm(pages[0])
	pages = append(pages, b.submit(pages[0], f, f.FillIn(Person{Username: script, Password: "wrong"})))
	for _, p := range pages {
		r.require(!strings.Contains(p.Body, "<script>alert") && !strings.Contains(p.Body, "<img src=x"),
			"%s shows input as markup", p.URL.Path)
	}
}
