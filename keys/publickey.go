package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// PublicKey is the public half of a signing key. The zero value is not a key: its
// methods return empty strings.
type PublicKey struct {
	ID        string           // kid: the RFC 7638 SHA-256 thumbprint, base64url
	Algorithm string           // RS256 or ES256
	State     State            // empty unless the key is one of a Ring
	Created   time.Time        // likewise
	Changed   time.Time        // likewise: the time of its last change of state
	Key       crypto.PublicKey // *rsa.PublicKey or *ecdsa.PublicKey; read-only
}

// marshalDER returns the key as SubjectPublicKeyInfo (RFC 5280 section 4.1), or nil for
// the zero value.
func (p PublicKey) marshalDER() []byte {
	der, err := x509.MarshalPKIXPublicKey(p.Key)
	if err != nil {
		return nil
	}
	return der
}

// PEM returns the key as SubjectPublicKeyInfo in a PUBLIC KEY block.
func (p PublicKey) PEM() string {
	if p.Key == nil {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kindPublic, Bytes: p.marshalDER()}))
}

// Base64 returns the key as LiveEngage's form accepts it: SubjectPublicKeyInfo in base64
// on one line, without BEGIN and END lines.
func (p PublicKey) Base64() string { return base64.StdEncoding.EncodeToString(p.marshalDER()) }

// Fingerprint returns the SHA-256 of the SubjectPublicKeyInfo in the format of openssl:
// pairs of upper-case hexadecimal digits with colons.
func (p PublicKey) Fingerprint() string {
	if p.Key == nil {
		return ""
	}
	sum := sha256.Sum256(p.marshalDER())
	return strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")
}

// jwk returns the key as a JSON Web Key (RFC 7517).
func (p PublicKey) jwk() jose.JSONWebKey {
	return jose.JSONWebKey{Key: p.Key, KeyID: p.ID, Algorithm: p.Algorithm, Use: "sig"}
}

// ParsePublicKey reads a public key: SubjectPublicKeyInfo in PEM or as base64 on one
// line, or an X.509 certificate in PEM, whose signature and dates are not checked. It
// accepts RSA with at least 2048 bits and P-256. Except for white space, it accepts only
// the canonical encoding of a key. State, Created and Changed of the result are empty.
// Errors say what to do and never quote the text.
func ParsePublicKey(text string) (PublicKey, error) {
	der, kind, err := decodeKeyText(strings.TrimSpace(text))
	if err != nil {
		return PublicKey{}, err
	}
	var key any
	info := der
	if kind == kindCertificate {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return PublicKey{}, fmt.Errorf("certificate: %w", err)
		}
		key, info = cert.PublicKey, cert.RawSubjectPublicKeyInfo
	} else if key, err = x509.ParsePKIXPublicKey(der); err != nil {
		if _, err := x509.ParsePKCS1PublicKey(der); err == nil {
			return PublicKey{}, errPKCS1
		}
		return PublicKey{}, errors.New("not a public key in SubjectPublicKeyInfo format; " +
			"make one with: openssl pkey -in key.pem -pubout")
	}
	p := PublicKey{Key: key}
	if p.Algorithm, err = algorithmFor(key); err != nil {
		return PublicKey{}, err
	}
	if !bytes.Equal(info, p.marshalDER()) {
		return PublicKey{}, errors.New("public key is not in canonical form")
	}
	p.ID, err = computeThumbprint(key)
	return p, err
}

// algorithmFor returns the algorithm that a key is used with. It fails for weak keys and
// for other types of keys.
func algorithmFor(key crypto.PublicKey) (string, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < 2048 {
			return "", fmt.Errorf("RSA key of %d bits; want 2048 or more", k.N.BitLen())
		}
		if !isPlausibleRSA(k) {
			return "", errImplausibleRSA
		}
		return "RS256", nil
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return "", errors.New("elliptic curve key that does not use P-256")
		}
		return "ES256", nil
	default:
		return "", errors.New("neither an RSA nor a P-256 key")
	}
}

var errImplausibleRSA = errors.New("RSA key with an impossible modulus or exponent")

// isPlausibleRSA reports whether modulus and exponent can belong to a key. With
// exponent 1, for example, every message is its own signature (RFC 8017 section 3.1).
func isPlausibleRSA(k *rsa.PublicKey) bool {
	return k.E >= 3 && k.E%2 == 1 && k.N.Bit(0) == 1
}

// The types of PEM blocks that can hold a public key.
const (
	kindPublic      = "PUBLIC KEY"
	kindCertificate = "CERTIFICATE"
)

var errPKCS1 = errors.New("key in PKCS #1 format; convert it with: openssl rsa -RSAPublicKey_in -in key.pem -pubout")

// decodeKeyText returns the DER in a text and the type of its PEM block.
func decodeKeyText(text string) (der []byte, kind string, err error) {
	if !strings.HasPrefix(text, "-----BEGIN") {
		der, err = base64.StdEncoding.Strict().DecodeString(text)
		if err != nil || strings.ContainsAny(text, "\r\n") {
			return nil, "", errors.New("not base64 on one line; " +
				"paste the key without spaces, line breaks, BEGIN and END lines")
		}
		return der, kindPublic, nil
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil || len(rest) > 0 {
		return nil, "", errors.New("not exactly one PEM block")
	}
	if block.Type == "RSA PUBLIC KEY" {
		return nil, "", errPKCS1
	}
	if strings.HasSuffix(block.Type, "PRIVATE KEY") {
		return nil, "", errors.New("private key; keep it secret and paste the output of: " +
			"openssl pkey -in key.pem -pubout")
	}
	if block.Type != kindPublic && block.Type != kindCertificate {
		return nil, "", errors.New("PEM block with neither a public key nor a certificate")
	}
	// pem.Decode accepts headers, stray bits and broken padding, which
	// pem.EncodeToMemory never writes.
	if len(block.Headers) > 0 || removeSpace(text) != removeSpace(string(pem.EncodeToMemory(block))) {
		return nil, "", errors.New("PEM block is not in canonical form")
	}
	return block.Bytes, block.Type, nil
}

// removeSpace removes the white space that PEM allows (RFC 7468 section 2).
func removeSpace(text string) string { return strings.Join(strings.Fields(text), "") }

// computeThumbprint returns the RFC 7638 SHA-256 thumbprint, used as the key's kid.
func computeThumbprint(key crypto.PublicKey) (string, error) {
	sum, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("key thumbprint: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}
