package pgurl_test

import (
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/pgurl"
)

func TestParseSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for databaseURL, want := range map[string]string{
		"postgres://idp:hunter2@db/idp?sslmode=bogus":                                "sslmode is invalid",
		"postgres://idp:hunter2@db/idp?sslmode=verify-full&sslrootcert=/nowhere.pem": "open /nowhere.pem: no such file",
		"postgres://idp:hunter2@db:port/idp":                                         "",
		"postgres://idp:hunter2@db/idp?connect_timeout=soon":                         "",
		"postgres://idp:hunter2@[db/idp":                                             "",
		"postgres://db/idp?password=hunter2&sslmode=hunter2":                         "",
		"postgres://idp:hunter2@db/idp?pool_max_conns=%zz":                           "",
	} {
		_, err := pgurl.Parse(databaseURL)
		require.ErrorContains(t, err, want, databaseURL)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestIsProtected(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	root := filepath.Join(t.TempDir(), "root.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	require.NoError(t, os.WriteFile(root, pem.EncodeToMemory(block), 0o600))
	_, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	for databaseURL, want := range map[string]bool{
		"postgres://idp@127.0.0.1/idp":                                true,
		"postgres://idp@localhost/idp?sslmode=disable":                true,
		"postgres://idp@[::1]/idp":                                    true,
		"postgres://idp@/idp?host=/run/postgresql":                    true,
		"postgres://idp@db/idp":                                       false,
		"postgres://idp@db/idp?sslmode=disable":                       false,
		"postgres://idp@db/idp?sslmode=prefer":                        false,
		"postgres://idp@db/idp?sslmode=require":                       false,
		"postgres://idp@db/idp?sslmode=verify-ca":                     false,
		"postgres://idp@db/idp?sslmode=verify-full":                   true,
		"postgres://idp@db/idp?sslmode=verify-ca&sslrootcert=" + root: true,
		"postgres://idp@db/idp?sslmode=require&sslrootcert=" + root:   true,
		"postgres://idp@127.0.0.1,db/idp?sslmode=disable":             false,
		"postgres://idp@127.0.0.1,db/idp?sslmode=verify-full":         true,
		"postgres://idp@192.0.2.1/idp?sslmode=allow":                  false,
		"postgres://idp@127.0.0.1.example/idp?sslmode=disable":        false,
		"postgres://idp@127.0.0.1/idp?host=db&sslmode=disable":        false,
		"postgres://idp@db/idp?sslrootcert=system":                    true,
	} {
		cfg, err := pgurl.Parse(databaseURL)
		require.NoError(t, err, databaseURL)
		require.Equal(t, want, pgurl.IsProtected(cfg), databaseURL)
	}
}
