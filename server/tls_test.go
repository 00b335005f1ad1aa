package server_test

import (
	"crypto/tls"
	"net"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/server/servertest"
)

// TestCiphersOfTLS12: TLS 1.2 works only with ECDHE and an AEAD cipher (RFC 9325 section 4.2).
func TestCiphersOfTLS12(t *testing.T) {
	t.Parallel()
	s := servertest.StartConformance(t)
	u, err := url.Parse(s.Issuer)
	require.NoError(t, err)
	connect := func(version, cipher uint16) error {
		c, err := tls.DialWithDialer(&net.Dialer{}, "tcp", u.Host, &tls.Config{
			MinVersion: version, MaxVersion: version, CipherSuites: []uint16{cipher}, InsecureSkipVerify: true,
		})
		if err == nil {
			err = c.Close()
		}
		return err
	}
	require.NoError(t, connect(tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256))
	require.NoError(t, connect(tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256))
	require.NoError(t, connect(tls.VersionTLS13, 0))
	for _, cipher := range []uint16{
		tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
		tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	} {
		require.Error(t, connect(tls.VersionTLS12, cipher), tls.CipherSuiteName(cipher))
	}
	require.Error(t, connect(tls.VersionTLS11, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA))
}
