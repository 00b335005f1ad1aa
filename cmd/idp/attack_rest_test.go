package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/config"
	"idpbridge/keys"
	"idpbridge/oidc"
	"idpbridge/store"
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

// refreshAfterPasswordChange: another password in the people file ends what the
// old one has led to.
func refreshAfterPasswordChange(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "idp.yaml")
	address := freeAddress(t)
	require.NoError(t, os.WriteFile(file, []byte("issuer: http://"+address+"\nlisten: "+address+`
operations: off
data: data
people: people.yaml
brand: {name: Brand}
clients:
  - id: local-web
    secret: `+localWebSecret+`
    token_endpoint_auth_method: client_secret_post
    application_type: native
    redirect_uris: ["http://127.0.0.1/cb"]
    scopes: [openid, offline_access]
`), 0o600))
	write := func(password string) {
		code, hash, stderr := command(t, password+"\n", "people", "hash")
		require.Equal(t, 0, code, stderr)
		people := "people:\n  - {username: jane, sub: 0123456789abcdef, password_hash: '" + strings.TrimSpace(hash) + "'}\n"
		require.NoError(t, os.WriteFile(filepath.Join(folder, "people.yaml"), []byte(people), 0o600))
	}
	issuer := "http://" + address
	var access, refresh string
	write("jane-password")
	t.Run("before", func(t *testing.T) {
		serveConfig(t, time.Now, folder)
		access, refresh = offlineTokens(t, issuer, newBrowser(t))
		require.Equal(t, 200, userinfo(t, issuer, access))
	})
	t.Run("unchanged", func(t *testing.T) {
		serveConfig(t, time.Now, folder)
		var status int
		status, access, refresh = refreshAt(t, issuer, refresh)
		require.Equal(t, 200, status, "a restart alone ends nothing")
	})
	write("another-password")
	t.Run("after", func(t *testing.T) {
		serveConfig(t, time.Now, folder)
		status, _, _ := refreshAt(t, issuer, refresh)
		require.Equal(t, 400, status)
		require.Equal(t, 401, userinfo(t, issuer, access))
	})
}

// secretsInLogs runs flows, good and bad, and looks for what must not be in the
// log.
func secretsInLogs(t *testing.T) {
	t.Parallel()
	s := startConformance(t)
	b := newBrowser(t)
	b.client.Transport = s.target.HTTP
	issuer, web := s.target.Issuer, s.target.Web
	state, nonce, verifier := "state-in-the-log", "nonce-in-the-log", strings.Repeat("verifier", 8)
	q := url.Values{
		"client_id": {web.ID}, "redirect_uri": {web.RedirectURI}, "response_type": {"code"}, "scope": {"openid offline_access"},
		"state": {state}, "nonce": {nonce}, "code_challenge": {oidc.Challenge(verifier)}, "code_challenge_method": {"S256"}, "login_hint": {"hint-in-the-log"},
	}
	address := issuer + "/authorize?" + q.Encode()
	b.signIn(issuer, address, "jane", "wrong-password-in-the-log")
	code := b.signIn(issuer, address, "jane", "jane-password").answer(t).Get("code")
	ask := func(form url.Values) map[string]any {
		r, err := http.NewRequest(http.MethodPost, issuer+"/token", strings.NewReader(form.Encode()))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(web.ID, web.Secret)
		var out map[string]any
		require.NoError(t, json.Unmarshal([]byte(b.do(r).body), &out))
		return out
	}
	secrets := []string{state, nonce, verifier, "wrong-password-in-the-log", "jane-password", "hint-in-the-log", code, web.Secret}
	keep := func(out map[string]any) map[string]any {
		for _, name := range []string{"access_token", "refresh_token", "id_token"} {
			if s, ok := out[name].(string); ok {
				secrets = append(secrets, s)
			}
		}
		return out
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {web.RedirectURI}, "code_verifier": {verifier}}
	first := keep(ask(form))
	refreshing := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first["refresh_token"].(string)}}
	keep(ask(refreshing))
	ask(form)       // a replay
	ask(refreshing) // of a sign-in that is closed by now
	b.get(issuer + "/userinfo?access_token=" + first["access_token"].(string))
	b.get(issuer + "/end_session?id_token_hint=" + first["id_token"].(string))
	u, err := url.Parse(issuer)
	require.NoError(t, err)
	for _, cookie := range b.client.Jar.Cookies(u) {
		secrets = append(secrets, cookie.Value)
	}
	log := s.log.String()
	require.Contains(t, log, "code used twice", "the log has what happened")
	for _, secret := range secrets {
		require.NotContains(t, log, secret)
	}
}

// tokensAtRest: whoever has the database file has no code, no token, no cookie and
// no key.
func tokensAtRest(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	var secrets []string
	t.Run("use", func(t *testing.T) {
		issuer := startIDP(t, time.Now, "ready at ", "dev", "--listen", "127.0.0.1:0", "--operations", "off", "--data", data)
		b := newBrowser(t)
		access, refresh := offlineTokens(t, issuer, b)
		_, access2, refresh2 := refreshAt(t, issuer, refresh)
		u, err := url.Parse(issuer)
		require.NoError(t, err)
		secrets = []string{access, refresh, access2, refresh2, b.get(webRequest(issuer)).answer(t).Get("code"), "jane-password", localWebSecret}
		for _, c := range b.client.Jar.Cookies(u) {
			secrets = append(secrets, c.Value)
		}
	})
	var all []byte
	for _, name := range []string{"idp.db", "idp.db-wal"} {
		raw, err := os.ReadFile(filepath.Join(data, name))
		if !os.IsNotExist(err) {
			require.NoError(t, err)
		}
		all = append(all, raw...)
	}
	require.NotEmpty(t, all)
	for _, secret := range secrets {
		require.False(t, bytes.Contains(all, []byte(secret)), "found in the database: %s", secret)
		_, tail, _ := strings.Cut(secret, ".") // what makes a token more than its public id
		require.False(t, len(tail) > 20 && bytes.Contains(all, []byte(tail)), "found in the database: %s", tail)
	}
	require.False(t, bytes.Contains(all, []byte("PRIVATE KEY")))
}

// rotation: a new key is published before it signs, the old one after it has
// stopped, and what the old one signed stays good.
func rotation(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	start := func(t *testing.T) string {
		return startIDP(t, time.Now, "ready at ", "dev", "--listen", "127.0.0.1:0", "--operations", "off", "--data", data)
	}
	kids := func(t *testing.T, issuer string) (out []string) {
		var set struct{ Keys []struct{ Kid string } }
		require.NoError(t, json.Unmarshal([]byte(newBrowser(t).get(issuer+"/jwks").body), &set))
		for _, k := range set.Keys {
			out = append(out, k.Kid)
		}
		return out
	}
	signs := func(t *testing.T, issuer string) string {
		token := newBrowser(t).signIn(issuer, webRequest(issuer, "response_type", "id_token"), "jane", "jane-password").answer(t).Get("id_token")
		var header struct{ Kid string }
		require.NoError(t, json.Unmarshal([]byte(part(token, 0)), &header))
		return header.Kid
	}
	ring := func(t *testing.T, do func(*keys.Ring) (bool, error)) {
		cfg := config.Config{Data: data}
		secret, err := instanceSecret(cfg)
		require.NoError(t, err)
		db, err := store.Open(t.Context(), store.Config{Path: filepath.Join(data, "idp.db")})
		require.NoError(t, err)
		r, err := keys.Open(t.Context(), keys.Config{Store: db, Secret: secret, Algorithms: []string{"RS256"}, Now: time.Now})
		require.NoError(t, err)
		moved, err := do(r)
		require.NoError(t, err)
		require.True(t, moved)
		require.NoError(t, db.Close())
	}
	var old string
	t.Run("one key", func(t *testing.T) {
		issuer := start(t)
		old = signs(t, issuer)
		require.Equal(t, []string{old}, kids(t, issuer))
	})
	ring(t, func(r *keys.Ring) (bool, error) { return r.Prepare(context.Background(), "RS256") })
	t.Run("announced", func(t *testing.T) {
		issuer := start(t)
		require.Len(t, kids(t, issuer), 2, "the next key is published before it signs")
		require.Equal(t, old, signs(t, issuer))
	})
	ring(t, func(r *keys.Ring) (bool, error) { return r.Promote(context.Background(), "RS256") })
	t.Run("rotated", func(t *testing.T) {
		issuer := start(t)
		now := signs(t, issuer)
		require.NotEqual(t, old, now)
		require.ElementsMatch(t, []string{old, now}, kids(t, issuer), "the old key is still published")
	})
}

// storageFlood: 100,000 requests of strangers leave the database as it was and
// the memory flat.
func storageFlood(t *testing.T) {
	t.Parallel()
	const requests, workers = 100_000, 4
	data := t.TempDir()
	_, issuer, operations := startBinary(t, buildIDP(t), "--listen", "127.0.0.1:0", "--data", data)
	u, err := url.Parse(issuer)
	require.NoError(t, err)
	flood(t, u.Host, 5_000, workers) // what a server needs to be warm
	before, memory := rowsOf(t, data), residentOf(t, operations)
	flood(t, u.Host, requests, workers)
	require.Equal(t, before, rowsOf(t, data), "rows by table")
	grown := residentOf(t, operations) - memory
	t.Logf("%d requests: resident memory grew by %d kB", requests, grown>>10)
	require.Less(t, grown, int64(32<<20), "memory must stay flat")
}

// flood sends authorization requests that each need a person, every one a new
// stranger, and demands that each is answered with the way to a sign-in page.
func flood(t *testing.T, host string, requests, workers int) {
	t.Helper()
	var group sync.WaitGroup
	errs := make([]error, workers)
	for w := range workers {
		group.Go(func() { errs[w] = floodOne(host, w, requests/workers) })
	}
	group.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

func floodOne(host string, worker, requests int) error {
	conn, err := net.DialTimeout("tcp", host, 10*time.Second)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	answers := bufio.NewReader(conn)
	for n := range requests {
		if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
			return err
		}
		path := strings.TrimPrefix(webRequest("", "state", fmt.Sprintf("stranger-%d-%d", worker, n)), "http://")
		if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: stranger\r\n\r\n", path, host); err != nil {
			return err
		}
		res, err := http.ReadResponse(answers, nil)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			return err
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/login?") {
			return fmt.Errorf("answered by %d to %s", res.StatusCode, res.Header.Get("Location"))
		}
	}
	return nil
}

// rowsOf counts the rows of every table.
func rowsOf(t *testing.T, data string) map[string]int {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "idp.db")+"?mode=ro")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	rows, err := db.QueryContext(t.Context(), "SELECT name FROM sqlite_master WHERE type = 'table'")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var tables []string
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		tables = append(tables, name)
	}
	require.NoError(t, rows.Err())
	require.True(t, slices.Contains(tables, "signin"))
	count := map[string]int{}
	for _, table := range tables {
		n := 0
		require.NoError(t, db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n))
		count[table] = n
	}
	return count
}

// residentOf is the resident memory of a server in bytes, after its garbage.
func residentOf(t *testing.T, operations string) int64 {
	t.Helper()
	res, err := http.Get(operations + "/metrics")
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if after, ok := strings.CutPrefix(lines.Text(), "process_resident_memory_bytes "); ok {
			bytes, err := strconv.ParseFloat(after, 64)
			require.NoError(t, err)
			return int64(bytes)
		}
	}
	t.Fatal("no memory in /metrics")
	return 0
}
