package keys

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// secretLength is the length of an instance secret in bytes.
const secretLength = 32

// Secret is the instance secret: 32 random bytes from which every key that is
// not a signing key is derived, and under which signing keys are encrypted. All
// instances that share a database share it.
type Secret []byte

// LogValue keeps the secret out of logs.
func (Secret) LogValue() slog.Value { return slog.StringValue("redacted") }

// String keeps the secret out of formatted text.
func (Secret) String() string { return "redacted" }

// Derive returns the 32-byte key for one purpose (HKDF-SHA-256, RFC 5869).
func (s Secret) Derive(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, s, nil, "idp "+purpose, secretLength)
	if err != nil {
		panic("keys: " + err.Error()) // only an absurd length can fail
	}
	return key
}

// ParseSecret reads 64 hexadecimal characters. Errors never repeat the text.
func ParseSecret(text string) (Secret, error) {
	raw, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(raw) != secretLength {
		return nil, errors.New("the instance secret is not 64 hexadecimal characters; make one with: openssl rand -hex 32")
	}
	return raw, nil
}

// LoadSecret reads the secret from a file, and makes the file where there is
// none. A file that is there is never overwritten, whatever is in it.
func LoadSecret(path string) (Secret, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := writeSecret(path); err != nil {
			return nil, fmt.Errorf("make instance secret %s: %w", path, err)
		}
		return LoadSecret(path)
	}
	if err != nil {
		return nil, fmt.Errorf("instance secret: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("instance secret %s may be read by others; run: chmod 600 %s", path, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("instance secret: %w", err)
	}
	s, err := ParseSecret(string(text))
	if err != nil {
		return nil, fmt.Errorf("instance secret %s is damaged: want 64 hexadecimal characters; restore it from a backup", path)
	}
	return s, nil
}

// writeSecret writes a new secret beside the path and links it there, so that
// of two processes one wins and nobody ever reads half a file.
func writeSecret(path string) error {
	raw := make([]byte, secretLength)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	f, err := os.CreateTemp(filepath.Dir(path), ".secret-*")
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
	return nil
}
