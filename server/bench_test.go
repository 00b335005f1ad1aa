package server_test

import (
	"bufio"
	"context"
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
	"idpbridge/internal/robot"
	"idpbridge/server/servertest"

	"github.com/stretchr/testify/require"
)

// measureSignature returns the CPU time of an RSA-2048 signature, measured at this
// moment, because the speed of a machine varies.
func measureSignature(b *testing.B) time.Duration {
	b.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(b, err)
	digest := sha256.Sum256([]byte("x"))
	const rounds = 300
	start := readOwnCPU(b)
	for range rounds {
		_, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
		require.NoError(b, err)
	}
	return (readOwnCPU(b) - start) / rounds
}

func readOwnCPU(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// readServerCPU returns the CPU time of the server, from its metrics.
func readServerCPU(b *testing.B, operations string) time.Duration {
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

// benchmark calls the program over HTTP in the browser of a signed-in user. It reports
// the program's CPU time per operation, also as a multiple of a signature's.
func benchmark(b *testing.B, operation func(signedIn *robot.Browser, issuer string) error) {
	b.Helper()
	_, issuer, operations := startBinary(b, buildBinary(b), "--listen", "127.0.0.1:0", "--data", b.TempDir())
	signedIn := servertest.NewBrowser(b)
	signedIn.SignIn(servertest.AuthorizeURL(issuer), "jane", "jane-password")
	signedIn.Transport = &http.Transport{MaxIdleConnsPerHost: 64}
	before := measureSignature(b)
	var done atomic.Int64
	b.ResetTimer()
	start := readServerCPU(b, operations)
	b.SetParallelism(2)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := operation(signedIn.Browser, issuer); err != nil {
				b.Error(err)
				return
			}
			done.Add(1)
		}
	})
	used := (readServerCPU(b, operations) - start) / time.Duration(max(done.Load(), 1))
	b.StopTimer()
	signature := (before + measureSignature(b)) / 2
	b.ReportMetric(float64(used.Microseconds()), "server-µs/op")
	b.ReportMetric(float64(signature.Microseconds()), "signature-µs")
	b.ReportMetric(float64(used)/float64(signature), "signatures/op")
}

// BenchmarkSignin measures the code flow of a signed-in browser: authorize and token.
func BenchmarkSignin(b *testing.B) {
	benchmark(b, func(signedIn *robot.Browser, issuer string) error {
		if _, ok := redeemCode(signedIn, issuer); !ok {
			return io.ErrUnexpectedEOF
		}
		return nil
	})
}

// BenchmarkAuthorize measures only the authorization endpoint.
func BenchmarkAuthorize(b *testing.B) {
	benchmark(b, func(signedIn *robot.Browser, issuer string) error {
		_, err := signedIn.Get(context.Background(), servertest.AuthorizeURL(issuer))
		return err
	})
}

// BenchmarkToken measures the token endpoint with an invalid code.
func BenchmarkToken(b *testing.B) {
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {"nonsense"}, "redirect_uri": {servertest.LocalCallback},
		"client_id": {"local-web"}, "client_secret": {dev.LocalWebSecret},
	}
	benchmark(b, func(signedIn *robot.Browser, issuer string) error {
		_, err := signedIn.Post(context.Background(), issuer+"/token", form)
		return err
	})
}

// BenchmarkKeySet measures the key set.
func BenchmarkKeySet(b *testing.B) {
	benchmark(b, func(signedIn *robot.Browser, issuer string) error {
		_, err := signedIn.Get(context.Background(), issuer+"/jwks")
		return err
	})
}
