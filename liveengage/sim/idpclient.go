package sim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"idpbridge/internal/fetch"
	"idpbridge/internal/netaddr"
)

// idpClient makes the requests to the identity provider and records them. It contacts
// loopback and the configured hosts only, follows redirects within an origin only, and
// reads up to maxBody bytes.
type idpClient struct {
	client  *fetch.Client
	hosts   []string // in lower case
	timeout time.Duration
	now     func() time.Time

	mu        sync.Mutex
	exchanges []exchange // oldest first
}

// exchange is a request to the identity provider with its response, or a rejected token:
// then Request is empty. Secrets are shortened.
type exchange struct {
	At       time.Time
	Purpose  string
	Request  string // method, URL, headers and body
	Response string // status, headers and body, or why there is none
	Failed   bool   // the response is an error, or the token was rejected
	Duration time.Duration
}

var (
	errForeignHost = errors.New("the simulator contacts only this machine and the hosts named at startup " +
		"(idp liveengage simulate --allow-host)")
	errNotHTTPS = errors.New("the simulator contacts other machines over https only; " +
		"over http, secrets and tokens could be read in transit")
)

func newIDPClient(c Config) *idpClient {
	cfg := fetch.Config{Timeout: c.Timeout, MaxBody: maxBody} // get follows redirects itself, to record each
	if c.HTTP != nil {
		if cfg.Transport = c.HTTP.Transport; cfg.Transport == nil {
			cfg.Transport = http.DefaultTransport
		}
	} else {
		transport := fetch.NewTransport()
		transport.DisableCompression, transport.MaxIdleConns = true, 8
		cfg.Transport = transport
	}
	o := &idpClient{client: fetch.New(cfg), timeout: c.Timeout, now: c.Now}
	for _, host := range c.Hosts {
		o.hosts = append(o.hosts, strings.ToLower(host))
	}
	return o
}

// checkURL returns an error if a URL must not be requested.
func (o *idpClient) checkURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return fmt.Errorf("%q is not an http or https URL", address)
	}
	host := strings.ToLower(u.Hostname())
	if netaddr.IsLoopback(host) {
		return nil
	}
	if !slices.Contains(o.hosts, host) {
		return fmt.Errorf("%s: %w", host, errForeignHost)
	}
	if u.Scheme != "https" {
		return fmt.Errorf("%s: %w", host, errNotHTTPS)
	}
	return nil
}

// maxRedirects is how many redirects of discovery or of the key set are followed.
const maxRedirects = 3

// idpRequest is a request to the identity provider.
type idpRequest struct {
	purpose, method, address, body string
	header                         http.Header
	secrets                        []string // removed from the record if the response repeats them
}

// get requests a URL and follows redirects within its origin. The timeout is for all of
// them together.
func (o *idpClient) get(ctx context.Context, purpose, address string) (*fetch.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	request := idpRequest{purpose: purpose, method: http.MethodGet, address: address}
	response, err := o.do(ctx, request)
	for range maxRedirects {
		if err != nil {
			break
		}
		next, ok := redirectTarget(response, request.address)
		if !ok {
			break
		}
		request.purpose, request.address = purpose+", redirected", next
		response, err = o.do(ctx, request)
	}
	return response, err
}

// redirectTarget returns where a response redirects to, if that is within the origin.
func redirectTarget(response *fetch.Response, from string) (string, bool) {
	redirects := []int{
		http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect,
	}
	location := response.Header.Get("Location")
	if location == "" || !slices.Contains(redirects, response.Status) {
		return "", false
	}
	base, err := url.Parse(from)
	if err != nil {
		return "", false
	}
	target, err := base.Parse(location)
	if err != nil || target.Host != base.Host || target.Scheme != base.Scheme {
		return "", false
	}
	return target.String(), true
}

// do makes a request and records it.
func (o *idpClient) do(ctx context.Context, request idpRequest) (*fetch.Response, error) {
	x := exchange{At: o.now(), Purpose: request.purpose, Request: describeRequest(request)}
	response, err := o.send(ctx, request)
	x.Duration = o.now().Sub(x.At)
	if err != nil {
		x.Response, x.Failed = redactQuote(err.Error(), request.secrets), true
	} else {
		x.Response = describeResponse(response, request.secrets)
		_, followed := redirectTarget(response, request.address)
		x.Failed = response.Status != http.StatusOK && (!followed || request.method != http.MethodGet)
	}
	o.record(x)
	return response, err
}

func (o *idpClient) send(ctx context.Context, request idpRequest) (*fetch.Response, error) {
	if err := o.checkURL(request.address); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, request.method, request.address, strings.NewReader(request.body))
	if err != nil {
		return nil, fmt.Errorf("invalid request: %w", err)
	}
	for name, values := range request.header {
		r.Header[name] = values
	}
	return o.client.Do(r)
}

func describeRequest(request idpRequest) string {
	return request.method + " " + redactURL(request.address) + "\n" + redactHeader(request.header) +
		redactBody(request.header.Get("Content-Type"), request.body)
}

func describeResponse(response *fetch.Response, secrets []string) string {
	header := http.Header{}
	for _, name := range []string{"Content-Type", "Cache-Control", "Location", "Www-Authenticate"} {
		if value := response.Header.Get(name); value != "" {
			header.Set(name, redactURL(value))
		}
	}
	content := redactHeader(header) + redactBody(response.Header.Get("Content-Type"), string(response.Body))
	return fmt.Sprintf("%d %s\n", response.Status, http.StatusText(response.Status)) + removeSecrets(content, secrets)
}

// isTimeout reports whether there was no response in time.
func isTimeout(err error) bool {
	unreachable, ok := errors.AsType[*fetch.UnreachableError](err)
	return ok && unreachable.TimedOut
}

// record keeps an exchange and drops the oldest one.
func (o *idpClient) record(x exchange) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.exchanges) == maxExchanges {
		o.exchanges = slices.Delete(o.exchanges, 0, 1)
	}
	o.exchanges = append(o.exchanges, x)
}

// recordRejection records that a token was rejected.
func (o *idpClient) recordRejection(purpose, code, explanation string) {
	response := "rejected with " + code + ": " + explanation
	o.record(exchange{At: o.now(), Purpose: purpose, Response: response, Failed: true})
}

// listExchanges returns the exchanges, newest first.
func (o *idpClient) listExchanges() []exchange {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := slices.Clone(o.exchanges)
	slices.Reverse(out)
	return out
}
