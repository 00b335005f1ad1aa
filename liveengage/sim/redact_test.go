package sim

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRedaction: secrets are shortened to 8 characters, and short ones are removed.
func TestRedaction(t *testing.T) {
	t.Parallel()
	token := "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqYW5lIn0.c2lnbmF0dXJl"
	require.Equal(t, "eyJhbGci…", redactText(token))
	require.Equal(t, "…", shortenSecret("a short secret"))
	const form = "grant_type=x&code=0123456789abcdef01234567&client_secret=0123456789abcdef01234567"
	basic := func(idAndSecret string) http.Header {
		return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(idAndSecret))}}
	}
	for _, text := range []string{
		redactURL("https://id.example/cb?code=0123456789abcdef01234567&x=1#id_token=" + token),
		redactBody("application/x-www-form-urlencoded", form),
		redactBody("application/json", `{"a":[{"refresh_token":"0123456789abcdef01234567"}],"id_token":"`+token+`"}`),
		redactBody("text/html", "<p>"+token+"</p>"),
		redactHeader(http.Header{"Authorization": {"Bearer 0123456789abcdef01234567"}, "X": {token}}),
		redactHeader(basic("client:89abcdef01234567")),
		redactForm("%63ode=0123456789abcdef01234567"),
	} {
		require.NotContains(t, text, "89abcdef", text)
		require.NotContains(t, text, "eyJhbGciO", text)
		require.Contains(t, text, "…")
		require.NotContains(t, text, "……")
	}
	require.Contains(t, redactHeader(basic("client:secret")), "client")
	require.Less(t, len(redactBody("text/plain", strings.Repeat("é", 9000))), 4100)
}

// TestRedactionKeepsWords: they say what is wrong.
func TestRedactionKeepsWords(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"oauth_problem=consumer_key_unknown", "Signature_Method_Rejected=HMAC-SHA1", "unsupported_response_type",
	} {
		require.Equal(t, text, redactQuote(text, nil))
	}
	require.Equal(t, "abcd…", redactQuote("abcdefghijklmnopqrstuvwxyz", nil), "too long for a word")
}
