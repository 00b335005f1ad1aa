package main

import (
	"bufio"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"idpbridge/dev"

	"github.com/stretchr/testify/require"
)

// signatureCPU is the CPU time of one bare RSA-2048 signature, measured here
// and now: noisy machines make any older figure worthless.
func signatureCPU(b *testing.B) time.Duration {
	b.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(b, err)
	digest := sha256.Sum256([]byte("x"))
	const rounds = 300
	start := ownCPU(b)
	for range rounds {
		_, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
		require.NoError(b, err)
	}
	return (ownCPU(b) - start) / rounds
}

func ownCPU(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// serverCPU reads the CPU time that the server says it has used.
func serverCPU(b *testing.B, operations string) time.Duration {
	b.Helper()
	res, err := http.Get(operations + "/metrics")
	require.NoError(b, err)
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if after, ok := strings.CutPrefix(lines.Text(), "process_cpu_seconds_total "); ok {
			seconds, err := strconv.ParseFloat(after, 64)
			require.NoError(b, err)
			return time.Duration(seconds * float64(time.Second))
		}
	}
	b.Fatal("no CPU time in /metrics")
	return 0
}

// benchmark drives the real binary over HTTP and reports its CPU time for each
// operation, also as a multiple of a bare signature before and after.
func benchmark(b *testing.B, operation func(browser *browser, issuer string) error) {
	_, issuer, operations := startBinary(b, buildIDP(b), "--listen", "127.0.0.1:0", "--data", b.TempDir())
	person := newBrowser(b)
	person.signIn(issuer, webRequest(issuer), "jane", "jane-password")
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	person.client.Transport = transport
	before := signatureCPU(b)
	var done atomic.Int64
	b.ResetTimer()
	start := serverCPU(b, operations)
	b.SetParallelism(2)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := operation(person, issuer); err != nil {
				b.Error(err)
				return
			}
			done.Add(1)
		}
	})
	used := (serverCPU(b, operations) - start) / time.Duration(max(done.Load(), 1))
	b.StopTimer()
	signature := (before + signatureCPU(b)) / 2
	b.ReportMetric(float64(used.Microseconds()), "server-µs/op")
	b.ReportMetric(float64(signature.Microseconds()), "signature-µs")
	b.ReportMetric(float64(used)/float64(signature), "signatures/op")
}

// BenchmarkSignin is a signed-in browser's code flow: authorize and token.
func BenchmarkSignin(b *testing.B) {
	benchmark(b, func(p *browser, issuer string) error {
		if _, ok := try(p, issuer); !ok {
			return io.ErrUnexpectedEOF
		}
		return nil
	})
}

// BenchmarkAuthorize is the authorization endpoint alone.
func BenchmarkAuthorize(b *testing.B) {
	benchmark(b, func(p *browser, issuer string) error {
		_, err := p.client.Get(p.t.Context(), webRequest(issuer))
		return err
	})
}

// BenchmarkToken is the token endpoint refusing a code: what a stranger costs.
func BenchmarkToken(b *testing.B) {
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {"nonsense"}, "redirect_uri": {localCallback},
		"client_id": {"local-web"}, "client_secret": {dev.LocalWebSecret},
	}
	benchmark(b, func(p *browser, issuer string) error {
		_, err := p.client.Post(p.t.Context(), issuer+"/token", form)
		return err
	})
}

// BenchmarkKeySet is the key set.
func BenchmarkKeySet(b *testing.B) {
	benchmark(b, func(p *browser, issuer string) error {
		_, err := p.client.Get(p.t.Context(), issuer+"/jwks")
		return err
	})
}
