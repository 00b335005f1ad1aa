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
	spend := func(client, id string, want bool) {
		t.Helper()
		first, err := s.RecordAssertion(t.Context(), client, id, start)
		require.NoError(t, err)
		require.Equal(t, want, first)
	}
	spend("web", "a", true)
	spend("app", "a", true)
	spend("web", "A", true)
	spend("web", "a", false)
	n, err := s.Sweep(t.Context(), start.Add(-time.Millisecond))
	require.NoError(t, err)
	require.Zero(t, n)
	spend("web", "a", false)
	n, err = s.Sweep(t.Context(), start)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	spend("web", "a", true)
}
