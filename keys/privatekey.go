package keys

import (
	"crypto"
	"crypto/x509"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// purposeAtRest is the purpose of the key that encrypts private keys. With another
// value, no existing database could be decrypted.
const purposeAtRest = "signing key at rest"

// encryptKey encrypts a private key as a JWE (dir with A256GCM, RFC 7518 sections 4.5
// and 5.3). The kid is in the protected header and therefore authenticated.
func encryptKey(secret Secret, id string, private crypto.Signer) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", fmt.Errorf("encode private key: %w", err)
	}
	recipient := jose.Recipient{Algorithm: jose.DIRECT, Key: secret.Derive(purposeAtRest), KeyID: id}
	encrypter, err := jose.NewEncrypter(jose.A256GCM, recipient, nil)
	if err != nil {
		return "", fmt.Errorf("encrypt private key: %w", err)
	}
	jwe, err := encrypter.Encrypt(der)
	if err != nil {
		return "", fmt.Errorf("encrypt private key: %w", err)
	}
	return jwe.CompactSerialize()
}

// decryptKey decrypts a private key. Its errors name the key and never quote its content.
func decryptKey(secret Secret, record Record) (crypto.Signer, error) {
	jwe, err := jose.ParseEncryptedCompact(record.Sealed,
		[]jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil || jwe.Header.KeyID != record.ID {
		return nil, fmt.Errorf("signing key %s in the database is damaged; restore the database from a backup", record.ID)
	}
	der, err := jwe.Decrypt(secret.Derive(purposeAtRest))
	if err != nil {
		return nil, fmt.Errorf("signing key %s cannot be decrypted: "+
			"the instance secret is not the one that the database was created with", record.ID)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", record.ID, err)
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("signing key %s cannot sign", record.ID)
	}
	if id, err := computeThumbprint(private.Public()); err != nil || id != record.ID {
		return nil, fmt.Errorf("signing key %s in the database does not match its id", record.ID)
	}
	return private, nil
}
