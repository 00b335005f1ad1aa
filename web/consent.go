package web

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// showConsent asks whether the client may be told about the person.
func (s *Site) showConsent(c echo.Context) error {
	sealed := c.QueryParam("request")
	w := s.Requests.Waiting(c.Request(), sealed)
	if done, err := s.unusable(c, w); done {
		return err
	}
	_, person, err := s.Current(c.Request())
	if err != nil {
		return s.see(c, s.Requests.Resume(sealed)) // the session ended meanwhile: the dispatcher knows what to do
	}
	page := ConsentPage{Client: w.Client, Person: DisplayName(person), Request: sealed, Scopes: w.Scopes}
	return s.Renderer.Render(c.Response(), http.StatusOK, "consent", page, Policy{FormAction: w.FormAction})
}

// consent takes the answer back to the dispatcher, inside the sealed request.
func (s *Site) consent(c echo.Context) error {
	sealed := c.FormValue("request")
	w := s.Requests.Waiting(c.Request(), sealed)
	if done, err := s.unusable(c, w); done {
		return err
	}
	session, _, err := s.Current(c.Request())
	if err != nil {
		return s.see(c, s.Requests.Resume(sealed))
	}
	next, err := s.Requests.Decide(c.Request(), sealed, session.Subject, c.FormValue("decision") == "allow")
	if err != nil {
		return err
	}
	return s.see(c, next)
}
