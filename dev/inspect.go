package main

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"idpbridge/liveengage"
	"idpbridge/web"
)

// pathInspect is the page of the development mode that inspects tokens.
const pathInspect = "/inspect"

func (in *instance) showInspect(c echo.Context) error {
	page := web.InspectPage{Action: pathInspect, Issuer: in.config.Issuer}
	return in.site.Renderer.Render(c.Response(), http.StatusOK, "inspect", page, web.Policy{})
}

// inspect holds what was pasted against this server's own issuer and keys. It
// comes by POST, so that no token ends in an address or a log.
func (in *instance) inspect(c echo.Context) error {
	// Of a form that is broken elsewhere, what could be read is enough.
	if tooLarge, ok := errors.AsType[*echo.HTTPError](c.Request().ParseForm()); ok {
		return tooLarge
	}
	pasted := c.Request().PostForm.Get("token")
	report := liveengage.Inspect(pasted, liveengage.Expectations{Now: in.process.now(), Issuer: in.config.Issuer, Keys: in.ring.PublicKeys()})
	page := web.InspectPage{Action: pathInspect, Text: pasted, Issuer: in.config.Issuer, Report: &report, Verdict: verdict(report)}
	return in.site.Renderer.Render(c.Response(), http.StatusOK, "inspect", page, web.Policy{})
}
