// Package keys keeps the signing keys: their life from next to active to
// retiring, the signer, and the public key in every form that somebody takes.
// Read ring.go first. The package knows nothing of HTTP or SQL.
package keys

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// Config is what a Ring needs.
type Config struct {
	Store      Store
	Secret     Secret
	Algorithms []string // RS256, ES256; each gets an active key
	Now        func() time.Time
	// Generate makes a private key; nil means RSA-2048 or P-256 in software.
	Generate func(algorithm string) (crypto.Signer, error)
}

// Ring signs, and knows every published key. It answers from memory; Reload
// brings in what other instances changed. It is safe for concurrent use.
type Ring struct {
	cfg   Config
	state atomic.Pointer[snapshot]
}

// snapshot is the keys as of one moment; it never changes.
type snapshot struct {
	public  []Public // oldest first
	signers map[string]signer
	set     jose.JSONWebKeySet
}

type signer struct {
	public Public
	jose   jose.Signer
}

// Open loads all keys and makes the first active key of each algorithm that has
// none. A key that the secret does not open is an error: nothing is replaced.
func Open(ctx context.Context, cfg Config) (*Ring, error) {
	if cfg.Generate == nil {
		cfg.Generate = generate
	}
	r := &Ring{cfg: cfg}
	if err := r.Reload(ctx); err != nil {
		return nil, err
	}
	for _, alg := range cfg.Algorithms {
		if _, ok := r.state.Load().signers[alg]; ok {
			continue
		}
		if _, err := r.add(ctx, alg, Active); err != nil {
			return nil, err
		}
	}
	return r, r.Reload(ctx)
}

// Reload reads the keys again. On error the ring keeps what it has.
func (r *Ring) Reload(ctx context.Context) error {
	records, err := r.cfg.Store.Keys(ctx)
	if err != nil {
		return fmt.Errorf("read signing keys: %w", err)
	}
	next := &snapshot{signers: make(map[string]signer)}
	for _, record := range records {
		private, err := unwrap(r.cfg.Secret, record)
		if err != nil {
			return err
		}
		p := Public{
			ID: record.ID, Algorithm: record.Algorithm, State: record.State,
			Created: record.Created, Changed: record.Changed, Key: private.Public(),
		}
		next.public = append(next.public, p)
		next.set.Keys = append(next.set.Keys, p.JWK())
		if record.State != Active {
			continue
		}
		js, err := jose.NewSigner(
			jose.SigningKey{Algorithm: jose.SignatureAlgorithm(p.Algorithm), Key: jose.JSONWebKey{Key: cryptosigner.Opaque(private), KeyID: p.ID}},
			(&jose.SignerOptions{}).WithType("JWT"))
		if err != nil {
			return fmt.Errorf("signing key %s: %w", p.ID, err)
		}
		next.signers[p.Algorithm] = signer{public: p, jose: js}
	}
	r.state.Store(next)
	return nil
}

// Sign returns the payload as a compact JWS with the header alg, kid and typ
// JWT, signed by the active key of the algorithm: one signature.
func (r *Ring) Sign(algorithm string, payload []byte) (string, error) {
	s, ok := r.state.Load().signers[algorithm]
	if !ok {
		return "", fmt.Errorf("sign: no active %s key", algorithm)
	}
	jws, err := s.jose.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return jws.CompactSerialize()
}

// JWKS is the key set: every key in whatever state, public halves only.
func (r *Ring) JWKS() jose.JSONWebKeySet { return r.state.Load().set }

// Public lists every published key, oldest first.
func (r *Ring) Public() []Public { return append([]Public(nil), r.state.Load().public...) }

// Active is the key that signs with the algorithm; its zero value where there
// is none.
func (r *Ring) Active(algorithm string) Public { return r.state.Load().signers[algorithm].public }

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

// Key finds a published key by its kid.
func (r *Ring) Key(id string) (Public, bool) {
	for _, p := range r.state.Load().public {
		if p.ID == id {
			return p, true
		}
	}
	return Public{}, false
}

// Prepare publishes a key that will sign next. It returns false where one
// waits already.
func (r *Ring) Prepare(ctx context.Context, algorithm string) (bool, error) {
	added, err := r.add(ctx, algorithm, Next)
	return added, errors.Join(err, r.Reload(ctx))
}

// Promote lets the next key sign and the active one retire, both or neither.
// It returns false where no key waits or another instance was faster.
func (r *Ring) Promote(ctx context.Context, algorithm string) (bool, error) {
	next := ""
	for _, p := range r.Public() {
		if p.Algorithm == algorithm && p.State == Next {
			next = p.ID
		}
	}
	if next == "" {
		return false, nil
	}
	moved, err := r.cfg.Store.RotateKeys(ctx, next, r.Active(algorithm).ID, r.cfg.Now())
	return moved, errors.Join(err, r.Reload(ctx))
}

// Retire forgets a retiring key: what it signed verifies no longer.
func (r *Ring) Retire(ctx context.Context, id string) (bool, error) {
	gone, err := r.cfg.Store.RemoveKey(ctx, id)
	return gone, errors.Join(err, r.Reload(ctx))
}

func (r *Ring) add(ctx context.Context, algorithm string, state State) (bool, error) {
	private, err := r.cfg.Generate(algorithm)
	if err != nil {
		return false, fmt.Errorf("make %s key: %w", algorithm, err)
	}
	id, err := thumbprint(private.Public())
	if err != nil {
		return false, err
	}
	sealed, err := wrap(r.cfg.Secret, id, private)
	if err != nil {
		return false, err
	}
	now := r.cfg.Now()
	added, err := r.cfg.Store.AddKey(ctx, Record{ID: id, Algorithm: algorithm, State: state, Sealed: sealed, Created: now, Changed: now})
	if err != nil {
		return false, fmt.Errorf("keep signing key: %w", err)
	}
	return added, nil
}

func generate(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case "RS256":
		return rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return nil, fmt.Errorf("algorithm %q is neither RS256 nor ES256", algorithm)
}

const purposeAtRest = "signing key at rest"

// wrap encrypts a private key (JWE dir, A256GCM); its kid is authenticated too.
func wrap(secret Secret, id string, private crypto.Signer) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", fmt.Errorf("encode private key: %w", err)
	}
	enc, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.DIRECT, Key: secret.Derive(purposeAtRest), KeyID: id}, nil)
	if err != nil {
		return "", fmt.Errorf("encrypt private key: %w", err)
	}
	box, err := enc.Encrypt(der)
	if err != nil {
		return "", fmt.Errorf("encrypt private key: %w", err)
	}
	return box.CompactSerialize()
}

func unwrap(secret Secret, record Record) (crypto.Signer, error) {
	box, err := jose.ParseEncryptedCompact(record.Sealed, []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil || box.Header.KeyID != record.ID {
		return nil, fmt.Errorf("signing key %s in the database is damaged; restore the database from a backup", record.ID)
	}
	der, err := box.Decrypt(secret.Derive(purposeAtRest))
	if err != nil {
		return nil, fmt.Errorf("signing key %s does not open: the instance secret is not the one that this database was made with", record.ID)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", record.ID, err)
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("signing key %s cannot sign", record.ID)
	}
	if id, err := thumbprint(private.Public()); err != nil || id != record.ID {
		return nil, fmt.Errorf("signing key %s in the database is another key", record.ID)
	}
	return private, nil
}
