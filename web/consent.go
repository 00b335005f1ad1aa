package web

import (
	"cmp"
	"net/http"

	"github.com/labstack/echo/v4"
)

// showConsent asks whether the client may be told about the person.
func (s *Site) showConsent(c echo.Context) error {
	sealed := c.QueryParam("request")
	login, ok, err := s.openRequest(c, sealed)
	if !ok {
		return err
	}
	current, signedIn, err := s.Sessions.Find(c.Request())
	if err != nil {
		return err
	}
	if !signedIn { // the session has ended meanwhile
		return redirect(c, s.Provider.ResumeURL(sealed))
	}
	page := ConsentPage{
		Client: login.Client, Person: cmp.Or(NameOf(current.Person), "you"), Request: sealed, Scopes: login.Scopes,
	}
	return s.Renderer.Render(c.Response(), http.StatusOK, "consent", page, Policy{})
}

// submitConsent seals the person's decision into the request and returns it to /resume.
func (s *Site) submitConsent(c echo.Context) error {
	sealed := c.FormValue("request")
	_, ok, err := s.openRequest(c, sealed)
	if !ok {
		return err
	}
	current, signedIn, err := s.Sessions.Find(c.Request())
	if err != nil {
		return err
	}
	if !signedIn {
		return redirect(c, s.Provider.ResumeURL(sealed))
	}
	next, err := s.Provider.RecordConsent(c.Request(), sealed, current.Subject, c.FormValue("decision") == "allow")
	if err != nil {
		return err
	}
	return redirect(c, next)
}
