package dev

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"idpbridge/liveengage/inspect"
	"idpbridge/web"
)

func (env *environment) showInspect(c echo.Context) error {
	return env.renderInspect(c, web.InspectPage{})
}

// inspectToken checks a pasted token against this server's issuer and keys. It comes
// by POST, so that no token ends up in a URL or a log.
func (env *environment) inspectToken(c echo.Context) error {
	// If the form is broken elsewhere, what could be read is enough.
	if tooLarge, ok := errors.AsType[*echo.HTTPError](c.Request().ParseForm()); ok {
		return tooLarge
	}
	s := env.server
	pasted := c.Request().PostForm.Get("token")
	report := inspect.Token(pasted, inspect.Expectations{
		Now: s.Now(), Issuer: s.Settings.Issuer, Keys: s.Keys.PublicKeys(),
	})
	return env.renderInspect(c, web.InspectPage{Pasted: pasted, Report: &report, Verdict: report.Verdict()})
}

func (env *environment) renderInspect(c echo.Context, page web.InspectPage) error {
	page.Action, page.Issuer = pathInspect, env.server.Settings.Issuer
	return env.server.Renderer.Render(c.Response(), http.StatusOK, "inspect", page, web.Policy{})
}
