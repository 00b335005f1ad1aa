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
)

// response is what came back, read whole. A redirect is an answer like any other.
type response struct {
	status int
	header http.Header
	body   string
	took   time.Duration
	isJSON bool // by its Content-Type
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

var errTooManyRequests = errors.New("the examination has used up its requests")

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
	res, err := e.client.Do(r)
	if err != nil {
		return response{}, e.describeError(err)
	}
	took := e.cfg.Now().Sub(start)
	return response{status: res.Status, header: res.Header, body: string(res.Body), took: took, isJSON: res.HasJSONType()}, nil
}

// describeError says in few words why no response came.
func (e *exam) describeError(err error) error {
	if tooLarge, ok := errors.AsType[*fetch.TooLargeError](err); ok {
		return fmt.Errorf("the answer is larger than %d kB", tooLarge.Limit>>10)
	}
	if unreachable, ok := errors.AsType[*fetch.UnreachableError](err); ok && unreachable.TimedOut {
		return fmt.Errorf("no answer came within %s", e.client.Timeout())
	}
	if name, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("the name %q is not known to the name server (%s)", name.Name, name.Err)
	}
	return err
}

// randomText is a text that nobody has used before.
func randomText() string { return rand.Text() }
