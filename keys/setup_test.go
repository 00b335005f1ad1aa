package keys_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/keys"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

var secret = keys.NewSecret([]byte(strings.Repeat("s", 32)))

// memory is a keys.Store in memory.
type memory struct {
	mu      sync.Mutex
	records []keys.Record
	pins    []string
	err     error // returned by every method, if set
}

func (m *memory) Keys(context.Context) ([]keys.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.records), m.err
}

func (m *memory) AddKey(_ context.Context, r keys.Record) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.records {
		if k.ID == r.ID || k.Algorithm == r.Algorithm && k.State == r.State {
			return false, m.err
		}
	}
	if m.err != nil {
		return false, m.err
	}
	m.records = append(m.records, r)
	return true, nil
}

func (m *memory) find(id string, state keys.State) int {
	return slices.IndexFunc(m.records, func(r keys.Record) bool { return r.ID == id && r.State == state })
}

func (m *memory) RotateKeys(_ context.Context, next, active string, at time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, a := m.find(next, keys.Next), m.find(active, keys.Active)
	if m.err != nil || n < 0 || a < 0 {
		return false, m.err
	}
	m.records[n].State, m.records[n].Changed = keys.Active, at
	m.records[a].State, m.records[a].Changed = keys.Retiring, at
	return true, nil
}

func (m *memory) RemoveKey(_ context.Context, id string, since time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.find(id, keys.Retiring)
	if m.err != nil || i < 0 {
		return false, m.err
	}
	if slices.Contains(m.pins, id) {
		return false, keys.ErrPinned
	}
	if m.records[i].Changed.After(since) {
		return false, nil
	}
	m.records = slices.Delete(m.records, i, i+1)
	return true, nil
}

func (m *memory) WithdrawKey(_ context.Context, id string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := max(m.find(id, keys.Retiring), m.find(id, keys.Next))
	if m.err != nil || i < 0 {
		return false, m.err
	}
	m.records = slices.Delete(m.records, i, i+1)
	m.pins = slices.DeleteFunc(m.pins, func(pin string) bool { return pin == id })
	return true, nil
}

func (m *memory) KeyStates(context.Context) (map[string]keys.State, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	states := map[string]keys.State{}
	for _, r := range m.records {
		states[r.ID] = r.State
	}
	return states, m.err
}

func (m *memory) PinKeys(_ context.Context, ids []string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, r := range m.records {
		if r.State == keys.Retiring && slices.Contains(m.pins, r.ID) && !slices.Contains(ids, r.ID) {
			m.records[i].Changed = at
		}
	}
	m.pins = slices.Clone(ids)
	return m.err
}

// fixed returns the private key in testdata for an algorithm.
func fixed(algorithm string) (crypto.Signer, error) {
	text, err := os.ReadFile(filepath.Join("testdata", strings.ToLower(algorithm)+".pem"))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	return key.(crypto.Signer), nil
}

func config(store keys.Store) keys.Config {
	return keys.Config{
		Store: store, Secret: secret, Algorithms: []string{"RS256", "ES256"},
		Now: func() time.Time { return start },
	}
}

// open returns a ring with the fixed keys.
func open(t testing.TB, store keys.Store) *keys.Ring {
	t.Helper()
	cfg := config(store)
	cfg.SetGenerator(fixed)
	r, err := keys.Open(t.Context(), cfg)
	require.NoError(t, err)
	return r
}

func read(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return string(text)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(filepath.Join("testdata", name), []byte(got), 0o600))
	}
	require.Equal(t, read(t, name), got)
}
