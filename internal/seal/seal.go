// Package seal encrypts what travels through the browser.
package seal

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// ErrBroken means that a sealed value was not made with this key, or was changed.
var ErrBroken = errors.New("sealed value is broken")

// Sealer encrypts JSON, compressed, with a key for one purpose (JWE dir with A256GCM, RFC
// 7518 section 4.5). It is safe for concurrent use.
type Sealer struct {
	key []byte
	enc jose.Encrypter
}

// New returns a Sealer with a key of 32 bytes.
func New(key []byte) (Sealer, error) {
	enc, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.DIRECT, Key: key},
		&jose.EncrypterOptions{Compression: jose.DEFLATE})
	if err != nil {
		return Sealer{}, fmt.Errorf("make sealer: %w", err)
	}
	return Sealer{key: key, enc: enc}, nil
}

// Seal encrypts a value. The result has only characters that need no escape in URLs and
// cookies.
func (s Sealer) Seal(v any) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	box, err := s.enc.Encrypt(plain)
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	return box.CompactSerialize()
}

// Open decrypts into v what Seal returned, or returns ErrBroken. Base64 has spare bits, so
// any other spelling of the same content is rejected too.
func (s Sealer) Open(sealed string, v any) error {
	box, err := jose.ParseEncryptedCompact(sealed,
		[]jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		return ErrBroken
	}
	if canonical, err := box.CompactSerialize(); err != nil || canonical != sealed {
		return ErrBroken
	}
	plain, err := box.Decrypt(s.key)
	if err != nil || json.Unmarshal(plain, v) != nil {
		return ErrBroken
	}
	return nil
}
