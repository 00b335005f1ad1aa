package setup_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/liveengage"
	"idpbridge/liveengage/setup"
)

var update = flag.Bool("update", false, "rewrite the golden files") //nolint:gochecknoglobals // a test flag

func facts() setup.Facts {
	made := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	return setup.Facts{
		Issuer: "https://login.bank.example", AuthorizationEndpoint: "https://login.bank.example/authorize",
		TokenEndpoint: "https://login.bank.example/token", JWKSEndpoint: "https://login.bank.example/jwks",
		ClientID: "liveengage", ClientSecret: "demo-secret", Key: setup.Key{Line: "MIIBIjANBgkq", ID: "k1", Fingerprint: "SHA256:abc", Created: made},
		Now: made.Add(80 * time.Hour),
	}
}

func find(t *testing.T, entries []setup.Entry, label string) setup.Entry {
	t.Helper()
	for _, e := range entries {
		if e.Label == label {
			return e
		}
	}
	require.Failf(t, "no such field", "%s", label)
	return setup.Entry{}
}

func labels(entries []setup.Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Label)
	}
	return out
}

func TestSheet(t *testing.T) {
	t.Parallel()

	t.Run("golden", func(t *testing.T) {
		t.Parallel()
		got, err := json.MarshalIndent(setup.NewSheet(facts()), "", "  ")
		require.NoError(t, err)
		file := filepath.Join("testdata", "sheet.golden")
		if *update {
			require.NoError(t, os.MkdirAll("testdata", 0o755))
			require.NoError(t, os.WriteFile(file, append(got, '\n'), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got)+"\n")
	})

	t.Run("fields are in the form's order", func(t *testing.T) {
		t.Parallel()
		s := setup.NewSheet(facts())
		require.Equal(t, []string{
			"OAuth 2.0 Authentication Type", "Issuer Display Name", "JWT issuer (iss)", "Authentication Endpoint", "Client ID",
			"IDP Certificate Type", "JWT Public Key", "JWKS Endpoint", "JS Method Name", "JS Context",
		}, labels(s.Implicit))
		require.Equal(t, []string{
			"OAuth 2.0 Authentication Type", "PKCE", "Issuer Display Name", "JWT issuer (iss)", "Authentication Endpoint", "Token Endpoint",
			"Client ID", "Client Secret", "IDP Certificate Type", "JWT Public Key", "JWKS Endpoint", "JS Method Name", "JS Context",
		}, labels(s.Code))
	})

	t.Run("a secret is marked, and named where it is not known", func(t *testing.T) {
		t.Parallel()
		e := find(t, setup.NewSheet(facts()).Code, "Client Secret")
		require.True(t, e.Secret)
		require.False(t, e.Hint)
		f := facts()
		f.ClientSecret = ""
		e = find(t, setup.NewSheet(f).Code, "Client Secret")
		require.True(t, e.Hint)
		require.False(t, e.Secret)
		require.Equal(t, "the secret of this client in your configuration", e.Value)
	})

	t.Run("LiveEngage wants https on port 443", func(t *testing.T) {
		t.Parallel()
		for issuer, warned := range map[string]bool{
			"https://login.bank.example": false, "https://login.bank.example:443/idp": false,
			"http://localhost:8080": true, "https://login.bank.example:8443": true, "http://login.bank.example": true, "": true, "https://%": true,
		} {
			f := facts()
			f.Issuer = issuer
			require.Equal(t, warned, len(setup.NewSheet(f).Warnings) > 0, issuer)
		}
	})

	t.Run("a missing client is warned of", func(t *testing.T) {
		t.Parallel()
		f := facts()
		f.ClientID = ""
		s := setup.NewSheet(f)
		require.Len(t, s.Warnings, 1)
		require.True(t, find(t, s.Implicit, "Client ID").Hint)
	})

	t.Run("age counts whole days and is never negative", func(t *testing.T) {
		t.Parallel()
		for age, days := range map[time.Duration]int{80 * time.Hour: 3, 23 * time.Hour: 0, -50 * time.Hour: 0} {
			f := facts()
			f.Now = f.Key.Created.Add(age)
			require.Equal(t, days, setup.NewSheet(f).KeyAgeDays)
		}
		f := facts()
		f.Key.Created = time.Time{}
		require.Zero(t, setup.NewSheet(f).KeyAgeDays)
	})

	t.Run("the issuer cannot break out of the identity function", func(t *testing.T) {
		t.Parallel()
		f := facts()
		f.Issuer = `https://a"</script>`
		require.Contains(t, setup.NewSheet(f).Pages[0].Code, `iss: "https://a\"\u003c/script\u003e"`)
		f.Page.Script = `https://a"></script><script>`
		require.NotContains(t, setup.NewSheet(f).Pages[0].Code, `"></script><script>`)
	})

	t.Run("what will go wrong soon is warned of", func(t *testing.T) {
		t.Parallel()
		f := facts()
		f.Key.Pinned, f.Key.Retired = true, true
		require.Contains(t, setup.NewSheet(f).Warnings[0], "signs for LiveEngage alone")
		f = facts()
		f.Encryption = []setup.EncryptionKey{{ID: "old", NotAfter: f.Now}, {ID: "new", NotBefore: f.Now.Add(time.Hour)}}
		require.Contains(t, setup.NewSheet(f).Warnings[0], "no token can be issued")
		f.Encryption[1].NotBefore = f.Now
		require.Empty(t, setup.NewSheet(f).Warnings)
	})
}

// TestConnector: the keys are LivePerson's, and each flow and key type fills in its
// own.
func TestConnector(t *testing.T) {
	t.Parallel()
	written := func(flow liveengage.Flow, key liveengage.KeyType) map[string]any {
		raw, err := json.Marshal(setup.NewConnector(facts(), flow, key))
		require.NoError(t, err)
		var c map[string]any
		require.NoError(t, json.Unmarshal(raw, &c))
		fields, ok := c["configuration"].(map[string]any)
		require.True(t, ok)
		fields["type"] = c["type"]
		return fields
	}
	code := written(liveengage.FlowCode, liveengage.KeyTypeJWKS)
	require.Equal(t, map[string]any{
		"type": 2.0, "issuerDisplayName": "login.bank.example", "issuer": "https://login.bank.example", "authorizationEndpoint": "https://login.bank.example/authorize",
		"tokenEndpoint": "https://login.bank.example/token", "clientId": "liveengage", "jwtValidationType": "JWKS_ENDPOINT",
		"jwksEndpoint": "https://login.bank.example/jwks", "jsMethodName": "lpGetAuthenticationToken", "jsContext": "window",
		"pkceEnabled": true, "rfcCompliance": true, "preferred": true, "acrValues": "loa1",
	}, code)
	implicit := written(liveengage.FlowImplicit, liveengage.KeyTypePasted)
	require.Equal(t, 1.0, implicit["type"])
	require.Equal(t, "MIIBIjANBgkq", implicit["jwtPublicKey"])
	require.NotContains(t, implicit, "tokenEndpoint")
	require.Equal(t, "CONSUMER_DELEGATION", written(liveengage.FlowDelegation, liveengage.KeyTypeJWKS)["jwtPublicKey"])
}
