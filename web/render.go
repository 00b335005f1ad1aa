package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
)

//go:embed templates/*.html
var templates embed.FS

// formPostScript is the only inline script: it submits the form of a form_post
// response. The page's policy allows only this script, by its hash.
const formPostScript = "document.forms[0].submit()"

// formPostScriptHash is the source expression of formPostScript for a
// Content-Security-Policy, with quotes.
func formPostScriptHash() string {
	sum := sha256.Sum256([]byte(formPostScript))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Policy is what a page may do beyond the strict default. The zero value adds
// nothing.
type Policy struct {
	FormAction []string // origins that a form may lead to, in addition to our own
	Frames     []string // origins that the page shows in frames
	ScriptHash string   // hash of the page's inline script
}

// Renderer writes pages and static files. It is safe for concurrent use.
type Renderer struct {
	base   string
	brand  Brand
	dev    bool
	images string // what img-src allows in addition to our own origin
	files  map[string]staticFile
	pages  map[string]*template.Template
}

// NewRenderer parses the templates. base is the path of the issuer, "" at the root; dev
// puts the banner of development mode on every page. It fails if the URL of the logo is
// not a URL.
func NewRenderer(base string, brand Brand, dev bool) (*Renderer, error) {
	r := &Renderer{base: base, brand: brand, dev: dev, images: " data:", pages: map[string]*template.Template{}}
	logo, err := url.Parse(brand.LogoURL)
	if err != nil {
		return nil, fmt.Errorf("URL of the logo: %w", err)
	}
	if logo.Host != "" {
		r.images += " " + logo.Scheme + "://" + logo.Host
	}
	if r.files, err = readStaticFiles(); err != nil {
		return nil, err
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

// layoutData is the data of layout.html.
type layoutData struct {
	Base, CSS, Icon, Script string
	Brand                   Brand
	Dev                     bool
	Page                    any // data of the page's own template
	Submit                  template.JS
}

// Render writes a page by name, with status and headers. If the page cannot be
// rendered, it returns an error and sends nothing.
func (r *Renderer) Render(w http.ResponseWriter, status int, name string, page any, policy Policy) error {
	t, ok := r.pages[name]
	if !ok {
		return fmt.Errorf("there is no page %q", name)
	}
	data := layoutData{
		Base: r.base, CSS: r.staticURL("idp.css"), Icon: r.staticURL("logo.svg"),
		Brand: r.brand, Dev: r.dev, Page: page, Submit: formPostScript,
	}
	script := policy.ScriptHash
	if file := scriptFor(name, policy); file != "" {
		data.Script, script = r.staticURL(file), "'self'"
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
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	// No Cross-Origin-Opener-Policy: LiveEngage's chat window goes through these pages
	// and must still have its opener when it returns.
	h.Set("Content-Security-Policy", r.contentSecurityPolicy(policy, script))
	w.WriteHeader(status)
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("send %s: %w", name, err)
	}
	return nil
}

// scriptFor is the script that a page loads; most pages have none.
func scriptFor(page string, policy Policy) string {
	if page == "setup" || page == "token" {
		return "copy.js"
	}
	if page == "signed_out" && len(policy.Frames) > 0 {
		return "leave.js"
	}
	return ""
}

// contentSecurityPolicy allows nothing from elsewhere except the brand's logo and the
// policy's frames, and nothing inline except the script with the hash.
func (r *Renderer) contentSecurityPolicy(policy Policy, script string) string {
	csp := "default-src 'none'; style-src 'self'; img-src 'self'" + r.images
	if script != "" {
		csp += "; script-src " + script
	}
	if len(policy.Frames) > 0 {
		csp += "; frame-src " + strings.Join(policy.Frames, " ")
	}
	form := strings.Join(append([]string{"'self'"}, policy.FormAction...), " ")
	return csp + "; form-action " + form + "; frame-ancestors 'none'; base-uri 'none'"
}
