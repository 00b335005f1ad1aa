// Package doctor checks a running identity provider from outside, as an engineer
// at LivePerson would after a report that sign-in does not work. It makes the
// requests that LivePerson's servers and chat windows make, and compares the
// provider with the connector in the LiveEngage account. Every finding says what
// was seen, what is wrong, and what the brand's engineer can do about it.
//
// Read this file first, then finding.go. Each of the other files holds one group
// of checks; Run has their order. docs/doctor.md lists every code.
//
// The checks sign no user in and change nothing: they send no session cookie, and
// the codes that they present are made up.
package doctor

import (
	"cmp"
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"time"

	"idpbridge/internal/fetch"
	"idpbridge/internal/secret"
	"idpbridge/liveengage"
)

// Config says what to check. Issuer, ClientID and Now are required. A check whose
// input is missing is skipped, and a finding says so.
type Config struct {
	// Issuer is the provider's issuer, exactly as in its tokens.
	Issuer string
	// RootCAs are the certificate authorities to trust; nil means those of the
	// system.
	RootCAs *x509.CertPool
	// Dial opens connections; nil means the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Now returns the time for judging certificates, clocks and response times.
	Now func() time.Time
	// OnFinding is called with each finding as soon as it is made; may be nil.
	OnFinding func(Finding)

	// ClientID is LivePerson's client_id.
	ClientID string
	// ClientSecret may be unset.
	ClientSecret secret.Value
	// RedirectURIs are the redirect URIs that the provider must accept; the first
	// twenty are tried. None means those that LivePerson uses.
	RedirectURIs []string
	// ResponseTypes are the response types that LivePerson requests, out of code and
	// id_token. None means code.
	ResponseTypes []string
	// AuthorizationEndpoint, TokenEndpoint and KeySetURL replace those of the discovery
	// document, which LivePerson does not read. With one of them, a provider needs no
	// such document.
	AuthorizationEndpoint, TokenEndpoint, KeySetURL string
	// WindowAccount is the account that LivePerson's window names in its state; empty
	// means Account, or a number that is made up.
	WindowAccount string
	// AccountRemedy is what to do if the provider sends responses to the window of any
	// account; empty means advice that fits any provider.
	AccountRemedy string
	// Local reports whether LivePerson is not meant to reach the provider. What keeps
	// LivePerson out is then a note, not an error.
	Local bool

	// PastedKey is the content of the connector's field JWT Public Key; may be empty.
	PastedKey string
	// OperationsURL is the URL of the provider's operations listener, such as
	// http://127.0.0.1:8081; may be empty.
	OperationsURL string

	// Account is the number of the LiveEngage account whose connectors are read; empty
	// means none. They are read from AccountBaseURL; empty means LivePerson's own.
	Account, AccountBaseURL string
	// Connector selects one of several connectors that match the provider: by ID, by
	// name, or by position, counted from one. Empty means all of them.
	Connector string
	// ExpectedFields are values that the connector's fields must have, by their names
	// in its JSON; see ConnectorFields. Other fields are compared with what the
	// provider says about itself, as far as it does.
	ExpectedFields map[string]string

	// JSONRemedy is what to do if the token endpoint does not read JSON; empty means
	// advice that fits any provider.
	JSONRemedy string
}

// Limits of a run.
const (
	requestTimeout = 5 * time.Second
	maxBodySize    = 256 << 10
	maxRequests    = 120
	maxListed      = 20 // keys, connectors and redirect URIs
)

const pathDiscovery = "/.well-known/openid-configuration"

// exam is one run of the checks: its input, the report so far, and what a check
// has read that later checks need.
type exam struct {
	cfg      Config
	client   *fetch.Client
	done     <-chan struct{} // closed when the context ends
	report   Report
	requests int // sent so far

	meta    metadata       // the discovery document, from checkDiscovery
	keys    []publicKey    // the usable RSA keys of the key set, from checkKeySet
	current *publicKey     // the key that the provider says to paste, from checkPublicKey
	cookies []*http.Cookie // set by the authorization endpoint
	slowest time.Duration  // longest response time of the token endpoint
}

// checks are the groups of checks in the order of a run. Later ones use what
// earlier ones have read.
func (e *exam) checks() []func(context.Context) {
	return []func(context.Context){
		e.checkIssuer,
		e.checkDiscovery,
		e.checkEndpoints,
		e.checkProxyHeaders,
		e.checkKeySet,
		e.checkPublicKey,
		e.checkOperations,
		e.checkAuthorization,
		e.checkCookies,
		e.checkTokenEndpoint,
		e.checkConnectors,
	}
}

// Run checks the provider and returns the findings in the order in which they were
// made. It sends about forty requests, one at a time, and stops early when the
// context ends.
func Run(ctx context.Context, cfg Config) Report {
	e := newExam(cfg)
	e.done = ctx.Done()
	defer e.client.CloseIdleConnections()
	for _, check := range e.checks() {
		if ctx.Err() != nil {
			break
		}
		check(ctx)
	}
	return e.report
}

func newExam(cfg Config) *exam {
	if len(cfg.ResponseTypes) == 0 {
		cfg.ResponseTypes = []string{"code"}
	}
	if len(cfg.RedirectURIs) == 0 {
		cfg.RedirectURIs = []string{liveengage.WindowURI}
	}
	cfg.RedirectURIs = firstListed(cfg.RedirectURIs)
	cfg.WindowAccount = cmp.Or(cfg.WindowAccount, cfg.Account, "12345678")
	if cfg.AccountBaseURL == "" {
		cfg.AccountBaseURL = liveengage.AccountConfig
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{Timeout: requestTimeout}).DialContext
	}
	return &exam{cfg: cfg, client: newClient(cfg), report: Report{Totals: map[Level]int{}}}
}

// firstListed cuts a list of the provider or of the account, so that a long one
// does not cause endless requests or findings.
func firstListed[T any](list []T) []T { return list[:min(len(list), maxListed)] }
