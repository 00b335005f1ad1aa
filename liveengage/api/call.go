package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"idpbridge/internal/netaddr"
)

// Authorizer makes the Authorization header of one request. A Session and a
// Key have one.
type Authorizer func(method, address string) string

// call is one thing to ask of a service.
type call struct {
	service string                                    // by the name of the Domain API
	base    string                                    // where the service has a fixed address
	find    func(ctx context.Context) (string, error) // where it is found in another way
	method  string
	path    string
	query   url.Values
	// body is asked before each attempt, because what works only once must not be
	// sent twice. It is nil for a request without a body.
	body      func(ctx context.Context) (any, error)
	authorize Authorizer
	cookies   []*http.Cookie
	growing   bool // goes on after three retries, if the client is untiring
}

// answer is a success that was read whole.
type answer struct {
	body    []byte
	cookies []*http.Cookie
	carried secrets // by the request
}

// sends is the body that is the same at every attempt.
func sends(body any) func(context.Context) (any, error) {
	return func(context.Context) (any, error) { return body, nil }
}

// do makes the call, and makes it again as retry.go says. Where out is not nil the
// answer must be JSON that fits it.
func (c *Client) do(ctx context.Context, what call, out any) (answer, error) {
	var a answer
	err := c.retry(ctx, newPlan(c.cfg.Retry, threePauses(), what.growing), what.service, what.method+" "+what.path, func() (err error) {
		a, err = c.attempt(ctx, what)
		return err
	})
	if err != nil {
		return answer{}, err
	}
	if out != nil {
		if err := json.Unmarshal(a.body, out); err != nil {
			return answer{}, Permanent(fmt.Errorf("%s answers what is not the JSON that was due: %w", what.service, errors.New(redacted(a.carried.strike(err.Error())))))
		}
	}
	return a, nil
}

// attempt makes the call once. The service is looked up in every attempt, so that
// one that has moved is found.
func (c *Client) attempt(ctx context.Context, what call) (answer, error) {
	base, err := what.base, error(nil)
	switch {
	case what.find != nil:
		base, err = what.find(ctx)
	case base == "":
		base, err = c.base(ctx, what.service)
	}
	if err != nil {
		return answer{}, err
	}
	var body []byte
	if what.body != nil {
		v, err := what.body(ctx)
		if err != nil {
			return answer{}, err
		}
		if body, err = json.Marshal(v); err != nil {
			return answer{}, err
		}
	}
	address := base + what.path
	if len(what.query) > 0 {
		address += "?" + what.query.Encode()
	}
	a, err := c.send(ctx, what, address, body)
	if _, ok := errors.AsType[*unreachable](err); ok {
		c.forget(what.service)
	}
	return a, err
}

func (c *Client) send(outer context.Context, what call, address string, body []byte) (answer, error) {
	ctx, cancel := context.WithTimeout(outer, attemptTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, what.method, address, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("%s has the address %q: %w", what.service, address, err)
	}
	r.Header.Set("Accept", "application/json")
	if what.method != http.MethodGet {
		r.Header.Set("Content-Type", "application/json")
	}
	if what.authorize != nil {
		r.Header.Set("Authorization", what.authorize(what.method, address))
	}
	for _, cookie := range what.cookies {
		r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value}) //nolint:gosec // a request's cookie has no attributes
	}
	carried := secretsOf(body, r.Header)
	res, err := c.http.Do(r)
	if err != nil {
		return answer{}, noAnswer(outer, what.service, err, carried)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, mostBody+1))
	switch {
	case err != nil:
		return answer{}, noAnswer(outer, what.service, err, carried)
	case len(text) > mostBody:
		return answer{}, fmt.Errorf("%s answers more than %d bytes", what.service, mostBody)
	case res.StatusCode < 200 || res.StatusCode > 299:
		return answer{}, c.refusal(what.service, res.StatusCode, res.Header, text, carried)
	}
	return answer{body: text, cookies: res.Cookies(), carried: carried}, nil
}

// errSilent is an answer that did not come.
var errSilent = fmt.Errorf("nothing within %s", attemptTimeout)

// noAnswer tells a service that cannot be reached from what was never sent and from
// a caller who has gone.
func noAnswer(ctx context.Context, service string, err error, carried secrets) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // without the address, of which the log has the path
	}
	if errors.Is(err, ErrHostNotAllowed) || errors.Is(err, errRedirect) {
		return fmt.Errorf("%s: %w", service, err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = errSilent
	}
	return &unreachable{service, err, carried}
}

// baseAddress is a base URI of the Domain API, which has no scheme, as an address:
// https, but on loopback the scheme of the Domain API itself.
func (c *Client) baseAddress(uri string) (string, error) {
	scheme, rest, found := strings.Cut(uri, "://")
	if !found {
		scheme, rest = "https", uri
		if host, err := url.Parse("//" + uri); err == nil && netaddr.IsLoopback(host.Hostname()) && strings.HasPrefix(c.cfg.DomainAPI, "http://") {
			scheme = "http"
		}
	}
	u, err := url.Parse(scheme + "://" + strings.TrimSuffix(rest, "/"))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("the Domain API names %q, which is no address", redacted(uri))
	}
	return u.String(), c.cfg.AllowedHosts.Check(u)
}
