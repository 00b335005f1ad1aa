package doctor_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"testing"

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
	s.cfg.Found = func(f doctor.Finding) { told = append(told, f) }
	report := s.examine(t)
	require.Equal(t, report.Findings, told, "each is told as soon as it is known")
	expected := map[doctor.Code]doctor.Level{
		doctor.TLSTrust: doctor.Fault, doctor.ConnectorJSMethod: doctor.Note, doctor.ConnectorJSContext: doctor.Note,
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
	for _, n := range report.Counts {
		sum += n
	}
	require.Len(t, report.Findings, sum)
	require.Equal(t, 1, report.Counts[doctor.Fault])
	require.Greater(t, report.Counts[doctor.OK], 30)

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
		want, private := doctor.Fault, doctor.Warning
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
	s.cfg.ClientSecret, s.cfg.PastedKey, s.cfg.Operations, s.cfg.Account = "", "", "", ""
	report := s.examine(t)
	for _, code := range []doctor.Code{
		doctor.TokenCredentials, doctor.TokenJSON, doctor.KeyPasted, doctor.OperationsReady, doctor.ConnectorList,
	} {
		require.Equal(t, doctor.Skipped, report.Level(code), code)
	}
	require.Equal(t, doctor.OK, report.Level(doctor.TokenSecret), "a wrong secret needs no right one")

	s = newSite()
	s.cfg.ResponseTypes = []string{"id_token"}
	report = s.examine(t)
	require.Equal(t, doctor.Skipped, report.Level(doctor.TokenAnswers))
	require.Equal(t, doctor.OK, report.Level(doctor.RedirectNonce))
}

// TestEndsEarly: an examination ends with its context, and asks nothing more.
func TestEndsEarly(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newSite()
	s.cfg.Found = func(doctor.Finding) { cancel() }
	s.cfg.Issuer = "nonsense"
	report := doctor.Run(ctx, s.cfg)
	require.Len(t, report.Findings, 1)
	require.Equal(t, doctor.AddressForm, report.Findings[0].Code)
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
