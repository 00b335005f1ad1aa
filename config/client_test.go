package config_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/config"
	"idpbridge/internal/secret"
	"idpbridge/oidc"
)

// TestBuild has every setting of a client in the file, and finds it in the client that
// package oidc gets.
func TestBuild(t *testing.T) {
	t.Parallel()
	line, err := os.ReadFile("../keys/testdata/rs256.line.golden")
	require.NoError(t, err)
	settings := `    name: Shop
    application_type: native
    require_pushed_authorization_requests: true
    post_logout_redirect_uris: [https://shop.example/bye]
    backchannel_logout_uri: https://shop.example/back
    frontchannel_logout_uri: https://shop.example/front
    response_types: [code, id_token]
    scopes: [openid, email, offline_access]
    profile: liveengage
    pinned_key: k1
    redirects_on_to: [https://www.shop.example, "com.shop.app:"]
    id_token_encryption: {keys: [{kid: lp, key: '` + strings.Fields(string(line))[0] + `'}]}
    liveengage:
      account: "12345678"
      dialect: legacy
      redirect_query_keys: [lpUnifiedWindowConfig, x]
      token_redirect_uri: https://lp.example/cb
      implicit_parameter: token
      implicit_in: query
      token_requests: form
      token_errors: liveperson
      delegation: true
      js_method: getToken
      js_context: brand
      page:
        origins: [https://shop.example]
        hands_out: id_token
        return_uri: https://shop.example/cb
        across_sites: true
`
	cfg, err := parse(t, good+settings)
	require.NoError(t, err)
	got := buildClient(t, cfg)
	require.NotNil(t, got.Encryption)
	got.Encryption = nil
	require.Equal(t, oidc.Client{
		ID:                     "shop",
		Name:                   "Shop",
		Secret:                 secret.New(shopSecret),
		AuthMethods:            []string{oidc.AuthBasic, oidc.AuthPost},
		PushedOnly:             true,
		Native:                 true,
		RedirectURIs:           []string{"https://shop.example/cb"},
		PostLogoutRedirectURIs: []string{"https://shop.example/bye"},
		ResponseTypes:          []string{"code", "id_token"},
		Scopes:                 []string{"openid", "email", "offline_access", "lp_sdes"},
		BackchannelLogoutURI:   "https://shop.example/back",
		FrontchannelLogoutURI:  "https://shop.example/front",
		LiveEngage: &oidc.LiveEngage{
			Legacy:            true,
			RedirectKeys:      []string{"lpUnifiedWindowConfig", "x"},
			Account:           "12345678",
			TokenRedirectURI:  "https://lp.example/cb",
			ResponseParameter: "token",
			ResponseInQuery:   true,
			LivePersonErrors:  true,
			Delegation:        true,
			JSMethod:          "getToken",
			JSContext:         "brand",
			Page: oidc.Page{
				Origins:     []string{"https://shop.example"},
				ReturnURI:   "https://shop.example/cb",
				AcrossSites: true,
			},
		},
		ClaimsInIDToken: true,
		Algorithm:       "RS256",
		PinnedKey:       "k1",
	}, got)
}

func TestBuildReadsKeys(t *testing.T) {
	t.Parallel()
	jwks, err := os.ReadFile("../keys/testdata/jwks.golden")
	require.NoError(t, err)
	text := strings.Replace(good, "secret: {env: SHOP_SECRET}", "jwks: {env: SHOP_JWKS}", 1)
	getenv := func(name string) string { return map[string]string{"SHOP_JWKS": string(jwks)}[name] }
	cfg, err := config.Parse("idp.yaml", []byte(text), getenv, "/etc/idp")
	require.NoError(t, err)
	got := buildClient(t, cfg)
	require.NotEmpty(t, got.Keys)
	require.Equal(t, []string{oidc.AuthKey}, got.AuthMethods)
}
