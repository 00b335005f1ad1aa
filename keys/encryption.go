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

// EncryptionAlgorithm is the one key management algorithm (RFC 7518 section 4.3):
// LivePerson names no other.
const EncryptionAlgorithm = string(jose.RSA_OAEP_256)

// ContentEncryptions are the content encryption algorithms (RFC 7518 section 5.1),
// the default first. The caller may change what it gets.
func ContentEncryptions() []string {
	return []string{string(jose.A128CBC_HS256), string(jose.A256GCM)}
}

// Recipient is a public key that tokens are encrypted to.
type Recipient struct {
	ID        string    // kid, as its owner names it; goes into the header
	NotBefore time.Time // zero: at once
	NotAfter  time.Time // zero: for ever
	key       *rsa.PublicKey
}

// ParseRecipient reads an RSA public key to encrypt to: SubjectPublicKeyInfo as
// base64 on one line or in PEM, or an X.509 certificate in PEM, whose dates
// become those of the recipient and whose signature is not checked. Keys below
// 2048 bits are refused unless short is true, and below 1024 always. A private
// key and anything that is not RSA is refused. Errors repeat nothing of the text.
func ParseRecipient(id, text string, short bool) (Recipient, error) {
	r := Recipient{ID: id}
	der, kind, err := decode(strings.TrimSpace(text))
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
		return r, errors.New("not a public key in SubjectPublicKeyInfo form, nor a certificate")
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return r, errors.New("not an RSA key; " + EncryptionAlgorithm + " needs one")
	}
	least := 2048
	if short {
		least = 1024
	}
	if bits := public.N.BitLen(); bits < least {
		return r, fmt.Errorf("RSA key of %d bits; want %d or more", bits, least)
	}
	if public.E < 3 || public.E%2 == 0 || public.N.Bit(0) == 0 {
		return r, errors.New("RSA key whose numbers cannot belong to a key")
	}
	r.key = public
	return r, nil
}

// Fingerprint is the SHA-256 of the recipient's key as Public.Fingerprint has it.
func (r Recipient) Fingerprint() string { return PublicKey{Key: r.key}.Fingerprint() }

// fits says whether the recipient's dates allow it at that time.
func (r Recipient) fits(at time.Time) bool {
	return !at.Before(r.NotBefore) && (r.NotAfter.IsZero() || at.Before(r.NotAfter))
}

// Encrypter encrypts signed tokens for one client.
type Encrypter struct {
	content    string
	recipients []Recipient
	encrypters []jose.Encrypter
}

// NewEncrypter prepares an Encryption with the content encryption algorithm.
// The recipients, one or more, are in order of preference; kids must differ.
func NewEncrypter(content string, recipients []Recipient) (*Encrypter, error) {
	if !slices.Contains(ContentEncryptions(), content) {
		return nil, fmt.Errorf("content encryption %q is not supported; write one of: %s", content, strings.Join(ContentEncryptions(), ", "))
	}
	if len(recipients) == 0 {
		return nil, errors.New("no key to encrypt to")
	}
	e := &Encrypter{content: content, recipients: slices.Clone(recipients)}
	for i, r := range recipients {
		if r.key == nil || slices.ContainsFunc(recipients[:i], func(o Recipient) bool { return o.ID == r.ID }) {
			return nil, fmt.Errorf("encryption key %q is none, or occurs twice", r.ID)
		}
		// Nested: the payload is a signed JWT (RFC 7519 sections 5.2 and 11.2).
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

// ContentEncryption is the content encryption algorithm.
func (e *Encrypter) ContentEncryption() string { return e.content }

// Recipients lists the keys in order of preference. The caller may change the list.
func (e *Encrypter) Recipients() []Recipient { return slices.Clone(e.recipients) }

// RecipientAt is the key that a token is encrypted to at that time: the first whose dates
// allow it. False where there is none.
func (e *Encrypter) RecipientAt(at time.Time) (Recipient, bool) {
	for _, r := range e.recipients {
		if r.fits(at) {
			return r, true
		}
	}
	return Recipient{}, false
}

// Encrypt returns the signed token as the payload of a compact JWE (RFC 7516
// section 7.1). Where no key is valid at that time it is an error: there is no
// unencrypted answer.
func (e *Encrypter) Encrypt(at time.Time, token string) (string, error) {
	for i, r := range e.recipients {
		if !r.fits(at) {
			continue
		}
		jwe, err := e.encrypters[i].Encrypt([]byte(token))
		if err != nil {
			return "", fmt.Errorf("encrypt to key %q: %w", r.ID, err)
		}
		return jwe.CompactSerialize()
	}
	return "", errors.New("encrypt: every encryption key of the client has expired or is not valid yet; ask for the new one and add it to the configuration")
}
