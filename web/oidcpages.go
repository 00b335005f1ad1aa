package web

import (
	"cmp"
	"html/template"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"idpbridge/oidc"
)

var _ oidc.Pages = (*Renderer)(nil)

// maxLocation is how long a URL may be in a header, together with the cookies of the
// response, in bytes. Some proxies reject a response with more than 4 kB of headers: nginx,
// unless proxy_buffer_size is larger.
const maxLocation = 3500

// RedirectTo implements oidc.Pages. It redirects by 303, so that the browser does not
// repeat a POST elsewhere (RFC 9700 section 4.12).
func (r *Renderer) RedirectTo(c echo.Context, to string) error {
	length := len(to)
	for _, cookie := range c.Response().Header()["Set-Cookie"] {
		length += len("Set-Cookie: ") + len(cookie)
	}
	if length > maxLocation {
		view := continueView{URL: template.URL(to)} //nolint:gosec // ours, or a registered redirect URI
		return r.Render(c.Response(), http.StatusOK, "continue", view, Policy{Refresh: to})
	}
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	return c.Redirect(http.StatusSeeOther, to)
}

// ShowError implements oidc.Pages. It shows what is meant for developers in development
// mode only.
func (r *Renderer) ShowError(c echo.Context, page oidc.ErrorPage) error {
	if page.Status == 0 {
		page.Status = http.StatusBadRequest
	}
	if page.Title == "" {
		page.Title = "That didn't work"
	}
	if !r.dev {
		page.Cause, page.Received, page.Registered = "", "", nil
	}
	return r.Render(c.Response(), page.Status, "error", errorView{page}, Policy{})
}

// SubmitForm implements oidc.Pages.
func (r *Renderer) SubmitForm(c echo.Context, action string, params []oidc.Param) error {
	return r.Render(c.Response(), http.StatusOK, "form_post", formPostView{Action: action, Fields: params},
		Policy{})
}

// ConfirmLogout implements oidc.Pages.
func (r *Renderer) ConfirmLogout(c echo.Context, page oidc.LogoutPage) error {
	view := logoutView{Client: page.Client, Person: cmp.Or(NameOf(page.Person), "you"), Request: page.Request}
	return r.Render(c.Response(), http.StatusOK, "logout", view, Policy{})
}

// ShowLoggedOut implements oidc.Pages.
func (r *Renderer) ShowLoggedOut(c echo.Context, page oidc.LoggedOutPage) error {
	policy := Policy{}
	for _, frame := range page.Frames {
		if origin := oidc.Origin(frame); !slices.Contains(policy.Frames, origin) {
			policy.Frames = append(policy.Frames, origin)
		}
	}
	return r.Render(c.Response(), http.StatusOK, "signed_out", loggedOutView{page}, policy)
}
