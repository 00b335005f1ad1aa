package web

import (
	"cmp"
	"net/http"

	"github.com/labstack/echo/v4"
)

// showConsent asks whether to share the user's details with the client.
func (s *Site) showConsent(c echo.Context) error {
	sealed := c.QueryParam("request")
	login, ok, err := s.openRequest(c, sealed, "")
	if !ok {
		return err
	}
	current, signedIn, err := s.Sessions.Find(c.Request())
	if err != nil {
		return err
	}
	if !signedIn { // the session has just ended
		return s.Renderer.RedirectTo(c, s.Provider.ResumeURL(sealed))
	}
	bound, err := s.Provider.BindToSession(c.Request(), sealed, current)
	if err != nil {
		return err
	}
	page := consentPage{
		Client: login.Client, Person: cmp.Or(NameOf(current.Person), "you"),
		Request: bound, Scopes: login.Scopes,
	}
	return s.Renderer.Render(c.Response(), http.StatusOK, "consent", page, Policy{})
}

// submitConsent seals the user's decision into the saved request and redirects to /resume.
func (s *Site) submitConsent(c echo.Context) error {
	form, err := readPostForm(c)
	if err != nil {
		return err
	}
	sealed := form.Get("request")
	_, ok, err := s.openRequest(c, sealed, "")
	if !ok {
		return err
	}
	current, signedIn, err := s.Sessions.Find(c.Request())
	if err != nil {
		return err
	}
	if !signedIn {
		return s.Renderer.RedirectTo(c, s.Provider.ResumeURL(sealed))
	}
	next, err := s.Provider.RecordConsent(c.Request(), sealed, current, form.Get("decision") == "allow")
	if err != nil {
		return err
	}
	return s.Renderer.RedirectTo(c, next)
}
