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
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static
var static embed.FS

// FormPostScript is the one inline script: it submits the form of a form_post
// answer. The page's policy allows it by its hash and nothing else.
const FormPostScript = "document.forms[0].submit()"

// FormPostScriptHash is the source by which a Content-Security-Policy allows
// FormPostScript, quotes included.
func FormPostScriptHash() string {
	sum := sha256.Sum256([]byte(FormPostScript))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Policy is what a page may do beyond the strict default of its name. The zero value
// adds nothing.
type Policy struct {
	Frames []string // origins that are shown in frames of the page
}

// Renderer writes pages. It is safe for concurrent use.
type Renderer struct {
	base   string
	brand  Brand
	dev    bool
	images string // what img-src allows beside our own
	assets map[string]string
	pages  map[string]*template.Template
}

// NewRenderer parses every template. Base is the path of the issuer, "" at the
// root; dev puts the banner of the development mode on every page. An error is
// a fault of the program, or a logo address that is none.
func NewRenderer(base string, brand Brand, dev bool) (*Renderer, error) {
	r := &Renderer{base: base, brand: brand, dev: dev, images: " data:", assets: map[string]string{}, pages: map[string]*template.Template{}}
	logo, err := url.Parse(brand.LogoURL)
	if err != nil {
		return nil, fmt.Errorf("address of the logo: %w", err)
	}
	if logo.Host != "" {
		r.images += " " + logo.Scheme + "://" + logo.Host
	}
	files, err := staticFiles()
	if err != nil {
		return nil, err
	}
	for name, f := range files {
		r.assets[name] = base + PathStatic + name + "?" + f.version
	}
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

// frame is what a template sees: the page, and what stands around it.
type frame struct {
	Base, CSS, Icon, Script string
	Brand                   Brand
	Dev                     bool
	Page                    any
	Submit                  template.JS
}

// Render writes a page by name, status and headers in one piece; where the page
// cannot be made it returns an error and has sent nothing.
func (r *Renderer) Render(w http.ResponseWriter, status int, name string, page any, policy Policy) error {
	t, ok := r.pages[name]
	if !ok {
		return fmt.Errorf("there is no page %q", name)
	}
	f := frame{
		Base: r.base, CSS: r.assets["idp.css"], Icon: r.assets["logo.svg"],
		Brand: r.brand, Dev: r.dev, Page: page, Submit: FormPostScript,
	}
	if file := scriptOf(name, policy); file != "" {
		f.Script = r.assets[file]
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
	// No Cross-Origin-Opener-Policy: LiveEngage's chat window opens these pages
	// in its own window and must still know its opener when it comes back.
	h.Set("Content-Security-Policy", r.securityPolicy(name, policy))
	w.WriteHeader(status)
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("send %s: %w", name, err)
	}
	return nil
}

// scriptOf is the script that a page loads: to copy its values, or to go on when
// its frames have loaded; most have none.
func scriptOf(page string, policy Policy) string {
	switch {
	case page == "setup", page == "token":
		return "copy.js"
	case page == "signed_out" && len(policy.Frames) > 0:
		return "leave.js"
	}
	return ""
}

// leadsElsewhere reports whether a form of the page ends at another origin. Browsers check
// every redirect after a form against form-action, however many follow at the client, and
// have no source for http://[::1] or an app's scheme with a host. A policy would have to
// know where clients redirect to, so these pages have no form-action.
func leadsElsewhere(page string) bool {
	return page == "signin" || page == "consent" || page == "logout" || page == "form_post"
}

// securityPolicy is the Content-Security-Policy of every page: nothing from elsewhere but
// the brand's logo and the policy's frames, and nothing inline but the script of form_post.
func (r *Renderer) securityPolicy(page string, policy Policy) string {
	csp := "default-src 'none'; style-src 'self'; img-src 'self'" + r.images
	if scriptOf(page, policy) != "" {
		csp += "; script-src 'self'"
	}
	if page == "form_post" {
		csp += "; script-src " + FormPostScriptHash()
	}
	if len(policy.Frames) > 0 {
		csp += "; frame-src " + strings.Join(policy.Frames, " ")
	}
	if !leadsElsewhere(page) {
		csp += "; form-action 'self'"
	}
	return csp + "; frame-ancestors 'none'; base-uri 'none'"
}

// staticFile is an embedded file, ready to send.
type staticFile struct {
	body          []byte
	kind, version string // content type; the start of the content's hash
}

func staticFiles() (map[string]staticFile, error) {
	kinds := map[string]string{
		".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	}
	entries, err := static.ReadDir("static")
	if err != nil {
		return nil, fmt.Errorf("static files: %w", err)
	}
	files := make(map[string]staticFile, len(entries))
	for _, e := range entries {
		body, err := static.ReadFile("static/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("static file: %w", err)
		}
		sum := sha256.Sum256(body)
		files[e.Name()] = staticFile{body: body, kind: kinds[path.Ext(e.Name())], version: hex.EncodeToString(sum[:6])}
	}
	return files, nil
}

// Static serves the style sheet, the logo and the scripts by name, without
// a folder before it. An address with the content's version in its query, as the
// pages have it, is kept by browsers for a year; any other is asked for again.
func Static() http.Handler {
	files, err := staticFiles()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := files[strings.TrimPrefix(r.URL.Path, "/")]
		if err != nil || !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Type", f.kind)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'")
		h.Set("ETag", `"`+f.version+`"`)
		h.Set("Cache-Control", "no-cache")
		if r.URL.RawQuery == f.version {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
	})
}
