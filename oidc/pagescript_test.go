package oidc_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/server/servertest"
)

// testPageScriptEndpoints: the endpoints of the page script give nothing to pages that
// are not listed, and nothing without a session.
func testPageScriptEndpoints(t *testing.T) {
	t.Parallel()
	const origin = "https://www.brand.example"
	l := servertest.StartLiveEngage(t, "page: {origins: ['"+origin+"'], hands_out: id_token}", "")
	signedIn, form := l.SignInJane(), url.Values{"client_id": {"liveengage"}}
	for _, path := range []string{"/liveengage/token", "/liveengage/identity"} {
		for _, unlisted := range []string{
			"", "null", "https://evil.example", "http://www.brand.example", origin + ".evil.example",
			origin + ":8443", "https://WWW.brand.example", l.Issuer,
		} {
			status, body, header := l.CallAsPage(signedIn, unlisted, path, form)
			require.Equal(t, http.StatusForbidden, status, unlisted)
			require.Empty(t, header.Get("Access-Control-Allow-Origin"), unlisted)
			require.Empty(t, header.Get("Access-Control-Allow-Credentials"), unlisted)
			require.NotContains(t, body, "id_token")
			require.NotContains(t, body, "sub")
		}
		for _, client := range []string{"plain", "unknown", ""} {
			status, _, header := l.CallAsPage(signedIn, origin, path, url.Values{"client_id": {client}})
			require.Equal(t, http.StatusForbidden, status, client)
			require.Empty(t, header.Get("Access-Control-Allow-Origin"), client)
		}
		status, body, header := l.CallAsPage(servertest.NewBrowser(t), origin, path, form)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, origin, header.Get("Access-Control-Allow-Origin"),
			"a listed page may know that no user is signed in")
		require.NotContains(t, body, "id_token")
		require.NotContains(t, body, "sub")
		require.Equal(t, "Origin", header.Get("Vary"))
		status, _, _ = l.CallAsPage(signedIn, origin, path+"?client_id=liveengage", form)
		require.Equal(t, http.StatusBadRequest, status, "parameters in the URL")
		require.Equal(t, http.StatusMethodNotAllowed, signedIn.Get(l.Issuer+path).Status)
	}
	_, body, _ := l.CallAsPage(signedIn, origin, "/liveengage/token", form)
	require.NotEmpty(t, body["id_token"])
}
