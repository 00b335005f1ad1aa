package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"idpbridge/keys"
)

// Codes of the public key for pasting.
const (
	KeyLine   Code = "key-line"
	KeyPEM    Code = "key-pem"
	KeyPasted Code = "key-pasted"
)

// The URLs, below the issuer, where our own provider shows the public key for
// pasting into the connector.
const (
	pathLine = "/keys/public.txt"
	pathPEM  = "/keys/public.pem"
)

const pasteLine = "Paste the one line that " + pathLine + " shows."

// oneDatabase is what to do if the provider shows different keys.
const oneDatabase = "Several instances, or a cache in front of them, show different keys. Give all instances the " +
	"same database, and clear the cache."

// checkPublicKey compares the public keys that the provider shows for pasting with
// the key set, and with the key that was pasted.
func (e *exam) checkPublicKey(ctx context.Context) {
	if len(e.keys) > 0 {
		e.checkKeyLine(ctx)
		e.checkKeyPEM(ctx)
	}
	if e.cfg.PastedKey == "" {
		e.addSkip(KeyPasted, "The key in the connector was not compared, because it was not given.",
			"Give the key in a file (--key), or name the account (--account).")
		return
	}
	if e.meta.JWKSURI == "" {
		e.judgePastedKey()
		return
	}
	if len(e.keys) == 0 {
		e.addSkip(KeyPasted, "The pasted key was not compared, because the key set has no usable key.", fixKeySet)
		return
	}
	e.comparePastedKey(KeyPasted, "The pasted key", e.cfg.PastedKey)
}

// fetchPublicKey reads the key for pasting from one of the URLs. It returns false
// if there is none.
func (e *exam) fetchPublicKey(ctx context.Context, code Code, path string) (keys.PublicKey, bool) {
	keyURL := strings.TrimSuffix(e.cfg.Issuer, "/") + path + "?client_id=" + url.QueryEscape(e.cfg.ClientID)
	res, err := e.get(ctx, keyURL)
	if err != nil || res.status != http.StatusOK {
		e.addSkip(code, fmt.Sprintf("The provider shows no public key at %s.", path),
			"Paste the key from where the provider shows it. For idp, idp keys show prints it.")
		return keys.PublicKey{}, false
	}
	key, err := keys.ParsePublicKey(res.body)
	if err != nil {
		e.addError(code, fmt.Sprintf("%s does not show a public key that can be pasted: %v.", path, err),
			"Restart the provider. If that does not help, report it as a bug.", res.summarize())
		return keys.PublicKey{}, false
	}
	return key, true
}

// checkKeyLine sets e.current.
func (e *exam) checkKeyLine(ctx context.Context) {
	shown, ok := e.fetchPublicKey(ctx, KeyLine, pathLine)
	if !ok {
		return
	}
	for _, k := range e.keys {
		if k.Fingerprint() != shown.Fingerprint() {
			continue
		}
		e.current = &k
		if !k.signs {
			e.addError(KeyLine,
				fmt.Sprintf("%s shows the key %s, which the key set does not allow for RS256.", pathLine, k.ID),
				"Paste the key that signs LivePerson's tokens.")
			return
		}
		e.addOK(KeyLine, fmt.Sprintf("%s shows the key %s of the key set.", pathLine, k.ID))
		return
	}
	e.addError(KeyLine, fmt.Sprintf("%s shows a key that is not in the key set.", pathLine),
		oneDatabase, "fingerprint "+shown.Fingerprint())
}

func (e *exam) checkKeyPEM(ctx context.Context) {
	shown, ok := e.fetchPublicKey(ctx, KeyPEM, pathPEM)
	if !ok {
		return
	}
	if e.current == nil {
		e.addSkip(KeyPEM,
			fmt.Sprintf("The key at %s was not compared, because %s shows no key of the key set.", pathPEM, pathLine),
			"Fix "+pathLine+" first.")
		return
	}
	if shown.Fingerprint() != e.current.Fingerprint() {
		e.addError(KeyPEM, fmt.Sprintf("%s and %s show different keys.", pathPEM, pathLine),
			oneDatabase, "fingerprint "+shown.Fingerprint())
		return
	}
	e.addOK(KeyPEM, fmt.Sprintf("%s shows the same key as %s.", pathPEM, pathLine))
}
