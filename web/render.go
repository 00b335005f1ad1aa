package web

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"idpbridge/internal/pages"
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
	Frames []string // origins that the page shows in frames
	// Refresh is where the page continues to by itself. Like the redirect that it stands
	// for, such a page may be in a frame.
	Refresh string
}

// Renderer writes pages and static files. It is safe for concurrent use.
type Renderer struct {
	base   string
	brand  Brand
	dev    bool
	images string // what img-src allows in addition to our own origin
	files  map[string]staticFile
	pages  *pages.Set
}

// NewRenderer parses the templates. base is the path of the issuer, "" at the root; dev
// puts the banner of development mode on every page. It fails if the URL of the logo is
// not a URL.
func NewRenderer(base string, brand Brand, dev bool) (*Renderer, error) {
	r := &Renderer{base: base, brand: brand, dev: dev, images: " data:"}
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
	if r.pages, err = pages.Parse(templates); err != nil {
		return nil, err
	}
	return r, nil
}

// layoutData is the data of the layout.
type layoutData struct {
	Base, CSS, Icon, Script string
	Brand                   Brand
	Dev                     bool
	Refresh                 string
	Page                    any // data of the page's own template
	Submit                  template.JS
}

// Render sends a page by name, with status and headers. If the page cannot be rendered,
// it returns an error and sends nothing.
func (r *Renderer) Render(w http.ResponseWriter, status int, name string, view any, policy Policy) error {
	data := layoutData{
		Base: r.base, CSS: r.staticURL("idp.css"), Icon: r.staticURL("logo.svg"),
		Brand: r.brand, Dev: r.dev, Page: view, Submit: formPostScript, Refresh: policy.Refresh,
	}
	if file := scriptFor(name, policy); file != "" {
		data.Script = r.staticURL(file)
	}
	// No Cross-Origin-Opener-Policy: LiveEngage's chat window goes through these pages
	// and must still have its opener when it returns.
	return r.pages.Render(w, status, name, data, r.contentSecurityPolicy(name, policy))
}

// scriptFor is the script that a page loads; most pages have none.
func scriptFor(name string, policy Policy) string {
	if name == "setup" || name == "token" {
		return "copy.js"
	}
	if name == "signed_out" && len(policy.Frames) > 0 {
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

// contentSecurityPolicy is the policy of every page. It allows nothing from elsewhere
// except the brand's logo and the policy's frames, and nothing inline except the script of
// form_post.
func (r *Renderer) contentSecurityPolicy(page string, policy Policy) string {
	csp := "default-src 'none'; style-src 'self'; img-src 'self'" + r.images
	if scriptFor(page, policy) != "" {
		csp += "; script-src 'self'"
	}
	if page == "form_post" {
		csp += "; script-src " + formPostScriptHash()
	}
	if len(policy.Frames) > 0 {
		csp += "; frame-src " + strings.Join(policy.Frames, " ")
	}
	if !leadsElsewhere(page) {
		csp += "; form-action 'self'"
	}
	if policy.Refresh == "" {
		csp += "; frame-ancestors 'none'"
	}
	return csp + "; base-uri 'none'"
}
