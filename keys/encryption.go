package keys

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// EncryptionAlgorithm is the only key management algorithm (RFC 7518 section 4.3):
// LivePerson documents no other.
const EncryptionAlgorithm = string(jose.RSA_OAEP_256)

// ContentEncryptions returns the content encryption algorithms (RFC 7518 section 5.1),
// the default first. The caller may change the slice.
func ContentEncryptions() []string {
	return []string{string(jose.A128CBC_HS256), string(jose.A256GCM)}
}

// Recipient is a public key that tokens are encrypted to.
type Recipient struct {
	ID        string    // kid, as its owner names it; sent in the header
	NotBefore time.Time // zero means always
	NotAfter  time.Time // zero means never expires
	key       *rsa.PublicKey
}

// ParseRecipient reads an RSA public key to encrypt to: SubjectPublicKeyInfo as base64
// on one line or in PEM, or an X.509 certificate in PEM. The recipient gets the dates
// of the certificate; its signature is not checked. Keys need 2048 bits, or 1024 if
// allowShort is true. Errors never quote the text.
func ParseRecipient(id, text string, allowShort bool) (Recipient, error) {
	r := Recipient{ID: id}
	der, kind, err := decodeKeyText(strings.TrimSpace(text))
	if err != nil {
		return r, err
	}
	var key crypto.PublicKey
	if kind == kindCertificate {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return r, fmt.Errorf("certificate: %w", err)
		}
		key, r.NotBefore, r.NotAfter = cert.PublicKey, cert.NotBefore, cert.NotAfter
	} else if key, err = x509.ParsePKIXPublicKey(der); err != nil {
		return r, errors.New("neither a public key in SubjectPublicKeyInfo format nor a certificate")
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return r, errors.New("not an RSA key, which " + EncryptionAlgorithm + " requires")
	}
	minBits := 2048
	if allowShort {
		minBits = 1024
	}
	if bits := public.N.BitLen(); bits < minBits {
		return r, fmt.Errorf("RSA key of %d bits; want %d or more", bits, minBits)
	}
	if !isPlausibleRSA(public) {
		return r, errImplausibleRSA
	}
	r.key = public
	return r, nil
}

// Fingerprint returns the SHA-256 fingerprint of the key, like PublicKey.Fingerprint.
func (r Recipient) Fingerprint() string { return PublicKey{Key: r.key}.Fingerprint() }

// isValidAt reports whether the recipient's dates include that time.
func (r Recipient) isValidAt(at time.Time) bool {
	return !at.Before(r.NotBefore) && (r.NotAfter.IsZero() || at.Before(r.NotAfter))
}

// Encrypter encrypts signed tokens for one client. It is safe for concurrent use.
type Encrypter struct {
	content    string
	recipients []Recipient
	encrypters []jose.Encrypter
}

// NewEncrypter returns an Encrypter with one of ContentEncryptions. The recipients, one
// or more with different kids, are in order of preference.
func NewEncrypter(content string, recipients []Recipient) (*Encrypter, error) {
	if !slices.Contains(ContentEncryptions(), content) {
		return nil, fmt.Errorf("content encryption %q is not supported; use one of: %s",
			content, strings.Join(ContentEncryptions(), ", "))
	}
	if len(recipients) == 0 {
		return nil, errors.New("no key to encrypt to")
	}
	e := &Encrypter{content: content, recipients: slices.Clone(recipients)}
	for i, r := range recipients {
		if r.key == nil {
			return nil, fmt.Errorf("encryption key %q is empty", r.ID)
		}
		if slices.ContainsFunc(recipients[:i], func(other Recipient) bool { return other.ID == r.ID }) {
			return nil, fmt.Errorf("duplicate encryption key %q", r.ID)
		}
		// The payload is a signed JWT (RFC 7519 sections 5.2 and 11.2).
		options := (&jose.EncrypterOptions{}).WithType("JWT").WithContentType("JWT")
		js, err := jose.NewEncrypter(jose.ContentEncryption(content),
			jose.Recipient{Algorithm: jose.RSA_OAEP_256, Key: r.key, KeyID: r.ID}, options)
		if err != nil {
			return nil, fmt.Errorf("encryption key %q: %w", r.ID, err)
		}
		e.encrypters = append(e.encrypters, js)
	}
	return e, nil
}

// ContentEncryption returns the content encryption algorithm.
func (e *Encrypter) ContentEncryption() string { return e.content }

// Recipients returns the keys in order of preference. The caller may change the slice.
func (e *Encrypter) Recipients() []Recipient { return slices.Clone(e.recipients) }

// RecipientAt returns the key that a token is encrypted to at that time: the first whose
// dates include it. It returns false if there is none.
func (e *Encrypter) RecipientAt(at time.Time) (Recipient, bool) {
	for _, r := range e.recipients {
		if r.isValidAt(at) {
			return r, true
		}
	}
	return Recipient{}, false
}

// Encrypt returns the signed token as the payload of a compact JWE (RFC 7516 section
// 7.1). It fails if no key is valid at that time: the token never stays unencrypted.
func (e *Encrypter) Encrypt(at time.Time, token string) (string, error) {
	for i, r := range e.recipients {
		if !r.isValidAt(at) {
			continue
		}
		jwe, err := e.encrypters[i].Encrypt([]byte(token))
		if err != nil {
			return "", fmt.Errorf("encrypt to key %q: %w", r.ID, err)
		}
		return jwe.CompactSerialize()
	}
	return "", errors.New("encrypt: every encryption key of the client has expired or is not valid yet; " +
		"ask for a new one and add it to the configuration")
}
