package sim_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/sim"
)

// popOutQuery returns the query of the pop-out window's authorization request, without
// what the script adds.
func popOutQuery(b *simulation, connector string) url.Values {
	b.t.Helper()
	_, _, text := b.call("GET", "/brand?connector="+connector, nil)
	found := regexp.MustCompile(`"pop_out":"([^"]*)"`).FindStringSubmatch(html.UnescapeString(text))
	require.Len(b.t, found, 2)
	u, err := url.Parse(strings.ReplaceAll(found[1], `\u0026`, "&"))
	require.NoError(b.t, err)
	return u.Query()
}

// TestOlderDialect: without RFC compliance, the response type is token and there is no
// scope.
func TestOlderDialect(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, func(c *sim.Config) {
		for _, id := range []int{implicitID, codeID} {
			c.Connectors[id-1].Configuration.RFCCompliance = false
		}
	})
	q := popOutQuery(b, "1")
	require.Equal(t, "token", q.Get("response_type"))
	require.NotContains(t, q, "scope")
	q = popOutQuery(b, "2")
	require.Equal(t, "code", q.Get("response_type"))
	q = popOutQuery(b, "4")
	require.Equal(t, "id_token", q.Get("response_type"))
	require.Equal(t, "openid", q.Get("scope"))
}

// TestPKCENeedsVerifier: without a verifier, the code is not sent to the token endpoint.
func TestPKCENeedsVerifier(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	status, out, text := b.call("POST", authenticatePath(pkceID), map[string]any{"code": "c"})
	require.Equal(t, http.StatusInternalServerError, status)
	require.Equal(t, "9012", out["internalErrorCode"])
	require.Contains(t, text, "code_verifier is missing")
	require.Empty(t, b.idp.tokenRequests)
}
