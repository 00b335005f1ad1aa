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
// password must have 1 to MaxLength bytes.
func Hash(password string) (string, error) {
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

// Dummy returns a hash that costs as much as one from Hash and that no password is
// known to match. Check it if a user doesn't exist, so that the answer takes the
// same time as for one who does.
func Dummy() PHC {
	return PHC{
		memory: memoryKiB, passes: passes, lanes: lanes,
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

// Matches reports whether the hash was made from password. It compares in
// constant time.
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
