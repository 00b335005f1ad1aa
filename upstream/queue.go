package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
)

// ErrBusy means that too many comparisons are waiting, in total or from the address. The
// password was not compared.
var ErrBusy = errors.New("too many password comparisons are waiting")

// How many comparisons may wait for each that can run at the same time. With 40 ms for
// each comparison, no one waits for longer than 2.5 seconds.
const (
	queuedPerSlot           = 64
	queuedPerSlotAndAddress = 16
)

// queue lets a bounded number of comparisons run. The addresses take turns, so that one of
// them with many requests does not hold up the others.
type queue struct {
	maxTotal, maxPerAddress int

	mu      sync.Mutex
	free    int
	total   int                     // of waiting
	waiting map[string][]chan error // by address; gets nil when the comparison may start
	turns   []string                // the addresses in waiting, the next first
}

func newQueue(slots int) *queue {
	slots = max(1, slots)
	return &queue{
		free: slots, maxTotal: queuedPerSlot * slots, maxPerAddress: queuedPerSlotAndAddress * slots,
		waiting: map[string][]chan error{},
	}
}

// enter waits until a comparison may start. Without an error, call leave after it.
func (q *queue) enter(ctx context.Context, address string) error {
	if err := ctx.Err(); err != nil { // select would choose at random
		return fmt.Errorf("wait for a password comparison: %w", err)
	}
	address = networkOf(address)
	turn, err := q.takePlace(address)
	if turn == nil || err != nil {
		return err
	}
	select {
	case err := <-turn:
		return err
	case <-ctx.Done():
	}
	if !q.givePlaceUp(address, turn) && <-turn == nil {
		q.leave() // the turn had come meanwhile
	}
	return fmt.Errorf("wait for a password comparison: %w", ctx.Err())
}

// networkOf is the address that shares places in the queue: of IPv6 the /56 that one
// subscriber may have.
func networkOf(address string) string {
	prefix, err := netip.ParsePrefix(address)
	if err != nil || !prefix.Addr().Is6() {
		return address
	}
	return netip.PrefixFrom(prefix.Addr(), min(56, prefix.Bits())).Masked().String()
}

// takePlace returns nil if a comparison may start, or else what gets nil when it may.
func (q *queue) takePlace(address string) (turn chan error, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.free > 0 {
		q.free--
		return nil, nil
	}
	own, most := len(q.waiting[address]), q.maxPerAddress
	if address == "" {
		most = q.maxTotal / 2 // callers whose address is unknown have nothing in common
	}
	if own >= most || q.total >= q.maxTotal && !q.pushOut(own) {
		return nil, ErrBusy
	}
	if own == 0 {
		q.turns = append(q.turns, address)
	}
	turn = make(chan error, 1)
	q.waiting[address] = append(q.waiting[address], turn)
	q.total++
	return turn, nil
}

// pushOut makes room in a full queue for a caller whose address has so many waiting: the
// newest of the address with the most goes, if that has more even without it. So a few
// addresses cannot keep all others out.
func (q *queue) pushOut(own int) bool {
	longest := ""
	for address, waiting := range q.waiting {
		if len(waiting) > len(q.waiting[longest]) {
			longest = address
		}
	}
	waiting := q.waiting[longest]
	if len(waiting) <= own+1 {
		return false
	}
	waiting[len(waiting)-1] <- ErrBusy
	q.waiting[longest] = waiting[:len(waiting)-1]
	q.total--
	return true
}

// givePlaceUp returns false if the turn has come, or the place was taken away.
func (q *queue) givePlaceUp(address string, turn chan error) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting[address], turn)
	if i < 0 {
		return false
	}
	q.total--
	q.waiting[address] = slices.Delete(q.waiting[address], i, i+1)
	if len(q.waiting[address]) == 0 {
		delete(q.waiting, address)
		q.turns = slices.DeleteFunc(q.turns, func(other string) bool { return other == address })
	}
	return true
}

// leave lets the next comparison start.
func (q *queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.turns) == 0 {
		q.free++
		return
	}
	address := q.turns[0]
	q.turns = q.turns[1:]
	next := q.waiting[address][0]
	q.total--
	if rest := q.waiting[address][1:]; len(rest) > 0 {
		q.waiting[address] = rest
		q.turns = append(q.turns, address)
	} else {
		delete(q.waiting, address)
	}
	next <- nil
}
