package limit_test

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/limit"
)

type bundle struct {
	*limit.Limiter
	now time.Time
}

func setup(cfg limit.Config) *bundle {
	b := &bundle{now: time.Unix(1_800_000_000, 0)}
	cfg.Now = func() time.Time { return b.now }
	b.Limiter = limit.New(cfg)
	return b
}

// failA counts failures of the key a.
func (b *bundle) failA(times int) {
	for range times {
		b.Fail("a")
	}
}

func TestWaitDoublesAfterTheFreeFailures(t *testing.T) {
	t.Parallel()
	b := setup(limit.Config{Free: 3, Delay: time.Second, Max: 10 * time.Second})
	for i, want := range []time.Duration{0, 0, 0, 1, 2, 4, 8, 10, 10, 10} {
		require.Equal(t, want*time.Second, b.Wait("a"), "after %d failures", i)
		b.Fail("a")
	}
	require.Zero(t, b.Wait("b"), "other keys have no delay")
}

func TestDelayEnds(t *testing.T) {
	t.Parallel()
	b := setup(limit.Config{Free: 1, Delay: 4 * time.Second})
	b.Fail("a")
	b.now = b.now.Add(time.Second)
	require.Equal(t, 3*time.Second, b.Wait("a"))
	require.Equal(t, 3*time.Second, b.Wait("a"), "Wait counts nothing")
	b.now = b.now.Add(3 * time.Second)
	require.Zero(t, b.Wait("a"))
	b.Fail("a")
	require.Equal(t, 8*time.Second, b.Wait("a"), "the next failure doubles the delay")
}

func TestFailuresAreForgottenAfterTheWindow(t *testing.T) {
	t.Parallel()
	b := setup(limit.Config{Free: 2, Delay: time.Second, Window: time.Minute})
	b.failA(8)
	b.now = b.now.Add(time.Minute - time.Nanosecond)
	b.Fail("a")
	require.Positive(t, b.Wait("a"), "not before the window ends")
	b.now = b.now.Add(time.Minute)
	b.Fail("a")
	require.Zero(t, b.Wait("a"), "the count starts again")
	b.now = b.now.Add(time.Minute)
	require.Zero(t, b.Wait("a"))
	b.Fail("a")
	require.Zero(t, b.Wait("a"))
}

func TestDelaysAreLimited(t *testing.T) {
	t.Parallel()
	b := setup(limit.Config{Max: time.Hour, Window: time.Minute})
	b.failA(10_000)
	require.Equal(t, time.Minute, b.Wait("a"), "no delay is longer than the window")
	b = setup(limit.Config{})
	b.failA(10_000)
	require.Equal(t, 5*time.Minute, b.Wait("a"))
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	b := setup(limit.Config{})
	b.failA(4)
	require.Zero(t, b.Wait("a"))
	b.Fail("a")
	require.Equal(t, time.Second, b.Wait("a"))
}

func TestForget(t *testing.T) {
	t.Parallel()
	b := setup(limit.Config{Free: 1})
	b.failA(3)
	b.Forget("a")
	b.Forget("never there")
	require.Zero(t, b.Wait("a"))
	b.Fail("a")
	require.Equal(t, time.Second, b.Wait("a"))
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	b := setup(limit.Config{Free: 1, Size: 3})
	for _, key := range []string{"a", "b", "c", "a", "d"} {
		b.Fail(key)
	}
	require.Zero(t, b.Wait("b"), "the key that failed least recently is dropped")
	for _, key := range []string{"a", "c", "d"} {
		require.Positive(t, b.Wait(key), key)
	}
	long := strings.Repeat("x", 1<<20)
	b.Fail(long)
	require.Positive(t, b.Wait(long))
	require.Zero(t, b.Wait(long+"x"), "long keys are distinguished")
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	l := limit.New(limit.Config{Free: 1600, Size: 8, Now: func() time.Time { return now }})
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for n := range 100 {
				l.Fail("all")
				l.Fail(fmt.Sprint(i%4, n%2))
				l.Wait("all")
				l.Forget(fmt.Sprint(i % 4))
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, l.Wait("all"), time.Second)
}

func TestConcurrentFailuresAreCounted(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	l := limit.New(limit.Config{Free: 1600, Now: func() time.Time { return now }})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 100 {
				l.Fail("a")
			}
		})
	}
	wg.Wait()
	require.Equal(t, time.Second, l.Wait("a"), "all 1600 are counted")
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.1":            "192.0.2.1",
		"::ffff:192.0.2.1":     "192.0.2.1",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::":  "2001:db8:1:2::/64",
		"2001:db8:1:3::1":      "2001:db8:1:3::/64",
		"fe80::1%eth0":         "fe80::/64",
		"::1":                  "::1",
	} {
		require.Equal(t, want, limit.Address(netip.MustParseAddr(address)), address)
	}
	require.Equal(t, "invalid IP", limit.Address(netip.Addr{}))
}

// BenchmarkWait measures a key without failures while other keys have some.
func BenchmarkWait(b *testing.B) {
	l := limit.New(limit.Config{Now: time.Now})
	for i := range 1000 {
		l.Fail(fmt.Sprint(i))
	}
	b.ReportAllocs()
	for b.Loop() {
		l.Wait("192.0.2.1 jane")
	}
}
