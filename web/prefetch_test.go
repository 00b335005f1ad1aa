package web_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/robot"
	"idpbridge/server/servertest"
)

// TestPrefetch: a browser that only prefetches the sign-out link signs no one out.
func TestPrefetch(t *testing.T) {
	t.Parallel()
	issuer := servertest.Start(t).Issuer
	b := servertest.NewBrowser(t)
	authorize := servertest.AuthorizeURL(issuer, "response_type", "id_token", "response_mode", "fragment")
	hint := servertest.Response(t, b.SignIn(authorize, "jane", "jane-password")).Get("id_token")
	logout := issuer + "/end_session?id_token_hint=" + hint
	for name, value := range map[string]string{
		"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch", "X-Moz": "prefetch",
	} {
		r, err := robot.NewRequest(t.Context(), http.MethodGet, logout, nil)
		require.NoError(t, err)
		r.Header.Set(name, value)
		require.Equal(t, http.StatusServiceUnavailable, b.Do(r).Status, name)
		r, err = robot.NewRequest(t.Context(), http.MethodGet, authorize, nil)
		require.NoError(t, err)
		r.Header.Set(name, value)
		require.Equal(t, http.StatusServiceUnavailable, b.Do(r).Status, "%s: nothing is issued", name)
		require.NotEmpty(t, b.Get(authorize).Location, "still signed in")
	}
	require.Contains(t, b.Get(logout).Body, "op-logged-out")
	require.Empty(t, b.Get(authorize).Location)
}
