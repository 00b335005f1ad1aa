package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"idpbridge/internal/fetch"
	"idpbridge/internal/robot"
)

// response is a response to a request of the checks. Redirects are not followed.
type response struct {
	status   int
	header   http.Header
	location string // of a redirect, or where a page continues to by itself
	body     string
	isJSON   bool // by its Content-Type
	took     time.Duration
}

// summarize returns the response as one line for Finding.Seen.
func (res response) summarize() string {
	summary := fmt.Sprintf("%d %s", res.status, http.StatusText(res.status))
	if location := res.header.Get("Location"); location != "" {
		summary += ", Location: " + location
	}
	if contentType := res.header.Get("Content-Type"); contentType != "" {
		summary += ", " + contentType
	}
	if res.body != "" {
		summary += ": " + res.body
	}
	return summary
}

var errTooManyRequests = errors.New("the limit of requests for one run is reached")

func newClient(cfg Config) *fetch.Client {
	transport := fetch.NewTransport()
	transport.DialContext = cfg.Dial
	transport.MaxResponseHeaderBytes = maxBodySize
	transport.TLSHandshakeTimeout = requestTimeout
	transport.TLSClientConfig.RootCAs, transport.TLSClientConfig.Time = cfg.RootCAs, cfg.Now
	return fetch.New(fetch.Config{Timeout: requestTimeout, MaxBody: maxBodySize, Transport: transport})
}

// get requests a URL. Edit may set headers.
func (e *exam) get(ctx context.Context, rawURL string, edit ...func(*http.Request)) (response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return response{}, fmt.Errorf("%q is not a valid URL", rawURL)
	}
	for _, change := range edit {
		change(r)
	}
	return e.send(r)
}

// send sends a request. Its errors are the second half of a sentence, such as "no
// response within 5s", and do not repeat the URL.
func (e *exam) send(r *http.Request) (response, error) {
	if e.requests >= maxRequests {
		return response{}, errTooManyRequests
	}
	e.requests++
	r.Header.Set("User-Agent", "idp-doctor")
	start := e.cfg.Now()
	res, err := e.client.Do(r)
	if err != nil {
		return response{}, e.describeError(err)
	}
	out := response{
		status: res.Status,
		header: res.Header,
		body:   string(res.Body),
		isJSON: res.HasJSONType(),
		took:   e.cfg.Now().Sub(start),
	}
	if res.Status >= 300 && res.Status <= 399 {
		out.location = res.Header.Get("Location")
	} else if res.Status == http.StatusOK {
		out.location = robot.RefreshURL(out.body)
	}
	return out, nil
}

// describeError returns an error that says briefly why there is no response.
func (e *exam) describeError(err error) error {
	if tooLarge, ok := errors.AsType[*fetch.TooLargeError](err); ok {
		return fmt.Errorf("the response is larger than %d kB", tooLarge.Limit>>10)
	}
	if unreachable, ok := errors.AsType[*fetch.UnreachableError](err); ok && unreachable.TimedOut {
		return fmt.Errorf("no response within %s", e.client.Timeout())
	}
	if dnsError, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("the host name %q cannot be resolved (%s)", dnsError.Name, dnsError.Err)
	}
	return err
}

// randomText returns a value that was never used before.
func randomText() string { return rand.Text() }
