// Package keys keeps the signing keys: their life from next to active to
// retiring, the signer, and the public key in every form that somebody takes.
// Read ring.go first. The package knows nothing of HTTP or SQL.
package keys

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// Config is what a Ring needs. Every field but Pinned and Generate is required.
type Config struct {
	Store      Store
	Secret     Secret           // 32 bytes; encrypts private keys at rest
	Algorithms []string         // RS256, ES256, at least one; each gets an active key
	Now        func() time.Time // dates what happens to keys
	// Pinned are the ids of keys that somebody has pasted elsewhere. Open refuses to
	// start without them, they sign for whoever names them (SignAs), and Retire
	// does not forget them.
	Pinned []string
	// Generate makes a private key; nil means RSA-2048 or P-256 in software. The
	// key must be one that PKCS #8 can hold, since the store keeps it that way.
	Generate func(algorithm string) (crypto.Signer, error)
}

// check says what is missing.
func (c Config) check() error {
	switch {
	case c.Store == nil:
		return errors.New("signing keys: no store")
	case len(c.Secret) != secretLength:
		return fmt.Errorf("signing keys: the instance secret has %d bytes; want %d", len(c.Secret), secretLength)
	case len(c.Algorithms) == 0:
		return errors.New("signing keys: no algorithm")
	case c.Now == nil:
		return errors.New("signing keys: no clock")
	}
	return nil
}

// Ring signs, and knows every published key. It answers from memory; Reload
// brings in what other instances changed. It is safe for concurrent use.
type Ring struct {
	cfg   Config
	state atomic.Pointer[snapshot]

	reading sync.Mutex // held while reading, so an older answer never replaces a newer one
}

// snapshot is the keys as of one moment; it never changes.
type snapshot struct {
	public  []PublicKey              // oldest first
	private map[string]crypto.Signer // by kid
	signers map[string]signer        // of the active keys, by algorithm
	pinned  map[string]signer        // of the pinned keys, by kid
}

type signer struct {
	public PublicKey
	jose   jose.Signer
}

// Open loads all keys and makes the first active key of each algorithm that has
// none; of two instances that do so at once one wins and both use its key. A key
// that the secret does not open is an error: nothing is replaced.
func Open(ctx context.Context, cfg Config) (*Ring, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Generate == nil {
		cfg.Generate = generate
	}
	r := &Ring{cfg: cfg}
	found, err := r.read(ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, alg := range cfg.Algorithms {
		if _, ok := found.signers[alg]; ok {
			continue
		}
		if _, err := r.add(ctx, alg, Active); err != nil {
			return nil, err
		}
	}
	r.state.Store(found)
	if err := r.Reload(ctx); err != nil {
		return nil, err
	}
	for _, id := range cfg.Pinned {
		if _, ok := r.Key(id); !ok {
			return nil, fmt.Errorf("pinned key %s is not in the database; restore it from a backup, or pin one that idp keys list shows", strconv.QuoteToASCII(id))
		}
	}
	return r, nil
}

// Reload reads the keys again, for other instances may have changed them. On
// error the ring keeps what it has; that an algorithm has lost its active key is
// an error too, so the key set is never empty.
func (r *Ring) Reload(ctx context.Context) error {
	r.reading.Lock()
	defer r.reading.Unlock()
	next, err := r.read(ctx, r.state.Load().private)
	if err != nil {
		return err
	}
	for _, alg := range r.cfg.Algorithms {
		if _, ok := next.signers[alg]; !ok {
			return fmt.Errorf("read signing keys: the store has no active %s key", alg)
		}
	}
	for _, id := range r.cfg.Pinned {
		if _, ok := next.pinned[id]; !ok && len(r.state.Load().pinned) > 0 {
			return fmt.Errorf("read signing keys: the store has lost the pinned key %s", id)
		}
	}
	r.state.Store(next)
	return nil
}

// read takes a snapshot of the store. Private keys that are known need not be
// decrypted again: a kid is the thumbprint of its key.
func (r *Ring) read(ctx context.Context, known map[string]crypto.Signer) (*snapshot, error) {
	records, err := r.cfg.Store.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	next := &snapshot{private: make(map[string]crypto.Signer), signers: make(map[string]signer), pinned: make(map[string]signer)}
	for _, record := range records {
		private, ok := known[record.ID]
		if !ok {
			if private, err = unseal(r.cfg.Secret, record); err != nil {
				return nil, err
			}
		}
		p := PublicKey{
			ID: record.ID, Algorithm: record.Algorithm, State: record.State,
			Created: record.Created, Changed: record.Changed, Key: private.Public(),
		}
		if algorithm, err := algorithmOf(p.Key); err != nil || algorithm != p.Algorithm {
			return nil, fmt.Errorf("signing key %s in the database cannot sign %s; restore the database from a backup", p.ID, p.Algorithm)
		}
		next.public = append(next.public, p)
		next.private[p.ID] = private
		pinned := slices.Contains(r.cfg.Pinned, p.ID)
		if p.State != Active && !pinned {
			continue
		}
		js, err := newSigner(p, private, TypeJWT)
		if err != nil {
			return nil, err
		}
		if p.State == Active {
			next.signers[p.Algorithm] = signer{public: p, jose: js}
		}
		if pinned {
			next.pinned[p.ID] = signer{public: p, jose: js}
		}
	}
	return next, nil
}

// newSigner prepares everything about a signature but the signature.
func newSigner(p PublicKey, private crypto.Signer, kind string) (jose.Signer, error) {
	key := jose.JSONWebKey{Key: cryptosigner.Opaque(private), KeyID: p.ID}
	js, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.SignatureAlgorithm(p.Algorithm), Key: key},
		(&jose.SignerOptions{}).WithType(jose.ContentType(kind)))
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", p.ID, err)
	}
	return js, nil
}

// The types of what is signed: the header typ (RFC 8725 section 3.11).
const (
	TypeJWT    = "JWT"
	TypeLogout = "logout+jwt" // OpenID Connect Back-Channel Logout section 2.4
)

// Sign returns the payload as a compact JWS with the header alg, kid and typ and
// no other member, signed by the active key of the algorithm: one signature (RFC
// 7515 section 7.1). It holds no lock. It does not look at the payload. An
// algorithm without an active key is an error.
func (r *Ring) Sign(algorithm, kind string, payload []byte) (string, error) {
	now := r.state.Load()
	s, ok := now.signers[algorithm]
	if !ok {
		return "", fmt.Errorf("sign: no active %s key", algorithm)
	}
	return s.sign(now, kind, payload)
}

// SignWithKey is Sign by the pinned key of that id, whatever state it is in. A key
// that is not pinned is an error.
func (r *Ring) SignWithKey(id, kind string, payload []byte) (string, error) {
	now := r.state.Load()
	s, ok := now.pinned[id]
	if !ok {
		return "", fmt.Errorf("sign: key %s is not pinned", id)
	}
	return s.sign(now, kind, payload)
}

func (s signer) sign(now *snapshot, kind string, payload []byte) (string, error) {
	js := s.jose
	if kind != TypeJWT { // too rare to be kept ready
		var err error
		if js, err = newSigner(s.public, now.private[s.public.ID], kind); err != nil {
			return "", err
		}
	}
	jws, err := js.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return jws.CompactSerialize()
}

// JWKS is the key set (RFC 7517 section 5): every key in whatever state, oldest
// first, public halves only. The caller may change it.
func (r *Ring) JWKS() jose.JSONWebKeySet {
	public := r.state.Load().public
	set := jose.JSONWebKeySet{Keys: make([]jose.JSONWebKey, 0, len(public))}
	for _, p := range public {
		set.Keys = append(set.Keys, p.jwk())
	}
	return set
}

// PublicKeys lists every published key, oldest first. The caller may change the
// list.
func (r *Ring) PublicKeys() []PublicKey { return slices.Clone(r.state.Load().public) }

// ActiveKey is the key that signs with the algorithm; its zero value where there
// is none.
func (r *Ring) ActiveKey(algorithm string) PublicKey { return r.state.Load().signers[algorithm].public }

// Algorithms are those that there is an active key for, RS256 first.
func (r *Ring) Algorithms() []string {
	var out []string
	for _, alg := range []string{"RS256", "ES256"} {
		if _, ok := r.state.Load().signers[alg]; ok {
			out = append(out, alg)
		}
	}
	return out
}

// Key finds a published key by its kid; false where there is none. Retiring keys
// are found too, so what they signed still verifies.
func (r *Ring) Key(id string) (PublicKey, bool) {
	for _, p := range r.state.Load().public {
		if p.ID == id {
			return p, true
		}
	}
	return PublicKey{}, false
}
