package upstream

import (
	"maps"
	"slices"
	"sync"

	"idpbridge/internal/password"
)

// work makes every comparison cost the same, whatever the hash of the account costs and
// whether there is one. How fast lanes are computed depends on the machine, so each
// number of lanes counts for itself: a comparison spends the cost of the most expensive
// hash of each.
type work struct {
	mu   sync.Mutex
	most map[uint8]password.Cost // by lanes
}

// include counts a hash of that cost.
func (w *work) include(cost password.Cost) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.most == nil {
		w.most = map[uint8]password.Cost{}
	}
	if cost.Work() > w.most[cost.Lanes].Work() {
		w.most[cost.Lanes] = cost
	}
}

// costs returns the most expensive cost of each number of lanes.
func (w *work) costs() []password.Cost {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.most) == 0 {
		return []password.Cost{password.DefaultCost()}
	}
	out := make([]password.Cost, 0, len(w.most))
	for _, lanes := range slices.Sorted(maps.Keys(w.most)) {
		out = append(out, w.most[lanes])
	}
	return out
}

// hashes returns what to compare with: the hash of the account, if it is not the zero
// value, and dummies that make up for the difference.
func (w *work) hashes(account password.PHC) []password.PHC {
	own := account.Cost()
	known := own.Work() > 0
	if known {
		w.include(own) // another instance may have stored it
	}
	var out []password.PHC
	for _, cost := range w.costs() {
		if known && cost.Lanes == own.Lanes {
			out = append(out, account)
			missing := (cost.Work() - own.Work()) / uint64(cost.Passes)
			if missing == 0 {
				continue
			}
			cost.Memory = uint32(max(missing, 8*uint64(cost.Lanes))) //nolint:gosec // at most the memory of cost
		}
		out = append(out, password.Dummy(cost))
	}
	return out
}
