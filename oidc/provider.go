package oidc

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/zitadel/oidc/v3/pkg/op"

	"idpbridge/internal/cookie"
	"idpbridge/internal/limit"
	"idpbridge/internal/seal"
	"idpbridge/keys"
	"idpbridge/session"
)

// The paths of the endpoints, below the issuer.
const (
	PathDiscovery     = "/.well-known/openid-configuration"
	PathMetadata      = "/.well-known/oauth-authorization-server" // before the issuer's path, not after it
	PathJWKS          = "/jwks"
	PathAuthorize     = "/authorize"
	PathResume        = "/resume"
	PathToken         = "/token"
	PathUserinfo      = "/userinfo"
	PathPAR           = "/par"
	PathRevoke        = "/revoke"
	PathIntrospect    = "/introspect"
	PathEndSession    = "/end_session"
	PathConfirmLogout = "/end_session/confirm"
	PathPEM           = "/keys/public.pem"
	PathPublicKeyLine = "/keys/public.txt"

	PathPageIdentity = "/liveengage/identity"
	PathPageToken    = "/liveengage/token"

	PathLogin       = "/login"
	PathCancelLogin = "/login/cancel"
	PathConsent     = "/consent"
)

// responseTypes are the supported response types, in canonical order.
var responseTypes = []string{ //nolint:gochecknoglobals // read only
	"code", "id_token", "id_token token", "code id_token", "code token", "code id_token token",
}

// Lifetimes are how long things are valid. All are required except RefreshGrace.
type Lifetimes struct {
	Request     time.Duration // from the authorization request to its response
	Code        time.Duration // at most 10 minutes (RFC 6749 section 4.1.2)
	IDToken     time.Duration
	AccessToken time.Duration

	Refresh      time.Duration // of all refresh tokens of a sign-in together
	RefreshIdle  time.Duration // of one refresh token without use
	RefreshGrace time.Duration // how long a used one still works; zero means not at all
}

// Config is what a Provider needs. Every field but Events is required.
type Config struct {
	Issuer     string // without a trailing slash
	Clients    []Client
	Signins    Signins
	Sessions   *session.Manager
	Logouts    Logouts
	Assertions Assertions
	Pages      Pages
	Keys       *keys.Ring
	Secret     keys.Secret
	Cookies    cookie.Policy
	Throttle   *limit.Limiter // failed client authentications
	Lifetimes  Lifetimes
	Now        func() time.Time
	Log        *slog.Logger
	// Events counts what happened, for metrics. client is an id or "". docs/runbook.md lists
	// the events.
	Events func(event, client string)
}

// Provider serves the OpenID Connect endpoints.
type Provider struct {
	issuer        string
	base          string // path of the issuer
	clients       map[string]*Client
	signins       Signins
	sessions      *session.Manager
	logouts       Logouts
	assertions    Assertions
	pages         Pages
	tokens        tokenIssuer
	keys          *keys.Ring
	hints         *op.IDTokenHintVerifier
	requestSealer seal.Sealer
	pushSealer    seal.Sealer
	logoutSealer  seal.Sealer
	tokenKey      []byte
	cookies       cookie.Policy
	throttle      *limit.Limiter
	lifetimes     Lifetimes
	now           func() time.Time
	log           *slog.Logger
	events        func(event, client string)
	silentUntil   map[string]time.Time // by client: until when no logout is sent; only NotifyClients uses it
}

// New returns a Provider. It fails if the configuration is not valid.
func New(cfg Config) (*Provider, error) {
	u, err := url.Parse(cfg.Issuer)
	if err != nil || u.Host == "" || strings.HasSuffix(cfg.Issuer, "/") {
		return nil, fmt.Errorf("issuer %q is not a URL, or has a trailing slash", cfg.Issuer)
	}
	l := cfg.Lifetimes
	shortest := min(l.Request, l.Code, l.IDToken, l.AccessToken, l.Refresh, l.RefreshIdle)
	if shortest <= 0 || l.RefreshGrace < 0 || l.Code > 10*time.Minute {
		return nil, errors.New("a lifetime is missing, or that of codes exceeds 10 minutes")
	}
	p := &Provider{
		issuer: cfg.Issuer, base: u.Path, clients: make(map[string]*Client, len(cfg.Clients)),
		signins: cfg.Signins, sessions: cfg.Sessions, logouts: cfg.Logouts, assertions: cfg.Assertions,
		pages: cfg.Pages, keys: cfg.Keys,
		tokens:   tokenIssuer{issuer: cfg.Issuer, keys: cfg.Keys, now: cfg.Now, lifetime: l.IDToken},
		tokenKey: cfg.Secret.Derive("codes and tokens"), cookies: cfg.Cookies, throttle: cfg.Throttle,
		lifetimes: l, silentUntil: map[string]time.Time{}, now: cfg.Now, log: cfg.Log, events: cfg.Events,
	}
	if p.events == nil {
		p.events = func(string, string) {}
	}
	for _, c := range cfg.Clients {
		if _, twice := p.clients[c.ID]; twice || c.ID == "" {
			return nil, fmt.Errorf("client id %q is empty or a duplicate", c.ID)
		}
		p.clients[c.ID] = c.withDefaults()
		if key, ok := cfg.Keys.Key(c.PinnedKey); ok && key.Algorithm != p.clients[c.ID].Algorithm {
			return nil, fmt.Errorf("client %q pins the key %s for %s; it needs one for %s",
				c.ID, key.ID, key.Algorithm, p.clients[c.ID].Algorithm)
		}
	}
	p.hints = op.NewIDTokenHintVerifier(cfg.Issuer, hintKeys{cfg.Keys},
		op.WithSupportedIDTokenHintSigningAlgorithms("RS256", "ES256"))
	if p.requestSealer, err = seal.New(cfg.Secret.Derive("sealed authorization request")); err != nil {
		return nil, err
	}
	if p.pushSealer, err = seal.New(cfg.Secret.Derive("pushed authorization request")); err != nil {
		return nil, err
	}
	p.logoutSealer, err = seal.New(cfg.Secret.Derive("sealed sign-out request"))
	return p, err
}

// Register mounts every endpoint with its methods.
func (p *Provider) Register(e *echo.Echo) {
	public := allowAnyOrigin
	e.GET(p.base+PathDiscovery, p.handleDiscovery, public)
	e.GET(PathMetadata+p.base, p.handleDiscovery, public)
	e.GET(p.base+PathJWKS, p.handleJWKS, public)
	e.GET(p.base+PathPEM, p.handlePEM, public)
	e.GET(p.base+PathPublicKeyLine, p.handlePublicKeyLine, public)
	e.GET(p.base+PathAuthorize, p.handleAuthorize, refusePrefetch)
	e.POST(p.base+PathAuthorize, p.handleAuthorizePost)
	e.GET(p.base+PathResume, p.handleResume, refusePrefetch)
	e.POST(p.base+PathToken, p.handleToken, public)
	e.GET(p.base+PathUserinfo, p.handleUserinfo, public)
	e.POST(p.base+PathUserinfo, p.handleUserinfo, public)
	e.POST(p.base+PathPAR, p.handlePAR, public)
	e.POST(p.base+PathRevoke, p.handleRevoke, public)
	e.POST(p.base+PathIntrospect, p.handleIntrospect)
	e.GET(p.base+PathEndSession, p.handleEndSession, refusePrefetch)
	e.POST(p.base+PathEndSession, p.handleEndSessionPost)
	e.POST(p.base+PathConfirmLogout, p.handleConfirmLogout)
	e.POST(p.base+PathPageIdentity, p.handlePageIdentity)
	e.POST(p.base+PathPageToken, p.handlePageToken)
	for _, path := range []string{
		PathDiscovery, PathJWKS, PathPEM, PathPublicKeyLine, PathToken, PathUserinfo, PathPAR, PathRevoke,
	} {
		e.OPTIONS(p.base+path, respondPreflight)
	}
	e.OPTIONS(PathMetadata+p.base, respondPreflight)
	e.OPTIONS(p.base+PathPageIdentity, p.respondPagePreflight)
	e.OPTIONS(p.base+PathPageToken, p.respondPagePreflight)
}

// IsClientEndpoint reports whether a path is an endpoint for clients, not for users. Its
// responses are JSON, even if the request body is too large.
func IsClientEndpoint(path string) bool {
	return slices.ContainsFunc([]string{
		PathToken, PathUserinfo, PathPAR, PathRevoke, PathIntrospect, PathPageIdentity, PathPageToken,
	}, func(endpoint string) bool { return strings.HasSuffix(path, endpoint) })
}
