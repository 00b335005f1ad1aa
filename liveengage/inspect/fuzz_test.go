package inspect_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/inspect"
)

// FuzzToken: no text makes Token panic, the report is valid JSON, each text in it is
// one line, and white space around a token changes nothing.
func FuzzToken(f *testing.F) {
	f.Add(tokenWith(nil))
	f.Add("Bearer " + tokenWith(nil) + "\n")
	f.Add("https://brand.example/cb#state=x&id_token=" + tokenWith(nil))
	f.Add(tutorialToken)
	f.Add("eyJ0...")
	f.Add(encrypt(f, tokenWith(nil), nil))
	for _, examples := range allExamples(f) {
		for _, e := range examples {
			f.Add(e.text)
		}
	}
	expected := goodExpectations()
	expected.Decrypt = otherKey()
	f.Fuzz(func(t *testing.T, text string) { requireGoodReport(t, text, expected) })
}

// FuzzClaims: the same for any signed claims.
func FuzzClaims(f *testing.F) {
	f.Add(marshalJSON(claimsWith(nil)))
	for _, examples := range allExamples(f) {
		for _, e := range examples {
			if report := inspect.Token(e.text, inspect.Expectations{}); report.Claims != nil {
				f.Add(string(report.Claims))
			}
		}
	}
	expected := goodExpectations()
	f.Fuzz(func(t *testing.T, claims string) {
		report := requireGoodReport(t, tokenWithClaims(claims), expected)
		require.Equal(t, inspect.Verified, report.Signature.State)
		require.True(t, report.Claims != nil || report.CountErrors() > 0)
	})
}

func requireGoodReport(t *testing.T, text string, expected inspect.Expectations) inspect.Report {
	t.Helper()
	report := inspect.Token(text, expected)
	out, err := json.Marshal(report)
	require.NoError(t, err)
	var decoded inspect.Report
	require.NoError(t, json.Unmarshal(out, &decoded))
	require.True(t, report.Form != "" || report.CountErrors() > 0, "a text that is not a token is an error")
	require.False(t, report.Signature.State == inspect.Verified && report.Header == nil, "verified without a header")
	for _, f := range report.Findings {
		require.NotEmpty(t, f.Level, f.Code)
		require.False(t, slices.Contains([]string{f.Problem, f.Remedy, f.Where, f.Code}, ""), "%v", f)
		require.NotRegexp(t, `[\x00-\x1f\x7f]`, f.Problem+f.Where+f.Remedy)
	}
	for _, field := range report.AgentSees {
		require.NotRegexp(t, `[\x00-\x1f\x7f]`, field.Value)
	}
	require.Equal(t, report, inspect.Token(" \r\n\t"+text+"\n ", expected), "white space around it")
	return report
}
