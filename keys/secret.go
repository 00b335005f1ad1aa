package keys

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"idpbridge/internal/filemode"
	"idpbridge/internal/secret"
)

// secretLength is the length of an instance secret in bytes.
const secretLength = 32

// Secret is the instance secret: 32 random bytes that encrypt the signing keys and that
// all other keys are derived from. All instances with the same database share it.
// It never prints.
type Secret struct{ secret.Value }

// NewSecret returns the secret of 32 bytes.
func NewSecret(raw []byte) Secret { return Secret{secret.New(string(raw))} }

// Derive returns the 32-byte key for one purpose (HKDF-SHA-256, RFC 5869).
func (s Secret) Derive(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, []byte(s.Reveal()), nil, "idp "+purpose, secretLength)
	if err != nil {
		panic("keys: " + err.Error()) // fails only for an absurd length
	}
	return key
}

// ParseSecret reads 64 hexadecimal characters. Errors never quote the text.
func ParseSecret(text string) (Secret, error) {
	raw, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(raw) != secretLength {
		return Secret{}, errors.New("the instance secret is not 64 hexadecimal characters; " +
			"create one with: openssl rand -hex 32")
	}
	return NewSecret(raw), nil
}

// LoadSecret reads the secret from a file of 64 hexadecimal characters and a newline. It
// creates the file if it does not exist, and never overwrites one. Errors name the file
// and say what to do.
func LoadSecret(path string) (Secret, error) {
	s, err := readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	if err := writeSecret(path); err != nil {
		return Secret{}, fmt.Errorf("create instance secret %s: %w; its folder must exist and be writable", path, err)
	}
	return readSecret(path)
}

func readSecret(path string) (Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return Secret{}, fmt.Errorf("instance secret: %w; the user that runs idp must be able to read the file", err)
	}
	defer func() { _ = f.Close() }()
	// Stat the open file, not the path, which may name another file by now.
	info, err := f.Stat()
	if err != nil {
		return Secret{}, fmt.Errorf("instance secret: %w", err)
	}
	if !info.Mode().IsRegular() {
		return Secret{}, fmt.Errorf("instance secret %s is not a file; use another path", path)
	}
	if err := filemode.CheckPrivate(path, info); err != nil {
		return Secret{}, fmt.Errorf("instance secret %s %w", path, err)
	}
	text, err := io.ReadAll(io.LimitReader(f, 2*secretLength+3))
	if err != nil {
		return Secret{}, fmt.Errorf("instance secret: %w", err)
	}
	line := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r") // a backup may have changed its end
	raw, err := hex.DecodeString(line)
	if err != nil || len(raw) != secretLength {
		return Secret{}, fmt.Errorf("instance secret %s is damaged: want 64 hexadecimal characters and a newline; "+
			"restore it from a backup", path)
	}
	return NewSecret(raw), nil
}

// writeSecret writes a new secret to a temporary file and links it to the path. If two
// processes do so at once, one wins, and no process reads half a file.
func writeSecret(path string) error {
	raw := make([]byte, secretLength)
	_, _ = rand.Read(raw)                                    // never fails (crypto/rand)
	f, err := os.CreateTemp(filepath.Dir(path), ".secret-*") // created with mode 0600 and O_EXCL
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = fmt.Fprintln(f, hex.EncodeToString(raw))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	// If a power failure lost the secret, every signing key would be lost.
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
