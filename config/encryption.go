package config

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"idpbridge/internal/secret"
	"idpbridge/keys"
)

// Encryption encrypts ID tokens with RSA-OAEP-256.
type Encryption struct {
	// Content is A128CBC-HS256, the default, or A256GCM.
	Content string `yaml:"enc"`
	// Keys are tried in order: the first that is valid at the time is used.
	Keys []EncryptionKey `yaml:"keys"`
}

// EncryptionKey is a public key that the client has the private key of.
type EncryptionKey struct {
	ID string `yaml:"kid"` // the name that its owner gave it
	// Key is a certificate or key in PEM, or the key as base64 on one line.
	Key secret.Value `yaml:"key"`
	// Until is the last day, in UTC, on which the key is used, as YYYY-MM-DD. Empty
	// means until its certificate expires.
	Until string `yaml:"until"`
	// Short allows a key of 1024 to 2047 bits.
	Short bool `yaml:"insecure_short_key"`
}

// validateEncryption checks the keys that ID tokens are encrypted to.
func (d *decoder) validateEncryption(clientPath string, e *Encryption) {
	if e == nil {
		return
	}
	path := clientPath + ".id_token_encryption"
	if len(e.Keys) == 0 {
		d.addProblem(path+".keys", "keys is missing; list the public key that LivePerson gave you, with its kid")
		return
	}
	valid := true
	for i, k := range e.Keys {
		if _, err := k.parse(); err != nil {
			d.addProblem(fmt.Sprintf("%s.keys[%d]", path, i), "%s", err)
			valid = false
		}
	}
	if !valid {
		return
	}
	if _, err := e.parse(); err != nil {
		d.addProblem(path, "%s", err)
	}
}

// parse parses the keys. Errors have no part of them but the kid.
func (e *Encryption) parse() (*keys.Encrypter, error) {
	recipients := make([]keys.Recipient, 0, len(e.Keys))
	for _, k := range e.Keys {
		recipient, err := k.parse()
		if err != nil {
			return nil, err
		}
		recipients = append(recipients, recipient)
	}
	return keys.NewEncrypter(cmp.Or(e.Content, keys.ContentEncryptions()[0]), recipients)
}

func (k EncryptionKey) parse() (keys.Recipient, error) {
	if k.ID == "" {
		return keys.Recipient{}, errors.New("encryption key without kid; set it to the name that its owner gave it")
	}
	recipient, err := keys.ParseRecipient(k.ID, k.Key.Reveal(), k.Short)
	if err != nil {
		return recipient, fmt.Errorf("encryption key %q: %w", shorten(k.ID), err)
	}
	if k.Until == "" {
		return recipient, nil
	}
	day, err := time.Parse(time.DateOnly, k.Until)
	if err != nil {
		return recipient, fmt.Errorf("encryption key %q: until %q is not a date; use YYYY-MM-DD",
			shorten(k.ID), shorten(k.Until))
	}
	if end := day.AddDate(0, 0, 1); recipient.NotAfter.IsZero() || end.Before(recipient.NotAfter) {
		recipient.NotAfter = end
	}
	return recipient, nil
}
