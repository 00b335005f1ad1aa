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

// outgoing makes the requests to the identity provider and keeps what was said. It
// goes to this machine and to the named hosts only, follows no redirect to another
// origin, and reads no more than maxBody.
type outgoing struct {
	client  *fetch.Client
	hosts   []string // in lower case
	timeout time.Duration
	now     func() time.Time

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

// Not every command that runs a simulator can name hosts.
var (
	errForeignHost = errors.New("the simulator makes requests to this machine and to hosts named at its start alone (idp liveengage simulate --allow-host)")
	errPlain       = errors.New("the simulator asks other machines by https alone; by plain http everybody on the way could read secrets and tokens")
)

func newOutgoing(c Config) *outgoing {
	// get follows redirects itself: each is an exchange of its own.
	bounds := fetch.Config{Timeout: c.Timeout, MaxBody: maxBody}
	if c.HTTP != nil {
		if bounds.Transport = c.HTTP.Transport; bounds.Transport == nil {
			bounds.Transport = http.DefaultTransport
		}
	} else {
		transport := fetch.NewTransport()
		transport.DisableCompression, transport.MaxIdleConns = true, 8
		bounds.Transport = transport
	}
	o := &outgoing{client: fetch.New(bounds), timeout: c.Timeout, now: c.Now}
	for _, host := range c.Hosts {
		o.hosts = append(o.hosts, strings.ToLower(host))
	}
	return o
}

// allowed says whether a request may go to an address.
func (o *outgoing) allowed(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return fmt.Errorf("%q is not an http or https address", address)
	}
	host := strings.ToLower(u.Hostname())
	switch {
	case netaddr.IsLoopback(host):
		return nil
	case !slices.Contains(o.hosts, host):
		return fmt.Errorf("%s: %w", host, errForeignHost)
	case u.Scheme != "https":
		return fmt.Errorf("%s: %w", host, errPlain)
	}
	return nil
}

// answer is what came back, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// maxRedirects is how many redirects of the key set or of discovery are followed.
const maxRedirects = 3

// get fetches an address. It follows redirects to the same origin.
func (o *outgoing) get(ctx context.Context, purpose, address string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, o.timeout) // for all of them together
	defer cancel()
	a, err := o.do(ctx, request{purpose: purpose, method: http.MethodGet, address: address})
	for range maxRedirects {
		next, ok := redirected(a, address)
		if err != nil || !ok {
			break
		}
		address = next
		a, err = o.do(ctx, request{purpose: purpose + ", redirected", method: http.MethodGet, address: address})
	}
	return a, err
}

// redirected is where an answer leads to, if that is the same origin.
func redirected(a answer, from string) (string, bool) {
	switch a.status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return "", false
	}
	base, err := url.Parse(from)
	if err != nil {
		return "", false
	}
	to, err := base.Parse(a.header.Get("Location"))
	if err != nil || a.header.Get("Location") == "" || to.Host != base.Host || to.Scheme != base.Scheme {
		return "", false
	}
	return to.String(), true
}

// request is what is sent, and why.
type request struct {
	purpose, method, address, body string
	header                         http.Header
	secrets                        []string // what must not be read in the log, should the answer repeat it
}

// do makes a request and writes it and its answer down.
func (o *outgoing) do(ctx context.Context, q request) (answer, error) {
	x := Exchange{At: o.now(), Purpose: q.purpose, Request: q.method + " " + redactURL(q.address) + "\n" + redactHeader(q.header) + redactBody(q.header.Get("Content-Type"), q.body)}
	a, err := o.send(ctx, q.method, q.address, q.body, q.header)
	x.Duration = o.now().Sub(x.At)
	if err != nil {
		x.Answer, x.Refused = redactQuote(cause(err), q.secrets), true
	} else {
		shown := http.Header{}
		for _, name := range []string{"Content-Type", "Cache-Control", "Location", "Www-Authenticate"} {
			if v := a.header.Get(name); v != "" {
				shown.Set(name, redactURL(v))
			}
		}
		x.Answer = fmt.Sprintf("%d %s\n", a.status, http.StatusText(a.status)) + removeSecrets(redactHeader(shown)+redactBody(a.header.Get("Content-Type"), string(a.body)), q.secrets)
		_, followed := redirected(a, q.address)
		x.Refused = a.status != http.StatusOK && (!followed || q.method != http.MethodGet)
	}
	o.note(x)
	return a, err
}

func (o *outgoing) send(ctx context.Context, method, address, body string, header http.Header) (answer, error) {
	if err := o.allowed(address); err != nil {
		return answer{}, err
	}
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("address: %w", err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	res, err := o.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	return answer{status: res.Status, header: res.Header, body: res.Body}, nil
}

// cause says why there is no answer, without the address and what is secret in it.
func cause(err error) string {
	if timedOut(err) {
		return "no answer in time"
	}
	return err.Error()
}

func timedOut(err error) bool {
	unreachable, ok := errors.AsType[*fetch.UnreachableError](err)
	return ok && unreachable.TimedOut
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
