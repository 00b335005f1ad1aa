// Package pgtest runs a private PostgreSQL server for tests. It uses a temporary folder
// and a Unix socket in it, and ends with the process that started it.
package pgtest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
)

// ErrNotInstalled means that this machine has no PostgreSQL server.
var ErrNotInstalled = errors.New("PostgreSQL is not installed: run make deps")

const (
	superuser = "idp"
	// timeout limits a start or a stop, generously for slow machines.
	timeout = 60 * time.Second
)

// Server is a running PostgreSQL. It is safe for concurrent use.
type Server struct {
	dir      string
	admin    *sql.DB
	stop     chan struct{} // closed by Stop
	exited   chan error    // receives the result of the server process
	names    atomic.Int64  // number of databases created
	stderr   *bytes.Buffer // read only after the process has ended
	stopping atomic.Bool
}

// Start starts a server that only the owner of its temporary folder can reach. The server
// does not wait for the disk, and its data is deleted when it stops. Start returns
// ErrNotInstalled if this machine has no PostgreSQL server.
func Start() (*Server, error) {
	bin, err := findInstallation()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	s := &Server{dir: dir, stop: make(chan struct{}), exited: make(chan error, 1), stderr: &bytes.Buffer{}}
	if err := s.initAndRun(bin); err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL: %w", err), os.RemoveAll(dir))
	}
	return s, nil
}

// findInstallation returns the folder of the newest server that is installed, as Debian
// names it.
func findInstallation() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return "", ErrNotInstalled
	}
	version := func(path string) float64 {
		v, _ := strconv.ParseFloat(filepath.Base(filepath.Dir(filepath.Dir(path))), 64)
		return v
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return int(10 * (version(a) - version(b))) })
	return filepath.Dir(newest), nil
}

// initAndRun creates the data folder and starts the server.
func (s *Server) initAndRun(bin string) error {
	credential, err := s.processCredential()
	if err != nil {
		return err
	}
	data := filepath.Join(s.dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "--pgdata", data, "--username", superuser,
		"--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = s.dir, &syscall.SysProcAttr{Credential: credential}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", s.dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
		"-c", "max_connections=300", "-c", "shared_buffers=32MB")
	server.Dir, server.Stderr = s.dir, s.stderr
	// The server ends when the test binary is killed.
	server.SysProcAttr = &syscall.SysProcAttr{Credential: credential, Pdeathsig: syscall.SIGQUIT}
	started := make(chan error, 1)
	go s.runProcess(server, started)
	if err := <-started; err != nil {
		return err
	}
	if s.admin, err = sql.Open("pgx", s.databaseURL("postgres")); err != nil {
		return errors.Join(err, s.stopProcess())
	}
	s.admin.SetMaxOpenConns(2)
	if err := s.waitUntilReady(); err != nil {
		return errors.Join(err, s.admin.Close(), s.stopProcess())
	}
	return nil
}

// processCredential returns the user that the server runs as. PostgreSQL refuses to run
// as root, so then it is postgres or nobody. Nil means the current user.
func (s *Server) processCredential() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // no credential is what SysProcAttr expects for the current user
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(s.dir, int(uid), int(gid)); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// runProcess runs the server until it exits or Stop is called. Pdeathsig refers to the
// thread that started the process, so that thread is locked until then.
func (s *Server) runProcess(server *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := server.Start()
	started <- err
	if err != nil {
		return
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	select {
	case err = <-ended:
	case <-s.stop:
		// SIGINT is a fast shutdown, which disconnects clients.
		_ = server.Process.Signal(syscall.SIGINT)
		select {
		case err = <-ended:
		case <-time.After(timeout):
			_ = server.Process.Signal(syscall.SIGQUIT)
			err = <-ended
		}
	}
	s.exited <- err
}

// waitUntilReady waits until the server responds or exits, up to the timeout.
func (s *Server) waitUntilReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.admin.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case end := <-s.exited:
			s.exited <- end
			return fmt.Errorf("the server has exited (%w): %s", end, bytes.TrimSpace(s.stderr.Bytes()))
		case <-ctx.Done():
			return fmt.Errorf("no response: %w", err)
		case <-tick.C:
		}
	}
}

// databaseURL returns the URL of a database.
func (s *Server) databaseURL(database string) string {
	return (&url.URL{
		Scheme: "postgres", User: url.User(superuser), Path: "/" + database,
		RawQuery: url.Values{"host": {s.dir}, "sslmode": {"disable"}}.Encode(),
	}).String()
}

// stopProcess stops the server process and waits for it.
func (s *Server) stopProcess() error {
	if s.stopping.Swap(true) {
		return nil
	}
	close(s.stop)
	if err := <-s.exited; err != nil {
		return fmt.Errorf("stop PostgreSQL: %w: %s", err, bytes.TrimSpace(s.stderr.Bytes()))
	}
	return nil
}

// Stop stops the server and deletes its files. A second call does nothing.
func (s *Server) Stop() error {
	if s.stopping.Load() {
		return nil
	}
	return errors.Join(s.admin.Close(), s.stopProcess(), os.RemoveAll(s.dir))
}

// NewDatabase creates an empty database and returns its URL. The database is dropped when
// the test ends, even if there are connections to it.
func (s *Server) NewDatabase(t testing.TB) string {
	t.Helper()
	name := "test" + strconv.FormatInt(s.names.Add(1), 10)
	if _, err := s.admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatalf("create database: %v", err)
	}
	t.Cleanup(func() {
		// The context of the test has been canceled by now.
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		if _, err := s.admin.ExecContext(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	return s.databaseURL(name)
}
