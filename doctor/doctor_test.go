package doctor_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/doctor"
)

func mustAddr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// TestHealthy: where nothing is wrong, nothing is found but what was asked for:
// the authorities were named, and nobody sees the page's functions from here.
func TestHealthy(t *testing.T) {
	t.Parallel()
	s := newSite()
	var told []doctor.Finding
	s.cfg.OnFinding = func(f doctor.Finding) { told = append(told, f) }
	report := s.examine(t)
	require.Equal(t, report.Findings, told, "each is told as soon as it is known")
	expected := map[doctor.Code]doctor.Level{
		doctor.TLSTrust: doctor.Error, doctor.ConnectorJSMethod: doctor.Note, doctor.ConnectorJSContext: doctor.Note,
	}
	for _, f := range report.Findings {
		want := doctor.OK
		if level := expected[f.Code]; level != "" {
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

	text, err := json.Marshal(report)
	require.NoError(t, err)
	require.NotContains(t, string(text), secret)
}

// TestLocal notes what keeps LivePerson away, instead of calling it a fault.
func TestLocal(t *testing.T) {
	t.Parallel()
	for _, local := range []bool{false, true} {
		s := newSite()
		s.cfg.Local, s.remote = local, "10.1.2.3:443"
		report := s.examine(t)
		want, private := doctor.Error, doctor.Warn
		if local {
			want, private = doctor.Note, doctor.Note
		}
		require.Equal(t, want, report.Level(doctor.TLSTrust))
		require.Equal(t, private, report.Level(doctor.AddressPublic))
	}
}

// TestLittleGiven: what cannot be looked at is skipped, and says what is missing.
func TestLittleGiven(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.cfg.ClientSecret, s.cfg.PastedKey, s.cfg.OperationsURL, s.cfg.Account = "", "", "", ""
	report := s.examine(t)
	for _, code := range []doctor.Code{
		doctor.TokenCredentials, doctor.TokenJSON, doctor.KeyPasted, doctor.OperationsReady, doctor.ConnectorList,
	} {
		require.Equal(t, doctor.Skip, report.Level(code), code)
	}
	require.Equal(t, doctor.OK, report.Level(doctor.TokenSecret), "a wrong secret needs no right one")

	s = newSite()
	s.cfg.ResponseTypes = []string{"id_token"}
	report = s.examine(t)
	require.Equal(t, doctor.Skip, report.Level(doctor.TokenAnswers))
	require.Equal(t, doctor.OK, report.Level(doctor.RedirectNonce))
}

// TestEndsEarly: an examination ends with its context, and asks nothing more.
func TestEndsEarly(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newSite()
	s.cfg.OnFinding = func(doctor.Finding) { cancel() }
	s.cfg.Issuer = "nonsense"
	report := doctor.Run(ctx, s.cfg)
	require.Len(t, report.Findings, 1)
	require.Equal(t, doctor.AddressForm, report.Findings[0].Code)
}

// TestForeignProvider: one that has no key for pasting is compared by its key set.
func TestForeignProvider(t *testing.T) {
	t.Parallel()
	foreign := func() *site {
		s := newSite()
		s.handle["/keys/public.txt"], s.handle["/keys/public.pem"] = http.NotFound, http.NotFound
		return s
	}
	report := foreign().examine(t)
	require.Equal(t, doctor.Skip, report.Level(doctor.KeyLine))
	require.Equal(t, doctor.Skip, report.Level(doctor.KeyActive))
	require.Equal(t, doctor.OK, report.Level(doctor.KeyPasted))
	require.Equal(t, doctor.OK, report.Level(doctor.ConnectorKey))

	s := foreign()
	s.more = []map[string]any{s.jwk} // the first is not for signatures
	s.jwk = jwkOf("k0", keyOf()[1])
	s.jwk["use"] = "enc"
	line := s.cfg.PastedKey
	s.cfg.PastedKey = line[:80] + "~" + line[81:]
	report = s.examine(t)
	require.Equal(t, doctor.Error, report.Level(doctor.KeyPasted))
	require.Contains(t, sentences(report), "character 81 is '~' and should be '"+line[80:81]+"'")
}

// TestChosenConnector: of several connectors one is compared, by name, id or place.
func TestChosenConnector(t *testing.T) {
	t.Parallel()
	for by, want := range map[string]doctor.Level{"4056284238": doctor.OK, "Brand": doctor.OK, "1": doctor.OK, "7": doctor.Error, "Other": doctor.Error, "9": ""} {
		s := newSite()
		s.cfg.Connector = by
		report := s.examine(t)
		require.Equal(t, want, report.Level(doctor.ConnectorIssuer), by)
	}
}

// TestMadeToWait: a provider that slows this machine down is not called broken.
func TestMadeToWait(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.handle["/token"] = response(http.StatusTooManyRequests, "application/json", `{"error":"invalid_client"}`)
	report := s.examine(t)
	require.Equal(t, doctor.Skip, report.Level(doctor.TokenSecret))
	require.Equal(t, doctor.Skip, report.Level(doctor.TokenCredentials), sentences(report))
}

// roundTrip is a transport that is a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestOwnClient: a client of the caller's own carries the requests, but follows
// no redirect and keeps no cookie either.
func TestOwnClient(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.cfg.Issuer = "http://login.brand.example" // there is no connection to look at
	handler := s.handler()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	var asked []string
	s.cfg.Client = &http.Client{Jar: jar, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.URL.Host+r.URL.Path)
		require.Empty(t, r.Header.Get("Cookie"))
		if r.URL.Path == "/jwks" {
			return &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {"https://elsewhere.example/jwks"}}, Body: http.NoBody}, nil
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Result(), nil
	})}
	s.cfg.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("not by this way") }
	report := doctor.Run(t.Context(), s.cfg)
	require.Equal(t, doctor.Error, report.Level(doctor.KeysDocument))
	require.Contains(t, asked, "login.brand.example/jwks")
	require.NotContains(t, asked, "elsewhere.example/jwks")
	require.NotNil(t, s.cfg.Client.Jar, "the caller's own is left as it was")
}

// TestPatience: who does not answer is waited for no longer than the client's
// timeout, and named.
func TestPatience(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.cfg.Issuer = "http://login.brand.example"
	s.cfg.Client = &http.Client{Timeout: time.Millisecond, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})}
	report := doctor.Run(t.Context(), s.cfg)
	require.Equal(t, doctor.Error, report.Level(doctor.DiscoveryDocument))
	require.Contains(t, sentences(report), "no answer came within 1ms")
}

// TestBounds: lists of others are looked at only so far, however long they are.
func TestBounds(t *testing.T) {
	t.Parallel()
	s := newSite()
	for range 500 {
		s.more = append(s.more, map[string]any{"kty": "EC"})
		s.cfg.RedirectURIs = append(s.cfg.RedirectURIs, "https://shop.example/cb")
	}
	requests := 0
	s.wrap = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests++ // one after the other
			next.ServeHTTP(w, r)
		})
	}
	report := s.examine(t)
	require.LessOrEqual(t, requests, 120)
	require.Less(t, len(report.Findings), 200)
}

// TestWritesNoControlCharacters: a provider cannot write to somebody's terminal.
func TestWritesNoControlCharacters(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.jwk["kid"] = "k\x1b[2J\u202e\n1" + secret
	report := s.examine(t)
	text := sentences(report)
	require.Contains(t, text, "k·[2J· 1[the secret]")
	for _, bad := range []string{"\x1b", "\u202e", "\n", secret} {
		require.NotContains(t, text, bad)
	}
}

func sentences(report doctor.Report) string {
	var b strings.Builder
	for _, f := range report.Findings {
		b.WriteString(f.Sentence + " " + f.Remedy + " " + f.Seen + " ")
	}
	return b.String()
}

func TestValidAccount(t *testing.T) {
	t.Parallel()
	for account, want := range map[string]bool{
		"12345678": true, "le1234567": true, "": false, "1/../2": false, "1?x": false, "12 3": false, "１２": false,
		"123456789012345678901234567890123": false,
	} {
		require.Equal(t, want, doctor.ValidAccount(account), account)
	}
}
