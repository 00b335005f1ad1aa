// Package password hashes passwords with argon2id and checks passwords against
// such hashes. Hashes are strings in PHC form, so hashes of other programs work too.
package password

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"idpbridge/internal/normalize"
)

// MaxLength is the length in bytes of the longest password that can be hashed.
const MaxLength = 1024

// The cost of a new hash: 19 MiB, two passes, one lane. That is OWASP's first
// choice for argon2id (RFC 9106).
const (
	memoryKiB  = 19456
	passes     = 2
	lanes      = 1
	saltLength = 16
	hashLength = 32
)

// The most that a hash made elsewhere may cost.
const (
	maxMemoryKiB = 1 << 20
	maxPasses    = 16
)

// ErrFormat means that a string is not an argon2id hash in PHC form, or that it
// would cost more than 1 GiB or 16 passes to check.
var ErrFormat = errors.New("not an argon2id hash in PHC form")

// Hash hashes a password with a random salt and returns the hash in PHC form. The
// password must have 1 to MaxLength bytes. It is normalized first.
func Hash(password string) (string, error) {
	password = normalize.Password(password)
	if password == "" || len(password) > MaxLength {
		return "", fmt.Errorf("a password has 1 to %d bytes", MaxLength)
	}
	h := PHC{memory: memoryKiB, passes: passes, lanes: lanes, salt: make([]byte, saltLength)}
	_, _ = rand.Read(h.salt) // never fails (crypto/rand)
	h.sum = h.compute(password, hashLength)
	return h.String(), nil
}

// PHC is a parsed hash. The zero value matches no password; use Dummy to spend
// the usual time on one.
type PHC struct {
	memory, passes uint32 // memory is in KiB
	lanes          uint8
	salt, sum      []byte
}

// Cost is what a comparison with a hash costs.
type Cost struct {
	Memory uint32 // in KiB
	Passes uint32
	Lanes  uint8
}

// DefaultCost returns the cost of hashes from Hash.
func DefaultCost() Cost { return Cost{Memory: memoryKiB, Passes: passes, Lanes: lanes} }

// Work is the number of blocks that a comparison computes. With the same number of
// lanes, the time is about proportional to it.
func (c Cost) Work() uint64 { return uint64(c.Memory) * uint64(c.Passes) }

// The least that a hash may cost: the cheapest of OWASP's choices that are about as
// strong as the default (m=7168, t=5).
const (
	minMemoryKiB = 7168
	minWork      = minMemoryKiB * 5
)

// ErrWeak means that passwords can be guessed too fast if the hash is stolen.
var ErrWeak = errors.New("too cheap to guess; use at least m=19456,t=2,p=1")

// Check returns ErrWeak if the cost is below the minimum.
func (c Cost) Check() error {
	if c.Memory < minMemoryKiB || c.Work() < minWork {
		return ErrWeak
	}
	return nil
}

// Dummy returns a hash of that cost that no password is known to match. Check it if a
// user doesn't exist, so that the answer takes the same time as for one who does.
func Dummy(c Cost) PHC {
	return PHC{
		memory: c.Memory, passes: c.Passes, lanes: c.Lanes,
		salt: make([]byte, saltLength), sum: make([]byte, hashLength),
	}
}

// Parse reads a hash of the form $argon2id$v=19$m=…,t=…,p=…$salt$hash. The error
// is ErrFormat, which repeats nothing of phc.
func Parse(phc string) (PHC, error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return PHC{}, ErrFormat
	}
	var h PHC
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.lanes); err != nil {
		return PHC{}, ErrFormat
	}
	if parts[3] != h.formatCosts() { // such as a leading zero
		return PHC{}, ErrFormat
	}
	var errSalt, errSum error
	h.salt, errSalt = phcBase64().DecodeString(parts[4])
	h.sum, errSum = phcBase64().DecodeString(parts[5])
	if errSalt != nil || errSum != nil || len(h.salt) < 8 || len(h.sum) < 16 || len(h.sum) > 64 {
		return PHC{}, ErrFormat
	}
	if h.lanes < 1 || h.passes < 1 || h.passes > maxPasses || h.memory < 8*uint32(h.lanes) || h.memory > maxMemoryKiB {
		return PHC{}, ErrFormat
	}
	return h, nil
}

// Cost returns what a comparison costs.
func (h PHC) Cost() Cost { return Cost{Memory: h.memory, Passes: h.passes, Lanes: h.lanes} }

// Matches reports whether the hash was made from password, which the caller normalizes
// as Hash does. It compares in constant time.
func (h PHC) Matches(password string) bool {
	if len(h.sum) == 0 {
		return false
	}
	return subtle.ConstantTimeCompare(h.compute(password, len(h.sum)), h.sum) == 1
}

// String returns the hash in PHC form.
func (h PHC) String() string {
	return fmt.Sprintf("$argon2id$v=%d$%s$%s$%s", argon2.Version, h.formatCosts(),
		phcBase64().EncodeToString(h.salt), phcBase64().EncodeToString(h.sum))
}

func (h PHC) formatCosts() string { return fmt.Sprintf("m=%d,t=%d,p=%d", h.memory, h.passes, h.lanes) }

func (h PHC) compute(password string, length int) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, uint32(length)) //nolint:gosec // 16 to 64
}

// phcBase64 is the base64 of PHC strings: without padding and without stray bits,
// so that each hash has one spelling.
func phcBase64() *base64.Encoding { return base64.RawStdEncoding.Strict() }
