package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// outgoing makes the requests to the identity provider and keeps what was said. It
// goes to this machine and to the named hosts only, follows no redirect to another
// host, and reads no more than maxBody.
type outgoing struct {
	http  *http.Client
	hosts []string
	now   func() time.Time

	mu        sync.Mutex
	exchanges []Exchange // oldest first
}

// Exchange is one request to the identity provider with its answer, or what the
// simulator made of a token: then Request is empty. Secrets are cut short.
type Exchange struct {
	At       time.Time
	Purpose  string // why it was made
	Request  string // method, address, headers and body
	Answer   string // the same of the answer, or why there is none
	Refused  bool   // the answer is no good, or the token was refused
	Duration time.Duration
}

var errForeignHost = errors.New("the simulator makes requests to this machine and to hosts that were named with --allow-host")

func newOutgoing(c Config) *outgoing {
	client := http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConns: 8, IdleConnTimeout: time.Minute}}
	if c.HTTP != nil {
		client = *c.HTTP
	}
	client.Timeout, client.Jar = c.Timeout, nil
	client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) > 3 || r.URL.Host != via[0].URL.Host || r.URL.Scheme != via[0].URL.Scheme || r.Method != http.MethodGet || via[0].Method != http.MethodGet {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return &outgoing{http: &client, hosts: c.Hosts, now: c.Now}
}

// allowed says whether a request may go to an address.
func (o *outgoing) allowed(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return fmt.Errorf("%q is not an http or https address", address)
	}
	host := strings.ToLower(u.Hostname())
	ip := net.ParseIP(host)
	if host == "localhost" || ip != nil && ip.IsLoopback() || slices.Contains(o.hosts, host) {
		return nil
	}
	return fmt.Errorf("%s: %w", host, errForeignHost)
}

// answer is what came back, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// get fetches an address.
func (o *outgoing) get(ctx context.Context, purpose, address string) (answer, error) {
	return o.do(ctx, purpose, http.MethodGet, address, "", nil)
}

// do makes a request and writes it and its answer down.
func (o *outgoing) do(ctx context.Context, purpose, method, address, body string, header http.Header) (answer, error) {
	x := Exchange{At: o.now(), Purpose: purpose, Request: method + " " + redactURL(address) + "\n" + redactHeader(header) + redactBody(header.Get("Content-Type"), body)}
	a, err := o.send(ctx, method, address, body, header)
	x.Duration = o.now().Sub(x.At)
	if err != nil {
		x.Answer, x.Refused = cause(err), true
	} else {
		shown := http.Header{}
		for _, name := range []string{"Content-Type", "Cache-Control", "Location", "Www-Authenticate"} {
			if v := a.header.Get(name); v != "" {
				shown.Set(name, redactURL(v))
			}
		}
		x.Answer = fmt.Sprintf("%d %s\n", a.status, http.StatusText(a.status)) + redactHeader(shown) + redactBody(a.header.Get("Content-Type"), string(a.body))
		x.Refused = a.status != http.StatusOK
	}
	o.note(x)
	return a, err
}

func (o *outgoing) send(ctx context.Context, method, address, body string, header http.Header) (answer, error) {
	if err := o.allowed(address); err != nil {
		return answer{}, err
	}
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body)) //nolint:gosec // allowed has checked the host
	if err != nil {
		return answer{}, fmt.Errorf("address: %w", err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	res, err := o.http.Do(r) //nolint:gosec // likewise, and CheckRedirect those of redirects
	if err != nil {
		return answer{}, fmt.Errorf("request: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if err != nil {
		return answer{}, fmt.Errorf("read the answer: %w", err)
	}
	if len(raw) > maxBody {
		return answer{}, fmt.Errorf("the answer is longer than %d bytes", maxBody)
	}
	return answer{status: res.StatusCode, header: res.Header, body: raw}, nil
}

// cause says why there is no answer, without the address and what is secret in it.
func cause(err error) string {
	if timedOut(err) {
		return "no answer in time"
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		return cmp.Or(u.Err, err).Error()
	}
	return err.Error()
}

func timedOut(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

// note keeps an exchange, and forgets the oldest.
func (o *outgoing) note(x Exchange) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.exchanges) == maxExchanges {
		o.exchanges = slices.Delete(o.exchanges, 0, 1)
	}
	o.exchanges = append(o.exchanges, x)
}

// newest lists the exchanges, newest first.
func (o *outgoing) newest() []Exchange {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := slices.Clone(o.exchanges)
	slices.Reverse(out)
	return out
}
