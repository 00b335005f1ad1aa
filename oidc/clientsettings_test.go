package oidc_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/require"

	"idpbridge/internal/pkce"
	"idpbridge/internal/robot"
	"idpbridge/keys"
	"idpbridge/oidc"
	"idpbridge/server"
	"idpbridge/server/servertest"
)

// changeLocalWeb changes the client local-web.
func changeLocalWeb(change func(*oidc.Client)) func(*server.Config) {
	return func(c *server.Config) {
		for i := range c.Clients {
			if c.Clients[i].ID == "local-web" {
				change(&c.Clients[i])
			}
		}
	}
}

// TestClientRequiresPKCE: with require_pkce, a confidential client cannot leave it out.
func TestClientRequiresPKCE(t *testing.T) {
	t.Parallel()
	issuer, _ := start(t, changeLocalWeb(func(c *oidc.Client) { c.RequirePKCE = true }))
	b := servertest.NewBrowser(t)
	challenge := pkce.Challenge(strings.Repeat("v", 43))
	authorize := servertest.AuthorizeURL(issuer, "code_challenge", challenge, "code_challenge_method", "S256")
	require.NotEmpty(t, servertest.Response(t, b.SignIn(authorize, "jane", "jane-password")).Get("code"))
	response := servertest.Response(t, b.Get(servertest.AuthorizeURL(issuer)))
	require.Equal(t, "invalid_request", response.Get("error"))
}

// TestClientRestrictsResponseModes: response_modes excludes the others, including the one that
// applies without the parameter.
func TestClientRestrictsResponseModes(t *testing.T) {
	t.Parallel()
	issuer, _ := start(t, changeLocalWeb(func(c *oidc.Client) { c.ResponseModes = []string{"form_post"} }))
	b := servertest.NewBrowser(t)
	authorize := servertest.AuthorizeURL(issuer, "response_mode", "form_post")
	require.NotEmpty(t, servertest.FormFields(b.SignIn(authorize, "jane", "jane-password")).Get("code"))
	for _, mode := range []string{"", "query", "fragment"} {
		response := servertest.Response(t, b.Get(servertest.AuthorizeURL(issuer, "response_mode", mode)))
		require.Equal(t, "invalid_request", response.Get("error"), mode)
	}
}

// TestAudienceOfAssertions: only a client that is configured for it can name the token
// endpoint.
func TestAudienceOfAssertions(t *testing.T) {
	t.Parallel()
	s := servertest.StartConformance(t)
	key := s.Target.Keyed.Key
	public := keys.PublicKey{ID: "k1", Algorithm: "ES256", Key: key.Public()}
	for _, accepts := range []bool{false, true} {
		issuer, clock := start(t, changeLocalWeb(func(c *oidc.Client) {
			c.Secret, c.AuthMethods = oidc.Client{}.Secret, nil
			c.Keys, c.TokenEndpointAudience = []keys.PublicKey{public}, accepts
		}))
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
		require.NoError(t, err)
		for audience, accepted := range map[string]bool{
			issuer: true, issuer + "/token": accepts, issuer + "/par": false, "https://evil.example": false,
		} {
			assertion, err := jwt.Signed(signer).Claims(map[string]any{
				"iss": "local-web", "sub": "local-web", "aud": audience, "jti": audience,
				"exp": clock.Now().Add(time.Minute).Unix(),
			}).Serialize()
			require.NoError(t, err)
			r, err := robot.NewRequest(t.Context(), http.MethodPost, issuer+"/token", map[string][]string{
				"grant_type": {"authorization_code"}, "code": {"x"}, "client_assertion": {assertion},
				"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			})
			require.NoError(t, err)
			body := servertest.NewBrowser(t).Do(r).Body
			require.Equal(t, accepted, strings.Contains(body, "invalid_grant"), "%v %s: %s", accepts, audience, body)
		}
	}
}
