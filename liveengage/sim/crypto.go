package sim

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idpbridge/liveengage"
)

// EncryptionKeyID is the kid of the key that tokens for the simulator are encrypted
// to; LivePerson's is called lpsso with a year.
const EncryptionKeyID = "lpsso-simulator"

// crypto are the simulator's own keys.
type crypto struct {
	decrypt *rsa.PrivateKey // tokens are encrypted to it
	sign    *rsa.PrivateKey // signs LivePerson's own tokens
	seal    cipher.AEAD     // hides lp_sdes in them
	signer  jose.Signer
	cert    string // certificate of the encryption key, PEM
}

// NewKey makes a key for Config.Key.
func NewKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }

func newCrypto(c Config) (*crypto, error) {
	k := &crypto{decrypt: c.Key}
	var err error
	if k.decrypt == nil {
		if k.decrypt, err = NewKey(); err != nil {
			return nil, fmt.Errorf("encryption key: %w", err)
		}
	}
	if k.sign, err = NewKey(); err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("cipher: %w", err)
	}
	if k.seal, err = cipher.NewGCM(block); err != nil {
		return nil, fmt.Errorf("cipher: %w", err)
	}
	// LivePerson's header, member by member.
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", "00001")
	if k.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: k.sign}, options); err != nil {
		return nil, fmt.Errorf("signer: %w", err)
	}
	k.cert, err = certificate(k.decrypt, c.Now())
	return k, err
}

// certificate is the encryption key as LivePerson hands out theirs.
func certificate(key *rsa.PrivateKey, now time.Time) (string, error) {
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: EncryptionKeyID},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageKeyEncipherment,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return "", fmt.Errorf("certificate: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), nil
}

// line is the encryption key as base64 of its SubjectPublicKeyInfo.
func (k *crypto) line() string { return PublicLine(k.decrypt) }

// PublicLine is the public half of a key as base64 of its SubjectPublicKeyInfo, on
// one line.
func PublicLine(key *rsa.PrivateKey) string {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(der)
}

// anonymousIssuer is who signs the external tokens of visitors.
const anonymousIssuer = liveengage.TokenIssuer + "/anonymous"

// ownClaims is the payload of LivePerson's tokens.
type ownClaims struct {
	Subject   string    `json:"sub"`
	Audience  string    `json:"aud"`
	Issuer    string    `json:"iss"`
	Expires   int64     `json:"exp"`
	IssuedAt  int64     `json:"iat"`
	Ends      int64     `json:"ends,omitempty"` // of an external token: until when it may be renewed
	Extension *ownExtra `json:"lp.ext,omitempty"`
}

// ownExtra says who somebody is at the brand. SDEs is ciphertext in hexadecimal.
type ownExtra struct {
	Subject string `json:"sub"`
	Issuer  string `json:"iss"`
	SDEs    string `json:"lp_sdes,omitempty"`
}

// issue signs a token of LivePerson's own.
func (k *crypto) issue(c ownClaims) (string, error) {
	payload, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("encode token: %w", err)
	}
	signed, err := k.signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return signed.CompactSerialize()
}

// read verifies a token of LivePerson's own; it judges neither time nor account.
func (k *crypto) read(token string) (ownClaims, error) {
	var c ownClaims
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return c, fmt.Errorf("token: %w", err)
	}
	payload, err := signed.Verify(&k.sign.PublicKey)
	if err != nil {
		return c, fmt.Errorf("signature: %w", err)
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		return c, fmt.Errorf("payload: %w", err)
	}
	return c, nil
}

// hide encrypts what the token says of somebody.
func (k *crypto) hide(plain []byte) string {
	nonce := make([]byte, k.seal.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return hex.EncodeToString(k.seal.Seal(nonce, nonce, plain, nil))
}

// decrypted is the signed token inside an encrypted one; a token that is not
// encrypted is returned as it is.
func (k *crypto) decrypted(token string) (string, bool, error) {
	switch strings.Count(token, ".") {
	case 2:
		return token, false, nil
	case 4:
	default:
		return "", false, fault("1009", "this is not a JWT: it has %d parts, a signed one has 3 and an encrypted one 5", strings.Count(token, ".")+1)
	}
	var h struct{ Alg, Enc, Kid string }
	if err := part(token, &h); err != nil {
		return "", false, fault("1001", "the header of the encrypted token cannot be read")
	}
	enc := []jose.ContentEncryption{jose.A128CBC_HS256, jose.A256GCM}
	switch {
	case h.Alg != string(jose.RSA_OAEP_256):
		return "", false, fault("1003", "the token is encrypted with alg %q; LivePerson takes RSA-OAEP-256", clip(h.Alg))
	case !slices.Contains(enc, jose.ContentEncryption(h.Enc)):
		return "", false, fault("1003", "the token is encrypted with enc %q; use A128CBC-HS256 or A256GCM", clip(h.Enc))
	case h.Kid != "" && h.Kid != EncryptionKeyID:
		return "", false, fault("1041", "the token is encrypted to the key %q; this account's key is %q", clip(h.Kid), EncryptionKeyID)
	}
	jwe, err := jose.ParseEncryptedCompact(token, []jose.KeyAlgorithm{jose.RSA_OAEP_256}, enc)
	if err != nil {
		return "", false, fault("1004", "the encrypted token cannot be read")
	}
	plain, err := jwe.Decrypt(k.decrypt)
	if err != nil {
		return "", false, fault("1004", "the token cannot be decrypted: it was encrypted to another key, or changed on the way")
	}
	if strings.Count(string(plain), ".") != 2 {
		return "", false, fault("1009", "what was encrypted is not a signed token: sign first, then encrypt")
	}
	return string(plain), true, nil
}

// part decodes the header of a compact token.
func part(token string, into any) error {
	header, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(header)
	if err != nil {
		return fmt.Errorf("base64url: %w", err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	return nil
}

// clip bounds what is repeated of somebody's text.
func clip(text string) string {
	if r := []rune(text); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return text
}

// subjectOf is the consumer's id at LivePerson. How they derive theirs is unknown.
func subjectOf(issuer, subject string) string {
	sum := sha256.Sum256([]byte(issuer + "|" + subject))
	return hex.EncodeToString(sum[:])
}
