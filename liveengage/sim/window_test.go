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

// popOutQuery is what the window of its own asks of the authorization endpoint, but for
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

// TestOlderDialect: without RFC compliance the window asks for a token by the name
// of token, without a scope; the visitor's id as a nonce is what the script adds.
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

// TestPKCENeedsVerifier: a code without a verifier is not sent on.
func TestPKCENeedsVerifier(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	status, out, text := b.call("POST", authenticatePath(pkceID), map[string]any{"code": "c"})
	require.Equal(t, http.StatusInternalServerError, status)
	require.Equal(t, "9012", out["internalErrorCode"])
	require.Contains(t, text, "there is no code_verifier")
	require.Empty(t, b.idp.tokenRequests)
}

// TestDelegationRefused: whoever does not sign in is told just that.
func TestDelegationRefused(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	v := b.dialSocket(b.requestToken("/api/account/"+account+"/signup", nil))
	id := v.openConversation()
	require.Equal(t, http.StatusSeeOther, b.postForm("/agent/"+id+"/delegate", nil))
	for len(v.notified) < 1 {
		v.readFrame()
	}
	u, err := url.Parse(v.notified[0][strings.Index(v.notified[0], "http"):])
	require.NoError(t, err)
	token := signToken(t, b.idp.claims(nil))
	callback := "/callback/" + account + "/redirectCode?error=access_denied&error_description=No+" + token + "&state=" + u.Query().Get("state")
	status, _, text := b.call("GET", callback, nil)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "your identity provider answers access_denied No eyJ")
	require.Empty(t, b.idp.tokenRequests)
	_, _, log := b.call("GET", "/log", nil)
	require.Contains(t, log, "access_denied")
	require.NotContains(t, log, "9012")
	require.NotContains(t, text+log, token)
	status, _, text = b.call("GET", callback, nil)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "its state is unknown", "a state works once")
}
