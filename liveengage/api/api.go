// Package api is a client of LivePerson's services: it finds them by the Domain
// API, logs in, signs calls with an API key, reads connectors, users and
// conversations, and plays the consumer who is authenticated and writes a line.
//
// Read this file first, then call.go, through which every request goes, and
// retry.go, which says when a request is made again; then socket.go, and publish.go,
// which says what becomes of a line when the connection is lost.
//
// It was not tried against a live account. What nobody has documented, such as the
// body of authenticate v3 with a code, is a guess, and its comment says so.
package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"idpbridge/liveengage"
)

// DefaultDomainAPI is where LivePerson's Domain API is.
const DefaultDomainAPI = liveengage.DomainAPI

const (
	attemptTimeout = 10 * time.Second
	maxBody        = 1 << 20
	maxRedirects   = 3
)

// RetryPolicy is how long a client goes on after faults.
type RetryPolicy int

// The persistences. The first is LivePerson's own recommendation.
const (
	// RetryForever makes three retries, and for login and socket goes on after growing
	// intervals until the context ends.
	RetryForever RetryPolicy = iota
	// RetryThreeTimes gives up after three retries, also for login and socket.
	RetryThreeTimes
	// NoRetry gives up at the first fault.
	NoRetry
)

// Config is what a client needs. Account, Now and Log are required.
type Config struct {
	// Account is the number of the LivePerson account.
	Account string
	// DomainAPI is the address of the Domain API; DefaultDomains if empty.
	DomainAPI string
	// Accdn is the address of the public account configuration. If empty, it is
	// what the Domain API calls acCdnDomain, or LivePerson's usual one.
	Accdn string
	// AllowedHosts names the hosts that may be contacted beside those on loopback.
	AllowedHosts Hosts
	// HTTP lends its transport; a client of its own with keep-alive if nil. Its
	// time-outs and its rule for redirects are replaced.
	HTTP *http.Client
	// Now is the time by which requests are signed.
	Now func() time.Time
	// Log is told of every fault with its details, and of no secret.
	Log *slog.Logger
	// Retry is how long to go on after faults.
	Retry RetryPolicy
}

// Client calls the services of one account. It is safe for concurrent use.
type Client struct {
	cfg  Config
	http *http.Client

	mu      sync.Mutex
	domains map[string]string // by service; nil until asked
}

var accountPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// New returns a client; it contacts nobody yet.
func New(cfg Config) (*Client, error) {
	if !accountPattern.MatchString(cfg.Account) {
		return nil, fmt.Errorf("account %q is not an account number of LivePerson", cfg.Account)
	}
	if cfg.Now == nil || cfg.Log == nil {
		return nil, errors.New("a client needs a clock and a log")
	}
	cfg.DomainAPI = strings.TrimSuffix(cmp.Or(cfg.DomainAPI, DefaultDomainAPI), "/")
	cfg.Accdn = strings.TrimSuffix(cfg.Accdn, "/")
	for _, address := range []string{cfg.DomainAPI, cfg.Accdn} {
		if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "" || u.RawQuery != "" || u.Scheme != "https" && u.Scheme != "http") {
			return nil, fmt.Errorf("%q is not an address such as %s", address, DefaultDomainAPI)
		}
	}
	transport := http.RoundTripper(&http.Transport{
		MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: attemptTimeout, ForceAttemptHTTP2: true,
	})
	if cfg.HTTP != nil && cfg.HTTP.Transport != nil {
		transport = cfg.HTTP.Transport
	}
	c := &Client{cfg: cfg, http: &http.Client{Transport: cfg.AllowedHosts.Transport(transport), CheckRedirect: checkRedirect}}
	return c, nil
}

// Account is the number of the account.
func (c *Client) Account() string { return c.cfg.Account }

// accountPath is the beginning of most paths.
func (c *Client) accountPath(rest string) string { return "/api/account/" + c.cfg.Account + rest }

// sleepContext lets time pass, or returns why it did not.
func sleepContext(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
