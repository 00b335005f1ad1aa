// Package keys manages signing keys: their life cycle from next to active to retiring,
// signing, and the public keys in every format that clients need. It also encrypts
// tokens. Read ring.go first. The package does not deal with HTTP or SQL.
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

// Config configures a Ring. All fields except Pinned and TokenLifetime are required.
type Config struct {
	Store      Store
	Secret     Secret           // 32 bytes; encrypts private keys at rest
	Algorithms []string         // RS256, ES256 or both; each gets an active key
	Now        func() time.Time // the clock for changes of keys
	// Pinned are the ids of keys that were pasted into a client's configuration. Open
	// fails if one is missing, SignWithKey signs with them, and Remove rejects them.
	Pinned []string
	// TokenLifetime is the lifetime of the longest-lived token that the keys sign: Remove
	// keeps a retiring key for so long.
	TokenLifetime time.Duration

	// generate generates a private key. Tests replace generateKey.
	generate func(algorithm string) (crypto.Signer, error)
}

// validate checks the required fields.
func (c Config) validate() error {
	if c.Store == nil {
		return errors.New("signing keys: no store")
	}
	if length := len(c.Secret.Reveal()); length != secretLength {
		return fmt.Errorf("signing keys: the instance secret has %d bytes; want %d", length, secretLength)
	}
	if len(c.Algorithms) == 0 {
		return errors.New("signing keys: no algorithm")
	}
	if c.Now == nil {
		return errors.New("signing keys: no clock")
	}
	return nil
}

// Ring signs and lists the published keys. It keeps all keys in memory; Reload reads
// changes by other instances. It is safe for concurrent use.
type Ring struct {
	cfg   Config
	state atomic.Pointer[snapshot]

	reading sync.Mutex // held by Reload, so an older snapshot never replaces a newer one
}

// snapshot holds the keys at one moment. It never changes.
type snapshot struct {
	public        []PublicKey              // oldest first
	private       map[string]crypto.Signer // by kid
	activeSigners map[string]signer        // of the active keys, by algorithm
	pinnedSigners map[string]signer        // of the pinned keys, by kid
}

// signer signs with one key.
type signer struct {
	public  PublicKey
	private crypto.Signer
	jwt     jose.Signer // for TypeJWT; other types are too rare to keep a signer
}

// Open loads all keys and creates the first active key of each algorithm that has none.
// If two instances do so at once, one wins and both use its key. Open fails if the
// secret cannot decrypt a key, and never replaces one.
func Open(ctx context.Context, cfg Config) (*Ring, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.generate == nil {
		cfg.generate = generateKey
	}
	r := &Ring{cfg: cfg}
	found, err := r.readSnapshot(ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, alg := range cfg.Algorithms {
		if _, ok := found.activeSigners[alg]; ok {
			continue
		}
		if _, err := r.createKey(ctx, alg, Active); err != nil {
			return nil, err
		}
	}
	r.state.Store(found)
	if err := r.Reload(ctx); err != nil && !errors.Is(err, errPinnedKeyLost) {
		return nil, err
	}
	for _, id := range cfg.Pinned {
		if _, ok := r.Key(id); !ok {
			return nil, fmt.Errorf("pinned key %s is not in the database; "+
				"restore it from a backup, or pin one that idp keys list shows", strconv.QuoteToASCII(id))
		}
	}
	return r, nil
}

// errPinnedKeyLost means that a pinned key was withdrawn. Tokens of the clients that pin
// it can no longer be signed.
var errPinnedKeyLost = errors.New("read signing keys: the store has lost the pinned key")

// Reload reads the keys again, since other instances may have changed them. On error
// the ring keeps its keys. It is an error if an algorithm no longer has an active key, so
// the key set is never empty. If a pinned key is gone, the ring gives it up and Reload
// returns an error as well.
func (r *Ring) Reload(ctx context.Context) error {
	r.reading.Lock()
	defer r.reading.Unlock()
	next, err := r.readSnapshot(ctx, r.state.Load().private)
	if err != nil {
		return err
	}
	for _, alg := range r.cfg.Algorithms {
		if _, ok := next.activeSigners[alg]; !ok {
			return fmt.Errorf("read signing keys: the store has no active %s key", alg)
		}
	}
	r.state.Store(next)
	for _, id := range r.cfg.Pinned {
		if _, ok := next.pinnedSigners[id]; !ok {
			return fmt.Errorf("%w %s; pin another key or remove pinned_key, and restart the server", errPinnedKeyLost, id)
		}
	}
	return nil
}

// Refresh reads the keys again if their states in the store differ. It is cheap enough
// to be called for each request.
func (r *Ring) Refresh(ctx context.Context) error {
	_, err := r.refreshStates(ctx)
	return err
}

// refreshStates is Refresh and returns the states in the store.
func (r *Ring) refreshStates(ctx context.Context) (map[string]State, error) {
	states, err := r.cfg.Store.KeyStates(ctx)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	if r.state.Load().hasStates(states) {
		return states, nil
	}
	if err := r.Reload(ctx); err != nil && !errors.Is(err, errPinnedKeyLost) {
		return states, err
	}
	return states, nil
}

// hasStates reports whether the keys have these states.
func (s *snapshot) hasStates(states map[string]State) bool {
	if len(s.public) != len(states) {
		return false
	}
	return !slices.ContainsFunc(s.public, func(p PublicKey) bool { return states[p.ID] != p.State })
}

// readSnapshot reads all keys from the store. Known private keys are not decrypted
// again, because a kid is the thumbprint of its key.
func (r *Ring) readSnapshot(ctx context.Context, known map[string]crypto.Signer) (*snapshot, error) {
	records, err := r.cfg.Store.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	next := &snapshot{
		private:       make(map[string]crypto.Signer),
		activeSigners: make(map[string]signer),
		pinnedSigners: make(map[string]signer),
	}
	for _, record := range records {
		public, private, err := r.openRecord(record, known[record.ID])
		if err != nil {
			return nil, err
		}
		next.public = append(next.public, public)
		next.private[public.ID] = private
		pinned := slices.Contains(r.cfg.Pinned, public.ID)
		if public.State != Active && !pinned {
			continue
		}
		jwt, err := newJOSESigner(public, private, TypeJWT)
		if err != nil {
			return nil, err
		}
		s := signer{public: public, private: private, jwt: jwt}
		if public.State == Active {
			next.activeSigners[public.Algorithm] = s
		}
		if pinned {
			next.pinnedSigners[public.ID] = s
		}
	}
	return next, nil
}

// openRecord returns both halves of a stored key. It decrypts the private key unless it is
// known.
func (r *Ring) openRecord(record Record, known crypto.Signer) (PublicKey, crypto.Signer, error) {
	private := known
	if private == nil {
		var err error
		if private, err = decryptKey(r.cfg.Secret, record); err != nil {
			return PublicKey{}, nil, err
		}
	}
	public := PublicKey{
		ID: record.ID, Algorithm: record.Algorithm, State: record.State,
		Created: record.Created, Changed: record.Changed, Key: private.Public(),
	}
	if algorithm, err := algorithmFor(public.Key); err != nil || algorithm != public.Algorithm {
		return PublicKey{}, nil, fmt.Errorf("signing key %s in the database cannot sign %s; "+
			"restore the database from a backup", public.ID, public.Algorithm)
	}
	return public, private, nil
}

// newJOSESigner returns a signer that writes typ and the key's kid into the header.
func newJOSESigner(public PublicKey, private crypto.Signer, typ string) (jose.Signer, error) {
	key := jose.JSONWebKey{Key: cryptosigner.Opaque(private), KeyID: public.ID}
	js, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.SignatureAlgorithm(public.Algorithm), Key: key},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", public.ID, err)
	}
	return js, nil
}

// Values of the header typ (RFC 8725 section 3.11).
const (
	TypeJWT    = "JWT"
	TypeLogout = "logout+jwt" // OpenID Connect Back-Channel Logout section 2.4
)

// Sign returns the payload as a compact JWS (RFC 7515 section 7.1), signed by the active
// key of the algorithm. The header has only alg, kid and typ. Sign does not
// look at the payload. It fails if the algorithm has no active key. It asks the store
// first, so a key that another process has removed or replaced does not sign any more.
func (r *Ring) Sign(ctx context.Context, algorithm, typ string, payload []byte) (string, error) {
	states, err := r.refreshStates(ctx)
	s, ok := r.state.Load().activeSigners[algorithm]
	if !ok {
		return "", errors.Join(err, fmt.Errorf("sign: no active %s key", algorithm))
	}
	// The keys could not be read again, but the active key is still the same.
	if err != nil && states[s.public.ID] != Active {
		return "", fmt.Errorf("sign: %w", err)
	}
	return s.signPayload(typ, payload)
}

// SignWithKey is like Sign, but signs with the pinned key of that id in any state. It
// fails if the key is not pinned.
func (r *Ring) SignWithKey(ctx context.Context, id, typ string, payload []byte) (string, error) {
	states, err := r.refreshStates(ctx)
	s, ok := r.state.Load().pinnedSigners[id]
	if !ok {
		return "", errors.Join(err, fmt.Errorf("sign: key %s is not pinned, or was withdrawn", id))
	}
	if err != nil && states[id] == "" {
		return "", fmt.Errorf("sign: %w", err)
	}
	return s.signPayload(typ, payload)
}

func (s signer) signPayload(typ string, payload []byte) (string, error) {
	js := s.jwt
	if typ != TypeJWT {
		var err error
		if js, err = newJOSESigner(s.public, s.private, typ); err != nil {
			return "", err
		}
	}
	jws, err := js.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return jws.CompactSerialize()
}

// JWKS returns the key set (RFC 7517 section 5): the public half of every key in any
// state, oldest first. The caller may change it.
func (r *Ring) JWKS() jose.JSONWebKeySet {
	public := r.state.Load().public
	set := jose.JSONWebKeySet{Keys: make([]jose.JSONWebKey, 0, len(public))}
	for _, p := range public {
		set.Keys = append(set.Keys, p.jwk())
	}
	return set
}

// PublicKeys returns every published key, oldest first. The caller may change the
// slice.
func (r *Ring) PublicKeys() []PublicKey { return slices.Clone(r.state.Load().public) }

// ActiveKey returns the key that signs with the algorithm, or the zero value if there is
// none.
func (r *Ring) ActiveKey(algorithm string) PublicKey {
	return r.state.Load().activeSigners[algorithm].public
}

// Algorithms returns the algorithms that have an active key, RS256 first.
func (r *Ring) Algorithms() []string {
	var out []string
	for _, alg := range []string{"RS256", "ES256"} {
		if _, ok := r.state.Load().activeSigners[alg]; ok {
			out = append(out, alg)
		}
	}
	return out
}

// Key returns the published key with that kid, or false if there is none. It finds
// retiring keys too, so their signatures still verify.
func (r *Ring) Key(id string) (PublicKey, bool) {
	for _, p := range r.state.Load().public {
		if p.ID == id {
			return p, true
		}
	}
	return PublicKey{}, false
}
