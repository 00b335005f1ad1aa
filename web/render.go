package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static/*
var static embed.FS

// FormPostScript is the one inline script: it submits the form of a form_post
// answer. The page's policy allows it by its hash.
const FormPostScript = "document.forms[0].submit()"

// FormPostScriptHash is the CSP source of FormPostScript.
func FormPostScriptHash() string {
	sum := sha256.Sum256([]byte(FormPostScript))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Policy is what a page may do beyond nothing (Content-Security-Policy).
type Policy struct {
	FormAction []string // origins that a form leads to in the end, beside our own
	ScriptHash string   // source of an inline script
	Script     bool     // scripts of our own
}

// Renderer writes pages.
type Renderer struct {
	base  string
	brand Brand
	dev   bool
	css   string // address of the style sheet, changing with its content
	pages map[string]*template.Template
}

// NewRenderer parses every template; an error is a fault of the program.
func NewRenderer(base string, brand Brand, dev bool) (*Renderer, error) {
	r := &Renderer{base: base, brand: brand, dev: dev, pages: make(map[string]*template.Template)}
	css, err := static.ReadFile("static/idp.css")
	if err != nil {
		return nil, fmt.Errorf("style sheet: %w", err)
	}
	sum := sha256.Sum256(css)
	r.css = base + PathStatic + "idp.css?" + hex.EncodeToString(sum[:6])
	names, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	for _, name := range names {
		page := strings.TrimSuffix(path.Base(name), ".html")
		if page == "layout" {
			continue
		}
		t, err := template.ParseFS(templates, "templates/layout.html", name)
		if err != nil {
			return nil, fmt.Errorf("template %s: %w", page, err)
		}
		r.pages[page] = t
	}
	return r, nil
}

// frame is what the layout knows around a page.
type frame struct {
	Base, CSS, Script string
	Brand             Brand
	Dev               bool
	Page              any
	Submit            template.JS
}

// Render writes a page in one piece: nothing is sent where it cannot be made.
func (r *Renderer) Render(w http.ResponseWriter, status int, name string, page any, policy Policy) error {
	t, ok := r.pages[name]
	if !ok {
		return fmt.Errorf("there is no page %q", name)
	}
	f := frame{Base: r.base, CSS: r.css, Brand: r.brand, Dev: r.dev, Page: page, Submit: FormPostScript}
	if policy.Script {
		f.Script = r.base + PathStatic + "copy.js"
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "layout", f); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", policy.header())
	w.WriteHeader(status)
	_, err := w.Write(b.Bytes())
	return err
}

// header spells the policy: nothing from elsewhere, nothing inline, no frames.
func (p Policy) header() string {
	script := "'none'"
	if p.Script {
		script = "'self'"
	}
	if p.ScriptHash != "" {
		script = p.ScriptHash
	}
	form := strings.Join(append([]string{"'self'"}, p.FormAction...), " ")
	return "default-src 'none'; style-src 'self'; img-src 'self' https: data:; script-src " + script +
		"; form-action " + form + "; frame-ancestors 'none'; base-uri 'none'"
}

// Static serves the style sheet and the copy script.
func Static() http.Handler {
	files, err := fs.Sub(static, "static")
	if err != nil {
		return http.NotFoundHandler()
	}
	next := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "" || strings.HasSuffix(r.URL.Path, "/") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=86400")
		next.ServeHTTP(w, r)
	})
}
