package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// response is what came back, read whole. A redirect is an answer like any other.
type response struct {
	status int
	header http.Header
	body   string
	took   time.Duration
}

// isJSON says whether the body claims to be JSON.
func (a response) isJSON() bool {
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}

// summarize is the answer in a line.
func (a response) summarize() string {
	text := fmt.Sprintf("%d %s", a.status, http.StatusText(a.status))
	if location := a.header.Get("Location"); location != "" {
		text += ", Location: " + location
	}
	if kind := a.header.Get("Content-Type"); kind != "" {
		text += ", " + kind
	}
	if a.body != "" {
		text += ": " + a.body
	}
	return text
}

var (
	errTooManyRequests  = errors.New("the examination has used up its requests")
	errResponseTooLarge = fmt.Errorf("the answer is larger than %d kB", maxBodySize>>10)
)

// get asks for an address.
func (e *exam) get(ctx context.Context, address string, edit ...func(*http.Request)) (response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return response{}, fmt.Errorf("%q is not an address", address)
	}
	for _, change := range edit {
		change(r)
	}
	return e.send(r)
}

// send makes one request. The error is a sentence's second half, such as "no
// answer came within 5s", and does not repeat the address.
func (e *exam) send(r *http.Request) (response, error) {
	if e.requests >= maxRequests {
		return response{}, errTooManyRequests
	}
	e.requests++
	r.Header.Set("User-Agent", "idp-doctor")
	start := e.cfg.Now()
	res, err := e.http.Do(r)
	if err != nil {
		return response{}, e.describeError(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBodySize+1))
	if err != nil {
		return response{}, e.describeError(err)
	}
	if len(body) > maxBodySize {
		return response{}, errResponseTooLarge
	}
	return response{status: res.StatusCode, header: res.Header, body: string(body), took: e.cfg.Now().Sub(start)}, nil
}

// describeError says in few words why nothing came.
func (e *exam) describeError(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		if wrapped.Timeout() {
			return fmt.Errorf("no answer came within %s", e.http.Timeout)
		}
		err = wrapped.Err
	}
	if name, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("the name %q is not known to the name server (%s)", name.Name, name.Err)
	}
	return err
}

// randomText is a text that nobody has used before.
func randomText() string { return rand.Text() }
