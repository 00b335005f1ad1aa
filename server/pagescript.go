package server

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"idpbridge/oidc"
	"idpbridge/web"
)

// servePageScript responds to GET /liveengage.js?client_id=…; without the parameter it
// serves the first client whose pages may use it.
func (s *Server) servePageScript(c echo.Context) error {
	client, ok := s.findPageClient(c.QueryParam("client_id"))
	if !ok {
		return c.String(http.StatusNotFound,
			"// No such client has pages: add liveengage: {page: {origins: [...]}} to its configuration.\n")
	}
	l, lives := client.LiveEngage, s.Settings.Lifetimes
	body, err := web.PageScript{
		Issuer: s.Settings.Issuer, ClientID: client.ID, JSMethod: l.Method(), JSContext: l.Context(),
		Code: l.Page.Code, ReturnURI: l.Page.ReturnURI, Parameter: l.Parameter(),
		CodeSeconds: int(lives.Code / time.Second), TokenSeconds: int(lives.IDToken / time.Second),
	}.Source()
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	return c.Blob(http.StatusOK, "text/javascript; charset=utf-8", body)
}

// findPageClient returns the client with that id, or the first one, whose pages may use
// the script.
func (s *Server) findPageClient(id string) (oidc.Client, bool) {
	for _, c := range s.Clients {
		if c.LiveEngage != nil && len(c.LiveEngage.Page.Origins) > 0 && (id == "" || id == c.ID) {
			return c, true
		}
	}
	return oidc.Client{}, false
}
