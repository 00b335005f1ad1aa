package web_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/server/servertest"
)

// TestConsent: with prompt=consent the page names what the client gets, and the user's
// answer counts.
func TestConsent(t *testing.T) {
	t.Parallel()
	issuer := servertest.Start(t).Issuer
	b := servertest.NewBrowser(t)
	authorize := servertest.AuthorizeURL(issuer, "prompt", "consent", "scope", "openid email")
	p := b.SignIn(authorize, "jane", "jane-password")
	require.Contains(t, p.Body, "email address")
	form := servertest.FormFields(p)
	form.Set("decision", "deny")
	require.Equal(t, "access_denied", servertest.Response(t, b.Post(issuer+"/consent", form)).Get("error"))
	form.Set("decision", "allow")
	require.Contains(t, b.Post(issuer+"/consent", form).Body, "already complete", "a response is final")
	form = servertest.FormFields(b.Get(authorize))
	form.Set("decision", "allow")
	require.NotEmpty(t, servertest.Response(t, b.Post(issuer+"/consent", form)).Get("code"))
}

// TestConsentOfAnotherLogin: what one user was shown, another one, who has signed in in
// another tab, can't allow or deny.
func TestConsentOfAnotherLogin(t *testing.T) {
	t.Parallel()
	issuer := servertest.Start(t).Issuer
	for _, decision := range []string{"allow", "deny"} {
		b := servertest.NewBrowser(t)
		shown := b.SignIn(servertest.AuthorizeURL(issuer, "prompt", "consent"), "jane", "jane-password")
		require.Contains(t, shown.Body, "Jane")
		b.SignIn(servertest.AuthorizeURL(issuer, "prompt", "login"), "victor", "victor-password")
		form := servertest.FormFields(shown)
		form.Set("decision", decision)
		again := b.Post(issuer+"/consent", form)
		require.Empty(t, again.Location, "no response to the client")
		require.Contains(t, again.Body, `id="consent-allow"`)
		require.NotContains(t, again.Body, "Jane")
		form = servertest.FormFields(again)
		form.Set("decision", "allow")
		require.NotEmpty(t, servertest.Response(t, b.Post(issuer+"/consent", form)).Get("code"))
	}
}

// TestFinishedRequestIsFinal: /resume responds once, and not again for another user.
func TestFinishedRequestIsFinal(t *testing.T) {
	t.Parallel()
	issuer := servertest.Start(t).Issuer
	b := servertest.NewBrowser(t)
	page := b.Get(servertest.AuthorizeURL(issuer))
	sealed := servertest.FormFields(page).Get("request")
	form := url.Values{"request": {sealed}, "username": {"jane"}, "password": {"jane-password"}}
	require.NotEmpty(t, servertest.Response(t, b.Post(issuer+"/login", form)).Get("code"))
	resume := issuer + "/resume?request=" + sealed
	again := b.Get(resume)
	require.Empty(t, again.Location)
	require.Contains(t, again.Body, "already complete")
	b.SignIn(servertest.AuthorizeURL(issuer, "prompt", "login"), "victor", "victor-password")
	require.Empty(t, b.Get(resume).Location)
	form = url.Values{"request": {sealed}, "username": {"victor"}, "password": {"victor-password"}}
	require.Empty(t, b.Post(issuer+"/login", form).Location)
}

// TestConsentNamesTheCustomerRecord: LiveEngage gets lp_sdes without requesting it, so
// the page names it.
func TestConsentNamesTheCustomerRecord(t *testing.T) {
	t.Parallel()
	issuer := servertest.Start(t).Issuer
	authorize := servertest.AuthorizeURL(issuer,
		"client_id", "liveengage", "redirect_uri", servertest.WindowURI, "prompt", "consent",
		"state", servertest.WindowState())
	p := servertest.NewBrowser(t).SignIn(authorize, "jane", "jane-password")
	require.Contains(t, p.Body, "Your customer record")
}
