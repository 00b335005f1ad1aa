package setup_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/liveengage"
	"idpbridge/liveengage/setup"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func exampleFacts() setup.Facts {
	created := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	return setup.Facts{
		Issuer:                "https://login.bank.example",
		AuthorizationEndpoint: "https://login.bank.example/authorize",
		TokenEndpoint:         "https://login.bank.example/token",
		JWKSEndpoint:          "https://login.bank.example/jwks",
		ClientID:              "liveengage",
		ClientSecret:          "demo-secret",
		Key:                   setup.Key{Line: "MIIBIjANBgkq", ID: "k1", Fingerprint: "SHA256:abc", Created: created},
		Now:                   created.Add(80 * time.Hour),
	}
}

func findEntry(t *testing.T, entries []setup.Entry, label string) setup.Entry {
	t.Helper()
	for _, e := range entries {
		if e.Label == label {
			return e
		}
	}
	require.Failf(t, "no such field", "%s", label)
	return setup.Entry{}
}

func labelsOf(entries []setup.Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Label)
	}
	return out
}

func TestSheetGolden(t *testing.T) {
	t.Parallel()
	got, err := json.MarshalIndent(setup.NewSheet(exampleFacts()), "", "  ")
	require.NoError(t, err)
	file := filepath.Join("testdata", "sheet.golden")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, append(got, '\n'), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got)+"\n")
}

func TestFieldsAreInTheOrderOfTheForm(t *testing.T) {
	t.Parallel()
	f := exampleFacts()
	require.Empty(t, setup.NewSheet(f).Delegated)
	f.Delegation = true
	s := setup.NewSheet(f)
	require.Equal(t, []string{
		"OAuth 2.0 Authentication Type", "Issuer Display Name", "JWT issuer (iss)", "Authentication Endpoint", "Client ID",
		"IDP Certificate Type", "JWT Public Key", "JWKS Endpoint", "JS Method Name", "JS Context",
	}, labelsOf(s.Implicit))
	require.Equal(t, []string{
		"OAuth 2.0 Authentication Type", "PKCE", "Issuer Display Name", "JWT issuer (iss)", "Authentication Endpoint",
		"Token Endpoint", "Client ID", "Client Secret", "IDP Certificate Type", "JWT Public Key", "JWKS Endpoint",
		"JS Method Name", "JS Context",
	}, labelsOf(s.Code))
	require.Equal(t, []string{
		"OAuth 2.0 Authentication Type", "JWT issuer (iss)", "Authentication Endpoint", "Token Endpoint",
		"Client ID", "Client Secret", "JWT Public Key",
	}, labelsOf(s.Delegated))
}

func TestClientSecret(t *testing.T) {
	t.Parallel()
	f := exampleFacts()
	e := findEntry(t, setup.NewSheet(f).Code, "Client Secret")
	require.True(t, e.Secret)
	require.False(t, e.Hint)
	f.ClientSecret = ""
	e = findEntry(t, setup.NewSheet(f).Code, "Client Secret")
	require.True(t, e.Hint)
	require.False(t, e.Secret)
	require.Equal(t, "the secret of this client in your configuration", e.Value)
}

func TestWarnings(t *testing.T) {
	t.Parallel()

	t.Run("LiveEngage requires https on port 443", func(t *testing.T) {
		t.Parallel()
		for issuer, warned := range map[string]bool{
			"https://login.bank.example":         false,
			"https://login.bank.example:443/idp": false,
			"http://localhost:8080":              true,
			"https://login.bank.example:8443":    true,
			"http://login.bank.example":          true,
			"":                                   true,
			"https://%":                          true,
		} {
			f := exampleFacts()
			f.Issuer = issuer
			require.Equal(t, warned, len(setup.NewSheet(f).Warnings) > 0, issuer)
		}
	})

	t.Run("no client", func(t *testing.T) {
		t.Parallel()
		f := exampleFacts()
		f.ClientID = ""
		s := setup.NewSheet(f)
		require.Len(t, s.Warnings, 1)
		require.True(t, findEntry(t, s.Implicit, "Client ID").Hint)
	})

	t.Run("a pinned key that is retired", func(t *testing.T) {
		t.Parallel()
		f := exampleFacts()
		f.Key.Pinned, f.Key.Retired = true, true
		require.Contains(t, setup.NewSheet(f).Warnings[0], "signs for LiveEngage only")
	})

	t.Run("no valid encryption key", func(t *testing.T) {
		t.Parallel()
		f := exampleFacts()
		f.Encryption = []setup.EncryptionKey{{ID: "old", NotAfter: f.Now}, {ID: "new", NotBefore: f.Now.Add(time.Hour)}}
		require.Contains(t, setup.NewSheet(f).Warnings[0], "no token can be issued")
		f.Encryption[1].NotBefore = f.Now
		require.Empty(t, setup.NewSheet(f).Warnings)
	})
}

func TestKeyAgeCountsWholeDays(t *testing.T) {
	t.Parallel()
	for age, days := range map[time.Duration]int{80 * time.Hour: 3, 23 * time.Hour: 0, -50 * time.Hour: 0} {
		f := exampleFacts()
		f.Now = f.Key.Created.Add(age)
		require.Equal(t, days, setup.NewSheet(f).KeyAgeDays)
	}
	f := exampleFacts()
	f.Key.Created = time.Time{}
	require.Zero(t, setup.NewSheet(f).KeyAgeDays)
}

func TestIssuerCannotBreakOutOfASnippet(t *testing.T) {
	t.Parallel()
	f := exampleFacts()
	f.Issuer = `https://a"</script>`
	require.Contains(t, setup.NewSheet(f).Pages[0].Code, `iss: "https://a\"\u003c/script\u003e"`)
	f.Page.Script = `https://a"></script><script>`
	require.NotContains(t, setup.NewSheet(f).Pages[0].Code, `"></script><script>`)
}

func TestRedirectURIsAreDescribed(t *testing.T) {
	t.Parallel()
	f := exampleFacts()
	for uri, want := range map[string]string{
		liveengage.WindowURI: "pop-out window",
		"https://va.bc-sso.liveperson.net/callback/1/redirectCode": "delegation",
		"https://www.bank.example/chat":                            "Registered for this client",
		"%":                                                        "Registered for this client",
	} {
		f.RedirectURIs = []string{uri}
		require.Contains(t, setup.NewSheet(f).Window[0].Help, want, uri)
	}
}

// TestWindowWithoutAccount: all accounts share the window, so the sheet warns.
func TestWindowWithoutAccount(t *testing.T) {
	t.Parallel()
	f := exampleFacts()
	warns := func() bool {
		return slices.ContainsFunc(setup.NewSheet(f).Warnings, func(w string) bool {
			return strings.Contains(w, "liveengage.account") && strings.Contains(w, "code flow")
		})
	}
	f.RedirectURIs = []string{"https://www.bank.example/chat"}
	require.False(t, warns())
	f.RedirectURIs = append(f.RedirectURIs, liveengage.WindowURI)
	require.True(t, warns())
	f.Account = "12345678"
	require.False(t, warns())
}
