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

// PublicKey is the public half of a signing key. The zero value is no key: its
// texts are empty.
type PublicKey struct {
	ID        string           // kid: the RFC 7638 SHA-256 thumbprint, base64url
	Algorithm string           // RS256 or ES256
	State     State            // empty unless the key is one of a Ring
	Created   time.Time        // likewise
	Changed   time.Time        // likewise: when it came into its state
	Key       crypto.PublicKey // *rsa.PublicKey or *ecdsa.PublicKey; for reading
}

// der is the key as SubjectPublicKeyInfo (RFC 5280 section 4.1); nil for no key.
func (p PublicKey) der() []byte {
	der, err := x509.MarshalPKIXPublicKey(p.Key)
	if err != nil {
		return nil
	}
	return der
}

// PEM is the key as SubjectPublicKeyInfo between BEGIN and END PUBLIC KEY.
func (p PublicKey) PEM() string {
	if p.Key == nil {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kindPublic, Bytes: p.der()}))
}

// Base64 is the key as LiveEngage's form takes it: base64 of the
// SubjectPublicKeyInfo on one line, without header and footer.
func (p PublicKey) Base64() string { return base64.StdEncoding.EncodeToString(p.der()) }

// Fingerprint is the SHA-256 of the SubjectPublicKeyInfo, as pairs of
// upper-case hexadecimal digits with colons, as openssl prints fingerprints.
func (p PublicKey) Fingerprint() string {
	if p.Key == nil {
		return ""
	}
	sum := sha256.Sum256(p.der())
	return strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")
}

// jwk is the key as a JSON Web Key (RFC 7517).
func (p PublicKey) jwk() jose.JSONWebKey {
	return jose.JSONWebKey{Key: p.Key, KeyID: p.ID, Algorithm: p.Algorithm, Use: "sig"}
}

// ParsePublicKey reads a public key from SubjectPublicKeyInfo in PEM, from its
// one-line form, or from an X.509 certificate in PEM, whose signature and dates
// it does not check. It takes RSA of 2048 bits and more and P-256, and only the
// one encoding of each: white space apart, a text with a byte too many or in a
// second spelling is refused. Of the result State, Created and Changed are empty.
// Errors say what to do and repeat nothing of the text.
func ParsePublicKey(text string) (PublicKey, error) {
	der, kind, err := decode(strings.TrimSpace(text))
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
		return PublicKey{}, errors.New("not a public key in SubjectPublicKeyInfo form; make one with: openssl pkey -in key.pem -pubout")
	}
	p := PublicKey{Key: key}
	if p.Algorithm, err = algorithmOf(key); err != nil {
		return PublicKey{}, err
	}
	if !bytes.Equal(info, p.der()) {
		return PublicKey{}, errors.New("public key is not in its canonical form")
	}
	p.ID, err = thumbprint(key)
	return p, err
}

// algorithmOf is the one algorithm that a key is used with. Keys that are too
// weak for any are an error.
func algorithmOf(key crypto.PublicKey) (string, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < 2048 {
			return "", fmt.Errorf("RSA key of %d bits; want 2048 or more", k.N.BitLen())
		}
		// With exponent 1 every text is its own signature (RFC 8017 section 3.1).
		if k.E < 3 || k.E%2 == 0 || k.N.Bit(0) == 0 {
			return "", errors.New("RSA key whose numbers cannot belong to a key")
		}
		return "RS256", nil
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return "", errors.New("elliptic curve key that is not P-256")
		}
		return "ES256", nil
	default:
		return "", errors.New("neither an RSA nor a P-256 key")
	}
}

// The PEM blocks that a public key is taken from.
const (
	kindPublic      = "PUBLIC KEY"
	kindCertificate = "CERTIFICATE"
)

var errPKCS1 = errors.New("PKCS #1 key; convert it with: openssl rsa -RSAPublicKey_in -in key.pem -pubout")

// decode returns the DER in a text and the kind of its PEM block.
func decode(text string) (der []byte, kind string, err error) {
	if !strings.HasPrefix(text, "-----BEGIN") {
		der, err = base64.StdEncoding.Strict().DecodeString(text)
		if err != nil || strings.ContainsAny(text, "\r\n") {
			return nil, "", errors.New("not base64 on one line; paste the key without spaces, line breaks and BEGIN and END lines")
		}
		return der, kindPublic, nil
	}
	block, rest := pem.Decode([]byte(text))
	switch {
	case block == nil || len(rest) > 0:
		return nil, "", errors.New("not one PEM block and nothing else")
	case block.Type == "RSA PUBLIC KEY":
		return nil, "", errPKCS1
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, "", errors.New("private key; keep it to yourself and paste what this prints: openssl pkey -in key.pem -pubout")
	case block.Type != kindPublic && block.Type != kindCertificate:
		return nil, "", errors.New("PEM block that holds neither a public key nor a certificate")
	}
	// encoding/pem overlooks headers, stray bits and broken padding; what it
	// would write itself has none of them.
	if len(block.Headers) > 0 || dense(text) != dense(string(pem.EncodeToMemory(block))) {
		return nil, "", errors.New("PEM block is not in its canonical form")
	}
	return block.Bytes, block.Type, nil
}

// dense is the text without the white space that PEM allows (RFC 7468 section 2).
func dense(text string) string { return strings.Join(strings.Fields(text), "") }

// thumbprint is the key's RFC 7638 SHA-256 thumbprint, used as its kid.
func thumbprint(key crypto.PublicKey) (string, error) {
	sum, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("key thumbprint: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}
