package keys_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"idpbridge/keys"
)

func TestFixedKeys(t *testing.T) {
	t.Parallel()
	r := open(t, &memory{})
	set, err := json.MarshalIndent(r.JWKS(), "", "  ")
	require.NoError(t, err)
	golden(t, "jwks.golden", string(set)+"\n")
	for _, alg := range []string{"RS256", "ES256"} {
		k := r.ActiveKey(alg)
		golden(t, strings.ToLower(alg)+".pem.golden", k.PEM())
		golden(t, strings.ToLower(alg)+".line.golden", k.Base64()+"\n"+k.Fingerprint()+"\n")
	}
	token, err := r.Sign(t.Context(), "RS256", keys.TypeJWT, []byte(`{"sub":"1"}`))
	require.NoError(t, err)
	golden(t, "token.golden", token+"\n")
	for _, private := range []string{`"d"`, `"p"`, `"q"`, `"k"`} {
		require.NotContains(t, string(set), private)
	}
}

func TestSign(t *testing.T) {
	t.Parallel()
	r := open(t, &memory{})
	require.Equal(t, []string{"RS256", "ES256"}, r.Algorithms())
	for _, alg := range r.Algorithms() {
		token, err := r.Sign(t.Context(), alg, keys.TypeJWT, []byte(`{"sub":"1"}`))
		require.NoError(t, err)
		head, _, _ := strings.Cut(token, ".")
		raw, err := base64.RawURLEncoding.DecodeString(head)
		require.NoError(t, err)
		var header map[string]any
		require.NoError(t, json.Unmarshal(raw, &header))
		require.Equal(t, map[string]any{"alg": alg, "kid": r.ActiveKey(alg).ID, "typ": "JWT"}, header)

		jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
		require.NoError(t, err)
		key, ok := r.Key(jws.Signatures[0].Header.KeyID)
		require.True(t, ok)
		payload, err := jws.Verify(key.Key)
		require.NoError(t, err)
		require.JSONEq(t, `{"sub":"1"}`, string(payload))
	}
	_, err := r.Sign(t.Context(), "none", keys.TypeJWT, nil)
	require.ErrorContains(t, err, "no active none key")
}

func TestOpenConcurrently(t *testing.T) {
	t.Parallel()
	store := &memory{}
	rings := make([]*keys.Ring, 8)
	var wg sync.WaitGroup
	for i := range rings {
		wg.Go(func() {
			cfg := config(store)
			cfg.Algorithms = []string{"ES256"}
			r, err := keys.Open(t.Context(), cfg)
			if err == nil {
				rings[i] = r
			}
		})
	}
	wg.Wait()
	require.Len(t, store.records, 1)
	for _, r := range rings {
		require.NotNil(t, r)
		require.Equal(t, store.records[0].ID, r.ActiveKey("ES256").ID, "losers use the winner's key")
	}
}

func TestOpenKeepsExistingKeys(t *testing.T) {
	t.Parallel()
	store := &memory{}
	first := open(t, store)
	again, err := keys.Open(t.Context(), config(store))
	require.NoError(t, err)
	require.Equal(t, first.PublicKeys(), again.PublicKeys())
	for _, r := range store.records {
		require.NotContains(t, r.Sealed, r.ID, "the kid is in the protected header, encoded")
	}
}

func TestOpenRejects(t *testing.T) {
	t.Parallel()
	newStore := func() *memory { m := &memory{}; open(t, m); return m }
	down := errors.New("down")
	p384 := func(string) (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P384(), rand.Reader) }
	for name, c := range map[string]struct {
		change func(*keys.Config, *memory)
		want   string
	}{
		"another secret": {
			func(c *keys.Config, _ *memory) { c.Secret = keys.NewSecret([]byte(strings.Repeat("x", 32))) },
			"not the one that the database was created with",
		},
		"a short secret": {func(c *keys.Config, _ *memory) { c.Secret = keys.Secret{} }, "0 bytes; want 32"},
		"no store":       {func(c *keys.Config, _ *memory) { c.Store = nil }, "no store"},
		"no clock":       {func(c *keys.Config, _ *memory) { c.Now = nil }, "no clock"},
		"no algorithm":   {func(c *keys.Config, _ *memory) { c.Algorithms = nil }, "no algorithm"},
		"HS256":          {func(c *keys.Config, _ *memory) { c.Algorithms = []string{"HS256"} }, `"HS256" is neither`},
		"a P-384 key": {
			func(c *keys.Config, m *memory) { c.SetGenerator(p384); m.records = nil },
			"of another kind",
		},
		"a store that is down": {func(_ *keys.Config, m *memory) { m.err = down }, "down"},
		"keys exchanged": {func(_ *keys.Config, m *memory) {
			m.records[0].Sealed, m.records[1].Sealed = m.records[1].Sealed, m.records[0].Sealed
		}, "is damaged"},
		"an algorithm changed": {func(_ *keys.Config, m *memory) { m.records[0].Algorithm = "ES256" }, "cannot sign ES256"},
		"a damaged key":        {func(_ *keys.Config, m *memory) { m.records[0].Sealed = "x" }, "is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := newStore()
			cfg := config(store)
			c.change(&cfg, store)
			before := len(store.records)
			_, err := keys.Open(t.Context(), cfg)
			require.ErrorContains(t, err, c.want)
			require.Len(t, store.records, before, "nothing is replaced")
			if name == "another secret" {
				require.ErrorContains(t, err, store.records[0].ID)
			}
		})
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	store, now := &memory{}, start
	cfg := config(store)
	cfg.Algorithms, cfg.Now = []string{"ES256"}, func() time.Time { return now }
	r, err := keys.Open(t.Context(), cfg)
	require.NoError(t, err)
	other, err := keys.Open(t.Context(), cfg)
	require.NoError(t, err)
	step := func(want bool) func(bool, error) {
		return func(got bool, err error) {
			t.Helper()
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
	first := r.ActiveKey("ES256").ID
	token, err := r.Sign(t.Context(), "ES256", keys.TypeJWT, []byte("{}"))
	require.NoError(t, err)

	step(false)(r.Promote(t.Context(), "ES256"))
	now = now.Add(time.Hour)
	step(true)(r.AddNext(t.Context(), "ES256"))
	step(false)(other.AddNext(t.Context(), "ES256"))
	require.Len(t, r.JWKS().Keys, 2, "published before it signs")
	require.Equal(t, first, r.ActiveKey("ES256").ID)

	step(true)(r.Promote(t.Context(), "ES256"))
	step(false)(other.Promote(t.Context(), "ES256"))
	second := r.ActiveKey("ES256")
	require.NotEqual(t, first, second.ID)
	require.Equal(t, second, other.ActiveKey("ES256"), "the slower instance has reloaded")
	require.Equal(t, now, second.Changed)

	old, ok := r.Key(first)
	require.True(t, ok)
	require.Equal(t, keys.Retiring, old.State)
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	require.NoError(t, err)
	_, err = jws.Verify(old.Key)
	require.NoError(t, err)

	step(false)(r.Remove(t.Context(), second.ID))
	step(true)(r.Remove(t.Context(), first))
	_, ok = r.Key(first)
	require.False(t, ok)
	_, ok = other.Key(first)
	require.True(t, ok, "until the next Reload")
	require.NoError(t, other.Reload(t.Context()))
	require.Equal(t, r.PublicKeys(), other.PublicKeys())
}

func TestReloadKeepsKeysOnError(t *testing.T) {
	t.Parallel()
	store := &memory{}
	r := open(t, store)
	before := r.PublicKeys()
	store.err = errors.New("down")
	require.ErrorIs(t, r.Reload(t.Context()), store.err)
	_, err := r.Remove(t.Context(), "x")
	require.ErrorIs(t, err, store.err)
	_, err = r.AddNext(t.Context(), "ES256")
	require.ErrorIs(t, err, store.err)
	store.err, store.records = nil, nil
	require.ErrorContains(t, r.Reload(t.Context()), "no active RS256 key")
	require.Equal(t, before, r.PublicKeys(), "the key set is never empty")
	_, err = r.Sign(t.Context(), "RS256", keys.TypeJWT, nil)
	require.ErrorContains(t, err, "no active RS256 key", "a key that is not published does not sign")
}

func TestCallersCannotModifyRing(t *testing.T) {
	t.Parallel()
	r := open(t, &memory{})
	r.PublicKeys()[0], r.JWKS().Keys[0] = keys.PublicKey{}, jose.JSONWebKey{}
	require.NotEmpty(t, r.PublicKeys()[0].ID)
	require.NotEmpty(t, r.JWKS().Keys[0].KeyID)
}

func TestSignWhileRotating(t *testing.T) {
	t.Parallel()
	cfg := config(&memory{})
	cfg.Algorithms = []string{"ES256"}
	r, err := keys.Open(t.Context(), cfg)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				if _, err := r.Sign(t.Context(), "ES256", keys.TypeJWT, []byte("{}")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 5 {
		_, err1 := r.AddNext(t.Context(), "ES256")
		_, err2 := r.Promote(t.Context(), "ES256")
		require.NoError(t, errors.Join(err1, err2))
	}
	wg.Wait()
	require.Len(t, r.PublicKeys(), 6)
}

// TestRemovedKeyDoesNotSign: a ring whose keys another process has changed since its last
// Reload, as a running server's, signs with keys that are in the store.
func TestRemovedKeyDoesNotSign(t *testing.T) {
	t.Parallel()
	store := &memory{}
	server := open(t, store)
	command, err := keys.Open(t.Context(), config(store))
	require.NoError(t, err)
	old := server.ActiveKey("RS256").ID
	withdrawn, err := command.Withdraw(t.Context(), old)
	require.NoError(t, err)
	require.True(t, withdrawn, "an active key is replaced first")
	token, err := server.Sign(t.Context(), "RS256", keys.TypeJWT, []byte("{}"))
	require.NoError(t, err)
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	require.NoError(t, err)
	require.Equal(t, command.ActiveKey("RS256").ID, jws.Signatures[0].Header.KeyID)
	require.NotEqual(t, old, jws.Signatures[0].Header.KeyID)
	_, published := server.Key(old)
	require.False(t, published)
	withdrawn, err = command.Withdraw(t.Context(), old)
	require.NoError(t, err)
	require.False(t, withdrawn)
	store.err = errors.New("down")
	_, err = server.Sign(t.Context(), "RS256", keys.TypeJWT, nil)
	require.ErrorIs(t, err, store.err, "it is not known whether the key is still published")
}

func TestWithdrawnPinnedKeyDoesNotSign(t *testing.T) {
	t.Parallel()
	store := &memory{}
	pinned := open(t, store).ActiveKey("ES256").ID
	cfg := config(store)
	cfg.Pinned = []string{pinned}
	server, err := keys.Open(t.Context(), cfg)
	require.NoError(t, err)
	require.NoError(t, server.PinKeys(t.Context()))
	_, err = server.SignWithKey(t.Context(), pinned, keys.TypeJWT, nil)
	require.NoError(t, err)
	command, err := keys.Open(t.Context(), config(store))
	require.NoError(t, err)
	withdrawn, err := command.Withdraw(t.Context(), pinned)
	require.NoError(t, err)
	require.True(t, withdrawn)
	_, err = server.SignWithKey(t.Context(), pinned, keys.TypeJWT, nil)
	require.ErrorContains(t, err, "withdrawn")
	_, err = server.Sign(t.Context(), "ES256", keys.TypeJWT, nil)
	require.NoError(t, err, "other clients are not affected")
	require.ErrorContains(t, server.Reload(t.Context()), "lost the pinned key", "for the log")
}

func TestRemoveWaitsForTheLastToken(t *testing.T) {
	t.Parallel()
	now := start
	cfg := config(&memory{})
	cfg.Algorithms, cfg.TokenLifetime, cfg.Now = []string{"ES256"}, time.Hour, func() time.Time { return now }
	r, err := keys.Open(t.Context(), cfg)
	require.NoError(t, err)
	old := r.ActiveKey("ES256").ID
	_, err = r.AddNext(t.Context(), "ES256")
	require.NoError(t, err)
	now = now.Add(24 * time.Hour)
	promoted := now
	_, err = r.Promote(t.Context(), "ES256")
	require.NoError(t, err)
	for _, wait := range []time.Duration{0, time.Minute, time.Hour, 61*time.Minute - 1} {
		now = promoted.Add(wait)
		_, err = r.Remove(t.Context(), old)
		var inUse *keys.InUseError
		require.ErrorAs(t, err, &inUse)
		require.Equal(t, promoted.Add(61*time.Minute), inUse.Until)
	}
	now = promoted.Add(61 * time.Minute)
	removed, err := r.Remove(t.Context(), old)
	require.NoError(t, err)
	require.True(t, removed)
}
