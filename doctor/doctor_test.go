package doctor_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"idpbridge/doctor"
	"idpbridge/internal/secret"
)

// TestHealthy: if everything is right, every finding is ok. The exceptions follow
// from the test: it names authorities to trust, and a page's functions cannot be
// seen from outside.
func TestHealthy(t *testing.T) {
	t.Parallel()
	s := newSite()
	var passedOn []doctor.Finding
	s.cfg.OnFinding = func(f doctor.Finding) { passedOn = append(passedOn, f) }
	report := s.run(t)
	require.Equal(t, report.Findings, passedOn)
	exceptions := map[doctor.Code]doctor.Level{
		doctor.TLSTrust:           doctor.Error,
		doctor.ConnectorJSMethod:  doctor.Note,
		doctor.ConnectorJSContext: doctor.Note,
	}
	for _, f := range report.Findings {
		want := doctor.OK
		if level := exceptions[f.Code]; level != "" {
			want = level
		}
		require.Equal(t, want, f.Level, "%+v", f)
		require.NotEmpty(t, f.Sentence, f.Code)
		require.NotEmpty(t, f.Remedy, f.Code)
	}
	sum := 0
	for _, n := range report.Totals {
		sum += n
	}
	require.Len(t, report.Findings, sum)
	require.Equal(t, 1, report.Totals[doctor.Error])
	require.Greater(t, report.Totals[doctor.OK], 30)

	encoded, err := json.Marshal(report)
	require.NoError(t, err)
	require.NotContains(t, string(encoded), clientSecret)
}

// TestLocal: for a local provider, what keeps LivePerson out is a note.
func TestLocal(t *testing.T) {
	t.Parallel()
	for _, local := range []bool{false, true} {
		s := newSite()
		s.cfg.Local, s.remoteAddr = local, "10.1.2.3:443"
		report := s.run(t)
		trust, public := doctor.Error, doctor.Warn
		if local {
			trust, public = doctor.Note, doctor.Note
		}
		requireLevel(t, report, doctor.TLSTrust, trust)
		requireLevel(t, report, doctor.AddressPublic, public)
	}
}

// TestMissingInput: a check whose input is missing is skipped.
func TestMissingInput(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.cfg.ClientSecret = secret.Value{}
	s.cfg.PastedKey, s.cfg.OperationsURL, s.cfg.Account = "", "", ""
	report := s.run(t)
	for _, code := range []doctor.Code{
		doctor.TokenCredentials, doctor.TokenJSON, doctor.KeyPasted, doctor.OperationsReady, doctor.ConnectorList,
	} {
		requireLevel(t, report, code, doctor.Skip)
	}
	require.Equal(t, doctor.OK, report.Level(doctor.TokenSecret), "the check with a wrong secret needs no right one")

	s = newSite()
	s.cfg.ResponseTypes = []string{"id_token"}
	report = s.run(t)
	requireLevel(t, report, doctor.TokenAnswers, doctor.Skip)
	requireLevel(t, report, doctor.RedirectNonce, doctor.OK)
}

// TestCanceled: Run stops when the context ends.
func TestCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newSite()
	s.cfg.OnFinding = func(doctor.Finding) { cancel() }
	s.cfg.Issuer = "nonsense"
	report := doctor.Run(ctx, s.cfg)
	require.Len(t, report.Findings, 1)
	require.Equal(t, doctor.AddressForm, report.Findings[0].Code)
}

// TestOtherProvider: if a provider shows no key for pasting, the pasted key is
// compared with its key set.
func TestOtherProvider(t *testing.T) {
	t.Parallel()
	newOther := func() *site {
		s := newSite()
		s.handlers["/keys/public.txt"], s.handlers["/keys/public.pem"] = http.NotFound, http.NotFound
		return s
	}
	report := newOther().run(t)
	requireLevel(t, report, doctor.KeyLine, doctor.Skip)
	requireLevel(t, report, doctor.KeyActive, doctor.Skip)
	requireLevel(t, report, doctor.KeyPasted, doctor.OK)
	requireLevel(t, report, doctor.ConnectorKey, doctor.OK)

	s := newOther()
	s.moreKeys = []map[string]any{s.jwk}
	s.jwk = newJWK("k0", testKeys()[1])
	s.jwk["use"] = "enc" // so the first key is not for signatures
	line := s.cfg.PastedKey
	s.cfg.PastedKey = line[:80] + "~" + line[81:]
	report = s.run(t)
	requireLevel(t, report, doctor.KeyPasted, doctor.Error)
	require.Contains(t, allText(report), "character 81 is '~' and should be '"+line[80:81]+"'")
}

// TestNamedConnector: Config.Connector selects by name, ID or position.
func TestNamedConnector(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]doctor.Level{
		"4056284238": doctor.OK,
		"Brand":      doctor.OK,
		"1":          doctor.OK,
		"7":          doctor.Error,
		"Other":      doctor.Error,
		"9":          "",
	} {
		s := newSite()
		s.cfg.Connector = name
		require.Equal(t, want, s.run(t).Level(doctor.ConnectorIssuer), name)
	}
}

// TestRateLimited: a rate limit says nothing about the client's secret.
func TestRateLimited(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.handlers["/token"] = respondWith(http.StatusTooManyRequests, "application/json", `{"error":"invalid_client"}`)
	report := s.run(t)
	requireLevel(t, report, doctor.TokenSecret, doctor.Skip)
	requireLevel(t, report, doctor.TokenCredentials, doctor.Skip)
}

// TestTimeout: a provider that does not respond is an error after five seconds.
func TestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite()
		s.cfg.Issuer = "http://login.brand.example"
		s.cfg.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		report := doctor.Run(t.Context(), s.cfg)
		requireLevel(t, report, doctor.DiscoveryDocument, doctor.Error)
		require.Contains(t, allText(report), "no response within 5s")
	})
}

// TestRedirect: redirects are not followed, and cookies are not sent back.
func TestRedirect(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.handlers["/jwks"] = http.RedirectHandler("/other-jwks", http.StatusFound).ServeHTTP
	var requested []string
	s.wrap = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requested = append(requested, r.URL.Path+r.Header.Get("Cookie"))
			next.ServeHTTP(w, r)
		})
	}
	requireLevel(t, s.run(t), doctor.KeysDocument, doctor.Error)
	require.Contains(t, requested, "/jwks")
	require.NotContains(t, requested, "/other-jwks")
	require.Contains(t, requested, "/authorize")
	require.NotContains(t, strings.Join(requested, " "), "idp_browser")
}

// TestLongLists: long lists cause neither many requests nor many findings.
func TestLongLists(t *testing.T) {
	t.Parallel()
	s := newSite()
	for range 500 {
		s.moreKeys = append(s.moreKeys, map[string]any{"kty": "EC"})
		s.cfg.RedirectURIs = append(s.cfg.RedirectURIs, "https://shop.example/cb")
	}
	requests := 0
	s.wrap = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests++ // requests come one at a time
			next.ServeHTTP(w, r)
		})
	}
	report := s.run(t)
	require.LessOrEqual(t, requests, 120)
	require.Less(t, len(report.Findings), 200)
}

// TestControlCharacters: a provider cannot write control characters to the
// terminal.
func TestControlCharacters(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.jwk["kid"] = "k\x1b[2J\u202e\n1" + clientSecret
	text := allText(s.run(t))
	require.Contains(t, text, "k·[2J· 1[the secret]")
	for _, bad := range []string{"\x1b", "\u202e", "\n", clientSecret} {
		require.NotContains(t, text, bad)
	}
}
