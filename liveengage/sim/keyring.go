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

// keyring are the simulator's own keys.
type keyring struct {
	decryptionKey *rsa.PrivateKey // tokens are encrypted to it
	signingKey    *rsa.PrivateKey // signs LivePerson's own tokens
	sdeCipher     cipher.AEAD     // hides lp_sdes in them
	signer        jose.Signer
	certificate   string // certificate of the encryption key, PEM
}

// NewKey makes a key for Config.Key.
func NewKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }

func newKeyring(c Config) (*keyring, error) {
	k := &keyring{decryptionKey: c.Key}
	var err error
	if k.decryptionKey == nil {
		if k.decryptionKey, err = NewKey(); err != nil {
			return nil, fmt.Errorf("encryption key: %w", err)
		}
	}
	if k.signingKey, err = NewKey(); err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
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
	// LivePerson's header, member by member.
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", "00001")
	if k.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: k.signingKey}, options); err != nil {
		return nil, fmt.Errorf("signer: %w", err)
	}
	k.certificate, err = newCertificate(k.decryptionKey, c.Now())
	return k, err
}

// newCertificate is the encryption key as LivePerson hands out theirs.
func newCertificate(key *rsa.PrivateKey, now time.Time) (string, error) {
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

// publicKeyLine is the encryption key as base64 of its SubjectPublicKeyInfo.
func (k *keyring) publicKeyLine() string { return PublicKeyLine(k.decryptionKey) }

// PublicKeyLine is the public half of a key as base64 of its SubjectPublicKeyInfo, on
// one line.
func PublicKeyLine(key *rsa.PrivateKey) string {
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
	Subject   string        `json:"sub"`
	Audience  string        `json:"aud"`
	Issuer    string        `json:"iss"`
	Expires   int64         `json:"exp"`
	IssuedAt  int64         `json:"iat"`
	Ends      int64         `json:"ends,omitempty"` // of an external token: until when it may be renewed
	Extension *ownExtension `json:"lp.ext,omitempty"`
}

// ownExtension says who somebody is at the brand. SDEs is ciphertext in hexadecimal.
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

// readToken verifies a token of LivePerson's own; it judges neither time nor account.
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

// encryptSDEs encrypts what the token says of somebody.
func (k *keyring) encryptSDEs(plain []byte) string {
	nonce := make([]byte, k.sdeCipher.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return hex.EncodeToString(k.sdeCipher.Seal(nonce, nonce, plain, nil))
}

// decryptToken is the signed token inside an encrypted one; a token that is not
// encrypted is returned as it is.
func (k *keyring) decryptToken(token string) (string, bool, error) {
	switch strings.Count(token, ".") {
	case 2:
		return token, false, nil
	case 4:
	default:
		return "", false, idpErrorf(liveengage.CodeJWTParsingError, "this is not a JWT: it has %d parts, a signed one has 3 and an encrypted one 5", strings.Count(token, ".")+1)
	}
	var h struct{ Alg, Enc, Kid string }
	if err := decodeHeader(token, &h); err != nil {
		return "", false, idpErrorf(liveengage.CodeParseError, "the header of the encrypted token cannot be read")
	}
	enc := []jose.ContentEncryption{jose.A128CBC_HS256, jose.A256GCM}
	switch {
	case h.Alg != string(jose.RSA_OAEP_256):
		return "", false, idpErrorf(liveengage.CodeNoSuchAlgorithm, "the token is encrypted with alg %q; LivePerson takes RSA-OAEP-256", truncateText(h.Alg))
	case !slices.Contains(enc, jose.ContentEncryption(h.Enc)):
		return "", false, idpErrorf(liveengage.CodeNoSuchAlgorithm, "the token is encrypted with enc %q; use A128CBC-HS256 or A256GCM", truncateText(h.Enc))
	case h.Kid != "" && h.Kid != EncryptionKeyID:
		return "", false, idpErrorf(liveengage.CodeJWKIDNotFound, "the token is encrypted to the key %q; this account's key is %q", truncateText(h.Kid), EncryptionKeyID)
	}
	jwe, err := jose.ParseEncryptedCompact(token, []jose.KeyAlgorithm{jose.RSA_OAEP_256}, enc)
	if err != nil {
		return "", false, idpErrorf(liveengage.CodeJOSEException, "the encrypted token cannot be read")
	}
	plain, err := jwe.Decrypt(k.decryptionKey)
	if err != nil {
		return "", false, idpErrorf(liveengage.CodeJOSEException, "the token cannot be decrypted: it was encrypted to another key, or changed on the way")
	}
	if strings.Count(string(plain), ".") != 2 {
		return "", false, idpErrorf(liveengage.CodeJWTParsingError, "what was encrypted is not a signed token: sign first, then encrypt")
	}
	return string(plain), true, nil
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

// truncateText bounds what is repeated of somebody's text.
func truncateText(text string) string {
	if r := []rune(text); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return text
}

// consumerSubject is the consumer's id at LivePerson. How they derive theirs is unknown.
func consumerSubject(issuer, subject string) string {
	sum := sha256.Sum256([]byte(issuer + "|" + subject))
	return hex.EncodeToString(sum[:])
}
