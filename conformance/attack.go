package conformance

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idpbridge/internal/robot"
)

// attackChecks returns the rows of the attack table that can be observed from
// outside, by number, and a few additional ones.
func attackChecks() []Check {
	return slices.Concat(redirectAttacks(), requestAttacks(), pageAttacks(), codeAttacks(), pkceAttacks(),
		implicitAttacks(), tokenAttacks(),
		refreshAttacks(), clientAttacks(), assertionAttacks(), sessionAttacks(),
		logoutAttacks(), metadataAttacks(), windowAttacks(), mixUpAttacks(), extraAttacks(), variationAttacks())
}

// codeFlow is the code flow, which most attacks use.
func codeFlow() variant { return variant{responseType: "code"} }

// requireErrorPage requires that a request ends at an error page: no redirect,
// nothing that could be a code, no frames, and a policy without inline scripts.
func (r *run) requireErrorPage(p *robot.Page, why string) {
	r.require(p.Location == "", "%s: the browser was sent on to %s", why, robot.Excerpt(p.Location))
	r.require(p.Status >= 400 && p.Status < 500,
		"%s: expected an error page, got status %d: %s", why, p.Status, robot.Excerpt(p.Body))
	_, asks := p.PasswordForm()
	r.require(!asks, "%s: the sign-in page is shown", why)
	r.requirePageHeaders(p)
}

// requirePageHeaders requires the security headers of every page.
func (r *run) requirePageHeaders(p *robot.Page) {
	csp := p.Header.Get("Content-Security-Policy")
	r.expect(strings.Contains(csp, "frame-ancestors 'none'"),
		"the page can be framed: its Content-Security-Policy is %q", csp)
	r.expect(!strings.Contains(csp, "unsafe-inline") && !strings.Contains(csp, "unsafe-eval"),
		"a page allows inline code: %q", csp)
	r.expect(strings.EqualFold(p.Header.Get("X-Frame-Options"), "DENY"), "a page lacks X-Frame-Options: DENY")
	r.expect(strings.Contains(p.Header.Get("Cache-Control"), "no-store"),
		"the page may be stored: Cache-Control is %q", p.Header.Get("Cache-Control"))
	r.expect(p.Header.Get("Referrer-Policy") == "no-referrer",
		"the page sends a referrer: Referrer-Policy is %q", p.Header.Get("Referrer-Policy"))
}

// obtainCode signs in and returns a new code of the client.
func (b *browser) obtainCode(c Client, changes ...string) string {
	request := b.r.newRequest(c, codeFlow(), changes...)
	response := b.signIn(request)
	b.r.requireSuccess(response, request)
	return response.Get("code")
}

// obtainTokens returns new tokens of the Web client from the code flow.
func (r *run) obtainTokens(b *browser) tokens {
	return r.redeemCode(r.target.Web, b.obtainCode(r.target.Web))
}

// requireRejected sends a request and requires one of the error codes.
func (r *run) requireRejected(request url.Values, codes ...string) {
	r.requireError(r.browser().authorizeSilently(request), request, codes...)
}

// openQuery opens the authorization endpoint with a raw query.
func (b *browser) openQuery(query string) *robot.Page {
	return b.get(appendQuery(b.r.metadata().AuthorizationEndpoint, query))
}

// postPassword submits the sign-in form of a page as the target's person
// without following the redirect. It also returns where the form leads.
func (b *browser) postPassword(p *robot.Page) (*robot.Page, *url.URL) {
	f := b.r.requireSignInForm(p)
	to, err := p.URL.Parse(f.Action)
	b.r.require(err == nil, "the form leads to %q", f.Action)
	return b.sendOnce(http.MethodPost, to.String(), f.FillIn(b.r.person()), robot.SetSameOrigin), to
}

// sendOnce sends one request and follows no redirect.
func (b *browser) sendOnce(method, rawURL string, form url.Values, edit ...func(*http.Request)) *robot.Page {
	return b.r.send(b.robot, method, rawURL, form, edit...)
}
