package explain_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/explain"
)

func TestLookupKnowsEveryCode(t *testing.T) {
	t.Parallel()
	want := []string{"4407", "10", "json_parse_error", "invalid_code", "unauthorized_client", "1001", "1003", "1050"}
	for _, r := range [][2]int{
		{9000, 9001},
		{9007, 9015},
		{1004, 1012},
		{1022, 1034},
		{1036, 1049},
		{2001, 2002},
		{2004, 2007},
	} {
		for code := r[0]; code <= r[1]; code++ {
			want = append(want, strconv.Itoa(code))
		}
	}
	for _, code := range want {
		e, ok := explain.Lookup(code)
		require.True(t, ok, code)
		require.Equal(t, code, e.Code)
	}
	require.Len(t, explain.All(), len(want), "there are no other codes")
}

func TestExplanationsAreComplete(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, e := range explain.All() {
		require.False(t, seen[e.Code], "%s is listed twice", e.Code)
		seen[e.Code] = true
		require.NotEmpty(t, e.Name, e.Code)
		require.NotEmpty(t, e.Meaning, e.Code)
		require.NotEmpty(t, e.Causes, e.Code)
		require.NotEmpty(t, e.Remedies, e.Code)
		require.NotEmpty(t, e.Source, e.Code)
		for _, text := range append(append([]string{e.Meaning, e.Source}, e.Causes...), e.Remedies...) {
			require.Regexp(t, `^[A-Za-z].*[.…]$|^.*\.$`, text, "%s: not a sentence", e.Code)
		}
	}
}

func TestLookupFindsCodesInLogs(t *testing.T) {
	t.Parallel()
	const oldServer = `{"error":{"time":1470000000000,` +
		`"message":"Failed to validate user with customer authentication service","internalCode":10}}`
	for text, code := range map[string]string{
		"9007":                                    "9007",
		" LP 9007\n":                              "9007",
		"error code: 9007.":                       "9007",
		`{"internalErrorCode":"9007"}`:            "9007",
		`{"internalErrorCode":9007}`:              "9007",
		`HTTP 500 {"internalErrorCode":"1012"}`:   "1012",
		`{"error":"invalid_code"}`:                "invalid_code",
		"after 10 retries: 9012":                  "9012",
		"INVALID_CODE":                            "invalid_code",
		"WebSocket closed with code 4407, reason": "4407",
		oldServer:                                 "10",
	} {
		e, ok := explain.Lookup(text)
		require.True(t, ok, text)
		require.Equal(t, code, e.Code, text)
	}
	for _, text := range []string{"", "9999", "nothing", `{"internalErrorCode":null}`, `{"internalErrorCode":[}`} {
		_, ok := explain.Lookup(text)
		require.False(t, ok, text)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	nearestCodes := func(text string) []string {
		var out []string
		for _, e := range explain.Nearest(text) {
			out = append(out, e.Code)
		}
		return out
	}
	require.Equal(t, "9007", nearestCodes("9006")[0], "it differs in one digit, by one")
	require.Equal(t, []string{"invalid_code"}, nearestCodes("invalid_cod"))
	require.Len(t, nearestCodes("1035"), 5)
	require.Empty(t, nearestCodes("zzzzzzzzzzzz"))
	require.Empty(t, nearestCodes(""))
}

func ExampleLookup() {
	e, _ := explain.Lookup(`{"internalErrorCode":"9007"}`)
	fmt.Println(e.Name)
	// Output: CUSTOMER_JWT_NOT_VALID
}
