// Package doctor examines a running identity provider from outside, as an
// engineer at LivePerson would who was told that sign-in does not work: with the
// requests that LivePerson's servers and chat windows make, and with the
// connector that they have on file. Every finding says what was seen and what
// the brand's engineer can do about it.
//
// Read this file first, then finding.go. Each further file is one stage of the
// examination, in the order of Run. docs/doctor.md lists every code.
//
// It signs nobody in and changes nothing: it asks without a session, and
// presents codes and a secret that it has made up.
package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"idpbridge/liveengage"
)

// Config says what to examine. Issuer, ClientID and Now are required. A check
// that needs something else is skipped where it is missing, and says so.
type Config struct {
	// Issuer is the provider's issuer, letter by letter as it is in its tokens.
	Issuer string
	// Client carries the requests; nil is one that verifies certificates and asks
	// for patience of no more than five seconds. Redirects are never followed and
	// bodies are read up to 256 kB, whichever it is.
	Client *http.Client
	// RootCAs are the authorities whose certificates are believed; nil means those
	// of the system.
	RootCAs *x509.CertPool
	// Dial connects; nil means by the network itself.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Now is the time by which certificates, clocks and answers are judged.
	Now func() time.Time
	// OnFinding is called with each finding as soon as it is made; may be nil.
	OnFinding func(Finding)

	// ClientID is LivePerson's client_id. ClientSecret may be empty.
	ClientID, ClientSecret string
	// RedirectURIs must be accepted, of which the first twenty are tried; none
	// means those that LivePerson uses.
	RedirectURIs []string
	// ResponseTypes are those that LivePerson asks for, of code and id_token; none
	// means code.
	ResponseTypes []string
	// Local is true where LivePerson is not meant to reach the provider: what
	// keeps it from doing so is noted instead of being a fault.
	Local bool

	// PastedKey is the text in the connector's field JWT Public Key; may be empty.
	PastedKey string
	// OperationsURL is the address of the provider's second listener, such as
	// http://127.0.0.1:8081; may be empty.
	OperationsURL string

	// Account is the number of a LiveEngage account whose connectors are read;
	// empty means none. AccountBase is where: empty means LivePerson's own.
	Account, AccountBaseURL string
	// Connector is the id, the name or the place, counted from one, of the
	// connector to compare, where several fit; empty means all of them.
	Connector string
	// ExpectedFields are the values that the connector's fields must have, by their
	// names in its JSON. Those not named are compared with what the provider says
	// where it says something; see ConnectorFields.
	ExpectedFields map[string]string

	// JSONRemedy is what to do where the token endpoint takes forms only; empty
	// means advice that fits any provider.
	JSONRemedy string
}

// The bounds of an examination.
const (
	requestTimeout = 5 * time.Second
	maxBodySize    = 256 << 10
	maxRequests    = 120
	maxListed      = 20 // keys, connectors and redirect URIs that are looked at
)

const (
	pathDiscovery = "/.well-known/openid-configuration"
)

// exam is an examination under way.
type exam struct {
	cfg      Config
	http     *http.Client
	done     <-chan struct{}
	report   Report
	requests int
	meta     metadata
	keys     []publicKey    // of the key set, as far as they could be read
	current  *publicKey     // the one that the provider says to paste
	cookies  []*http.Cookie // that the authorization endpoint has set
	slowest  time.Duration  // answer of the token endpoint
}

// Run examines the provider and returns what was found, in the order in which it
// was. It asks some forty requests, one after the other, and ends early when the
// context does.
func Run(ctx context.Context, cfg Config) Report {
	e := newExam(cfg)
	e.done = ctx.Done()
	defer e.http.CloseIdleConnections()
	for _, stage := range []func(context.Context){
		e.checkIssuer, e.checkDiscovery, e.checkEndpoints, e.checkProxyHeaders, e.checkKeySet, e.checkPublicKey, e.checkOperations,
		e.checkRedirects, e.checkCookies, e.checkTokenEndpoint, e.checkConnectors,
	} {
		if ctx.Err() != nil {
			break
		}
		stage(ctx)
	}
	return e.report
}

func newExam(cfg Config) *exam {
	if len(cfg.ResponseTypes) == 0 {
		cfg.ResponseTypes = []string{"code"}
	}
	if len(cfg.RedirectURIs) == 0 {
		cfg.RedirectURIs = []string{liveengage.WindowURI}
		if slices.Contains(cfg.ResponseTypes, "code") {
			cfg.RedirectURIs = append(cfg.RedirectURIs, liveengage.EmbeddedRedirectURI)
		}
	}
	cfg.RedirectURIs = firstListed(cfg.RedirectURIs)
	if cfg.AccountBaseURL == "" {
		cfg.AccountBaseURL = liveengage.AccountConfig
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{Timeout: requestTimeout}).DialContext
	}
	e := &exam{cfg: cfg, report: Report{Totals: map[Level]int{}}}
	e.http = &http.Client{}
	if cfg.Client != nil {
		*e.http = *cfg.Client
	} else {
		e.http.Transport = &http.Transport{
			DialContext: cfg.Dial, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: maxBodySize,
			TLSHandshakeTimeout: requestTimeout, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs, Time: cfg.Now},
		}
	}
	if e.http.Timeout == 0 {
		e.http.Timeout = requestTimeout
	}
	e.http.Jar = nil
	e.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return e
}

// checkIssuer looks at the one address that is known before anything was asked.
func (e *exam) checkIssuer(ctx context.Context) {
	e.checkURLs(namedURL{"the issuer", e.cfg.Issuer})
	if strings.HasSuffix(e.cfg.Issuer, "/") {
		e.addFinding(Warn, IssuerForm, "The issuer ends in a slash.",
			"Make sure that the connector and the identity function of the pages have the slash, too: with and without it are two issuers.")
	}
	e.checkConnection(ctx, e.cfg.Issuer)
}

// checkEndpoints looks at the addresses that LivePerson is told to use, as far as they
// lie elsewhere than the issuer does.
func (e *exam) checkEndpoints(ctx context.Context) {
	var all []namedURL
	for _, a := range e.meta.endpointURLs() {
		if !sameOrigin(a.url, e.cfg.Issuer) {
			all = append(all, a)
		}
	}
	e.checkURLs(all...)
	seen := map[string]bool{hostPort(e.cfg.Issuer): true}
	for _, a := range all {
		if host := hostPort(a.url); !seen[host] {
			seen[host] = true
			e.checkConnection(ctx, a.url)
		}
	}
}

// firstListed bounds what somebody else's list can make us do.
func firstListed[T any](list []T) []T { return list[:min(len(list), maxListed)] }

func sameOrigin(a, b string) bool {
	u, err1 := url.Parse(a)
	v, err2 := url.Parse(b)
	return err1 == nil && err2 == nil && u.User == nil && u.Fragment == "" && u.Scheme == v.Scheme && hostPort(a) == hostPort(b)
}

// hostPort is host:port of an address, for telling servers apart.
func hostPort(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return strings.ToLower(u.Hostname()) + ":" + portOf(u)
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "http":
		return "80"
	}
	return "443"
}
