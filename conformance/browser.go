package conformance

import (
	"net/http"
	"net/url"
	"strings"

	"idpbridge/internal/robot"
)

// fetch sends one request without cookies, follows no redirect, and requires a
// response. Edit may change the request before it is sent.
func (r *run) fetch(method, rawURL string, form url.Values, edit ...func(*http.Request)) *robot.Page {
	return r.send(&robot.Browser{Transport: r.target.HTTP}, method, rawURL, form, edit...)
}

// send sends one request with the cookies of a browser and requires a response.
func (r *run) send(
	b *robot.Browser, method, rawURL string, form url.Values, edit ...func(*http.Request),
) *robot.Page {
	page, err := r.attempt(b, method, rawURL, form, edit...)
	r.require(err == nil, "%s %s got no response: %v", method, robot.Excerpt(rawURL), err)
	return page
}

// attempt sends one request.
func (r *run) attempt(
	b *robot.Browser, method, rawURL string, form url.Values, edit ...func(*http.Request),
) (*robot.Page, error) {
	req, err := robot.NewRequest(r.ctx, method, rawURL, form, edit...)
	r.require(err == nil, "the URL %s cannot be requested: %v", robot.Excerpt(rawURL), err)
	return b.Send(req)
}

// browser keeps cookies and follows redirects until one leads away from the
// provider. Its methods end the check on an error.
type browser struct {
	r     *run
	robot *robot.Browser
}

// browser returns a new browser without cookies.
func (r *run) browser() *browser {
	b := robot.New(r.target.HTTP)
	b.Leaves, b.OnRedirect = r.leavesProvider, r.expectNoRepost
	return &browser{r: r, robot: b}
}

// get opens a URL.
func (b *browser) get(rawURL string) *robot.Page {
	return b.requireShown(b.robot.Get(b.r.ctx, rawURL))
}

// post sends a form as a page of the provider does.
func (b *browser) post(rawURL string, form url.Values, edit ...func(*http.Request)) *robot.Page {
	return b.requireShown(b.robot.Post(b.r.ctx, rawURL, form, edit...))
}

// submit sends a form of the page.
func (b *browser) submit(p *robot.Page, f robot.Form, fields url.Values) *robot.Page {
	return b.requireShown(b.robot.Submit(b.r.ctx, p, f, fields))
}

// requireShown requires a page.
func (b *browser) requireShown(p *robot.Page, err error) *robot.Page {
	b.r.require(err == nil, "the browser got no page: %v", err)
	return p
}

// expectNoRepost expects that a redirect does not post a form again.
func (r *run) expectNoRepost(by robot.Redirect) {
	r.expect(by.Method != http.MethodPost || by.Status == http.StatusSeeOther || by.Status == http.StatusFound,
		"a form was redirected by %d, which posts it again (RFC 9700 section 4.12)", by.Status)
}

// leavesProvider reports whether a redirect leads to a client, or to a host
// that is not the provider's. The browser never opens these.
func (r *run) leavesProvider(to *url.URL) bool {
	t := r.target
	for _, c := range []Client{t.Web, t.Other, t.Post, t.Public, t.Keyed} {
		for _, known := range []string{c.RedirectURI, c.PostLogoutRedirectURI} {
			if known != "" && strings.HasPrefix(to.String(), known) {
				return true
			}
		}
	}
	m := r.metadata()
	for _, own := range []string{m.Issuer, m.AuthorizationEndpoint, m.EndSessionEndpoint} {
		if u, err := url.Parse(own); err == nil && u.Host == to.Host && u.Scheme == to.Scheme {
			return false
		}
	}
	return true
}
