// Package robot is a web browser without a screen: it keeps cookies, follows
// redirects, reads forms and submits them. It signs a person in at an OpenID
// provider without knowing anything about the provider's pages but what their
// HTML says.
//
// Everything that goes wrong is returned as an error, so that a command, a check
// or a test decides what it means. Start with Browser in this file; a sign-in is
// in signin.go.
package robot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

const (
	// maxRedirects is the number of redirects that are followed in a row.
	maxRedirects = 12
	// maxBody is the largest response that is read, in bytes.
	maxBody = 4 << 20
	// requestTimeout limits one request, so that a silent server cannot hold up
	// a caller whose context has no deadline.
	requestTimeout = 30 * time.Second
)

// FormEncoded is the content type of a submitted form.
const FormEncoded = "application/x-www-form-urlencoded"

// Errors that a server can provoke.
var (
	ErrTooManyRedirects = fmt.Errorf("more than %d redirects in a row", maxRedirects)
	ErrBodyTooLarge     = fmt.Errorf("the response is larger than %d bytes", maxBody)
)

// NoResponseError is a request that got no response, or not all of it.
type NoResponseError struct{ Err error }

func (e *NoResponseError) Error() string { return e.Err.Error() }

// Unwrap returns what the transport said.
func (e *NoResponseError) Unwrap() error { return e.Err }

// Browser keeps the cookies of one person. It is not safe for concurrent use if
// its fields are changed meanwhile.
type Browser struct {
	// Transport carries the requests; nil is http.DefaultTransport.
	Transport http.RoundTripper
	// Jar keeps the cookies; nil keeps none.
	Jar http.CookieJar
	// Leaves reports whether a redirect leads away from the site. Such a redirect
	// is not followed: the page then has a Location. Nil is any change of scheme
	// or host.
	Leaves func(to *url.URL) bool
	// OnRedirect is told of every redirect that is followed; it may be nil.
	OnRedirect func(Redirect)
}

// Redirect is a redirect that is followed.
type Redirect struct {
	Method string // of the request that was redirected
	Status int
	URL    *url.URL // of that request
}

// New returns a browser with an empty cookie jar.
func New(transport http.RoundTripper) *Browser {
	jar, _ := cookiejar.New(nil) // fails never
	return &Browser{Transport: transport, Jar: jar}
}

// Get opens a URL and follows redirects. Edit may change the first request
// before it is sent.
func (b *Browser) Get(ctx context.Context, rawURL string, edit ...func(*http.Request)) (*Page, error) {
	r, err := NewRequest(ctx, http.MethodGet, rawURL, nil, edit...)
	if err != nil {
		return nil, err
	}
	return b.Do(r)
}

// Post sends a form as a page of the same site does, and follows redirects.
func (b *Browser) Post(
	ctx context.Context, rawURL string, form url.Values, edit ...func(*http.Request),
) (*Page, error) {
	edit = append([]func(*http.Request){SetSameOrigin}, edit...)
	r, err := NewRequest(ctx, http.MethodPost, rawURL, form, edit...)
	if err != nil {
		return nil, err
	}
	return b.Do(r)
}

// Submit sends a form of a page with the given fields, by the form's method.
func (b *Browser) Submit(ctx context.Context, page *Page, form Form, fields url.Values) (*Page, error) {
	to, err := page.URL.Parse(form.Action)
	if err != nil {
		return nil, fmt.Errorf("a form of %s has an action that is not a URL: %w", page.URL, err)
	}
	if form.Method == http.MethodPost {
		return b.Post(ctx, to.String(), fields)
	}
	to.RawQuery = fields.Encode()
	return b.Get(ctx, to.String(), SetSameOrigin)
}

// Do sends a request and follows redirects until a page is shown or a redirect
// leaves the site. Every redirect is followed by GET.
func (b *Browser) Do(r *http.Request) (*Page, error) {
	leaves := b.Leaves
	if leaves == nil {
		home := r.URL
		leaves = func(to *url.URL) bool { return to.Scheme != home.Scheme || to.Host != home.Host }
	}
	if r.Header.Get("Accept") == "" {
		r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	}
	for range maxRedirects {
		page, err := b.Send(r)
		if err != nil {
			return nil, err
		}
		if page.Location == "" {
			return page, nil
		}
		next, err := r.URL.Parse(page.Location)
		if err != nil {
			return nil, err
		}
		if leaves(next) {
			return page, nil
		}
		if b.OnRedirect != nil {
			b.OnRedirect(Redirect{Method: r.Method, Status: page.Status, URL: r.URL})
		}
		accept := r.Header.Get("Accept")
		r, err = NewRequest(r.Context(), http.MethodGet, next.String(), nil)
		if err != nil {
			return nil, err
		}
		r.Header.Set("Accept", accept)
	}
	return nil, ErrTooManyRedirects
}

// Send sends one request with the browser's cookies and follows no redirect. Its
// error is a *NoResponseError or ErrBodyTooLarge.
func (b *Browser) Send(r *http.Request) (*Page, error) {
	client := &http.Client{
		Transport: b.Transport, Jar: b.Jar, Timeout: requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(r)
	if err != nil {
		return nil, &NoResponseError{err}
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return nil, &NoResponseError{fmt.Errorf("read the response of %s: %w", r.URL.Redacted(), err)}
	}
	if len(body) > maxBody {
		return nil, ErrBodyTooLarge
	}
	page := &Page{Status: res.StatusCode, Header: res.Header, Body: string(body), URL: r.URL}
	if res.StatusCode >= 300 && res.StatusCode <= 399 {
		page.Location = res.Header.Get("Location")
	} else if res.StatusCode == http.StatusOK {
		page.Location = RefreshURL(page.Body)
	}
	return page, nil
}

// NewRequest returns a request with a form in its body, or without a body if
// form is nil.
func NewRequest(
	ctx context.Context, method, rawURL string, form url.Values, edit ...func(*http.Request),
) (*http.Request, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(ctx, method, rawURL, body)
	if err != nil {
		return nil, err
	}
	if form != nil {
		r.Header.Set("Content-Type", FormEncoded)
	}
	for _, change := range edit {
		change(r)
	}
	return r, nil
}

// SetSameOrigin makes a request look as if a page of its own server sent it.
func SetSameOrigin(r *http.Request) {
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Origin", r.URL.Scheme+"://"+r.URL.Host)
}
