package doctor_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/doctor"
)

// brokenCase is a site with one thing wrong, and the finding that must report it.
type brokenCase struct {
	name   string
	code   doctor.Code
	level  doctor.Level
	text   string // is part of the finding
	change func(s *site)
}

// matches reports whether a finding is the one that the case requires.
func (b brokenCase) matches(f doctor.Finding) bool {
	text := f.Sentence + "\n" + f.Remedy + "\n" + f.Seen
	return f.Code == b.code && f.Level == b.level && strings.Contains(text, b.text)
}

// TestBroken breaks one thing at a time. The required finding must be there, and
// must not be there when nothing is broken.
func TestBroken(t *testing.T) {
	t.Parallel()
	healthy := newSite().run(t)
	cases := slices.Concat(
		brokenConnections(), brokenKeys(), brokenAuthorization(), brokenTokens(), brokenConnectors(),
	)
	for _, b := range cases {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			require.False(t, slices.ContainsFunc(healthy.Findings, b.matches), "found when nothing is broken")
			s := newSite()
			b.change(s)
			report := s.run(t)
			require.Equal(t, b.level, report.Level(b.code), "%+v", report.Findings)
			require.True(t, slices.ContainsFunc(report.Findings, b.matches), "no %q in %+v", b.text, report.Findings)
			for _, f := range report.Findings {
				require.NotEmpty(t, f.Remedy, f.Code)
				require.NotContains(t, f.Sentence+f.Remedy+f.Seen, clientSecret)
			}
		})
	}
}

// respondWith returns a handler that always sends the same response.
func respondWith(status int, contentType, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}
