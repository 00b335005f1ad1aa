package conformance

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// attacks are the rows of the attack table that can be seen from outside, by
// number, and a few of our own.
func attacks() []Check {
	return slices.Concat(redirectAttacks(), requestAttacks(), pageAttacks(), codeAttacks(), pkceAttacks(), implicitAttacks(), tokenAttacks(),
		refreshAttacks(), clientAttacks(), assertionAttacks(), sessionAttacks(), logoutAttacks(), metadataAttacks(), extraAttacks(), variationAttacks())
}

// code is the code flow, which most attacks are about.
func code() variant { return variant{responseType: "code"} }

// errorPage demands that a request has led to a page and nowhere else: no
// redirect, nothing that could be a code, never framed, under a policy without
// inline scripts.
func (r *run) errorPage(p page, why string) {
	r.must(p.location == "", "%s: the browser was sent on to %s", why, excerpt(p.location))
	r.must(p.status >= 400 && p.status < 500, "%s: a page with an error status was due, not %d: %s", why, p.status, excerpt(p.body))
	_, asks := p.signinForm()
	r.must(!asks, "%s: the person is asked to sign in", why)
	r.guarded(p)
}

// guarded demands the headers that every page has.
func (r *run) guarded(p page) {
	csp := p.header.Get("Content-Security-Policy")
	r.fail(strings.Contains(csp, "frame-ancestors 'none'"), "a page may be framed: its Content-Security-Policy is %q", csp)
	r.fail(!strings.Contains(csp, "unsafe-inline") && !strings.Contains(csp, "unsafe-eval"), "a page allows inline code: %q", csp)
	r.fail(strings.EqualFold(p.header.Get("X-Frame-Options"), "DENY"), "a page lacks X-Frame-Options: DENY")
	r.fail(strings.Contains(p.header.Get("Cache-Control"), "no-store"), "a page may be stored: Cache-Control is %q", p.header.Get("Cache-Control"))
	r.fail(p.header.Get("Referrer-Policy") == "no-referrer", "a page tells where it was: Referrer-Policy is %q", p.header.Get("Referrer-Policy"))
}

// code is a fresh code of the client, in a browser that is signed in by then.
func (b *browser) code(c Client, changes ...string) string {
	q := b.r.request(c, code(), changes...)
	a := b.signIn(q)
	b.r.good(a, q)
	return a.Get("code")
}

// tokensOf are fresh tokens of the Web client by the code flow.
func (r *run) tokensOf(b *browser) tokens {
	return r.redeem(r.target.Web, b.code(r.target.Web))
}

// refusedBy sends a request that must be refused with one of the codes.
func (r *run) refusedBy(q url.Values, codes ...string) {
	r.refused(r.browser().silent(q), q, codes...)
}

// rawPage opens the authorization endpoint with a query as it stands.
func (b *browser) rawPage(query string) page {
	return b.get(withQuery(b.r.meta().AuthorizationEndpoint, query))
}

// password sends the sign-in form of a page as the target's person, and returns
// the very answer and where the form leads.
func (b *browser) password(p page) (response, *url.URL) {
	f := b.r.signinShown(p)
	to, err := p.address.Parse(f.action)
	b.r.must(err == nil, "the form leads to %q", f.action)
	return b.once(http.MethodPost, to.String(), f.fillIn(b.r.target.Person), sameOrigin), to
}

// once opens an address and does not follow.
func (b *browser) once(method, address string, form url.Values, edit ...func(*http.Request)) response {
	res, _ := b.r.send(b.jar, method, address, form, edit...)
	return res
}
