// Package api is a client for LivePerson's services. It looks them up in the
// Domain API, logs in, signs calls with an API key, reads connectors, users and
// conversations, and can act as an authenticated consumer who sends a message.
//
// Start here. Every request goes through call.go, and retry.go decides when it is
// retried. socket.go keeps the messaging connection open, and publish.go delivers a
// message even when that connection is lost.
//
// The client has not been tested against a live account. Where LivePerson documents
// nothing, for example the body of authenticate v3 with a code, the code is a guess
// and its comment says so.
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

	"idpbridge/internal/fetch"
	"idpbridge/liveengage"
)

const (
	attemptTimeout = 10 * time.Second
	maxBody        = 1 << 20
	maxRedirects   = 3
)

// RetryPolicy is how often a client retries after a failure.
type RetryPolicy int

// The retry policies. The first is what LivePerson recommends.
const (
	// RetryForever retries three times. Login and socket then keep retrying at growing
	// intervals until the context ends.
	RetryForever RetryPolicy = iota
	// RetryThreeTimes gives up after three retries, for login and socket too.
	RetryThreeTimes
	// NoRetry gives up at the first failure.
	NoRetry
)

// Config configures a Client. Account, Now and Log are required.
type Config struct {
	// Account is the number of the LivePerson account.
	Account string
	// DomainAPI is the base URL of the Domain API. Empty means liveengage.DomainAPI.
	DomainAPI string
	// AllowedHosts are the hosts the client may contact, in addition to loopback.
	AllowedHosts Hosts
	// HTTP provides the transport. Nil means a client of the package's own with
	// keep-alive. Its timeout and redirect policy are replaced.
	HTTP *http.Client
	// Now is the clock used to sign requests.
	Now func() time.Time
	// Log receives every failure with its details. Secrets are never logged.
	Log *slog.Logger
	// Retry is how often to retry. The zero value is RetryForever.
	Retry RetryPolicy
}

// Client calls the services of one account. It is safe for concurrent use.
type Client struct {
	cfg    Config
	http   *fetch.Client
	socket *http.Client // for the handshakes of sockets

	mu      sync.Mutex
	domains map[string]string // base URI by service; nil until fetched
}

var accountPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// New returns a client. It makes no request. It returns an error for an invalid
// account or URL, and if Now or Log is missing.
func New(cfg Config) (*Client, error) {
	if !accountPattern.MatchString(cfg.Account) {
		return nil, fmt.Errorf("account %q is not an account number", cfg.Account)
	}
	if cfg.Now == nil || cfg.Log == nil {
		return nil, errors.New("api: Config.Now and Config.Log are required")
	}
	cfg.DomainAPI = strings.TrimSuffix(cmp.Or(cfg.DomainAPI, liveengage.DomainAPI), "/")
	u, err := url.Parse(cfg.DomainAPI)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("%q is not a valid URL for the Domain API, such as %s", cfg.DomainAPI, liveengage.DomainAPI)
	}
	transport := http.RoundTripper(fetch.NewTransport())
	if cfg.HTTP != nil && cfg.HTTP.Transport != nil {
		transport = cfg.HTTP.Transport
	}
	guarded := cfg.AllowedHosts.Transport(transport)
	return &Client{
		cfg: cfg,
		http: fetch.New(fetch.Config{
			Timeout: attemptTimeout, MaxBody: maxBody, MaxRedirects: maxRedirects, Transport: guarded,
		}),
		socket: &http.Client{Transport: guarded, CheckRedirect: fetch.CheckRedirect(maxRedirects)},
	}, nil
}

// Account returns the account number.
func (c *Client) Account() string { return c.cfg.Account }

// accountPath returns a path below the account, where most services have theirs.
func (c *Client) accountPath(rest string) string { return "/api/account/" + c.cfg.Account + rest }

// sleepContext waits for d. It returns early with the cause if the context ends.
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
