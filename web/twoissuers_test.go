package web_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/robot"
	"idpbridge/server/servertest"
)

// TestIssuersOnOneHost: two issuers on one host are apart although browsers send the cookies
// of a host to all its ports.
func TestIssuersOnOneHost(t *testing.T) {
	t.Parallel()
	first, second := servertest.Start(t).Issuer, servertest.Start(t).Issuer
	b := servertest.NewBrowser(t)
	signIn := func(issuer, username string) {
		t.Helper()
		servertest.Response(t, b.SignIn(servertest.AuthorizeURL(issuer), username, username+"-password"))
	}
	isSignedIn := func(issuer string) bool {
		t.Helper()
		response := b.Authorize(servertest.AuthorizeURL(issuer, "prompt", "none"))
		require.Contains(t, []string{"", "login_required"}, response.Get("error"))
		return response.Get("error") == ""
	}
	page := b.Get(servertest.AuthorizeURL(first))
	signIn(second, "victor")
	form, ok := page.PasswordForm()
	require.True(t, ok)
	jane := robot.Credentials{Username: "jane", Password: "jane-password"}
	page, err := b.Submit(t.Context(), page, form, form.FillIn(jane))
	require.NoError(t, err)
	require.NotEmpty(t, servertest.Response(t, page).Get("code"), "a sign-in at one does not disturb one at the other")
	require.True(t, isSignedIn(first))
	require.True(t, isSignedIn(second))

	page = b.Get(first + "/end_session")
	page, err = b.Submit(t.Context(), page, page.Forms()[0], page.Forms()[0].Agree())
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, page.Status)
	require.False(t, isSignedIn(first))
	require.True(t, isSignedIn(second), "the other session lives")
}
