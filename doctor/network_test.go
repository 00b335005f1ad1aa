package doctor_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/memnet"
)

// serve starts servers for the site in memory, and returns a function that connects
// to them.
func (s *site) serve(t *testing.T) func(ctx context.Context, network, address string) (net.Conn, error) {
	t.Helper()
	var certificate tls.Certificate
	certificate, s.cfg.RootCAs = s.newCertificate(t)
	tlsConfig := &tls.Config{Certificates: []tls.Certificate{certificate}}
	s.editTLS(tlsConfig)
	network := memnet.New(t)
	serveTLS(t, s.handler(), tls.NewListener(network.Listen(t, "public"), tlsConfig))
	network.Serve(t, "private", s.handler())
	remoteAddr := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s.remoteAddr))
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		switch address {
		case "login.brand.example:443", "accdn.lpsnmedia.net:443", "login.brand.example:8443", "login:443":
			address = "public"
		case "127.0.0.1:8081", "login.brand.example:80":
			address = "private"
		}
		conn, err := network.DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		return remoteConn{conn, remoteAddr}, nil
	}
}

func serveTLS(t *testing.T, handler http.Handler, listener net.Listener) {
	t.Helper()
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
}

// remoteConn is a connection to another address than it seems.
type remoteConn struct {
	net.Conn
	remote net.Addr
}

func (c remoteConn) RemoteAddr() net.Addr { return c.remote }

// newCertificate creates a root, an intermediate and the server's certificate. It
// returns the chain that the server sends, and the root.
func (s *site) newCertificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	rootKey, intermediateKey, leafKey := newECKey(t), newECKey(t), newECKey(t)
	root := signCertificate(t, newAuthority("Root", 1), newAuthority("Root", 1), rootKey, rootKey)
	intermediate := signCertificate(t, newAuthority("Middle", 2), root, intermediateKey, rootKey)
	s.leaf.SerialNumber, s.leaf.Subject = big.NewInt(3), pkix.Name{CommonName: "Brand"}
	parent, parentKey := intermediate, intermediateKey
	if s.selfSigned {
		parent, parentKey = &s.leaf, leafKey
	}
	leaf := signCertificate(t, &s.leaf, parent, leafKey, parentKey)
	chain := tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: leafKey}
	if !s.noIntermediate && !s.selfSigned {
		chain.Certificate = append(chain.Certificate, intermediate.Raw)
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	return chain, roots
}

func newECKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

func newAuthority(name string, serial int64) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          big.NewInt(serial),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             noon.AddDate(-5, 0, 0),
		NotAfter:              noon.AddDate(5, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
}

func signCertificate(
	t *testing.T, template, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey,
) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return certificate
}
