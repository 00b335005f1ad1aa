// Package fetch is an HTTP client whose requests are bounded: in time, in the size
// of the response, and in where redirects may lead. It reads responses whole and
// says by typed errors what went wrong; see errors.go.
package fetch

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Defaults of a Config.
const (
	DefaultTimeout = 10 * time.Second
	DefaultMaxBody = 1 << 20
)

// Config is what a Client is made of. The zero value works.
type Config struct {
	// Timeout is how long a request may take, with its redirects and the reading of
	// the body; zero means DefaultTimeout.
	Timeout time.Duration
	// MaxBody is how many bytes of a body are read; zero means DefaultMaxBody.
	MaxBody int64
	// MaxRedirects is how many redirects are followed, to the same scheme and host
	// only. Any other redirect is a RedirectError. Zero means that redirects are
	// returned as responses like any other.
	MaxRedirects int
	// Transport carries the requests; nil means NewTransport.
	Transport http.RoundTripper
}

// NewTransport returns a transport that keeps connections alive and speaks TLS 1.2
// or newer. It uses no proxy; set Proxy for that.
func NewTransport() *http.Transport {
	return &http.Transport{
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: DefaultTimeout,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     time.Minute,
	}
}

// Client makes requests. It is safe for concurrent use, and keeps no cookies.
type Client struct {
	http    http.Client
	maxBody int64
}

// New returns a client.
func New(cfg Config) *Client {
	c := &Client{maxBody: cmp.Or(cfg.MaxBody, DefaultMaxBody)}
	c.http.Timeout = cmp.Or(cfg.Timeout, DefaultTimeout)
	c.http.Transport = cfg.Transport
	if c.http.Transport == nil {
		c.http.Transport = NewTransport()
	}
	c.http.CheckRedirect = CheckRedirect(cfg.MaxRedirects)
	return c
}

// CheckRedirect returns a function for http.Client.CheckRedirect that follows
// redirects as Config.MaxRedirects says.
func CheckRedirect(most int) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, via []*http.Request) error {
		first := via[0].URL
		if most == 0 {
			return http.ErrUseLastResponse
		}
		if r.URL.Host != first.Host || r.URL.Scheme != first.Scheme {
			return &RedirectError{From: originOf(first), To: originOf(r.URL)}
		}
		if len(via) > most {
			return &RedirectError{From: originOf(first), To: originOf(r.URL), Followed: most}
		}
		return nil
	}
}

func originOf(u *url.URL) string { return u.Scheme + "://" + u.Host }

// Timeout is how long a request may take.
func (c *Client) Timeout() time.Duration { return c.http.Timeout }

// CloseIdleConnections closes the connections that are kept alive.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }

// Get requests a URL. See Do for the errors.
func (c *Client) Get(ctx context.Context, address string) (*Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("%q is not a URL", address)
	}
	return c.Do(r)
}

// Do makes a request and reads the response whole, whatever its status. Errors are
// an UnreachableError, a RedirectError or a TooLargeError. None of them repeats the
// URL, which may hold what must not be logged. Together with a TooLargeError comes
// the response with the beginning of its body.
func (c *Client) Do(r *http.Request) (*Response, error) {
	res, err := c.http.Do(r)
	if err != nil {
		if redirect, ok := errors.AsType[*RedirectError](err); ok {
			return nil, redirect
		}
		return nil, newUnreachableError(err)
	}
	defer func() { _ = res.Body.Close() }()
	out := &Response{Status: res.StatusCode, Header: res.Header}
	out.Body, err = io.ReadAll(io.LimitReader(res.Body, c.maxBody+1))
	if err != nil {
		return nil, newUnreachableError(err)
	}
	if int64(len(out.Body)) > c.maxBody {
		out.Body = out.Body[:c.maxBody]
		return out, &TooLargeError{Limit: c.maxBody}
	}
	return out, nil
}

// Response is a response that was read whole.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// CheckStatus returns a StatusError unless the status is one of those allowed, or
// any 2xx status if none are named.
func (r *Response) CheckStatus(allowed ...int) error {
	if slices.Contains(allowed, r.Status) || len(allowed) == 0 && r.Status >= 200 && r.Status <= 299 {
		return nil
	}
	return &StatusError{Status: r.Status}
}

// Cookies returns the cookies that the response sets.
func (r *Response) Cookies() []*http.Cookie { return (&http.Response{Header: r.Header}).Cookies() }

// HasJSONType reports whether the Content-Type is that of JSON.
func (r *Response) HasJSONType() bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}

// DecodeJSON decodes the body, whatever its Content-Type. The error is a
// NotJSONError.
func (r *Response) DecodeJSON(into any) error {
	if err := json.Unmarshal(r.Body, into); err != nil {
		return &NotJSONError{Err: err}
	}
	return nil
}
