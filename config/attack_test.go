package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/config"
)

// TestAttack has the rows of the attack table that the configuration stops.
func TestAttack(t *testing.T) {
	t.Parallel()
	t.Run("06-registered-redirects", testRegisteredRedirects)
	t.Run("40-registered-algorithms", testRegisteredAlgorithms)
	t.Run("97-redirect-that-is-no-endpoint", testLivePersonWebsite)
	t.Run("43-subjects-in-the-people-file", testSubjectsInPeopleFile)
}

// loadFiles loads a configuration file and its people, as idp config check does, and
// returns the error.
func loadFiles(t *testing.T, settings, people string) error {
	t.Helper()
	folder := t.TempDir()
	file := filepath.Join(folder, "idp.yaml")
	require.NoError(t, os.WriteFile(file, []byte(settings), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "people.yaml"), []byte(people), 0o600))
	loaded, err := config.Load(file, func(string) string { return "" })
	if err != nil {
		return err
	}
	_, err = loaded.ReadPeople()
	return err
}

// loadClient loads a configuration with a client that has the settings.
func loadClient(t *testing.T, client string) error {
	t.Helper()
	return loadFiles(t, "issuer: http://127.0.0.1:8080\ndata: data\npeople: people.yaml\nbrand: {name: Brand}\n"+
		"clients:\n  - id: shop\n"+client, "people:\n  - {username: ann, sub: 0123456789abcdef}\n")
}

// testRegisteredRedirects: a redirect URI that can never be safe is rejected in the
// configuration, with line and column.
func testRegisteredRedirects(t *testing.T) {
	t.Parallel()
	const good = "    redirect_uris: ['https://shop.example/cb']\n"
	for _, uri := range []string{
		"http://shop.example/cb", "https://shop.example/cb#x", "javascript:alert(1)", "data:text/html,x",
		"https://*.shop.example/cb", "https://user@shop.example/cb", "https://shop.example/../cb", "/cb", "shop:/cb",
	} {
		err := loadClient(t, "    redirect_uris: ['"+uri+"']\n")
		require.Error(t, err, uri)
		require.Regexp(t, `idp\.yaml:7:\d+: client "shop": redirect URI `, err.Error())
		err = loadClient(t, good+"    post_logout_redirect_uris: ['"+uri+"']\n")
		require.ErrorContains(t, err, "idp.yaml:8:", uri)
	}
	require.NoError(t, loadClient(t, good))
	for _, uri := range []string{
		"http://shop.example/out", "https://shop.example/out#x", "shop.example", "javascript:alert(1)",
	} {
		for _, key := range []string{"backchannel_logout_uri", "frontchannel_logout_uri"} {
			err := loadClient(t, good+"    "+key+": '"+uri+"'\n")
			require.ErrorContains(t, err, "idp.yaml:8:", uri)
		}
	}
}

// testLivePersonWebsite: LivePerson's website is an endpoint of no client. It may only
// be what LivePerson sends to the token endpoint.
func testLivePersonWebsite(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{
		"https://liveperson.net", "https://liveperson.net/", "https://www.liveperson.net", "https://LivePerson.NET:443/x",
		"https://liveperson.net./oauth2/code_redirect",
	} {
		for _, profile := range []string{"", "    profile: liveengage\n    response_types: [id_token]\n"} {
			err := loadClient(t, "    redirect_uris: ['https://shop.example/cb', '"+uri+"']\n"+profile)
			require.ErrorContains(t, err, "idp.yaml:7:48: ", uri)
			require.ErrorContains(t, err, "is LivePerson's website, not an endpoint of this client", uri)
		}
		require.NoError(t, loadClient(t, "    redirect_uris: ['https://shop.example/cb']\n"+
			"    profile: liveengage\n    response_types: [id_token]\n    liveengage: {token_redirect_uri: '"+uri+"'}\n"), uri)
	}
	require.NoError(t, loadClient(t,
		"    redirect_uris: ['https://lo.idp.liveperson.net/callback/12345678/redirectCode']\n"))
}

// testRegisteredAlgorithms: none, symmetric algorithms and weak keys are rejected in the
// configuration.
func testRegisteredAlgorithms(t *testing.T) {
	t.Parallel()
	const good = "    redirect_uris: ['https://shop.example/cb']\n"
	for _, alg := range []string{"none", "HS256", "RS512", "EdDSA", "rs256"} {
		err := loadClient(t, good+"    id_token_signed_response_alg: "+alg+"\n")
		require.ErrorContains(t, err, "RS256, ES256", alg)
	}
	for name, jwks := range map[string]string{
		"symmetric": `{"keys":[{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ"}]}`,
		"weak": `{"keys":[{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7` +
			`aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs", "e":"AQAB"}]}`,
		"none": `{"keys":[]}`,
	} {
		err := loadClient(t, good+"    jwks: '"+jwks+"'\n")
		require.ErrorContains(t, err, "jwks", name)
		require.NotContains(t, err.Error(), "c2VjcmV0", name)
	}
}

// testSubjectsInPeopleFile: every person has a sub that is unique and not too long.
func testSubjectsInPeopleFile(t *testing.T) {
	t.Parallel()
	const settings = "issuer: http://127.0.0.1:8080\ndata: data\npeople: people.yaml\nbrand: {name: Brand}\n" +
		"clients:\n  - {id: shop, redirect_uris: ['https://shop.example/cb']}\n"
	for name, people := range map[string]string{
		"twice": "people:\n  - {username: ann, sub: 0123456789abcdef}\n" +
			"  - {username: bob, sub: 0123456789abcdef}\n",
		"too long": "people:\n  - {username: ann, sub: " + strings.Repeat("a", 256) + "}\n",
		"missing":  "people:\n  - {username: ann}\n",
	} {
		err := loadFiles(t, settings, people)
		require.Error(t, err, name)
		require.Regexp(t, `people\.yaml:\d+:\d+: `, err.Error(), name)
	}
}
