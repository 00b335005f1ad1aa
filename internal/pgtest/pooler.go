package pgtest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// ErrNoPooler means that this machine has no PgBouncer.
var ErrNoPooler = errors.New("PgBouncer is not installed: run make deps")

// StartPooler runs PgBouncer in front of the server until the test ends. It shares two
// connections per database between transactions (pool_mode = transaction). It returns a
// function that gives the URL of a database through it.
func (s *Server) StartPooler(t testing.TB) func(databaseURL string) string {
	t.Helper()
	bin, err := exec.LookPath("pgbouncer")
	if err != nil {
		if bin, err = exec.LookPath("/usr/sbin/pgbouncer"); err != nil {
			t.Fatal(ErrNoPooler)
		}
	}
	port := freePort(t)
	config := filepath.Join(s.dir, "pooler"+strconv.Itoa(port)+".ini")
	text := fmt.Sprintf("[databases]\n* = host=%s user=%s\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\n"+
		"unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 2\nmax_client_conn = 500\n"+
		"ignore_startup_parameters = extra_float_digits\n", s.dir, superuser, port)
	// Its user must be able to read it; it contains no secret.
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	credential, err := s.processCredential()
	if err != nil {
		t.Fatal(err)
	}
	pooler := exec.Command(bin, config)
	var stderr bytes.Buffer
	pooler.Stderr, pooler.SysProcAttr = &stderr, &syscall.SysProcAttr{Credential: credential}
	if err := pooler.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = pooler.Process.Kill()
		_ = pooler.Wait()
	})
	through := func(databaseURL string) string {
		u, err := url.Parse(databaseURL)
		if err != nil {
			t.Fatal(err)
		}
		// The one user is the superuser whom auth_type any forces.
		u.Host, u.RawQuery = "127.0.0.1:"+strconv.Itoa(port), url.Values{"sslmode": {"disable"}}.Encode()
		return u.String()
	}
	if err := waitForPooler(t.Context(), through(s.databaseURL("postgres"))); err != nil {
		t.Fatalf("PgBouncer: %v: %s", err, stderr.String())
	}
	return through
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// waitForPooler waits until a query succeeds, up to the timeout.
func waitForPooler(ctx context.Context, databaseURL string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	db, err := sql.Open("pgx", databaseURL)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no response: %w", err)
		case <-tick.C:
		}
	}
}
