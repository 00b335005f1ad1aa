package oidc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/labstack/echo/v4"
	"github.com/zitadel/oidc/v3/pkg/op"

	"idpbridge/claims"
	"idpbridge/cookie"
	"idpbridge/keys"
)

// The paths of the endpoints, below the issuer.
const (
	PathDiscovery  = "/.well-known/openid-configuration"
	PathJWKS       = "/jwks"
	PathAuthorize  = "/authorize"
	PathResume     = "/resume"
	PathToken      = "/token"
	PathUserinfo   = "/userinfo"
	PathRevoke     = "/revoke"
	PathIntrospect = "/introspect"
	PathEndSession = "/end_session"
	PathLeave      = "/end_session/confirm"
	PathPEM        = "/keys/public.pem"
	PathLine       = "/keys/public.txt"
	pathLogin      = "/login"
	pathConsent    = "/consent"
)

// responseTypes are those that are supported, in canonical order.
var responseTypes = []string{"code", "id_token", "id_token token"} //nolint:gochecknoglobals // read only

// Session is what the provider needs to know of a browser's session.
type Session struct {
	ID       string
	AuthTime time.Time
	ACR      string
	AMR      []string
	Person   claims.Person
}

// Sessions tells who is signed in in a browser; package web keeps them.
type Sessions interface {
	// Current returns the request's session; false when nobody is signed in.
	Current(r *http.Request) (Session, bool, error)
	// Leave ends the request's session, if any, and takes its cookie away.
	Leave(w http.ResponseWriter, r *http.Request) error
}

// Doubt is what a person is told when a request cannot be answered to its
// client. Received and Registered are for the development mode alone.
type Doubt struct {
	Happened, Remedy, Reference string
	Received                    string
	Registered                  []string
	Cause                       string
	Status                      int // HTTP status; zero means 400
}

// Param is a parameter of an authorization response.
type Param struct{ Name, Value string }

// Pages shows what a person must see; package web renders them.
type Pages interface {
	Doubt(c echo.Context, d Doubt) error
	// FormPost sends the parameters to the client by a form that submits itself
	// (OAuth 2.0 Form Post Response Mode).
	FormPost(c echo.Context, action string, params []Param) error
	// ConfirmLeave asks whether to sign out; request goes back to PathLeave.
	ConfirmLeave(c echo.Context, person claims.Person, request string, formAction []string) error
	SignedOut(c echo.Context) error
}

// Throttle slows down who fails. Wait is zero for everybody else.
type Throttle interface {
	Wait(key string) time.Duration
	Fail(key string)
}

// Lifetimes says how long things live. New refuses zero values.
type Lifetimes struct {
	Request     time.Duration // from the authorization request to its answer
	Code        time.Duration // at most 10 minutes (RFC 6749 section 4.1.2)
	IDToken     time.Duration
	AccessToken time.Duration
}

// Config is what a Provider needs. Every field but Events is required.
type Config struct {
	Issuer    string // without a slash at its end
	Clients   []Client
	Signins   Signins
	Sessions  Sessions
	Pages     Pages
	Keys      *keys.Ring
	Secret    keys.Secret
	Cookies   cookie.Policy
	Throttle  Throttle
	Lifetimes Lifetimes
	Now       func() time.Time
	Log       *slog.Logger
	// Events is told what happened, for metrics: "answered", "redeemed",
	// "replayed", "refused" and the like, with the client's id or "".
	Events func(event, client string)
}

// Provider serves the OpenID Connect endpoints.
type Provider struct {
	issuer    string
	base      string // path of the issuer
	clients   map[string]*Client
	signins   Signins
	sessions  Sessions
	pages     Pages
	keys      *keys.Ring
	hints     *op.IDTokenHintVerifier
	requests  sealer
	leaves    sealer
	tokenKey  []byte
	cookies   cookie.Policy
	throttle  Throttle
	lifetimes Lifetimes
	now       func() time.Time
	log       *slog.Logger
	events    func(event, client string)
}

// New returns a Provider, or says what is missing.
func New(cfg Config) (*Provider, error) {
	u, err := url.Parse(cfg.Issuer)
	if err != nil || u.Host == "" || strings.HasSuffix(cfg.Issuer, "/") {
		return nil, fmt.Errorf("issuer %q is not an address without a slash at its end", cfg.Issuer)
	}
	l := cfg.Lifetimes
	if l.Request <= 0 || l.Code <= 0 || l.Code > 10*time.Minute || l.IDToken <= 0 || l.AccessToken <= 0 {
		return nil, errors.New("a lifetime is missing, or codes live longer than 10 minutes")
	}
	p := &Provider{
		issuer: cfg.Issuer, base: u.Path, clients: make(map[string]*Client, len(cfg.Clients)),
		signins: cfg.Signins, sessions: cfg.Sessions, pages: cfg.Pages, keys: cfg.Keys,
		tokenKey: cfg.Secret.Derive("codes and access tokens"), cookies: cfg.Cookies, throttle: cfg.Throttle,
		lifetimes: l, now: cfg.Now, log: cfg.Log, events: cfg.Events,
	}
	if p.events == nil {
		p.events = func(string, string) {}
	}
	for _, c := range cfg.Clients {
		if _, twice := p.clients[c.ID]; twice || c.ID == "" {
			return nil, fmt.Errorf("client id %q is empty or occurs twice", c.ID)
		}
		p.clients[c.ID] = c.prepared()
	}
	p.hints = op.NewIDTokenHintVerifier(cfg.Issuer, hintKeys{cfg.Keys},
		op.WithSupportedIDTokenHintSigningAlgorithms("RS256", "ES256"))
	if p.requests, err = newSealer(cfg.Secret.Derive("sealed authorization request")); err != nil {
		return nil, err
	}
	p.leaves, err = newSealer(cfg.Secret.Derive("sealed sign-out request"))
	return p, err
}

// Register mounts every endpoint with its methods.
func (p *Provider) Register(e *echo.Echo) {
	public := anyOrigin
	e.GET(p.base+PathDiscovery, p.discovery, public)
	e.GET(p.base+PathJWKS, p.jwks, public)
	e.GET(p.base+PathPEM, p.pem, public)
	e.GET(p.base+PathLine, p.line, public)
	e.GET(p.base+PathAuthorize, p.authorize)
	e.POST(p.base+PathAuthorize, p.authorizePosted)
	e.GET(p.base+PathResume, p.resume)
	e.POST(p.base+PathToken, p.token, public)
	e.GET(p.base+PathUserinfo, p.userinfo, public)
	e.POST(p.base+PathUserinfo, p.userinfo, public)
	e.POST(p.base+PathRevoke, p.revoke, public)
	e.POST(p.base+PathIntrospect, p.introspect)
	e.GET(p.base+PathEndSession, p.endSession)
	e.POST(p.base+PathEndSession, p.endSession)
	e.POST(p.base+PathLeave, p.leave)
	for _, path := range []string{PathToken, PathUserinfo, PathRevoke} {
		e.OPTIONS(p.base+path, preflight)
	}
}

// anyOrigin lets scripts of any origin read an answer that no cookie plays a
// part in. Credentials are never allowed (RFC 9700 section 2.6).
func anyOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Access-Control-Allow-Origin", "*")
		return next(c)
	}
}

func preflight(c echo.Context) error {
	h := c.Response().Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	h.Set("Access-Control-Max-Age", "600")
	return c.NoContent(http.StatusNoContent)
}

// hintKeys finds the key of an ID token of ours for zitadel's verifier.
type hintKeys struct{ ring *keys.Ring }

// VerifySignature implements the key set of zitadel/oidc.
func (h hintKeys) VerifySignature(_ context.Context, jws *jose.JSONWebSignature) ([]byte, error) {
	if len(jws.Signatures) != 1 {
		return nil, errors.New("not one signature")
	}
	key, ok := h.ring.Key(jws.Signatures[0].Header.KeyID)
	if !ok || key.Algorithm != jws.Signatures[0].Header.Algorithm {
		return nil, errors.New("unknown key")
	}
	return jws.Verify(key.Key)
}
