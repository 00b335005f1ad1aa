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

// Authorizer returns the Authorization header for one request. Session and
// Client.KeyAuthorizer provide one.
type Authorizer func(method, address string) string

// serviceCall is one request to a service.
type serviceCall struct {
	service     string                                    // its name in the Domain API
	baseURL     string                                    // if it is not in the Domain API
	findBaseURL func(ctx context.Context) (string, error) // if it is looked up in another way
	method      string
	path        string
	query       url.Values
	// makeBody is called before each attempt, because some values work only once. It is
	// nil for a request without a body.
	makeBody     func(ctx context.Context) (any, error)
	authorize    Authorizer
	cookies      []*http.Cookie
	retryForever bool // keep retrying after three retries, with RetryForever
}

// serviceResponse is a successful response.
type serviceResponse struct {
	body    []byte
	cookies []*http.Cookie
	secrets secrets // of the request
}

// fixedBody returns a makeBody that returns the same body at every attempt.
func fixedBody(body any) func(context.Context) (any, error) {
	return func(context.Context) (any, error) { return body, nil }
}

// callService makes a call and retries it, see retry.go. Unless out is nil, it
// decodes the response into it.
func (c *Client) callService(ctx context.Context, call serviceCall, out any) (serviceResponse, error) {
	var response serviceResponse
	plan := newRetryPlan(c.cfg.Retry, threePauses(), call.retryForever)
	err := c.retryCall(ctx, plan, call.service, call.method+" "+call.path, func() (err error) {
		response, err = c.tryCall(ctx, call)
		return err
	})
	if err != nil {
		return serviceResponse{}, err
	}
	if out != nil {
		if err := json.Unmarshal(response.body, out); err != nil {
			detail := sanitizeText(response.secrets.redactFrom(err.Error()))
			return serviceResponse{}, Permanent(fmt.Errorf("%s returned unexpected JSON: %s", call.service, detail))
		}
	}
	return response, nil
}

// tryCall makes a call once. It looks the service up each time, in case it has moved.
func (c *Client) tryCall(ctx context.Context, call serviceCall) (serviceResponse, error) {
	base, err := c.baseURLFor(ctx, call)
	if err != nil {
		return serviceResponse{}, err
	}
	var body []byte
	if call.makeBody != nil {
		value, err := call.makeBody(ctx)
		if err != nil {
			return serviceResponse{}, err
		}
		if body, err = json.Marshal(value); err != nil {
			return serviceResponse{}, err
		}
	}
	address := base + call.path
	if len(call.query) > 0 {
		address += "?" + call.query.Encode()
	}
	response, err := c.sendCall(ctx, call, address, body)
	if _, ok := errors.AsType[*noResponseError](err); ok {
		c.forgetService(call.service)
	}
	return response, err
}

func (c *Client) baseURLFor(ctx context.Context, call serviceCall) (string, error) {
	if call.findBaseURL != nil {
		return call.findBaseURL(ctx)
	}
	if call.baseURL != "" {
		return call.baseURL, nil
	}
	return c.findServiceURL(ctx, call.service)
}

// sendCall sends one request.
func (c *Client) sendCall(
	ctx context.Context, call serviceCall, address string, body []byte,
) (serviceResponse, error) {
	r, err := http.NewRequestWithContext(ctx, call.method, address, bytes.NewReader(body))
	if err != nil {
		return serviceResponse{}, fmt.Errorf("invalid URL %q for %s: %w", address, call.service, err)
	}
	r.Header.Set("Accept", "application/json")
	if call.method != http.MethodGet {
		r.Header.Set("Content-Type", "application/json")
	}
	if call.authorize != nil {
		r.Header.Set("Authorization", call.authorize(call.method, address))
	}
	for _, cookie := range call.cookies {
		r.AddCookie(cookie)
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

// errTimedOut replaces the error of a request without a response in time.
var errTimedOut = fmt.Errorf("no response within %s", attemptTimeout)

// wrapTransportError returns a noResponseError if the service could not be reached. It
// returns other errors if the request was not allowed or the context has ended.
func wrapTransportError(ctx context.Context, service string, err error, carried secrets) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if wrapper, ok := errors.AsType[*url.Error](err); ok {
		err = wrapper.Err // without the URL; the log has its path
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

// isRedirect reports whether err is a redirect that was not followed. The request may
// contain credentials for the first host.
func isRedirect(err error) bool {
	_, ok := errors.AsType[*fetch.RedirectError](err)
	return ok
}

// resolveBaseURI returns a base URI of the Domain API as a URL. The URIs have no
// scheme. It is https, except that a loopback host gets the scheme of the Domain API.
func (c *Client) resolveBaseURI(uri string) (string, error) {
	scheme, rest, found := strings.Cut(uri, "://")
	if !found {
		scheme, rest = "https", uri
		u, err := url.Parse("//" + uri)
		if err == nil && netaddr.IsLoopback(u.Hostname()) && strings.HasPrefix(c.cfg.DomainAPI, "http://") {
			scheme = "http"
		}
	}
	u, err := url.Parse(scheme + "://" + strings.TrimSuffix(rest, "/"))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("the Domain API returned an invalid base URI: %q", sanitizeText(uri))
	}
	return u.String(), c.cfg.AllowedHosts.Check(u)
}
