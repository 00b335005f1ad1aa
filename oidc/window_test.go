package oidc_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/liveengage"
	"idpbridge/server/servertest"
)

// TestWindowOfAnotherAccount: a client with an account answers LivePerson's window, which
// all accounts share, only for that account, in both dialects. What is refused is
// counted, and the log says why. attack/96 has more variants.
func TestWindowOfAnotherAccount(t *testing.T) {
	t.Parallel()
	const count = `idp_events_total{client="liveengage",event="authorize_rejected"} `
	for _, dialect := range []string{"rfc", "legacy"} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			l := servertest.StartLiveEngage(t, `account: "12345678", dialect: `+dialect, "")
			b := l.SignInJane()
			request := func(account string) string {
				if dialect == "rfc" {
					return l.AuthorizeURL("state", liveengage.WindowState(account, "s"))
				}
				query := "?lpUnifiedWindowConfig=" + url.QueryEscape(`{"accountId":"`+account+`"}`)
				return l.AuthorizeURL("state", "", "redirect_uri", servertest.WindowURI+query)
			}
			p := b.Get(request("12345678"))
			require.True(t, strings.HasPrefix(p.Location, servertest.WindowURI), p.Body)
			p = b.Get(request("87654321"))
			require.Equal(t, http.StatusBadRequest, p.Status)
			require.Empty(t, p.Location)
			require.Contains(t, p.Body, "belong to this site")
			require.NotContains(t, p.Body, "87654321")
			p = b.Get(l.AuthorizeURL("state", ""))
			require.Equal(t, http.StatusBadRequest, p.Status, "no account")
			require.Contains(t, l.Server.GetOperations(t, "/metrics"), count+"2\n")
		})
	}
}

// TestWindowOfAnyAccount: without an account, the window gets a response, whoever it
// belongs to. Other redirect URIs never need one.
func TestWindowOfAnyAccount(t *testing.T) {
	t.Parallel()
	l := servertest.StartLiveEngage(t, "", "")
	p := l.SignInJane().Get(l.AuthorizeURL("state", liveengage.WindowState("87654321", "s")))
	require.True(t, strings.HasPrefix(p.Location, servertest.WindowURI), p.Body)
	strict := servertest.StartLiveEngage(t, `account: "12345678"`, "")
	p = strict.SignInJane().Get(strict.AuthorizeURL("redirect_uri", servertest.DelegationURI, "state", "s"))
	require.True(t, strings.HasPrefix(p.Location, servertest.DelegationURI), p.Body)
}
