package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func testOwnership(t *testing.T, s Store) {
	owner, err := s.Owner(t.Context())
	require.NoError(t, err)
	require.Empty(t, owner)
	for _, name := range []string{"first", "second", "first"} {
		owner, err := s.ClaimOwnership(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, "first", owner, name)
	}
}
