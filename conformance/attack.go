package conformance

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idpbridge/internal/robot"
)

// attackChecks are the rows of the attack table that can be seen from outside, by
// number, and a few of our own.
func attackChecks() []Check {
	return slices.Concat(redirectAttacks(), requestAttacks(), pageAttacks(), codeAttacks(), pkceAttacks(), implicitAttacks(), tokenAttacks(),
		refreshAttacks(), clientAttacks(), assertionAttacks(), sessionAttacks(), logoutAttacks(), metadataAttacks(), extraAttacks(), variationAttacks())
}

// codeFlow is the code flow, which most attacks are about.
func codeFlow() variant { return variant{responseType: "code"} }

// requireErrorPage demands that a request has led to a page and nowhere else: no
// redirect, nothing that could be a code, never framed, under a policy without
// inline scripts.
func (r *run) requireErrorPage(p *robot.Page, why string) {
	r.require(p.Location == "", "%s: the browser was sent on to %s", why, robot.Excerpt(p.Location))
	r.require(p.Status >= 400 && p.Status < 500, "%s: a page with an error status was due, not %d: %s", why, p.Status, robot.Excerpt(p.Body))
	_, asks := p.PasswordForm()
	r.require(!asks, "%s: the person is asked to sign in", why)
	r.requirePageHeaders(p)
}

// requirePageHeaders demands the headers that every page has.
func (r *run) requirePageHeaders(p *robot.Page) {
	csp := p.Header.Get("Content-Security-Policy")
	r.expect(strings.Contains(csp, "frame-ancestors 'none'"), "a page may be framed: its Content-Security-Policy is %q", csp)
	r.expect(!strings.Contains(csp, "unsafe-inline") && !strings.Contains(csp, "unsafe-eval"), "a page allows inline code: %q", csp)
	r.expect(strings.EqualFold(p.Header.Get("X-Frame-Options"), "DENY"), "a page lacks X-Frame-Options: DENY")
	r.expect(strings.Contains(p.Header.Get("Cache-Control"), "no-store"), "a page may be stored: Cache-Control is %q", p.Header.Get("Cache-Control"))
	r.expect(p.Header.Get("Referrer-Policy") == "no-referrer", "a page tells where it was: Referrer-Policy is %q", p.Header.Get("Referrer-Policy"))
}

// obtainCode is a fresh code of the client, in a browser that is signed in by then.
func (b *browser) obtainCode(c Client, changes ...string) string {
	request := b.r.newRequest(c, codeFlow(), changes...)
	response := b.signIn(request)
	b.r.requireSuccess(response, request)
	return response.Get("code")
}

// obtainTokens are fresh tokens of the Web client by the code flow.
func (r *run) obtainTokens(b *browser) tokens {
	return r.redeemCode(r.target.Web, b.obtainCode(r.target.Web))
}

// requireRejected sends a request that must be refused with one of the codes.
func (r *run) requireRejected(request url.Values, codes ...string) {
	r.requireError(r.browser().authorizeSilently(request), request, codes...)
}

// openQuery opens the authorization endpoint with a query as it stands.
func (b *browser) openQuery(query string) *robot.Page {
	return b.get(appendQuery(b.r.metadata().AuthorizationEndpoint, query))
}

// postPassword sends the sign-in form of a page as the target's person, and returns
// the very answer and where the form leads.
func (b *browser) postPassword(p *robot.Page) (*robot.Page, *url.URL) {
	f := b.r.requireSignInForm(p)
	to, err := p.URL.Parse(f.Action)
	b.r.require(err == nil, "the form leads to %q", f.Action)
	return b.sendOnce(http.MethodPost, to.String(), f.FillIn(b.r.target.Person), robot.SetSameOrigin), to
}

// sendOnce opens an address and does not follow.
func (b *browser) sendOnce(method, address string, form url.Values, edit ...func(*http.Request)) *robot.Page {
	return b.r.send(b.robot, method, address, form, edit...)
}
