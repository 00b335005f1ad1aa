package doctor_test

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/doctor"
	"idpbridge/liveengage"
)

// TestOnlyWhatLivePersonDemands: LivePerson reads no discovery document, and no key set
// if a key is pasted.
func TestOnlyWhatLivePersonDemands(t *testing.T) {
	t.Parallel()
	s := newSite()
	for _, path := range []string{pathDiscovery, "/jwks", "/keys/public.txt", "/keys/public.pem"} {
		s.handlers[path] = http.NotFound
	}
	report := s.run(t)
	require.Equal(t, doctor.Error, report.Level(doctor.DiscoveryDocument))
	require.Contains(t, allText(report), "--authorization-endpoint", "without the endpoints, nothing can be checked")

	s.cfg.AuthorizationEndpoint, s.cfg.TokenEndpoint = issuer+"/authorize", issuer+"/token"
	s.cfg.PastedKey = keyLine(s.key)
	s.cfg.Account, s.cfg.OperationsURL = "", ""
	report = s.run(t)
	require.Equal(t, 1, report.Totals[doctor.Error], "%+v", report.Findings)
	require.Equal(t, doctor.Error, report.Level(doctor.TLSTrust), "the authority of the test is not public")
	require.Zero(t, report.Totals[doctor.Warn], "%+v", report.Findings)
	require.Equal(t, doctor.OK, report.Level(doctor.RedirectAccepted))
	require.Equal(t, doctor.OK, report.Level(doctor.TokenCredentials))
	require.Equal(t, doctor.OK, report.Level(doctor.KeyPasted))
	require.Contains(t, allText(report), "no key set to compare it with")
}

// TestPastedInPlaceOfAKey: what people paste by mistake is named, with a key set and
// without one.
func TestPastedInPlaceOfAKey(t *testing.T) {
	t.Parallel()
	key := testKeys()[0]
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	line := base64.StdEncoding.EncodeToString(der)
	for pasted, want := range map[string]string{
		line: "is a certificate, not a public key",
		"-----BEGIN CERTIFICATE-----\n" + line + "\n-----END CERTIFICATE-----": "is a certificate, not a public key",
		"Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln":                                 "is a token, not a public key",
		"eyJhbGciOiJSUzI1NiJ9.e30.c2ln":                                        "is a token, not a public key",
		`{"kty":"RSA","n":"x","e":"AQAB"}`:                                     "is a JSON Web Key",
		"https://login.brand.example/jwks":                                     "is a URL, not a public key",
	} {
		for _, hasKeySet := range []bool{true, false} {
			s := newSite()
			s.cfg.PastedKey = pasted
			if !hasKeySet {
				s.cfg.AuthorizationEndpoint = issuer + "/authorize"
			}
			report := s.run(t)
			require.Equal(t, doctor.Error, report.Level(doctor.KeyPasted), pasted)
			require.Contains(t, allText(report), want)
		}
	}
}

// TestStateIsThatOfTheWindow: each request with LivePerson's window has a state that names
// the account.
func TestStateIsThatOfTheWindow(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.cfg.WindowAccount = "87654321"
	accounts := map[string]bool{}
	changeAuthorize(func(_ http.ResponseWriter, _ *http.Request, query url.Values) bool {
		if query.Get("redirect_uri") == liveengage.WindowURI {
			account, err := liveengage.WindowAccount(liveengage.WindowURI, query.Get("state"))
			if err != nil {
				account = err.Error()
			}
			accounts[account] = true
		}
		return false
	})(s)
	s.run(t)
	require.Equal(t, map[string]bool{"87654321": true, "99999999": true}, accounts)
}
