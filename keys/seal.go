package keys

import (
	"crypto"
	"crypto/x509"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// purposeAtRest names the key that private keys are encrypted under; changing it
// would lock every database.
const purposeAtRest = "signing key at rest"

// seal encrypts a private key (JWE, dir with A256GCM: RFC 7518 sections 4.5 and
// 5.3). The kid stands in the protected header, so it is authenticated too.
func seal(secret Secret, id string, private crypto.Signer) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", fmt.Errorf("encode private key: %w", err)
	}
	enc, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.DIRECT, Key: secret.Derive(purposeAtRest), KeyID: id}, nil)
	if err != nil {
		return "", fmt.Errorf("encrypt private key: %w", err)
	}
	box, err := enc.Encrypt(der)
	if err != nil {
		return "", fmt.Errorf("encrypt private key: %w", err)
	}
	return box.CompactSerialize()
}

// unseal is the reverse. Its errors name the key and what is wrong with it, and
// never repeat anything of its content.
func unseal(secret Secret, record Record) (crypto.Signer, error) {
	box, err := jose.ParseEncryptedCompact(record.Sealed, []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil || box.Header.KeyID != record.ID {
		return nil, fmt.Errorf("signing key %s in the database is damaged; restore the database from a backup", record.ID)
	}
	der, err := box.Decrypt(secret.Derive(purposeAtRest))
	if err != nil {
		return nil, fmt.Errorf("signing key %s does not open: the instance secret is not the one that this database was made with", record.ID)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", record.ID, err)
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("signing key %s cannot sign", record.ID)
	}
	if id, err := thumbprint(private.Public()); err != nil || id != record.ID {
		return nil, fmt.Errorf("signing key %s in the database is another key", record.ID)
	}
	return private, nil
}
