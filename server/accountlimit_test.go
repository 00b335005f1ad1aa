package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/server"
	"idpbridge/server/servertest"
)

// submit submits a password from an address and returns the response.
func (p proxied) submit(address, username, password string, cookies ...string) *httptest.ResponseRecorder {
	p.t.Helper()
	w := p.send(http.MethodGet, servertest.AuthorizeURL(""), nil)
	_, sealed, _ := strings.Cut(w.Header().Get("Location"), "request=")
	cookie, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
	form := url.Values{"username": {username}, "password": {password}, "request": {sealed}}
	cookie = strings.Join(append([]string{cookie}, cookies...), "; ")
	return p.send(http.MethodPost, "/login", form, "X-Forwarded-For", address, "Cookie", cookie)
}

// knownCookie returns the cookie that a browser gets when it has signed in.
func knownCookie(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	for _, line := range w.Header()["Set-Cookie"] {
		if strings.HasPrefix(line, "__Host-idp_known=") {
			require.Contains(t, line, "Max-Age=7776000")
			require.Contains(t, line, "HttpOnly; Secure; SameSite=Lax")
			cookie, _, _ := strings.Cut(line, ";")
			return cookie
		}
	}
	t.Fatal("no cookie")
	return ""
}

// TestGuessingFromManyNetworksIsSlowedDown: an account that many networks guess at has
// growing delays, before 100 failures (NIST SP 800-63B-4 section 3.2.2). Browsers that have
// signed in to the account do not wait, and nobody is locked out.
func TestGuessingFromManyNetworksIsSlowedDown(t *testing.T) {
	t.Parallel()
	clock := &servertest.Clock{}
	p := newProxied(t, func(c *server.Config) { c.Now = clock.Now })
	known := knownCookie(t, p.submit("192.0.2.1", "jane", "jane-password"))
	other := knownCookie(t, p.submit("192.0.2.2", "noa", "noa-password"))
	guesses := 0
	for p.submit(fmt.Sprintf("198.51.100.%d", guesses), "Jane ", "wrong").Code == http.StatusUnprocessableEntity {
		guesses++
		require.Less(t, guesses, 100)
	}
	fresh := p.submit("203.0.113.1", "jane", "jane-password")
	require.Equal(t, http.StatusTooManyRequests, fresh.Code)
	require.NotEmpty(t, fresh.Header().Get("Retry-After"))
	require.Equal(t, http.StatusTooManyRequests, p.submit("203.0.113.1", "jane", "jane-password", other).Code,
		"the cookie is for another account")
	require.Equal(t, http.StatusTooManyRequests, p.submit("203.0.113.1", "jane", "jane-password", known+"x").Code)
	require.Equal(t, http.StatusUnprocessableEntity, p.submit("203.0.113.2", "jane", "wrong", known).Code)
	require.Equal(t, http.StatusSeeOther, p.submit("203.0.113.2", "jane", "jane-password", known).Code)
	require.Equal(t, http.StatusSeeOther, p.submit("203.0.113.3", "noa", "noa-password").Code, "others need not wait")

	// A stolen cookie is of no use for guessing from many networks.
	for n := range 3 {
		p.submit(fmt.Sprintf("203.0.113.%d", 10+n), "jane", "wrong", known)
	}
	require.Equal(t, http.StatusTooManyRequests, p.submit("203.0.113.20", "jane", "wrong", known).Code)

	clock.Add(5 * time.Minute)
	require.Equal(t, http.StatusSeeOther, p.submit("203.0.113.1", "jane", "jane-password").Code, "never locked out")
	clock.Add(91 * 24 * time.Hour)
	require.Equal(t, http.StatusSeeOther, p.submit("203.0.113.1", "jane", "jane-password", known).Code)
}

// TestOneAddressCannotHoldUpOthers: too many passwords at once from one address are refused
// with 503, before they are compared, and others are served meanwhile.
func TestOneAddressCannotHoldUpOthers(t *testing.T) {
	t.Parallel()
	p := newProxied(t)
	const requests = 200 // more than 16 for each of 8 cores
	responses := make(chan *httptest.ResponseRecorder, requests)
	var wg sync.WaitGroup
	for range requests {
		wg.Go(func() { responses <- p.submit("192.0.2.1", "jane", "jane-password") })
	}
	busy := 0
	for n := range requests {
		w := <-responses
		if w.Code == http.StatusSeeOther {
			continue
		}
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.Equal(t, "3", w.Header().Get("Retry-After"))
		require.Contains(t, w.Body.String(), "Wait a few seconds, then try again.")
		require.NotContains(t, w.Body.String(), "jane-password")
		if busy++; busy == 1 {
			require.Equal(t, http.StatusSeeOther, p.submit("192.0.2.2", "noa", "noa-password").Code, "after %d", n)
		}
	}
	wg.Wait()
	require.Positive(t, busy)
}
