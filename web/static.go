package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"time"

	"github.com/labstack/echo/v4"
)

// PathStatic is the folder of the static files, below the issuer.
const PathStatic = "/static/"

//go:embed static
var static embed.FS

// staticFile is an embedded file.
type staticFile struct {
	body                 []byte
	contentType, version string // version is the start of the body's hash
}

// readStaticFiles returns the static files by name.
func readStaticFiles() (map[string]staticFile, error) {
	contentTypes := map[string]string{
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
		files[e.Name()] = staticFile{
			body: body, contentType: contentTypes[path.Ext(e.Name())], version: hex.EncodeToString(sum[:6]),
		}
	}
	return files, nil
}

// staticURL is the URL of a static file with its version.
func (r *Renderer) staticURL(name string) string {
	return r.base + PathStatic + name + "?" + r.files[name].version
}

// RegisterStatic mounts the style sheet, the logo and the scripts.
func (r *Renderer) RegisterStatic(e *echo.Echo) {
	prefix := r.base + PathStatic
	e.GET(prefix+"*", echo.WrapHandler(http.StripPrefix(prefix, http.HandlerFunc(r.serveStatic))))
}

// serveStatic serves a static file by name. Browsers cache a URL with the current
// version for a year, and check any other URL again each time.
func (r *Renderer) serveStatic(w http.ResponseWriter, request *http.Request) {
	f, ok := r.files[request.URL.Path]
	if !ok {
		http.NotFound(w, request)
		return
	}
	if request.Method != http.MethodGet && request.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("ETag", `"`+f.version+`"`)
	h.Set("Cache-Control", "no-cache")
	if request.URL.RawQuery == f.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, request, "", time.Time{}, bytes.NewReader(f.body))
}
