// Package pages renders HTML pages: each page is a template within a common layout, and
// is sent with strict headers.
package pages

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// Set holds the templates of pages by name. It is safe for concurrent use.
type Set struct{ pages map[string]*template.Template }

// Parse parses the files templates/*.html. Each file is a page with the name of the file
// without .html. The file layout is not a page: it defines the template "layout", which
// executes the page's own templates.
func Parse(files fs.FS) (*Set, error) {
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	set := &Set{pages: make(map[string]*template.Template, len(names))}
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" {
			continue
		}
		t, err := template.ParseFS(files, "templates/layout.html", file)
		if err != nil {
			return nil, fmt.Errorf("template %s: %w", name, err)
		}
		set.pages[name] = t
	}
	return set, nil
}

// Render sends a page with the layout's data and the Content-Security-Policy csp. The
// page is not cached and reveals no referrer. It may be framed only if csp allows that. If
// the page cannot be rendered, Render returns an error and sends nothing.
func (s *Set) Render(w http.ResponseWriter, status int, name string, data any, csp string) error {
	t, ok := s.pages[name]
	if !ok {
		return fmt.Errorf("there is no page %q", name)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "layout", data); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	if strings.Contains(csp, "frame-ancestors 'none'") {
		h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", csp)
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the browser may be gone
	return nil
}
