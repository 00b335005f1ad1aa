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

// Public is the public half of a signing key.
type Public struct {
	ID        string // kid
	Algorithm string // RS256 or ES256
	State     State
	Created   time.Time
	Changed   time.Time
	Key       crypto.PublicKey
}

// der is the key as SubjectPublicKeyInfo. Keys of a ring always have one.
func (p Public) der() []byte {
	der, err := x509.MarshalPKIXPublicKey(p.Key)
	if err != nil {
		return nil
	}
	return der
}

// PEM is the key as SubjectPublicKeyInfo between BEGIN and END PUBLIC KEY.
func (p Public) PEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: p.der()}))
}

// Line is the key as LiveEngage's form takes it: base64 of the
// SubjectPublicKeyInfo on one line, without header and footer.
func (p Public) Line() string { return base64.StdEncoding.EncodeToString(p.der()) }

// Fingerprint is the SHA-256 of the SubjectPublicKeyInfo, as pairs of
// hexadecimal digits with colons: what openssl prints too.
func (p Public) Fingerprint() string {
	sum := sha256.Sum256(p.der())
	return strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")
}

// JWK is the key as a JSON Web Key (RFC 7517).
func (p Public) JWK() jose.JSONWebKey {
	return jose.JSONWebKey{Key: p.Key, KeyID: p.ID, Algorithm: p.Algorithm, Use: "sig"}
}

// ParsePublic reads a public key from SPKI PEM, the one-line form, or a
// certificate in PEM. It takes RSA of 2048 bits and more and P-256, and only
// the one encoding of each: a text with a byte too many is refused.
func ParsePublic(text string) (Public, error) {
	text = strings.TrimSpace(text)
	der, kind, err := decode(text)
	if err != nil {
		return Public{}, err
	}
	var key any
	if kind == "CERTIFICATE" {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return Public{}, fmt.Errorf("certificate: %w", err)
		}
		key = cert.PublicKey
	} else if key, err = x509.ParsePKIXPublicKey(der); err != nil {
		return Public{}, errors.New("not a public key in SubjectPublicKeyInfo form; make one with: openssl rsa -in key.pem -pubout")
	}
	p := Public{Key: key}
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k.Size() < 256 {
			return Public{}, fmt.Errorf("RSA key of %d bits; want 2048 or more", k.N.BitLen())
		}
		p.Algorithm = "RS256"
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return Public{}, errors.New("elliptic curve key that is not P-256")
		}
		p.Algorithm = "ES256"
	default:
		return Public{}, errors.New("neither an RSA nor a P-256 key")
	}
	if kind != "CERTIFICATE" && !bytes.Equal(der, p.der()) {
		return Public{}, errors.New("public key is not in its canonical form")
	}
	p.ID, err = thumbprint(key)
	return p, err
}

// decode returns the DER in a text and the kind of its PEM block.
func decode(text string) (der []byte, kind string, err error) {
	if !strings.HasPrefix(text, "-----BEGIN") {
		der, err = base64.StdEncoding.Strict().DecodeString(text)
		if err != nil || strings.ContainsAny(text, "\r\n") {
			return nil, "", errors.New("not base64 on one line; paste the key without spaces, line breaks and BEGIN and END lines")
		}
		return der, "PUBLIC KEY", nil
	}
	block, rest := pem.Decode([]byte(text))
	switch {
	case block == nil || len(bytes.TrimSpace(rest)) > 0:
		return nil, "", errors.New("not one PEM block")
	case block.Type == "RSA PUBLIC KEY":
		return nil, "", errors.New("PKCS #1 key; convert it with: openssl rsa -RSAPublicKey_in -in key.pem -pubout")
	case block.Type != "PUBLIC KEY" && block.Type != "CERTIFICATE":
		return nil, "", fmt.Errorf("PEM block is no public key but %q", block.Type)
	}
	return block.Bytes, block.Type, nil
}

// thumbprint is the key's RFC 7638 SHA-256 thumbprint, used as its kid.
func thumbprint(key crypto.PublicKey) (string, error) {
	sum, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("key thumbprint: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}
