package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func testConcurrentAssertions(t *testing.T, s Store) {
	requireOneSuccess(t, 64, func(int) (bool, error) {
		return s.RecordAssertion(t.Context(), "web", "a", start)
	})
}

func testAssertionExpires(t *testing.T, s Store) {
	recordAssertion := func(client, id string, want bool) {
		t.Helper()
		first, err := s.RecordAssertion(t.Context(), client, id, start)
		require.NoError(t, err)
		require.Equal(t, want, first)
	}
	recordAssertion("web", "a", true)
	recordAssertion("app", "a", true)
	recordAssertion("web", "A", true)
	recordAssertion("web", "a", false)
	n, err := s.Sweep(t.Context(), start.Add(-time.Millisecond))
	require.NoError(t, err)
	require.Zero(t, n)
	recordAssertion("web", "a", false)
	n, err = s.Sweep(t.Context(), start)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	recordAssertion("web", "a", true)
}
