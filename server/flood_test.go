package server_test

import (
	"bufio"
	"bytes"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// testStorageFlood: 100,000 unauthenticated requests leave the database unchanged and the
// memory flat.
func testStorageFlood(t *testing.T) {
	t.Parallel()
	const requests, workers = 100_000, 4
	data := t.TempDir()
	_, issuer, operations := startBinary(t, buildBinary(t), "--listen", "127.0.0.1:0", "--data", data)
	u, err := url.Parse(issuer)
	require.NoError(t, err)
	flood(t, u.Host, 5_000, workers) // warms the server up
	before, memory := countRows(t, data), readResidentMemory(t, operations)
	flood(t, u.Host, requests, workers)
	after := countRows(t, data)
	delete(before, "probe") // the server writes it by itself
	delete(after, "probe")
	require.Equal(t, before, after, "rows by table")
	grown := readResidentMemory(t, operations) - memory
	t.Logf("%d requests: resident memory grew by %d kB", requests, grown>>10)
	require.Less(t, grown, int64(32<<20), "memory must stay flat")
}

// flood sends authorization requests that each need a sign-in, and requires that each is
// redirected to the sign-in page.
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
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	responses := bufio.NewReaderSize(conn, 64<<10)
	const together = 25 // requests sent before their responses are read
	for n := 0; n < requests; n += together {
		if err := conn.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
			return err
		}
		var batch bytes.Buffer
		for i := range together {
			fmt.Fprintf(&batch,
				"GET /authorize?client_id=local-web&redirect_uri=http%%3A%%2F%%2F127.0.0.1%%2Fcb&response_type=code&scope=openid"+
					"&state=unknown-%d-%d HTTP/1.1\r\nHost: %s\r\n\r\n", worker, n+i, host)
		}
		if _, err := conn.Write(batch.Bytes()); err != nil {
			return err
		}
		for range together {
			res, err := http.ReadResponse(responses, nil)
			if err != nil {
				return err
			}
			_ = res.Body.Close()
			if res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/login?") {
				return fmt.Errorf("status %d, Location %s", res.StatusCode, res.Header.Get("Location"))
			}
		}
	}
	return nil
}

// countRows returns the number of rows of every table.
func countRows(t *testing.T, data string) map[string]int {
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

// readResidentMemory returns the resident memory of a server in bytes.
func readResidentMemory(t *testing.T, operations string) int64 {
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
