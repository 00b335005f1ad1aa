package dev

import (
	"cmp"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"idpbridge/internal/fetch"
	"idpbridge/oidc"
	"idpbridge/server"
	"idpbridge/web"
)

// The paths of the development pages.
const (
	pathTryOut  = "/try"
	pathTried   = "/cb" // redirect URI of the try-out
	pathInspect = "/inspect"
)

// mountPages implements server.Config.Mount: it adds the start page, the set-up page, the
// try-out, the inspection of tokens, and the simulator.
func (env *environment) mountPages(s *server.Server) error {
	env.server = s
	s.Echo.GET("/", env.showHome)
	s.Echo.GET(web.PathSetup, s.ShowSetup)
	s.Echo.GET(pathInspect, env.showInspect)
	s.Echo.POST(pathInspect, env.inspectToken, web.RequireSameOrigin(s.Renderer, s.Settings.Issuer, false, s.Log))
	try := &tryOut{server: s, client: fetch.New(fetch.Config{})}
	s.Echo.GET(pathTryOut, try.startSignIn)
	s.Echo.GET(pathTried, try.showToken)
	if env.simulator != nil {
		return env.simulator.addTo(s)
	}
	return nil
}

func (env *environment) showHome(c echo.Context) error {
	s := env.server
	recent, err := s.Store.RecentSignins(c.Request().Context(), 10)
	if err != nil {
		return err
	}
	current, signedIn, err := s.Sessions.Find(c.Request())
	if err != nil {
		return err
	}
	page := web.HomePage{
		Issuer: s.Settings.Issuer, DataDir: s.Settings.Data, Operations: s.Settings.Operations,
		ClientID: s.Clients[0].ID, TryURL: pathTryOut, InspectURL: pathInspect, People: env.people,
	}
	if signedIn {
		page.Person = cmp.Or(web.NameOf(current.Person), "you")
	}
	if env.simulator != nil {
		page.Simulator = env.simulator.url
	}
	for _, path := range []string{
		oidc.PathDiscovery, oidc.PathJWKS, oidc.PathAuthorize, oidc.PathToken, oidc.PathUserinfo,
		oidc.PathPAR, oidc.PathRevoke, oidc.PathIntrospect, oidc.PathEndSession, oidc.PathPEM, oidc.PathPublicKeyLine,
	} {
		page.Endpoints = append(page.Endpoints, web.Field{Name: path, Value: s.Settings.Issuer + path})
	}
	for _, r := range recent {
		page.Signins = append(page.Signins, web.RecentSignin{
			When: r.Created.UTC().Format(time.RFC3339), Person: r.Username, Client: r.ClientID,
			Reference: r.Reference, Outcome: r.State.String(),
		})
	}
	return s.Renderer.Render(c.Response(), http.StatusOK, "home", page, web.Policy{})
}
