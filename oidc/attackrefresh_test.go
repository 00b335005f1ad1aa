package oidc_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/password"
	"idpbridge/internal/secret"
	"idpbridge/server"
	"idpbridge/server/servertest"
)

// start runs a server with the clients and people of idp dev and returns its issuer and
// the clock that it uses.
func start(t testing.TB, change ...func(*server.Config)) (issuer string, clock *servertest.Clock) {
	t.Helper()
	clock = &servertest.Clock{}
	change = append(change, func(c *server.Config) { c.Now = clock.Now })
	return servertest.Start(t, change...).Issuer, clock
}

// signInOffline signs in as jane and returns an access token and a refresh token.
func signInOffline(t testing.TB, issuer string, b *servertest.Browser) (access, refresh string) {
	t.Helper()
	authorize := servertest.AuthorizeURL(issuer, "scope", "openid offline_access")
	p := b.Get(authorize)
	if p.Location == "" {
		p = b.SignIn(authorize, "jane", "jane-password")
	}
	status, body := servertest.RequestTokens(t, issuer, servertest.Response(t, p).Get("code"))
	require.Equal(t, http.StatusOK, status, body)
	access, _ = body["access_token"].(string)
	refresh, _ = body["refresh_token"].(string)
	require.NotEmpty(t, refresh)
	return access, refresh
}

// refreshTokens uses a refresh token of local-web.
func refreshTokens(t testing.TB, issuer, token string) (status int, access, refresh string) {
	t.Helper()
	status, body := servertest.RequestTokens(t, issuer, "", "code", "", "redirect_uri", "",
		"grant_type", "refresh_token", "refresh_token", token)
	access, _ = body["access_token"].(string)
	refresh, _ = body["refresh_token"].(string)
	if status != http.StatusOK {
		require.Equal(t, "invalid_grant", body["error"])
	}
	return status, access, refresh
}

func userinfoStatus(t testing.TB, issuer, access string) int {
	t.Helper()
	return servertest.GetUserinfo(t, issuer, access).Status
}

// testRefreshGrace: the predecessor of the newest token gets the same successor for ten
// seconds. After that, using it revokes everything.
func testRefreshGrace(t *testing.T) {
	t.Parallel()
	issuer, clock := start(t)
	b := servertest.NewBrowser(t)
	_, first := signInOffline(t, issuer, b)
	_, _, second := refreshTokens(t, issuer, first)
	clock.Add(9 * time.Second)
	status, access, again := refreshTokens(t, issuer, first)
	require.Equal(t, 200, status, "an honest retry")
	require.Equal(t, second, again, "the same successor")
	require.Equal(t, 200, userinfoStatus(t, issuer, access))
	clock.Add(2 * time.Second)
	status, _, _ = refreshTokens(t, issuer, first)
	require.Equal(t, 400, status)
	status, _, _ = refreshTokens(t, issuer, second)
	require.Equal(t, 400, status, "all tokens of the sign-in are revoked")
	require.Equal(t, 401, userinfoStatus(t, issuer, access))

	_, first = signInOffline(t, issuer, b)
	_, _, second = refreshTokens(t, issuer, first)
	_, _, third := refreshTokens(t, issuer, second)
	status, _, _ = refreshTokens(t, issuer, first)
	require.Equal(t, 400, status, "not the predecessor, but the one before it; no grace")
	status, _, _ = refreshTokens(t, issuer, third)
	require.Equal(t, 400, status)
}

// testRefreshLifetimes: a refresh token lives a week without use, and a month in all.
func testRefreshLifetimes(t *testing.T) {
	t.Parallel()
	issuer, clock := start(t)
	b := servertest.NewBrowser(t)
	const day = 24 * time.Hour
	_, idle := signInOffline(t, issuer, b)
	clock.Add(7*day + time.Second)
	status, _, _ := refreshTokens(t, issuer, idle)
	require.Equal(t, 400, status, "idle")

	_, busy := signInOffline(t, issuer, b)
	for range 4 {
		clock.Add(6 * day)
		status, _, busy = refreshTokens(t, issuer, busy)
		require.Equal(t, 200, status)
	}
	clock.Add(5 * day)
	status, access, busy := refreshTokens(t, issuer, busy)
	require.Equal(t, 200, status, "29 days")
	clock.Add(day + time.Second)
	status, _, _ = refreshTokens(t, issuer, busy)
	require.Equal(t, 400, status, "30 days, despite its use")
	require.Equal(t, 401, userinfoStatus(t, issuer, access))
}

// restartable is a server that is started again with other scopes for its client, or
// another password for jane.
type restartable struct {
	folder, address string
	hashes          map[string]string // by password: another hash would be another password
}

func newRestartable(t *testing.T) restartable {
	t.Helper()
	return restartable{folder: t.TempDir(), address: servertest.FreeAddress(t), hashes: map[string]string{}}
}

func (r restartable) issuer() string { return "http://" + r.address }

func (r restartable) configure(t *testing.T, plain, scopes string) {
	t.Helper()
	if r.hashes[plain] == "" {
		hash, err := password.Hash(plain)
		require.NoError(t, err)
		r.hashes[plain] = hash
	}
	people := "people:\n  - {username: jane, sub: 0123456789abcdef, claims: {email: jane@example.com}, " +
		"password_hash: '" + r.hashes[plain] + "'}\n"
	settings := "issuer: " + r.issuer() + "\nlisten: " + r.address + `
operations: off
data: data
people: people.yaml
brand: {name: Brand}
clients:
  - id: local-web
    secret: ` + servertest.FileSecret + `
    token_endpoint_auth_method: client_secret_post
    application_type: native
    redirect_uris: ["http://127.0.0.1/cb"]
    scopes: [` + scopes + `]
`
	servertest.WriteFiles(t, r.folder, map[string][]byte{"people.yaml": []byte(people), "idp.yaml": []byte(settings)})
}

// run starts the server until the test ends.
func (r restartable) run(t *testing.T) {
	t.Helper()
	servertest.StartFile(t, filepath.Join(r.folder, "idp.yaml"), time.Now)
}

// testPasswordChange: changing the password in the people file revokes the tokens of
// sign-ins with the old one.
func testPasswordChange(t *testing.T) {
	t.Parallel()
	r := newRestartable(t)
	var access, refresh string
	r.configure(t, "jane-password", "openid, offline_access")
	t.Run("before", func(t *testing.T) {
		r.run(t)
		access, refresh = signInOffline(t, r.issuer(), servertest.NewBrowser(t))
		require.Equal(t, 200, userinfoStatus(t, r.issuer(), access))
	})
	t.Run("unchanged", func(t *testing.T) {
		r.run(t)
		var status int
		status, access, refresh = refreshTokens(t, r.issuer(), refresh)
		require.Equal(t, 200, status, "a restart revokes nothing")
	})
	r.configure(t, "another-password", "openid, offline_access")
	t.Run("after", func(t *testing.T) {
		r.run(t)
		status, _, _ := refreshTokens(t, r.issuer(), refresh)
		require.Equal(t, 400, status)
		require.Equal(t, 401, userinfoStatus(t, r.issuer(), access))
	})
}

// testScopesWithdrawn: tokens lose the scopes that the configuration no longer allows.
func testScopesWithdrawn(t *testing.T) {
	t.Parallel()
	r := newRestartable(t)
	hasEmail := func(access string) bool {
		return strings.Contains(servertest.GetUserinfo(t, r.issuer(), access).Body, "jane@example.com")
	}
	var access, refresh string
	r.configure(t, "jane-password", "openid, email, offline_access")
	t.Run("before", func(t *testing.T) {
		r.run(t)
		authorize := servertest.AuthorizeURL(r.issuer(), "scope", "openid offline_access",
			"claims", `{"userinfo":{"email":null},"id_token":{"email":null}}`)
		p := servertest.NewBrowser(t).SignIn(authorize, "jane", "jane-password")
		_, body := servertest.RequestTokens(t, r.issuer(), servertest.Response(t, p).Get("code"))
		access, _ = body["access_token"].(string)
		refresh, _ = body["refresh_token"].(string)
		require.True(t, hasEmail(access))
	})
	r.configure(t, "jane-password", "openid, offline_access")
	t.Run("email withdrawn", func(t *testing.T) {
		r.run(t)
		require.False(t, hasEmail(access), "even by an access token that is still valid")
		var status int
		status, access, refresh = refreshTokens(t, r.issuer(), refresh)
		require.Equal(t, 200, status)
		require.False(t, hasEmail(access))
	})
	r.configure(t, "jane-password", "openid, email")
	t.Run("refresh tokens withdrawn", func(t *testing.T) {
		r.run(t)
		status, _, _ := refreshTokens(t, r.issuer(), refresh)
		require.Equal(t, 400, status)
	})
}

// testClaimsWithinScopes: a client cannot request a claim by name whose scope it may not
// have.
func testClaimsWithinScopes(t *testing.T) {
	t.Parallel()
	r := newRestartable(t)
	r.configure(t, "jane-password", "openid")
	r.run(t)
	authorize := servertest.AuthorizeURL(r.issuer(),
		"claims", `{"userinfo":{"email":{"essential":true},"sub":null},"id_token":{"email":null,"lp_sdes":null}}`)
	p := servertest.NewBrowser(t).SignIn(authorize, "jane", "jane-password")
	status, body := servertest.RequestTokens(t, r.issuer(), servertest.Response(t, p).Get("code"))
	require.Equal(t, 200, status, body)
	token, _ := body["id_token"].(string)
	claims := servertest.DecodeClaims(t, token)
	require.NotContains(t, claims, "email")
	require.NotContains(t, claims, "lp_sdes")
	access, _ := body["access_token"].(string)
	require.JSONEq(t, `{"sub":"0123456789abcdef"}`, servertest.GetUserinfo(t, r.issuer(), access).Body)
}

// testSignOutAfterIdling: signing out revokes refresh tokens even if their session has
// expired, by the hint or by the browser. A hint never ends more than its own client has of a
// session that is open in another browser.
func testSignOutAfterIdling(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		signOutAfterIdling(t)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		database := secret.New(postgres.NewDatabase(t))
		signOutAfterIdling(t, func(c *server.Config) { c.Settings.Store = database })
	})
}

func signOutAfterIdling(t *testing.T, change ...func(*server.Config)) {
	t.Helper()
	issuer, clock := start(t, change...)
	authorize := servertest.AuthorizeURL(issuer, "scope", "openid offline_access")
	signIn := func(b *servertest.Browser) (hint, refresh string) {
		p := b.SignIn(authorize, "jane", "jane-password")
		_, body := servertest.RequestTokens(t, issuer, servertest.Response(t, p).Get("code"))
		hint, _ = body["id_token"].(string)
		refresh, _ = body["refresh_token"].(string)
		return hint, refresh
	}
	b := servertest.NewBrowser(t)
	hint, refresh := signIn(b)
	signOut := issuer + "/end_session?id_token_hint=" + hint
	servertest.NewBrowser(t).Get(signOut)
	status, _, _ := refreshTokens(t, issuer, refresh)
	require.Equal(t, 400, status, "the client's own tokens end by its hint")
	require.NotEmpty(t, b.Authorize(servertest.AuthorizeURL(issuer, "prompt", "none")).Get("code"), "the session is open")
	b = servertest.NewBrowser(t)
	hint, refresh = signIn(b)
	signOut = issuer + "/end_session?id_token_hint=" + hint
	clock.Add(61 * time.Minute)
	status, _, refresh = refreshTokens(t, issuer, refresh)
	require.Equal(t, 200, status, "idling revokes nothing")
	b.Get(signOut)
	status, _, _ = refreshTokens(t, issuer, refresh)
	require.Equal(t, 400, status, "the hint of an expired session")

	b = servertest.NewBrowser(t)
	_, yesterday := signIn(b)
	clock.Add(24 * time.Hour)
	hint, today := signIn(b)
	status, _, yesterday = refreshTokens(t, issuer, yesterday)
	require.Equal(t, 200, status, "signing in again revokes nothing")
	b.Get(issuer + "/end_session?id_token_hint=" + hint)
	for _, token := range []string{yesterday, today} {
		status, _, _ = refreshTokens(t, issuer, token)
		require.Equal(t, 400, status, "the same browser's session of the day before")
	}
}
