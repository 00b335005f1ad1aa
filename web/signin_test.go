package web_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/server"
	"idpbridge/server/servertest"
)

// TestPasswordGuessingIsSlowedDown: after some wrong passwords, the username must wait,
// even with the right one. Other users are not affected.
func TestPasswordGuessingIsSlowedDown(t *testing.T) {
	t.Parallel()
	clock := &servertest.Clock{}
	issuer := servertest.Start(t, func(c *server.Config) { c.Now = clock.Now }).Issuer
	authorize := servertest.AuthorizeURL(issuer)
	b := servertest.NewBrowser(t)
	wrong := b.SignIn(authorize, "jane", "wrong")
	require.Equal(t, http.StatusUnprocessableEntity, wrong.Status)
	require.Contains(t, wrong.Body, "do not match")
	require.Contains(t, wrong.Body, `value="jane"`)
	unknown := servertest.NewBrowser(t).SignIn(authorize, "unknown", "wrong")
	require.Equal(t, wrong.Status, unknown.Status)
	for range 4 {
		require.Equal(t, http.StatusUnprocessableEntity, b.SignIn(authorize, "jane", "wrong").Status)
	}
	throttled := b.SignIn(authorize, "jane", "jane-password")
	require.Equal(t, http.StatusTooManyRequests, throttled.Status)
	require.NotEmpty(t, throttled.Header.Get("Retry-After"))
	require.NotEmpty(t, b.SignIn(authorize, "noa", "noa-password").Location, "others need not wait")
	clock.Add(2 * time.Second)
	require.NotEmpty(t, servertest.NewBrowser(t).SignIn(authorize, "jane", "jane-password").Location)
}

// TestBackToTheBrand: error pages and the signed-out page lead back to the brand's website,
// if it is configured.
func TestBackToTheBrand(t *testing.T) {
	t.Parallel()
	without := servertest.Start(t).Issuer
	with := servertest.Start(t, func(c *server.Config) {
		c.Settings.Brand.Home = "https://www.brand.example/?a=b&c=d"
	}).Issuer
	for _, path := range []string{"/login", "/authorize?client_id=unknown", "/end_session"} {
		page := servertest.NewBrowser(t).Get(with + path)
		require.Contains(t, page.Attributes("a", "href"), "https://www.brand.example/?a=b&c=d", path)
		require.Contains(t, page.Text(), "Back to", path)
		require.NotContains(t, servertest.NewBrowser(t).Get(without+path).Body, "op-home", path)
	}
}
