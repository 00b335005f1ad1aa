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
	want := []string{
		"4401", "4407", "503", "2", "3", "4", "5", "10", "json_parse_error", "invalid_code", "unauthorized_client",
		"1001", "1003", "1050",
		"signature_invalid", "consumer_key_unknown", "consumer_key_rejected", "consumer_key_refused", "token_rejected",
		"token_expired", "token_revoked", "token_used", "timestamp_refused", "nonce_used", "too_many_nonces",
		"parameter_absent", "parameter_rejected", "signature_method_rejected", "version_rejected", "permission_denied",
		"permission_unknown", "unknown_authorization_type",
	}
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
	for _, e := range explain.All() {
		require.Contains(t, want, e.Code, "there are no other codes")
	}
}

func TestExplanationsAreComplete(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, e := range explain.All() {
		require.False(t, seen[e.Code+e.Name], "%s is listed twice", e.Code)
		seen[e.Code+e.Name] = true
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

// TestLookupReadsTheMessage: a number of the Login Service has several meanings.
func TestLookupReadsTheMessage(t *testing.T) {
	t.Parallel()
	login := func(message, code string) string {
		return `{"error":{"time":1,"message":"` + message + `","internalCode":` + code + `,"responseStatus":"UNAUTHORIZED"}}`
	}
	const problem = "oauth_problem=consumer_key_unknown&oauth_problem_advice=x"
	for text, want := range map[string][2]string{
		login("Bad captcha", "10"):                    {"10", "Bad captcha"},
		login("CSRF token invalid! x", "10"):          {"10", "CSRF token invalid"},
		login("CSRF TOKEN INVALID!", `"10"`):          {"10", "CSRF token invalid"},
		login("Something else", "10"):                 {"10", "rejected, for one of several reasons"},
		"agentVep returned 401, code 10: bad captcha": {"10", "Bad captcha"},
		"10":              {"10", "rejected, for one of several reasons"},
		"internalCode: 5": {"5", "bad Authorization header"},
		login("Login failed! bad credentials", "2"):       {"2", "bad credentials"},
		login("Bad authorization request. "+problem, "5"): {"consumer_key_unknown", "an API key was rejected"},
		problem: {"consumer_key_unknown", "an API key was rejected"},
		"OAuth realm=x, oauth_problem=\"signature_invalid\"": {"signature_invalid", "an API key was rejected"},
		"general_problem=unknown_authorization_type":         {"unknown_authorization_type", "an API key was rejected"},
		"close code 4401 after 5 minutes":                    {"4401", "socket closed: token revoked"},
		"unexpected server response (503)":                   {"503", "socket not opened"},
	} {
		e, ok := explain.Lookup(text)
		require.True(t, ok, text)
		require.Equal(t, want, [2]string{e.Code, e.Name}, text)
	}
	for _, text := range []string{"after 10 retries", "5 of 10 requests failed", "3 users"} {
		_, ok := explain.Lookup(text)
		require.False(t, ok, "%q has a count, not a code", text)
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
