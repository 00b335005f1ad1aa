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

	"idpbridge/keys"
	"idpbridge/liveengage"
)

// EncryptionKeyID is the kid of the key that tokens are encrypted to. LivePerson's is
// lpsso and a year.
const EncryptionKeyID = "lpsso-simulator"

// anonymousIssuer is the issuer of visitors' external tokens.
const anonymousIssuer = liveengage.Issuer + "/anonymous"

// keyring holds the simulator's keys.
type keyring struct {
	decryptionKey *rsa.PrivateKey // tokens are encrypted to it
	signingKey    *rsa.PrivateKey // signs LivePerson's own tokens
	sdeCipher     cipher.AEAD     // encrypts lp_sdes in them
	signer        jose.Signer
	certificate   string // of the decryption key, PEM
}

// NewKey generates a key for Config.Key.
func NewKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }

func newKeyring(c Config) (*keyring, error) {
	k := &keyring{decryptionKey: c.Key, signingKey: c.signingKey}
	var err error
	if k.decryptionKey == nil {
		if k.decryptionKey, err = NewKey(); err != nil {
			return nil, fmt.Errorf("encryption key: %w", err)
		}
	}
	if k.signingKey == nil {
		if k.signingKey, err = NewKey(); err != nil {
			return nil, fmt.Errorf("signing key: %w", err)
		}
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("cipher: %w", err)
	}
	if k.sdeCipher, err = cipher.NewGCM(block); err != nil {
		return nil, fmt.Errorf("cipher: %w", err)
	}
	// The same header as LivePerson's, member by member.
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", "00001")
	if k.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: k.signingKey}, options); err != nil {
		return nil, fmt.Errorf("signer: %w", err)
	}
	k.certificate, err = newCertificate(k.decryptionKey, c.Now())
	return k, err
}

// newCertificate returns a certificate of the key, the form in which LivePerson
// publishes theirs.
func newCertificate(key *rsa.PrivateKey, now time.Time) (string, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: EncryptionKeyID},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageKeyEncipherment,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return "", fmt.Errorf("certificate: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), nil
}

// publicKeyLine returns the public half of the decryption key as one line of base64.
func (k *keyring) publicKeyLine() string { return PublicKeyLine(k.decryptionKey) }

// PublicKeyLine returns the public half of a key as one line: base64 of its
// SubjectPublicKeyInfo.
func PublicKeyLine(key *rsa.PrivateKey) string { return keys.PublicKey{Key: &key.PublicKey}.Base64() }

// ownClaims is the payload of LivePerson's own tokens.
type ownClaims struct {
	Subject   string        `json:"sub"`
	Audience  string        `json:"aud"`
	Issuer    string        `json:"iss"`
	Expires   int64         `json:"exp"`
	IssuedAt  int64         `json:"iat"`
	Ends      int64         `json:"ends,omitempty"` // of an external token: until when it can be renewed
	Extension *ownExtension `json:"lp.ext,omitempty"`
}

// ownExtension identifies the consumer at the brand. SDEs is ciphertext in hexadecimal.
type ownExtension struct {
	Subject string `json:"sub"`
	Issuer  string `json:"iss"`
	SDEs    string `json:"lp_sdes,omitempty"`
}

// issueToken signs a token of LivePerson's own.
func (k *keyring) issueToken(c ownClaims) (string, error) {
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

// readToken verifies the signature of a token of LivePerson's own, but neither its
// expiry nor its account.
func (k *keyring) readToken(token string) (ownClaims, error) {
	var c ownClaims
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return c, fmt.Errorf("token: %w", err)
	}
	payload, err := signed.Verify(&k.signingKey.PublicKey)
	if err != nil {
		return c, fmt.Errorf("signature: %w", err)
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		return c, fmt.Errorf("payload: %w", err)
	}
	return c, nil
}

// encryptSDEs encrypts engagement attributes for a token of LivePerson's own.
func (k *keyring) encryptSDEs(plain []byte) string {
	nonce := make([]byte, k.sdeCipher.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return hex.EncodeToString(k.sdeCipher.Seal(nonce, nonce, plain, nil))
}

// decryptToken returns the signed token inside an encrypted one, and whether it was
// encrypted. A token that is not encrypted is returned as it is.
func (k *keyring) decryptToken(token string) (string, bool, error) {
	switch parts := strings.Count(token, ".") + 1; parts {
	case 3:
		return token, false, nil
	case 5:
		signed, err := k.decryptJWE(token)
		return signed, true, err
	default:
		return "", false, idpErrorf(liveengage.CodeJWTParsingError,
			"this is not a JWT: it has %d parts; a signed token has 3 and an encrypted one 5", parts)
	}
}

func (k *keyring) decryptJWE(token string) (string, error) {
	var h struct{ Alg, Enc, Kid string }
	if err := decodeHeader(token, &h); err != nil {
		return "", idpErrorf(liveengage.CodeParseError, "the header of the encrypted token is invalid")
	}
	if h.Alg != string(jose.RSA_OAEP_256) {
		return "", idpErrorf(liveengage.CodeNoSuchAlgorithm,
			"the token is encrypted with alg %q; LivePerson accepts RSA-OAEP-256", truncateText(h.Alg))
	}
	encryptions := []jose.ContentEncryption{jose.A128CBC_HS256, jose.A256GCM}
	if !slices.Contains(encryptions, jose.ContentEncryption(h.Enc)) {
		return "", idpErrorf(liveengage.CodeNoSuchAlgorithm,
			"the token is encrypted with enc %q; use A128CBC-HS256 or A256GCM", truncateText(h.Enc))
	}
	if h.Kid != "" && h.Kid != EncryptionKeyID {
		return "", idpErrorf(liveengage.CodeJWKIDNotFound,
			"the token is encrypted to the key %q; this account's key is %q", truncateText(h.Kid), EncryptionKeyID)
	}
	jwe, err := jose.ParseEncryptedCompact(token, []jose.KeyAlgorithm{jose.RSA_OAEP_256}, encryptions)
	if err != nil {
		return "", idpErrorf(liveengage.CodeJOSEException, "the encrypted token is invalid")
	}
	plain, err := jwe.Decrypt(k.decryptionKey)
	if err != nil {
		return "", idpErrorf(liveengage.CodeJOSEException,
			"the token cannot be decrypted: it was encrypted to another key, or changed in transit")
	}
	if strings.Count(string(plain), ".") != 2 {
		return "", idpErrorf(liveengage.CodeJWTParsingError,
			"the encrypted content is not a signed token: sign first, then encrypt")
	}
	return string(plain), nil
}

// decodeHeader decodes the header of a compact token.
func decodeHeader(token string, into any) error {
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

// truncateText limits text from a request or a response to 80 characters.
func truncateText(text string) string {
	if runes := []rune(text); len(runes) > 80 {
		return string(runes[:80]) + "…"
	}
	return text
}

// consumerSubject returns the consumer's ID at LivePerson. How LivePerson derives it is
// unknown.
func consumerSubject(issuer, subject string) string {
	sum := sha256.Sum256([]byte(issuer + "|" + subject))
	return hex.EncodeToString(sum[:])
}
