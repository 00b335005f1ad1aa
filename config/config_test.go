package config_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/config"
	"idpbridge/internal/secret"
	"idpbridge/oidc"
)

const shopSecret = "a-secret-of-more-than-32-characters-x"

// good is a file that loads; tests change one line of it.
const good = `issuer: https://login.brand.example
data: data
people: people.yaml
proxies: [127.0.0.1]
brand:
  name: Brand
clients:
  - id: shop
    secret: {env: SHOP_SECRET}
    redirect_uris:
      - https://shop.example/cb
`

func env(name string) string {
	return map[string]string{"SHOP_SECRET": shopSecret, "LIVEENGAGE_SECRET": shopSecret, "SHORT": "short-secret"}[name]
}

func parse(t *testing.T, text string) (*config.Config, error) {
	t.Helper()
	return config.Parse("idp.yaml", []byte(text), env, "/etc/idp")
}

// buildClient returns the first client in the form that package oidc uses.
func buildClient(t *testing.T, cfg *config.Config) oidc.Client {
	t.Helper()
	clients, err := cfg.OIDCClients()
	require.NoError(t, err)
	return clients[0]
}

func TestParse(t *testing.T) {
	t.Parallel()
	t.Run("fills in the defaults", func(t *testing.T) {
		t.Parallel()
		cfg, err := parse(t, good)
		require.NoError(t, err)
		want := config.Defaults()
		want.Issuer, want.Data, want.People = "https://login.brand.example", "/etc/idp/data", "/etc/idp/people.yaml"
		want.Brand.Name = "Brand"
		want.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
		want.Clients = []config.Client{{
			ID: "shop", Name: "shop", Secret: secret.New(shopSecret), Type: "web", AuthMethods: []string{"client_secret_basic"},
			RedirectURIs: []string{"https://shop.example/cb"}, ResponseTypes: []string{"code"},
			Scopes: []string{"openid", "profile", "email", "address", "phone", "lp_sdes"}, Algorithm: "RS256",
		}}
		require.Equal(t, want, *cfg)
	})
	t.Run("fills in the defaults of the profile liveengage", func(t *testing.T) {
		t.Parallel()
		cfg, err := parse(t, good+`    profile: liveengage
    response_types: [code, id_token]
    liveengage: {dialect: legacy, page: {origins: ['https://www.brand.example']}}
`)
		require.NoError(t, err)
		require.Equal(t, &config.LiveEngage{
			Dialect:           "legacy",
			RedirectQueryKeys: []string{"lpUnifiedWindowConfig"},
			TokenRedirectURI:  "https://liveperson.net",
			ImplicitParameter: "id_token",
			ImplicitIn:        "fragment",
			TokenRequests:     "form_or_json",
			TokenErrors:       "oauth",
			JSMethod:          "lpGetAuthenticationToken",
			JSContext:         "window",
			Page:              &config.Page{Origins: []string{"https://www.brand.example"}, HandsOut: "code"},
		}, cfg.Clients[0].LiveEngage)
		require.Equal(t, []string{"client_secret_basic", "client_secret_post"}, buildClient(t, cfg).AuthMethods)
		cfg, err = parse(t, good+"    profile: liveengage\n    token_endpoint_auth_method: client_secret_basic\n")
		require.NoError(t, err)
		require.Equal(t, []string{"client_secret_basic"}, buildClient(t, cfg).AuthMethods, "the file sets one method")
		text := strings.Replace(good, "issuer: https://login.brand.example", "issuer: http://127.0.0.1:8080", 1)
		_, err = parse(t, text+`    profile: liveengage
    liveengage: {page: {origins: ['https://www.brand.example'], across_sites: true}}
`)
		require.ErrorContains(t, err, "across_sites needs an https issuer")
	})
	t.Run("gives liveengage lp_sdes and the claims in the ID token", func(t *testing.T) {
		t.Parallel()
		cfg, err := parse(t, good+"    profile: liveengage\n    scopes: [openid]\n")
		require.NoError(t, err)
		require.Equal(t, []string{"openid", "lp_sdes"}, cfg.Clients[0].Scopes)
		require.True(t, cfg.Clients[0].ClaimsInIDToken)
	})
	t.Run("reads one or more authentication methods", func(t *testing.T) {
		t.Parallel()
		either := []string{"client_secret_basic", "client_secret_post"}
		for value, methods := range map[string][]string{
			"any": either, "[any]": either, "[client_secret_basic, client_secret_post]": either,
			"client_secret_post": {"client_secret_post"}, "[client_secret_post]": {"client_secret_post"},
		} {
			cfg, err := parse(t, good+"    token_endpoint_auth_method: "+value+"\n")
			require.NoError(t, err)
			require.Equal(t, methods, buildClient(t, cfg).AuthMethods, value)
		}
		keys := "    jwks: '{\"keys\":[]}'\n    token_endpoint_auth_method: any\n"
		_, err := parse(t, strings.Replace(good, "    secret: {env: SHOP_SECRET}\n", keys, 1))
		require.ErrorContains(t, err, "secret is not set", "any does not stand for private_key_jwt")
	})
	t.Run("makes a client without a secret public", func(t *testing.T) {
		t.Parallel()
		cfg, err := parse(t, strings.Replace(good, "    secret: {env: SHOP_SECRET}\n", "", 1))
		require.NoError(t, err)
		require.EqualValues(t, []string{"none"}, cfg.Clients[0].AuthMethods)
	})
	t.Run("reads durations, numbers and networks", func(t *testing.T) {
		t.Parallel()
		text := strings.Replace(good, "[127.0.0.1]", "[10.1.2.3/8, '::1']", 1) +
			"lifetimes: {code: 90s}\nlimits:\n  body: 0x2000\n"
		cfg, err := parse(t, text)
		require.NoError(t, err)
		require.Equal(t, 90*time.Second, cfg.Lifetimes.Code)
		require.Equal(t, 30*time.Minute, cfg.Lifetimes.IDToken)
		require.Equal(t, int64(8192), cfg.Limits.Body)
		require.Equal(t, "[10.0.0.0/8 ::1/128]", fmt.Sprint(cfg.Proxies))
	})
	t.Run("rejects deep nesting before it costs memory", func(t *testing.T) {
		t.Parallel()
		for _, step := range []string{"[", "{", "- ", "? "} {
			_, err := parse(t, "data: "+strings.Repeat(step, 100_000))
			require.EqualError(t, err, "idp.yaml:1:1: too many nested brackets or dashes; close the open ones")
		}
	})
	t.Run("lists every problem in the order of the file", func(t *testing.T) {
		t.Parallel()
		_, err := parse(t, `isuer: x
listen: 8080
clients:
  - id: a
    redirect_uris: [http://a.example]
  - id: a
    name: 7
`)
		require.EqualError(t, err, `idp.yaml:1:1: unknown key "isuer"; did you mean "issuer"?
idp.yaml:1:1: issuer is missing; set it to the URL of this server that browsers and LiveEngage use
idp.yaml:1:1: data is missing; set it to a directory for the database and the keys, such as /var/lib/idp
idp.yaml:1:1: people is missing; set it to the people file, such as people.yaml
idp.yaml:1:1: brand.name is missing; pages show it as the name of your brand
idp.yaml:2:9: listen must be a string, not a number; put it in quotes
`+"idp.yaml:5:21: client \"a\": redirect URI \"http://a.example\" uses http; "+
			"use https (http is allowed on loopback only, with application_type: native)"+`
idp.yaml:6:5: client "a": redirect_uris is missing; list at least one URL
idp.yaml:6:9: client "a": another client already has this id
idp.yaml:7:11: client "a": name must be a string, not a number; put it in quotes`)
	})
}

func TestLoad(t *testing.T) {
	t.Parallel()
	t.Run("reads secrets from files in its directory", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "s"), []byte(shopSecret+"\n"), 0o600))
		path := filepath.Join(dir, "idp.yaml")
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(good, "env: SHOP_SECRET", "file: s", 1)), 0o600))
		cfg, err := config.Load(path, env)
		require.NoError(t, err)
		require.True(t, cfg.Clients[0].Secret.Equal(shopSecret))
		require.Equal(t, filepath.Join(dir, "data"), cfg.Data)
	})
	t.Run("names a missing file", func(t *testing.T) {
		t.Parallel()
		_, err := config.Load("/nowhere/idp.yaml", env)
		require.ErrorIs(t, err, os.ErrNotExist)
		require.ErrorContains(t, err, "/nowhere/idp.yaml")
	})
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	cfg, err := config.Parse("idp.yaml", config.Template(), env, "/etc/idp")
	require.NoError(t, err)
	require.Equal(t, "liveengage", cfg.Clients[0].Profile)
	defaults := config.Defaults()
	require.Equal(t, defaults.Lifetimes, cfg.Lifetimes, "the template shows the defaults")
	require.Equal(t, defaults.Limits, cfg.Limits)

	t.Run("is valid with its commented settings", func(t *testing.T) {
		t.Parallel()
		text := string(config.Template())
		for _, comment := range []string{
			"# logo:", "# help:", "# privacy:", "# post_logout_redirect_uris:", "# tls:",
		} {
			require.Contains(t, text, comment)
			text = strings.Replace(text, comment, comment[2:], 1)
		}
		_, err := config.Parse("idp.yaml", []byte(text), env, "/etc/idp")
		require.NoError(t, err)
	})
}

func TestClientPrintsNoSecret(t *testing.T) {
	t.Parallel()
	client := config.Client{Secret: secret.New(shopSecret)}
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", client, client, client), shopSecret)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add(config.Template())
	f.Add([]byte(good + "    '': true\n"))
	for _, b := range badFiles {
		f.Add([]byte(b.text()))
	}
	// A secret in the file must not be in the error.
	const marker = "Zq7-marker-of-a-secret-Zq7-marker-of-a-secret"
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := config.Parse("idp.yaml", data, env, "/etc/idp")
		require.Equal(t, err == nil, cfg != nil)
		text := strings.ReplaceAll(string(data), "{env: SHOP_SECRET}", marker)
		_, err = config.Parse("idp.yaml", []byte(text), env, "/etc/idp")
		if err != nil && strings.Contains(text, "secret: "+marker+"\n") && strings.Count(text, marker) == 1 {
			require.NotContains(t, err.Error(), marker)
		}
		_, _ = config.ParsePeople("people.yaml", data, config.PeopleRules{})
	})
}

// TestInsecureStoreConnection: a database on another host without verified TLS is accepted
// only by its own setting.
func TestInsecureStoreConnection(t *testing.T) {
	t.Parallel()
	const store = "store: 'postgres://me:hunter2@db/idp?sslmode=require'\n"
	_, err := config.Parse("idp.yaml", []byte(good+store), env, "")
	require.ErrorContains(t, err, "insecure_store_connection: true")
	cfg, err := config.Parse("idp.yaml", []byte(good+store+"insecure_store_connection: true\n"), env, "")
	require.NoError(t, err)
	require.True(t, cfg.InsecureStoreConnection)
}
