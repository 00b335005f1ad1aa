package main

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"idpbridge/liveengage"
	"idpbridge/oidc"
	"idpbridge/web"
)

// registerHome mounts what stands at the bare address: in the development mode
// the page that explains everything, else a sentence.
func (in *instance) registerHome(renderer *web.Renderer) {
	if !in.dev {
		in.handler.GET(in.base+"/", func(c echo.Context) error {
			return in.site.ShowError(c, http.StatusNotFound, web.ErrorPage{
				Title: "Sign-in service", Happened: "A sign-in starts from the application that you want to use.",
				Remedy: "Go to that application and sign in from there.",
			})
		})
		return
	}
	in.handler.GET("/", func(c echo.Context) error { return in.home(c, renderer) })
	in.handler.GET(web.PathSetup, in.showSetup)
	in.handler.GET(pathInspect, in.showInspect)
	in.handler.POST(pathInspect, in.inspect, in.site.SameOrigin)
	try := &tryout{instance: in, renderer: renderer, http: &http.Client{Timeout: 10 * time.Second}}
	in.handler.GET(pathTry, try.start)
	in.handler.GET(pathTried, try.finish)
}

func (in *instance) home(c echo.Context, renderer *web.Renderer) error {
	recent, err := in.store.RecentSignins(c.Request().Context(), 10)
	if err != nil {
		return err
	}
	page := web.HomePage{
		Issuer: in.config.Issuer, DataDir: in.config.Data, Operations: in.config.Operations,
		ClientID: "liveengage", TryURL: pathTry, InspectURL: pathInspect, People: demoPeople(in.setup),
	}
	if in.beside != nil {
		page.Simulator = in.beside.address
	}
	for _, path := range []string{
		oidc.PathDiscovery, oidc.PathJWKS, oidc.PathAuthorize, oidc.PathToken, oidc.PathUserinfo,
		oidc.PathPAR, oidc.PathRevoke, oidc.PathIntrospect, oidc.PathEndSession, oidc.PathPEM, oidc.PathLine,
	} {
		page.Endpoints = append(page.Endpoints, web.Field{Name: path, Value: in.config.Issuer + path})
	}
	if _, person, err := in.site.Current(c.Request()); err == nil {
		page.Person = web.DisplayName(person)
	}
	for _, r := range recent {
		page.Signins = append(page.Signins, web.RecentSignin{
			When: r.Created.UTC().Format(time.RFC3339), Person: r.Username, Client: r.ClientID,
			Reference: r.Reference, Outcome: r.State.String(),
		})
	}
	return renderer.Render(c.Response(), http.StatusOK, "home", page, web.Policy{})
}

// showSetup shows LiveEngage's form with the values to paste, for the client that
// client_id names or the first that is LiveEngage.
func (in *instance) showSetup(c echo.Context) error {
	return in.site.Renderer.Render(c.Response(), http.StatusOK, "setup", web.SetupPage{Sheet: liveengage.NewSheet(in.facts(c))}, web.Policy{})
}

// sheetData is the set-up page for programs, such as idp doctor.
func (in *instance) sheetData(c echo.Context) error {
	return c.JSON(http.StatusOK, liveengage.NewSheet(in.facts(c)))
}

func (in *instance) facts(c echo.Context) liveengage.Facts {
	facts := sheetFacts(in.config, in.clients, c.QueryParam("client_id"), in.ring, in.process.now())
	if in.dev {
		facts.ClientSecret = liveengageSecret
	}
	return facts
}
