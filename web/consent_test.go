package web_test

import (
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
	require.NotEmpty(t, servertest.Response(t, b.Post(issuer+"/consent", form)).Get("code"))
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
