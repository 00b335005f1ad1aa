package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPagesCannotBeSkipped: whoever is signed in and goes from a page straight to
// the dispatcher, as if the page had done its work, comes back to the page.
func TestPagesCannotBeSkipped(t *testing.T) {
	t.Parallel()
	var c clock
	issuer := startDev(t, c.now)
	b := newBrowser(t)
	b.signIn(issuer, webRequest(issuer), "jane", "jane-password")
	c.add(5 * time.Second)
	for _, changes := range [][]string{
		{"prompt", "login"}, {"prompt", "select_account"}, {"prompt", "consent"}, {"max_age", "0"}, {"max_age", "1"}, {"prompt", "login consent"},
	} {
		p := b.get(webRequest(issuer, changes...))
		require.Equal(t, http.StatusOK, p.status, changes)
		resume := issuer + "/resume?request=" + p.fields(t).Get("request")
		for range 2 {
			again := b.get(resume)
			require.Empty(t, again.location, "%v: the page was skipped", changes)
			require.Equal(t, p.address.Path, again.address.Path, changes)
			require.NotContains(t, again.body, "code=", changes)
		}
	}
}
