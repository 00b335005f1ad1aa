package inspect_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/inspect"
)

// FuzzInspect: no text makes Inspect panic, its report is JSON in order, its
// lines are lines, and white space around a token changes nothing.
func FuzzInspect(f *testing.F) {
	f.Add(token(nil))
	f.Add("Bearer " + token(nil) + "\n")
	f.Add("https://brand.example/cb#state=x&id_token=" + token(nil))
	f.Add(tutorialToken)
	f.Add("eyJ0...")
	f.Add(sealed(f, token(nil), nil))
	for _, all := range producers(f) {
		for _, p := range all {
			f.Add(p.text)
		}
	}
	x := expectations()
	x.Decrypt = other()
	f.Fuzz(func(t *testing.T, text string) { holds(t, text, x) })
}

// FuzzInspectClaims holds the same for every claims that somebody may sign.
func FuzzInspectClaims(f *testing.F) {
	f.Add(spelt(claimsWith(nil)))
	for _, all := range producers(f) {
		for _, p := range all {
			if r := inspect.Token(p.text, inspect.Expectations{}); r.Claims != nil {
				f.Add(string(r.Claims))
			}
		}
	}
	x := expectations()
	f.Fuzz(func(t *testing.T, claims string) {
		text := encode(spelt(header()), claims, signer())
		r := holds(t, text, x)
		require.Equal(t, inspect.Verified, r.Signature.State)
		require.True(t, r.Claims != nil || r.CountErrors() > 0)
	})
}

func holds(t *testing.T, text string, x inspect.Expectations) inspect.Report {
	t.Helper()
	r := inspect.Token(text, x)
	out, err := json.Marshal(r)
	require.NoError(t, err)
	var back inspect.Report
	require.NoError(t, json.Unmarshal(out, &back))
	require.True(t, r.Form != "" || r.CountErrors() > 0, "a text that is no token is a fault")
	require.False(t, r.Signature.State == inspect.Verified && r.Header == nil, "verified without a header")
	for _, f := range r.Findings {
		require.NotEmpty(t, f.Level, f.Code)
		require.False(t, slices.Contains([]string{f.Problem, f.Remedy, f.Where, f.Code}, ""), "%v", f)
		require.NotRegexp(t, `[\x00-\x1f\x7f]`, f.Problem+f.Where+f.Remedy)
	}
	for _, s := range r.AgentSees {
		require.NotRegexp(t, `[\x00-\x1f\x7f]`, s.Value)
	}
	require.Equal(t, r, inspect.Token(" \r\n\t"+text+"\n ", x), "white space around it")
	return r
}
