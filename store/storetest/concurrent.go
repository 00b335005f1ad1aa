package storetest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/oidc"
)

// runConcurrently calls do from n goroutines at once and returns their results.
func runConcurrently(n int, do func(n int) error) []error {
	out := make([]error, n)
	begin := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-begin
			out[i] = do(i)
		})
	}
	close(begin)
	group.Wait()
	return out
}

// requireOneWinner checks the results of a token that was presented several times at once:
// one succeeds, one is a replay, and the others do not find it.
func requireOneWinner(t *testing.T, results []error) {
	t.Helper()
	succeeded, replayed := 0, 0
	for _, err := range results {
		if err == nil {
			succeeded++
			continue
		}
		if errors.Is(err, oidc.ErrReplayed) {
			replayed++
			continue
		}
		require.ErrorIs(t, err, oidc.ErrNotFound)
	}
	require.Equal(t, 1, succeeded)
	require.Equal(t, 1, replayed)
}

// requireOneSuccess calls do from n goroutines at once and checks that it returns true
// exactly once.
func requireOneSuccess(t *testing.T, n int, do func(n int) (bool, error)) {
	t.Helper()
	var successes atomic.Int64
	for _, err := range runConcurrently(n, func(i int) error {
		ok, err := do(i)
		if ok {
			successes.Add(1)
		}
		return err
	}) {
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, successes.Load())
}
