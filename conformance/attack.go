package conformance

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idpbridge/internal/robot"
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
func (r *run) errorPage(p *robot.Page, why string) {
	r.must(p.Location == "", "%s: the browser was sent on to %s", why, robot.Excerpt(p.Location))
	r.must(p.Status >= 400 && p.Status < 500, "%s: a page with an error status was due, not %d: %s", why, p.Status, robot.Excerpt(p.Body))
	_, asks := p.PasswordForm()
	r.must(!asks, "%s: the person is asked to sign in", why)
	r.guarded(p)
}

// guarded demands the headers that every page has.
func (r *run) guarded(p *robot.Page) {
	csp := p.Header.Get("Content-Security-Policy")
	r.fail(strings.Contains(csp, "frame-ancestors 'none'"), "a page may be framed: its Content-Security-Policy is %q", csp)
	r.fail(!strings.Contains(csp, "unsafe-inline") && !strings.Contains(csp, "unsafe-eval"), "a page allows inline code: %q", csp)
	r.fail(strings.EqualFold(p.Header.Get("X-Frame-Options"), "DENY"), "a page lacks X-Frame-Options: DENY")
	r.fail(strings.Contains(p.Header.Get("Cache-Control"), "no-store"), "a page may be stored: Cache-Control is %q", p.Header.Get("Cache-Control"))
	r.fail(p.Header.Get("Referrer-Policy") == "no-referrer", "a page tells where it was: Referrer-Policy is %q", p.Header.Get("Referrer-Policy"))
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
func (b *browser) rawPage(query string) *robot.Page {
	return b.get(withQuery(b.r.meta().AuthorizationEndpoint, query))
}

// password sends the sign-in form of a page as the target's person, and returns
// the very answer and where the form leads.
func (b *browser) password(p *robot.Page) (*robot.Page, *url.URL) {
	f := b.r.signinShown(p)
	to, err := p.URL.Parse(f.Action)
	b.r.must(err == nil, "the form leads to %q", f.Action)
	return b.once(http.MethodPost, to.String(), f.FillIn(b.r.target.Person), robot.SetSameOrigin), to
}

// once opens an address and does not follow.
func (b *browser) once(method, address string, form url.Values, edit ...func(*http.Request)) *robot.Page {
	return b.r.send(b.robot, method, address, form, edit...)
}
