package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/oidc"
)

func testSweep(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	require.NoError(t, s.StartSession(t.Context(), newSession("b", "ann")))
	longer := newSession("longer", "ann")
	longer.Expires = longer.Ends
	require.NoError(t, s.StartSession(t.Context(), longer))
	const many = 1100 // more than one batch
	for i := range many {
		require.NoError(t, s.RecordSignin(t.Context(), newSignin(fmt.Sprint(i), "", "ann")))
	}
	require.NoError(t, s.CloseSignin(t.Context(), "1"))
	_, _, err := s.RedeemCode(t.Context(), "0", start, 0)
	require.NoError(t, err)

	n, err := s.Sweep(t.Context(), start.Add(signinLife-time.Millisecond))
	require.NoError(t, err)
	require.Zero(t, n)
	_, _, err = s.RedeemCode(t.Context(), "0", start.Add(signinLife-time.Millisecond), 0)
	require.ErrorIs(t, err, oidc.ErrReplayed)
	n, err = s.Sweep(t.Context(), start.Add(signinLife))
	require.NoError(t, err)
	require.Equal(t, many+1, n)
	_, _, err = s.FindSession(t.Context(), "longer", start)
	require.NoError(t, err)
}
