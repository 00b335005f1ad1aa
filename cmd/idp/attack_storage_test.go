package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
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
	"idpbridge/dev"
	"idpbridge/internal/pkce"
	"idpbridge/keys"
	"idpbridge/server"
)

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
		"state": {state}, "nonce": {nonce}, "code_challenge": {pkce.Challenge(verifier)}, "code_challenge_method": {"S256"}, "login_hint": {"hint-in-the-log"},
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
	require.Regexp(t, `code used twice; sign-in closed","reference":"[0-9A-Z-]{14}"`, log, "the log has what happened, and to whom")
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
		issuer := startIDP(t, time.Now, "dev", "--simulator", "off", "--listen", "127.0.0.1:0", "--operations", "off", "--data", data)
		b := newBrowser(t)
		access, refresh := offlineTokens(t, issuer, b)
		_, access2, refresh2 := refreshAt(t, issuer, refresh)
		u, err := url.Parse(issuer)
		require.NoError(t, err)
		secrets = []string{access, refresh, access2, refresh2, b.get(webRequest(issuer)).answer(t).Get("code"), "jane-password", dev.LocalWebSecret}
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
		return startIDP(t, time.Now, "dev", "--simulator", "off", "--listen", "127.0.0.1:0", "--operations", "off", "--data", data)
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
		opened, err := server.OpenData(t.Context(), config.Config{Data: data}, nil, true, time.Now)
		require.NoError(t, err)
		moved, err := do(opened.Keys)
		require.NoError(t, err)
		require.True(t, moved)
		require.NoError(t, opened.Close())
	}
	var old string
	t.Run("one key", func(t *testing.T) {
		issuer := start(t)
		old = signs(t, issuer)
		require.Equal(t, []string{old}, kids(t, issuer))
	})
	ring(t, func(r *keys.Ring) (bool, error) { return r.AddNext(context.Background(), "RS256") })
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
	_, issuer, operations := startBinary(t, buildIDP(t), "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0", "--data", data)
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
	answers := bufio.NewReaderSize(conn, 64<<10)
	const together = 25 // requests are sent so many at a time, and their answers read in turn
	for n := 0; n < requests; n += together {
		if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
			return err
		}
		var batch bytes.Buffer
		for i := range together {
			fmt.Fprintf(&batch, "GET /authorize?client_id=local-web&redirect_uri=http%%3A%%2F%%2F127.0.0.1%%2Fcb&response_type=code&scope=openid"+
				"&state=stranger-%d-%d HTTP/1.1\r\nHost: %s\r\n\r\n", worker, n+i, host)
		}
		if _, err := conn.Write(batch.Bytes()); err != nil {
			return err
		}
		for range together {
			res, err := http.ReadResponse(answers, nil)
			if err != nil {
				return err
			}
			_ = res.Body.Close()
			if res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/login?") {
				return fmt.Errorf("answered by %d to %s", res.StatusCode, res.Header.Get("Location"))
			}
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
