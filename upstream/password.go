package upstream

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The cost of a new hash: 19 MiB, two passes, one lane (OWASP's first choice
// for argon2id; RFC 9106).
const (
	memoryKiB  = 19456
	passes     = 2
	lanes      = 1
	saltLength = 16
	hashLength = 32
)

// The most that a hash from a people file may cost.
const (
	mostMemoryKiB = 1 << 20
	mostPasses    = 16
)

var errHash = errors.New("not an argon2id hash in PHC form; make one with idp people hash")

var phc = base64.RawStdEncoding.Strict() //nolint:gochecknoglobals // read only

// HashPassword returns the argon2id hash of a password in PHC form, with a salt
// of its own. An empty password and one of more than 1024 bytes are errors.
func HashPassword(password string) (string, error) {
	if password == "" || len(password) > longestPassword {
		return "", fmt.Errorf("a password has 1 to %d bytes", longestPassword)
	}
	salt := make([]byte, saltLength)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	return formatHash(salt, argon2.IDKey([]byte(password), salt, passes, memoryKiB, lanes, hashLength)), nil
}

func formatHash(salt, hash []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memoryKiB, passes, lanes,
		phc.EncodeToString(salt), phc.EncodeToString(hash))
}

// CheckHash returns an error unless the text is an argon2id hash in PHC form that
// costs no more than 1 GiB and 16 passes. It computes nothing.
func CheckHash(hash string) error {
	_, err := parseHash(hash)
	return err
}

// parsedHash is a hash in PHC form, taken apart; memory is in KiB.
type parsedHash struct {
	memory, passes uint32
	lanes          uint8
	salt, hash     []byte
}

func parseHash(text string) (parsedHash, error) {
	var p parsedHash
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.lanes); err != nil {
		return p, errHash
	}
	if parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", p.memory, p.passes, p.lanes) {
		return p, errHash
	}
	var err1, err2 error
	p.salt, err1 = phc.DecodeString(parts[4])
	p.hash, err2 = phc.DecodeString(parts[5])
	if err := errors.Join(err1, err2); err != nil || len(p.salt) < 8 || len(p.hash) < 16 || len(p.hash) > 64 {
		return p, errHash
	}
	if p.memory < 8*uint32(p.lanes) || p.memory > mostMemoryKiB || p.passes < 1 || p.passes > mostPasses || p.lanes < 1 {
		return p, errHash
	}
	return p, nil
}

// verify compares in constant time. An error says that the hash is no hash.
func verify(hash, password string) (bool, error) {
	p, err := parseHash(hash)
	if err != nil {
		return false, err
	}
	got := argon2.IDKey([]byte(password), p.salt, p.passes, p.memory, p.lanes, uint32(len(p.hash))) //nolint:gosec // 16 to 64
	return subtle.ConstantTimeCompare(got, p.hash) == 1, nil
}
