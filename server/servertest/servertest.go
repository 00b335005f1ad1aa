// Package servertest runs servers for tests: the one of package server, with a new
// database, without a command line. Only tests import it.
package servertest

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/config"
	"idpbridge/dev"
	"idpbridge/internal/secret"
	"idpbridge/server"
)

// Server is a server under test.
type Server struct {
	*server.Server

	Issuer string
	Log    *Log
	// Stop stops a started server before the test ends; the test's end stops it too.
	Stop func()
}

// New builds a server with the clients of idp dev and the demo people, and does not
// start it: tests use its Handler. Its issuer is http://127.0.0.1:8080 and it is not
// in development mode, unless change says otherwise.
func New(t testing.TB, change ...func(*server.Config)) *Server {
	t.Helper()
	log := &Log{}
	settings := config.Defaults()
	settings.Issuer, settings.Brand.Name = "http://127.0.0.1:8080", "Brand"
	settings.Data = filepath.Join(t.TempDir(), "data")
	settings.Operations, settings.ShutdownDelay = "off", 0
	return build(t, log, server.Config{
		Settings: settings, Clients: dev.Clients(), People: DemoPeople(t), Now: time.Now,
	}, change)
}

// Start builds a server as New does, with an issuer on a free port of 127.0.0.1, and
// runs it until the test ends.
func Start(t testing.TB, change ...func(*server.Config)) *Server {
	t.Helper()
	listener := listen(t)
	change = append([]func(*server.Config){func(c *server.Config) {
		c.Settings.Issuer = "http://" + listener.Addr().String()
	}}, change...)
	s := New(t, change...)
	s.start(t, &server.Listeners{Public: listener})
	return s
}

// FileSecret is for clients in configuration files, which may not have the public secrets
// of idp dev. StartFile gives them dev.LocalWebSecret, as RequestTokens expects.
const FileSecret = "secret-that-StartFile-replaces-0000000000"

// StartFile runs the server that the configuration file describes, as idp serve does,
// until the test ends.
func StartFile(t testing.TB, file string, now func() time.Time, change ...func(*server.Config)) *Server {
	t.Helper()
	settings, err := config.Load(file, os.Getenv)
	require.NoError(t, err)
	people, err := settings.ReadPeople()
	require.NoError(t, err)
	clients, err := settings.OIDCClients()
	require.NoError(t, err)
	for i := range clients {
		if clients[i].Secret.Equal(FileSecret) {
			clients[i].Secret = secret.New(dev.LocalWebSecret)
		}
	}
	settings.ShutdownDelay = 0
	listeners, err := server.Listen(t.Context(), settings)
	require.NoError(t, err)
	s := build(t, &Log{}, server.Config{Settings: *settings, Clients: clients, People: people, Now: now}, change)
	s.start(t, listeners)
	return s
}

func build(t testing.TB, log *Log, cfg server.Config, change []func(*server.Config)) *Server {
	t.Helper()
	cfg.Log = slog.New(slog.NewJSONHandler(log, nil))
	for _, apply := range change {
		apply(&cfg)
	}
	built, err := server.New(t.Context(), cfg)
	require.NoError(t, err)
	closeOnce := sync.OnceFunc(func() { require.NoError(t, built.Close()) })
	t.Cleanup(closeOnce)
	return &Server{Server: built, Issuer: cfg.Settings.Issuer, Log: log, Stop: closeOnce}
}

func (s *Server) start(t testing.TB, l *server.Listeners) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, l) }()
	closeStore := s.Stop
	s.Stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-done, s.Log.String())
		closeStore()
	})
	t.Cleanup(s.Stop)
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

// GetOperations returns the body that the operations handler responds with.
func (s *Server) GetOperations(t testing.TB, path string) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1"+path, nil)
	w := httptest.NewRecorder()
	s.OperationsHandler().ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	return w.Body.String()
}

// DemoPeople are the people of idp dev.
func DemoPeople(t testing.TB) []config.Person {
	t.Helper()
	people, err := config.ParsePeople("people.yaml", dev.PeopleFile, config.PeopleRules{PlainPasswords: true})
	require.NoError(t, err)
	return people
}

// PeopleFile is a people file with the demo people as idp serve accepts it: without
// plain-text passwords.
func PeopleFile() []byte {
	var kept []string
	for line := range strings.Lines(string(dev.PeopleFile)) {
		if key := strings.TrimSpace(line); !strings.HasPrefix(key, "password:") && !strings.HasPrefix(key, "note:") {
			kept = append(kept, line)
		}
	}
	return []byte(strings.Join(kept, ""))
}

// WriteFiles writes files into a folder that only the user may read.
func WriteFiles(t testing.TB, folder string, files map[string][]byte) {
	t.Helper()
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), content, 0o600))
	}
}

// Log keeps what is written to it. It is safe for concurrent use.
type Log struct {
	mu sync.Mutex
	b  strings.Builder
}

var _ io.Writer = (*Log)(nil)

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns what was written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
