package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"idpbridge/internal/fetch"
	"idpbridge/internal/netaddr"
)

// Authorizer makes the Authorization header of one request. A Session and a
// Key have one.
type Authorizer func(method, address string) string

// serviceCall is one thing to ask of a service.
type serviceCall struct {
	service     string                                    // by the name of the Domain API
	baseURL     string                                    // where the service has a fixed address
	findBaseURL func(ctx context.Context) (string, error) // where it is found in another way
	method      string
	path        string
	query       url.Values
	// makeBody is asked before each attempt, because what works only once must not be
	// sent twice. It is nil for a request without a body.
	makeBody     func(ctx context.Context) (any, error)
	authorize    Authorizer
	cookies      []*http.Cookie
	retryForever bool // goes on after three retries, if the client is untiring
}

// serviceResponse is a success that was read whole.
type serviceResponse struct {
	body    []byte
	cookies []*http.Cookie
	secrets secrets // by the request
}

// fixedBody is the body that is the same at every attempt.
func fixedBody(body any) func(context.Context) (any, error) {
	return func(context.Context) (any, error) { return body, nil }
}

// callService makes the call, and makes it again as retry.go says. Where out is not nil the
// answer must be JSON that fits it.
func (c *Client) callService(ctx context.Context, call serviceCall, out any) (serviceResponse, error) {
	var a serviceResponse
	err := c.retryCall(ctx, newRetryPlan(c.cfg.Retry, threePauses(), call.retryForever), call.service, call.method+" "+call.path, func() (err error) {
		a, err = c.tryCall(ctx, call)
		return err
	})
	if err != nil {
		return serviceResponse{}, err
	}
	if out != nil {
		if err := json.Unmarshal(a.body, out); err != nil {
			return serviceResponse{}, Permanent(fmt.Errorf("%s answers what is not the JSON that was due: %w", call.service, errors.New(sanitizeText(a.secrets.redactFrom(err.Error())))))
		}
	}
	return a, nil
}

// tryCall makes the call once. The service is looked up in every attempt, so that
// one that has moved is found.
func (c *Client) tryCall(ctx context.Context, call serviceCall) (serviceResponse, error) {
	base, err := call.baseURL, error(nil)
	switch {
	case call.findBaseURL != nil:
		base, err = call.findBaseURL(ctx)
	case base == "":
		base, err = c.findServiceURL(ctx, call.service)
	}
	if err != nil {
		return serviceResponse{}, err
	}
	var body []byte
	if call.makeBody != nil {
		v, err := call.makeBody(ctx)
		if err != nil {
			return serviceResponse{}, err
		}
		if body, err = json.Marshal(v); err != nil {
			return serviceResponse{}, err
		}
	}
	address := base + call.path
	if len(call.query) > 0 {
		address += "?" + call.query.Encode()
	}
	a, err := c.sendCall(ctx, call, address, body)
	if _, ok := errors.AsType[*noResponseError](err); ok {
		c.forgetService(call.service)
	}
	return a, err
}

func (c *Client) sendCall(ctx context.Context, call serviceCall, address string, body []byte) (serviceResponse, error) {
	r, err := http.NewRequestWithContext(ctx, call.method, address, bytes.NewReader(body))
	if err != nil {
		return serviceResponse{}, fmt.Errorf("%s has the address %q: %w", call.service, address, err)
	}
	r.Header.Set("Accept", "application/json")
	if call.method != http.MethodGet {
		r.Header.Set("Content-Type", "application/json")
	}
	if call.authorize != nil {
		r.Header.Set("Authorization", call.authorize(call.method, address))
	}
	for _, cookie := range call.cookies {
		r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value}) //nolint:gosec // a request's cookie has no attributes
	}
	carried := collectSecrets(body, r.Header)
	res, err := c.http.Do(r)
	if err != nil {
		return serviceResponse{}, wrapTransportError(ctx, call.service, err, carried)
	}
	if res.CheckStatus() != nil {
		return serviceResponse{}, c.parseErrorResponse(call.service, res.Status, res.Header, res.Body, carried)
	}
	return serviceResponse{body: res.Body, cookies: res.Cookies(), secrets: carried}, nil
}

// errTimedOut is an answer that did not come.
var errTimedOut = fmt.Errorf("nothing within %s", attemptTimeout)

// wrapTransportError tells a service that cannot be reached from what was never sent and from
// a caller who has gone.
func wrapTransportError(ctx context.Context, service string, err error, carried secrets) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // without the address, of which the log has the path
	}
	_, tooLarge := errors.AsType[*fetch.TooLargeError](err)
	if tooLarge || isRedirect(err) || errors.Is(err, ErrHostNotAllowed) {
		return fmt.Errorf("%s: %w", service, err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = errTimedOut
	}
	return &noResponseError{service, err, carried}
}

// isRedirect reports whether an error is of a redirect that was not followed: what
// is sent is meant for one host alone.
func isRedirect(err error) bool {
	_, ok := errors.AsType[*fetch.RedirectError](err)
	return ok
}

// resolveBaseURI is a base URI of the Domain API, which has no scheme, as an address:
// https, but on loopback the scheme of the Domain API itself.
func (c *Client) resolveBaseURI(uri string) (string, error) {
	scheme, rest, found := strings.Cut(uri, "://")
	if !found {
		scheme, rest = "https", uri
		if host, err := url.Parse("//" + uri); err == nil && netaddr.IsLoopback(host.Hostname()) && strings.HasPrefix(c.cfg.DomainAPI, "http://") {
			scheme = "http"
		}
	}
	u, err := url.Parse(scheme + "://" + strings.TrimSuffix(rest, "/"))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("the Domain API names %q, which is no address", sanitizeText(uri))
	}
	return u.String(), c.cfg.AllowedHosts.Check(u)
}
