package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"idpbridge/dev"

	"github.com/stretchr/testify/require"
)

// offlineTokens signs in at idp dev as jane and returns tokens with a refresh
// token.
func offlineTokens(t testing.TB, issuer string, b *browser) (access, refresh string) {
	t.Helper()
	request := webRequest(issuer, "scope", "openid offline_access")
	p := b.get(request)
	if p.location == "" {
		p = b.signIn(issuer, request, "jane", "jane-password")
	}
	status, body := redeem(t, issuer, p.answer(t).Get("code"))
	require.Equal(t, 200, status, body)
	access, _ = body["access_token"].(string)
	refresh, _ = body["refresh_token"].(string)
	require.NotEmpty(t, refresh)
	return access, refresh
}

// refreshAt spends a refresh token of local-web.
func refreshAt(t testing.TB, issuer, token string) (status int, access, refresh string) {
	t.Helper()
	status, body := redeem(t, issuer, "", "code", "", "redirect_uri", "", "grant_type", "refresh_token", "refresh_token", token)
	access, _ = body["access_token"].(string)
	refresh, _ = body["refresh_token"].(string)
	if status != 200 {
		require.Equal(t, "invalid_grant", body["error"])
	}
	return status, access, refresh
}

// graceOfARefreshToken: the newest token's predecessor gets the same successor
// for ten seconds, and after that it ends everything.
func graceOfARefreshToken(t *testing.T) {
	t.Parallel()
	var c clock
	issuer := startDev(t, c.now)
	b := newBrowser(t)
	_, first := offlineTokens(t, issuer, b)
	_, _, second := refreshAt(t, issuer, first)
	c.add(9 * time.Second)
	status, access, again := refreshAt(t, issuer, first)
	require.Equal(t, 200, status, "an honest retry")
	require.Equal(t, second, again, "the same successor")
	require.Equal(t, 200, userinfo(t, issuer, access))
	c.add(2 * time.Second)
	status, _, _ = refreshAt(t, issuer, first)
	require.Equal(t, 400, status)
	status, _, _ = refreshAt(t, issuer, second)
	require.Equal(t, 400, status, "the family is dead")
	require.Equal(t, 401, userinfo(t, issuer, access))

	_, first = offlineTokens(t, issuer, b)
	_, _, second = refreshAt(t, issuer, first)
	_, _, third := refreshAt(t, issuer, second)
	status, _, _ = refreshAt(t, issuer, first)
	require.Equal(t, 400, status, "not the predecessor but one before it, also within the grace")
	status, _, _ = refreshAt(t, issuer, third)
	require.Equal(t, 400, status)
}

// refreshTokenLifetimes: a week without use, a month however busy.
func refreshTokenLifetimes(t *testing.T) {
	t.Parallel()
	var c clock
	issuer := startDev(t, c.now)
	b := newBrowser(t)
	const day = 24 * time.Hour
	_, idle := offlineTokens(t, issuer, b)
	c.add(7*day + time.Second)
	status, _, _ := refreshAt(t, issuer, idle)
	require.Equal(t, 400, status, "idle")

	_, busy := offlineTokens(t, issuer, b)
	for range 4 {
		c.add(6 * day)
		status, _, busy = refreshAt(t, issuer, busy)
		require.Equal(t, 200, status)
	}
	c.add(5 * day)
	status, access, busy := refreshAt(t, issuer, busy)
	require.Equal(t, 200, status, "29 days")
	c.add(day + time.Second)
	status, _, _ = refreshAt(t, issuer, busy)
	require.Equal(t, 400, status, "30 days, however busy")
	require.Equal(t, 401, userinfo(t, issuer, access))
}

// restartable is a folder with a server that may be started again with other
// scopes for its client, or another password for jane.
type restartable struct {
	folder, address string
	hashes          map[string]string // by password: another hash would be another password
}

func newRestartable(t *testing.T) restartable {
	t.Helper()
	return restartable{folder: t.TempDir(), address: freeAddress(t), hashes: map[string]string{}}
}

func (r restartable) configure(t *testing.T, password, scopes string) {
	t.Helper()
	if r.hashes[password] == "" {
		code, hash, stderr := runCommand(t, password+"\n", "people", "hash")
		require.Equal(t, 0, code, stderr)
		r.hashes[password] = strings.TrimSpace(hash)
	}
	people := "people:\n  - {username: jane, sub: 0123456789abcdef, claims: {email: jane@example.com}, password_hash: '" + r.hashes[password] + "'}\n"
	require.NoError(t, os.WriteFile(filepath.Join(r.folder, "people.yaml"), []byte(people), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(r.folder, "idp.yaml"), []byte("issuer: http://"+r.address+"\nlisten: "+r.address+`
operations: off
data: data
people: people.yaml
brand: {name: Brand}
clients:
  - id: local-web
    secret: `+dev.LocalWebSecret+`
    token_endpoint_auth_method: client_secret_post
    application_type: native
    redirect_uris: ["http://127.0.0.1/cb"]
    scopes: [`+scopes+`]
`), 0o600))
}

// refreshAfterPasswordChange: another password in the people file ends what the
// old one has led to.
func refreshAfterPasswordChange(t *testing.T) {
	t.Parallel()
	r := newRestartable(t)
	issuer := "http://" + r.address
	var access, refresh string
	r.configure(t, "jane-password", "openid, offline_access")
	t.Run("before", func(t *testing.T) {
		serveConfig(t, time.Now, r.folder)
		access, refresh = offlineTokens(t, issuer, newBrowser(t))
		require.Equal(t, 200, userinfo(t, issuer, access))
	})
	t.Run("unchanged", func(t *testing.T) {
		serveConfig(t, time.Now, r.folder)
		var status int
		status, access, refresh = refreshAt(t, issuer, refresh)
		require.Equal(t, 200, status, "a restart alone ends nothing")
	})
	r.configure(t, "another-password", "openid, offline_access")
	t.Run("after", func(t *testing.T) {
		serveConfig(t, time.Now, r.folder)
		status, _, _ := refreshAt(t, issuer, refresh)
		require.Equal(t, 400, status)
		require.Equal(t, 401, userinfo(t, issuer, access))
	})
}

// refreshAfterScopesAreWithdrawn: what the configuration no longer lets a client
// have it does not get by an old refresh token.
func refreshAfterScopesAreWithdrawn(t *testing.T) {
	t.Parallel()
	r := newRestartable(t)
	issuer := "http://" + r.address
	email := func(access string) bool {
		req, err := http.NewRequest(http.MethodGet, issuer+"/userinfo", nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+access)
		return strings.Contains(newBrowser(t).do(req).body, "jane@example.com")
	}
	var access, refresh string
	r.configure(t, "jane-password", "openid, email, offline_access")
	t.Run("before", func(t *testing.T) {
		serveConfig(t, time.Now, r.folder)
		b := newBrowser(t)
		asks := webRequest(issuer, "scope", "openid offline_access", "claims", `{"userinfo":{"email":null},"id_token":{"email":null}}`)
		code := b.signIn(issuer, asks, "jane", "jane-password").answer(t).Get("code")
		_, body := redeem(t, issuer, code)
		access, _ = body["access_token"].(string)
		refresh, _ = body["refresh_token"].(string)
		require.True(t, email(access))
	})
	r.configure(t, "jane-password", "openid, offline_access")
	t.Run("email withdrawn", func(t *testing.T) {
		serveConfig(t, time.Now, r.folder)
		require.False(t, email(access), "nor by an access token that is still good")
		var status int
		status, access, refresh = refreshAt(t, issuer, refresh)
		require.Equal(t, 200, status)
		require.False(t, email(access))
	})
	r.configure(t, "jane-password", "openid, email")
	t.Run("refresh tokens withdrawn", func(t *testing.T) {
		serveConfig(t, time.Now, r.folder)
		status, _, _ := refreshAt(t, issuer, refresh)
		require.Equal(t, 400, status)
	})
}

// claimsWithinScopes: by name a client gets no claim whose scope it may not have.
func claimsWithinScopes(t *testing.T) {
	t.Parallel()
	r := newRestartable(t)
	r.configure(t, "jane-password", "openid")
	serveConfig(t, time.Now, r.folder)
	issuer := "http://" + r.address
	asks := webRequest(issuer, "claims", `{"userinfo":{"email":{"essential":true},"sub":null},"id_token":{"email":null,"lp_sdes":null}}`)
	code := newBrowser(t).signIn(issuer, asks, "jane", "jane-password").answer(t).Get("code")
	status, body := redeem(t, issuer, code)
	require.Equal(t, 200, status, body)
	token, _ := body["id_token"].(string)
	require.NotContains(t, decoded(t, token), "email")
	require.NotContains(t, decoded(t, token), "lp_sdes")
	req, err := http.NewRequest(http.MethodGet, issuer+"/userinfo", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+body["access_token"].(string))
	require.JSONEq(t, `{"sub":"0123456789abcdef"}`, newBrowser(t).do(req).body)
}

// signOutAfterIdling: signing out ends refresh tokens also when the session that
// they came of has expired, by the hint or by the browser; and a hint ends no
// session that is still open elsewhere.
func signOutAfterIdling(t *testing.T) {
	t.Parallel()
	engines := func(name string, args ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c clock
			issuer := startDev(t, c.now, args...)
			signIn := func(b *browser) (hint, refresh string) {
				code := b.signIn(issuer, webRequest(issuer, "scope", "openid offline_access"), "jane", "jane-password").answer(t).Get("code")
				_, body := redeem(t, issuer, code)
				hint, _ = body["id_token"].(string)
				refresh, _ = body["refresh_token"].(string)
				return hint, refresh
			}
			b := newBrowser(t)
			hint, refresh := signIn(b)
			leave := issuer + "/end_session?id_token_hint=" + hint
			newBrowser(t).get(leave)
			status, _, refresh := refreshAt(t, issuer, refresh)
			require.Equal(t, 200, status, "a hint from another browser ends no open session")
			c.add(61 * time.Minute)
			status, _, refresh = refreshAt(t, issuer, refresh)
			require.Equal(t, 200, status, "idling ends nothing")
			b.get(leave)
			status, _, _ = refreshAt(t, issuer, refresh)
			require.Equal(t, 400, status, "the hint of an expired session")

			b = newBrowser(t)
			_, yesterday := signIn(b)
			c.add(24 * time.Hour)
			hint, today := signIn(b)
			status, _, yesterday = refreshAt(t, issuer, yesterday)
			require.Equal(t, 200, status, "signing in again ends nothing")
			b.get(issuer + "/end_session?id_token_hint=" + hint)
			for _, token := range []string{yesterday, today} {
				status, _, _ = refreshAt(t, issuer, token)
				require.Equal(t, 400, status, "the same browser's session of the day before")
			}
		})
	}
	engines("sqlite")
	engines("postgres", "--store", postgres.NewDatabase(t))
}
