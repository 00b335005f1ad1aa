package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"

	"idpbridge/keys"
	"idpbridge/session"
)

// metadata is the discovery document: zitadel's type, and members that it lacks (RFC
// 9126 section 5, RFC 9207 section 3, OIDC Discovery section 3, OpenID Connect
// Back-Channel Logout section 2.1, Front-Channel Logout section 3).
type metadata struct {
	zoidc.DiscoveryConfiguration
	PAREndpoint        string   `json:"pushed_authorization_request_endpoint"`
	PARRequired        bool     `json:"require_pushed_authorization_requests"`
	Prompts            []string `json:"prompt_values_supported"`
	UILocales          []string `json:"ui_locales_supported"`
	IssInResponse      bool     `json:"authorization_response_iss_parameter_supported"`
	RequestParameter   bool     `json:"request_parameter_supported"` // present even if false
	FrontchannelLogout bool     `json:"frontchannel_logout_supported"`
	FrontchannelSID    bool     `json:"frontchannel_logout_session_supported"`
}

// handleDiscovery serves GET /.well-known/openid-configuration (OIDC Discovery section 4),
// and the same at RFC 8414's path (section 3). It sets every member; none of the
// library's defaults is used.
func (p *Provider) handleDiscovery(c echo.Context) error {
	scopes := []string{"openid", "profile", "email", "address", "phone", "offline_access", ScopeSDEs}
	grantTypes := []zoidc.GrantType{zoidc.GrantTypeCode, zoidc.GrantTypeImplicit, zoidc.GrantTypeRefreshToken}
	confidential := []zoidc.AuthMethod{AuthBasic, AuthPost, AuthKey}
	methods := append(slices.Clone(confidential), AuthNone)
	var algorithms []string
	for _, alg := range assertionAlgorithms() {
		algorithms = append(algorithms, string(alg))
	}
	doc := metadata{
		DiscoveryConfiguration: zoidc.DiscoveryConfiguration{
			Issuer:                                             p.issuer,
			AuthorizationEndpoint:                              p.issuer + PathAuthorize,
			TokenEndpoint:                                      p.issuer + PathToken,
			IntrospectionEndpoint:                              p.issuer + PathIntrospect,
			UserinfoEndpoint:                                   p.issuer + PathUserinfo,
			RevocationEndpoint:                                 p.issuer + PathRevoke,
			EndSessionEndpoint:                                 p.issuer + PathEndSession,
			JwksURI:                                            p.issuer + PathJWKS,
			ScopesSupported:                                    scopes,
			ResponseTypesSupported:                             responseTypes,
			ResponseModesSupported:                             []string{"query", "fragment", "form_post"},
			GrantTypesSupported:                                grantTypes,
			ACRValuesSupported:                                 []string{session.ACRPassword},
			SubjectTypesSupported:                              []string{"public"},
			IDTokenSigningAlgValuesSupported:                   p.keys.Algorithms(),
			IDTokenEncryptionAlgValuesSupported:                []string{keys.EncryptionAlgorithm},
			IDTokenEncryptionEncValuesSupported:                keys.ContentEncryptions(),
			TokenEndpointAuthMethodsSupported:                  methods,
			RevocationEndpointAuthMethodsSupported:             methods,
			IntrospectionEndpointAuthMethodsSupported:          confidential,
			TokenEndpointAuthSigningAlgValuesSupported:         algorithms,
			RevocationEndpointAuthSigningAlgValuesSupported:    algorithms,
			IntrospectionEndpointAuthSigningAlgValuesSupported: algorithms,
			ClaimsParameterSupported:                           true,
			BackChannelLogoutSupported:                         true,
			BackChannelLogoutSessionSupported:                  true,
			DisplayValuesSupported:                             []zoidc.Display{zoidc.DisplayPage},
			ClaimTypesSupported:                                []string{"normal"},
			ClaimsSupported:                                    claimsSupported,
			CodeChallengeMethodsSupported:                      []zoidc.CodeChallengeMethod{zoidc.CodeChallengeMethodS256},
		},
		PAREndpoint:   p.issuer + PathPAR,
		Prompts:       []string{zoidc.PromptNone, zoidc.PromptLogin, zoidc.PromptConsent, zoidc.PromptSelectAccount},
		UILocales:     []string{"en"},
		IssInResponse: true, FrontchannelLogout: true, FrontchannelSID: true,
	}
	return writeCacheable(c, doc)
}

// claimsSupported are the names of all claims.
var claimsSupported = []string{ //nolint:gochecknoglobals // read only
	"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "c_hash", "sid",
	"name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
	"website", "gender", "birthdate", "zoneinfo", "locale", "updated_at", "email", "email_verified",
	"phone_number", "phone_number_verified", "address", ScopeSDEs,
}

// handleJWKS serves GET /jwks: every key that signs, will sign, or has signed (RFC 7517).
func (p *Provider) handleJWKS(c echo.Context) error {
	p.refreshKeys(c.Request().Context())
	return writeCacheable(c, p.keys.JWKS())
}

// refreshKeys reads changes of the keys by other processes, so that a withdrawn key is
// neither published nor trusted any longer. If the database is down, the keys stay, and
// the periodic reload logs why. A database that does not respond holds no one up for long.
func (p *Provider) refreshKeys(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_ = p.keys.Refresh(ctx)
}

// writeCacheable writes JSON that may be cached for five minutes: shorter than the time
// for which a new key is published before it signs (OIDC Core section 10.1.1).
func writeCacheable(c echo.Context, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write metadata: %w", err)
	}
	sum := sha256.Sum256(body)
	tag := `"` + encoding.EncodeToString(sum[:12]) + `"`
	h := c.Response().Header()
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("ETag", tag)
	if matchesTag(c.Request().Header.Values("If-None-Match"), tag) {
		return c.NoContent(http.StatusNotModified)
	}
	return c.JSONBlob(http.StatusOK, body)
}

// matchesTag reports whether If-None-Match lists the tag. Proxies that compress make tags
// weak, which does not matter for this comparison (RFC 9110 section 13.1.2).
func matchesTag(headers []string, tag string) bool {
	for listed := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		listed = strings.TrimSpace(listed)
		if listed == "*" || strings.TrimPrefix(listed, "W/") == tag {
			return true
		}
	}
	return false
}

// pastedKey is the active RS256 key, or the one that the client named by client_id pins.
func (p *Provider) pastedKey(c echo.Context) keys.PublicKey {
	p.refreshKeys(c.Request().Context())
	if client, ok := p.clients[c.QueryParam("client_id")]; ok && client.PinnedKey != "" {
		if key, ok := p.keys.Key(client.PinnedKey); ok {
			return key
		}
	}
	return p.keys.ActiveKey("RS256")
}

// handlePEM serves GET /keys/public.pem: the key to paste, as SPKI.
func (p *Provider) handlePEM(c echo.Context) error {
	return c.Blob(http.StatusOK, "application/x-pem-file", []byte(p.pastedKey(c).PEM()))
}

// handlePublicKeyLine serves GET /keys/public.txt: the same key in the form that
// LiveEngage's console takes, base64 on one line without header and footer.
func (p *Provider) handlePublicKeyLine(c echo.Context) error {
	return c.String(http.StatusOK, p.pastedKey(c).Base64()+"\n")
}
