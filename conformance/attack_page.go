package conformance

import (
	"net/http"
	"net/url"
	"strings"

	"idpbridge/internal/robot"
)

func pageAttacks() []Check {
	return []Check{
		{Name: "attack/15-cross-origin-authorize", Says: "No script of another origin reads the authorization endpoint; elsewhere never with credentials.", do: crossOrigin},
		{Name: "attack/16-framed-page", Says: "No page can be framed.", do: everyPageGuarded},
		{Name: "attack/17-referrer-leak", Says: "No page tells its address to another, and none loads anything from elsewhere.", do: referrerLeak},
		{Name: "attack/18-credentials-posted-on", Says: "A posted password is answered by 303, which never posts it again.", do: postedOn},
		{Name: "attack/20-strict-transport", Says: "Over https the browser is told to come by https alone.", do: func(r *run) {
			if !strings.HasPrefix(r.target.Issuer, "https:") {
				r.skip("the issuer is http")
			}
			for _, address := range []string{r.target.Issuer + pathDiscovery, r.at(r.request(r.target.Web, code()))} {
				r.must(r.fetch(http.MethodGet, address, nil).Header.Get("Strict-Transport-Security") != "", "%s lacks Strict-Transport-Security", robot.Excerpt(address))
			}
		}},
		{Name: "attack/21-forged-headers", Says: "Headers that a stranger forges change no address.", do: forgedHeaders},
		{Name: "attack/22-reflected-input", Says: "What a stranger sends is on no page as markup.", do: reflectedInput},
	}
}

func crossOrigin(r *run) {
	evil := func(req *http.Request) { req.Header.Set("Origin", "https://evil.example") }
	q := r.request(r.target.Web, code())
	for _, address := range []string{r.at(q), r.at(r.request(r.target.Web, code(), "client_id", "nobody")), r.at(r.request(r.target.Web, code(), "prompt", "none"))} {
		for _, method := range []string{http.MethodGet, http.MethodOptions, http.MethodPost} {
			res := r.fetch(method, address, nil, evil)
			r.must(res.Header.Get("Access-Control-Allow-Origin") == "", "%s of the authorization endpoint allows the origin %q", method, res.Header.Get("Access-Control-Allow-Origin"))
		}
	}
	for _, address := range []string{r.meta().TokenEndpoint, r.meta().UserinfoEndpoint, r.meta().JWKSURI} {
		res := r.fetch(http.MethodGet, address, nil, evil)
		r.must(res.Header.Get("Access-Control-Allow-Credentials") == "", "%s allows credentials to other origins", address)
	}
}

func everyPageGuarded(r *run) {
	b := r.browser()
	r.guarded(b.authorize(r.request(r.target.Web, code())))
	wrong := b.authorize(r.request(r.target.Web, code()))
	f := r.signinShown(wrong)
	r.guarded(b.submit(wrong, f, f.FillIn(Person{Username: "nobody-" + random(6), Password: "wrong"})))
	r.guarded(b.authorize(r.request(r.target.Web, code(), "redirect_uri", "https://evil.example/")))
	b.code(r.target.Web)
	r.guarded(b.authorize(r.request(r.target.Web, variant{"code", "form_post"})))
	if r.meta().EndSessionEndpoint != "" {
		r.guarded(b.leave(nil))
	}
}

func referrerLeak(r *run) {
	b := r.browser()
	check := func(p *robot.Page) {
		r.must(p.Header.Get("Referrer-Policy") == "no-referrer", "Referrer-Policy is %q at %s", p.Header.Get("Referrer-Policy"), p.URL.Path)
		for element, attribute := range map[string]string{"script": "src", "iframe": "src"} {
			for _, src := range p.Attributes(element, attribute) {
				u, err := p.URL.Parse(src)
				r.must(err == nil && u.Host == p.URL.Host, "the page loads %s from %s", element, src)
			}
		}
	}
	check(b.authorize(r.request(r.target.Web, code())))
	b.code(r.target.Web)
	check(b.authorize(r.request(r.target.Web, variant{"code", "form_post"})))
	answered := b.once(http.MethodGet, r.at(r.request(r.target.Web, code())), nil)
	r.must(answered.Header.Get("Referrer-Policy") == "no-referrer", "the redirect to the client has Referrer-Policy %q", answered.Header.Get("Referrer-Policy"))
}

func postedOn(r *run) {
	b := r.browser()
	p := b.authorize(r.request(r.target.Web, code()))
	res, _ := b.password(p)
	r.must(res.Status == http.StatusSeeOther, "a posted password is answered by %d", res.Status)
	q := r.request(r.target.Web, code())
	res = b.once(http.MethodPost, r.meta().AuthorizationEndpoint, q)
	r.must(res.Status == http.StatusSeeOther || res.Status == http.StatusFound || res.Status == http.StatusOK, "a posted request is answered by %d", res.Status)
}

func forgedHeaders(r *run) {
	forge := func(req *http.Request) {
		req.Header.Set("X-Forwarded-Host", "evil.example")
		req.Header.Set("X-Forwarded-Proto", "http")
		req.Header.Set("X-Forwarded-For", "203.0.113.9")
		req.Header.Set("Forwarded", "host=evil.example;proto=http")
		req.Header.Set("X-Original-URL", "/evil")
		req.Header.Set("X-Client-Cert", "forged")
	}
	res := r.fetch(http.MethodGet, r.target.Issuer+pathDiscovery, nil, forge)
	r.must(!strings.Contains(res.Body, "evil.example"), "discovery names the forged host")
	r.must(res.Status != http.StatusOK || strings.Contains(res.Body, `"`+r.target.Issuer+`"`), "discovery names another issuer")
	res = r.fetch(http.MethodGet, r.at(r.request(r.target.Web, code())), nil, forge)
	r.must(!strings.Contains(res.Header.Get("Location")+res.Body, "evil.example"), "a forged host is in an address of ours")
	res = r.fetch(http.MethodGet, r.target.Issuer+pathDiscovery, nil, func(req *http.Request) { req.Host = "evil.example" })
	r.must(!strings.Contains(res.Body, "https://evil.example") && !strings.Contains(res.Header.Get("Location"), "evil.example"), "the Host header makes the issuer")
}

func reflectedInput(r *run) {
	const script = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	b := r.browser()
	q := r.request(r.target.Web, code(), "login_hint", script)
	pages := []*robot.Page{
		b.authorize(q), b.authorize(r.request(r.target.Web, code(), "client_id", script)),
		b.authorize(r.request(r.target.Web, code(), "redirect_uri", script)),
		b.get(r.target.Issuer + "/" + url.PathEscape(script)),
		b.authorize(r.request(r.target.Web, variant{"code", "form_post"}, "prompt", "none", "state", script)),
	}
	f := r.signinShown(pages[0])
	pages = append(pages, b.submit(pages[0], f, f.FillIn(Person{Username: script, Password: "wrong"})))
	for _, p := range pages {
		r.must(!strings.Contains(p.Body, "<script>alert") && !strings.Contains(p.Body, "<img src=x"), "%s shows what was sent as markup", p.URL.Path)
	}
}
