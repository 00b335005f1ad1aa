package sim

import (
	"embed"
	"net/http"
	"strings"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static
var staticFiles embed.FS

// page is a page to render.
type page struct {
	name   string // of the template
	status int    // zero means 200
	data   any    // for the template
	origin string // where else scripts may come from and requests may go to
}

// layoutData is the data of the layout.
type layoutData struct {
	Account string
	Path    string
	Page    any
}

// renderPage renders a page.
func (s *Simulator) renderPage(w http.ResponseWriter, r *http.Request, p page) {
	data := layoutData{s.Account, r.URL.Path, p.data}
	status := max(p.status, http.StatusOK)
	if err := s.templates.Render(w, status, p.name, data, s.contentSecurityPolicy(p.origin)); err != nil {
		s.Log.ErrorContext(r.Context(), "simulator_page_failed", "page", p.name, "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
}

func (s *Simulator) contentSecurityPolicy(origin string) string {
	socket := "ws" + strings.TrimPrefix(s.Address, "http")
	return strings.Join([]string{
		"default-src 'none'",
		"style-src 'self'",
		"img-src 'self'",
		strings.TrimRight("script-src 'self' "+origin, " "),
		strings.TrimRight("connect-src 'self' "+socket+" "+origin, " "),
		"form-action 'self'",
		"frame-ancestors 'none'",
		"base-uri 'none'",
	}, "; ")
}

// renderError renders a page that says what went wrong.
func (s *Simulator) renderError(w http.ResponseWriter, r *http.Request, status int, message string) {
	s.renderPage(w, r, page{name: "error", status: status, data: message})
}

// serveStatic serves the style sheet and the scripts.
func serveStatic() http.Handler {
	files := http.FileServerFS(staticFiles)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		files.ServeHTTP(w, r)
	})
}

// redirectTo redirects after a form was submitted.
func redirectTo(w http.ResponseWriter, r *http.Request, path string) {
	http.Redirect(w, r, path, http.StatusSeeOther) //nolint:gosec // callers pass a path of the simulator
}
