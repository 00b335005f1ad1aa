package upstream

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAddressesTakeTurns: an address with many requests is refused beyond its share, and
// another one does not wait for all of them.
func TestAddressesTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1)
		require.NoError(t, q.enter(t.Context(), "running"))
		var order []string
		enter := func(ctx context.Context, address string) {
			go func() {
				if q.enter(ctx, address) == nil {
					order = append(order, address)
					q.leave()
				}
			}()
			synctest.Wait()
		}
		for range queuedPerSlotAndAddress {
			enter(t.Context(), "many")
		}
		require.ErrorIs(t, q.enter(t.Context(), "many"), ErrBusy)
		canceled, cancel := context.WithCancel(t.Context())
		enter(canceled, "gone")
		enter(t.Context(), "one")
		cancel()
		synctest.Wait()
		q.leave()
		synctest.Wait()
		require.Equal(t, []string{"many", "one", "many"}, order[:3])
		require.Len(t, order, queuedPerSlotAndAddress+1)
		require.Equal(t, 1, q.free)
		require.Empty(t, q.waiting)
		require.Empty(t, q.turns)
		require.Zero(t, q.total)
	})
}

func TestQueueIsBoundedInTotal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1)
		require.NoError(t, q.enter(t.Context(), ""))
		for range queuedPerSlot / 2 { // their addresses are unknown
			go func() { assert.NoError(t, q.enter(t.Context(), "")) }()
		}
		synctest.Wait()
		require.ErrorIs(t, q.enter(t.Context(), ""), ErrBusy, "they share half of the places")
		for i := range queuedPerSlot / 2 {
			go func() { assert.NoError(t, q.enter(t.Context(), strconv.Itoa(i))) }()
		}
		synctest.Wait()
		require.ErrorIs(t, q.enter(t.Context(), ""), ErrBusy)
		for range queuedPerSlot + 1 {
			q.leave()
			synctest.Wait()
		}
		require.NoError(t, q.enter(t.Context(), "another"))
	})
}

// TestFewAddressesCannotKeepOthersOut fills the queue from some addresses. A caller from
// another one still gets a place, and the newest of the longest line loses it.
func TestFewAddressesCannotKeepOthersOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1)
		require.NoError(t, q.enter(t.Context(), "running"))
		var served []string
		refused := 0
		enter := func(address string) {
			go func() {
				if q.enter(t.Context(), address) != nil {
					refused++
					return
				}
				served = append(served, address)
				q.leave()
			}()
			synctest.Wait()
		}
		for _, address := range []string{"a", "b", "c", "2001:db8:1:200::/64", "2001:db8:1:2ff::/64"} {
			for range queuedPerSlotAndAddress {
				enter(address)
			}
		}
		require.Equal(t, queuedPerSlot, q.total)
		require.Equal(t, queuedPerSlotAndAddress, refused, "one subscriber's networks share their places")
		for _, honest := range []string{"x", "y", "z"} {
			enter(honest)
		}
		require.Equal(t, queuedPerSlotAndAddress+3, refused)
		require.Equal(t, queuedPerSlot, q.total)
		q.leave()
		synctest.Wait()
		require.Subset(t, served[:7], []string{"x", "y", "z"}, "they wait for one turn of each address")
		require.Zero(t, q.total)
		require.Equal(t, 1, q.free)
	})
}
