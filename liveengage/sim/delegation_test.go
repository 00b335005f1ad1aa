package sim_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// startDelegation sends a visitor the link to the sign-in. It returns the conversation
// and the query of the link.
func startDelegation(t *testing.T, b *simulation) (string, url.Values) {
	t.Helper()
	v := b.dialSocket(b.signUpVisitor())
	id := v.openConversation()
	b.submitForm("/agent/"+id+"/delegate", nil)
	v.waitForNotifications(1)
	u, err := url.Parse(v.notified[0][strings.Index(v.notified[0], "http"):])
	require.NoError(t, err)
	return id, u.Query()
}

func TestDelegation(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	id, link := startDelegation(t, b)
	require.Equal(t, b.url+"/callback/"+account+"/redirectCode", link.Get("redirect_uri"))
	b.idp.setToken(respondJSON(map[string]any{
		"access_token": "an-access-token-of-some-length", "expires_in": 60, "refresh_token": "ignored",
	}))
	callback := "/callback/" + account + "/redirectCode?code=c&state=" + link.Get("state")
	status, _, _ := b.call("GET", callback, nil)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, link.Get("redirect_uri"), b.idp.tokenRequests[0]["redirect_uri"])
	_, _, text := b.call("GET", "/agent/"+id, nil)
	require.Contains(t, text, "an-acces…")
	require.Contains(t, text, "none: a visitor", "delegation does not authenticate the visitor")
	status, _, _ = b.call("GET", callback, nil)
	require.Equal(t, http.StatusBadRequest, status, "a state works once")
}

func TestBotTokensAreRenewed(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	b.idp.setToken(respondJSON(map[string]any{
		"access_token": "the-first-access-token-of-jane", "expires_in": 60,
		"refresh_token": "the-refresh-token", "id_token": signToken(t, b.idp.claims(nil)),
	}))
	c := b.dialSocket(b.requestToken(authenticatePath(codeID), map[string]any{"code": "c"}))
	id := c.openConversation()
	b.idp.setToken(respondJSON(map[string]any{"access_token": "renewed-access-token-of-jane", "expires_in": 60}))
	b.submitForm("/agent/"+id+"/renew", nil)
	last := b.idp.tokenRequests[len(b.idp.tokenRequests)-1]
	require.Equal(t, "refresh_token", last["grant_type"])
	require.Equal(t, "the-refresh-token", last["refresh_token"])
	_, _, text := b.call("GET", "/agent/"+id, nil)
	require.Contains(t, text, "renewed-…")
}

// TestDelegationError: if the visitor does not sign in, the page and the log show the
// provider's error.
func TestDelegationError(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	_, link := startDelegation(t, b)
	token := signToken(t, b.idp.claims(nil))
	callback := "/callback/" + account + "/redirectCode?error=access_denied&error_description=No+" + token +
		"&state=" + link.Get("state")
	status, _, text := b.call("GET", callback, nil)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "Your identity provider returned access_denied No eyJ")
	require.Empty(t, b.idp.tokenRequests)
	_, _, log := b.call("GET", "/log", nil)
	require.Contains(t, log, "access_denied")
	require.NotContains(t, log, "9012")
	require.NotContains(t, text+log, token)
	status, _, text = b.call("GET", callback, nil)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "The state is unknown", "a state works once")
}
