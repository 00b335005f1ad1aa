package sim

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static
var staticFiles embed.FS

// templateSet are the parsed templates by name.
type templateSet struct{ byName map[string]*template.Template }

func parseTemplates() (*templateSet, error) {
	p := &templateSet{byName: map[string]*template.Template{}}
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	for _, name := range names {
		page := strings.TrimSuffix(path.Base(name), ".html")
		if page == "layout" {
			continue
		}
		t, err := template.ParseFS(templateFiles, "templates/layout.html", name)
		if err != nil {
			return nil, fmt.Errorf("template %s: %w", page, err)
		}
		p.byName[page] = t
	}
	return p, nil
}

// page is a page: its template, what it shows, and what it may load from elsewhere.
type page struct {
	name   string
	status int    // 0 means 200
	data   any    // what the template shows
	origin string // origin that scripts may come from and requests go to
}

// layoutData is what the layout sees.
type layoutData struct {
	Account string
	Path    string
	Page    any
}

// renderPage writes a page in one piece.
func (s *Simulator) renderPage(w http.ResponseWriter, r *http.Request, v page) {
	var b bytes.Buffer
	t, ok := s.pages.byName[v.name]
	if !ok {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	if err := t.ExecuteTemplate(&b, "layout", layoutData{s.Account, r.URL.Path, v.data}); err != nil {
		s.Log.ErrorContext(r.Context(), "page failed", "page", v.name, "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	socket := "ws" + strings.TrimPrefix(s.Address, "http")
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Security-Policy", strings.TrimRight("default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self' "+v.origin, " ")+
		strings.TrimRight("; connect-src 'self' "+socket+" "+v.origin, " ")+"; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	w.WriteHeader(max(v.status, http.StatusOK))
	_, _ = w.Write(b.Bytes()) // whoever has gone needs no page
}

// renderError says why there is nothing to see.
func (s *Simulator) renderError(w http.ResponseWriter, r *http.Request, status int, text string) {
	s.renderPage(w, r, page{name: "error", status: status, data: text})
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

// redirectTo leads to a page after a form was taken.
func redirectTo(w http.ResponseWriter, r *http.Request, to string) {
	http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // callers pass a path of ours
}
