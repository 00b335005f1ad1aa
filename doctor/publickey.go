package doctor

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"idpbridge/keys"
	"idpbridge/liveengage/inspect"
)

const (
	pathLine = "/keys/public.txt"
	pathPEM  = "/keys/public.pem"
)

// checkPublicKey compares the forms in which the key can be pasted with the key set,
// and with what was pasted.
func (e *exam) checkPublicKey(ctx context.Context) {
	if len(e.keys) > 0 {
		e.checkKeyLine(ctx)
		e.checkKeyPEM(ctx)
	}
	switch {
	case e.cfg.PastedKey == "":
		e.addFinding(Skip, KeyPasted, "The key in the connector was not compared.", "Give it as a file (--key), or name the account (--account).")
	case len(e.keys) == 0:
		e.addFinding(Skip, KeyPasted, "The pasted key was not compared, because the key set could not be read.", "Put the key set right first.")
	default:
		e.comparePastedKey(KeyPasted, "The pasted key", e.cfg.PastedKey)
	}
}

// fetchPublicKey fetches one of the forms of the key; false where there is none.
func (e *exam) fetchPublicKey(ctx context.Context, code Code, path string) (keys.PublicKey, bool) {
	a, err := e.get(ctx, strings.TrimSuffix(e.cfg.Issuer, "/")+path+"?client_id="+url.QueryEscape(e.cfg.ClientID))
	if err != nil || a.status != http.StatusOK {
		e.addFinding(Skip, code, fmt.Sprintf("The provider has no key for pasting at %s.", path), "Paste the key from wherever the provider shows it; idp keys show prints ours.")
		return keys.PublicKey{}, false
	}
	p, err := keys.ParsePublicKey(a.body)
	if err != nil {
		e.addFinding(Error, code, fmt.Sprintf("What %s shows cannot be pasted: %v.", path, err), "Restart the provider; if that does not help, report it.", a.summarize())
		return keys.PublicKey{}, false
	}
	return p, true
}

func (e *exam) checkKeyLine(ctx context.Context) {
	p, ok := e.fetchPublicKey(ctx, KeyLine, pathLine)
	if !ok {
		return
	}
	for _, k := range e.keys {
		if k.Fingerprint() != p.Fingerprint() {
			continue
		}
		e.current = &k
		if !k.signs {
			e.addFinding(Error, KeyLine, fmt.Sprintf("The key for pasting is %s, which by the key set is not for RS256.", k.ID), "Paste the key that signs LivePerson's tokens.")
			return
		}
		e.addOK(KeyLine, fmt.Sprintf("The key for pasting is %s of the key set.", k.ID))
		return
	}
	e.addFinding(Error, KeyLine, "The key for pasting is none of the key set.",
		"Several instances, or a cache in front, disagree: give all of them one database, and empty the cache.", "fingerprint "+p.Fingerprint())
}

func (e *exam) checkKeyPEM(ctx context.Context) {
	p, ok := e.fetchPublicKey(ctx, KeyPEM, pathPEM)
	switch {
	case !ok:
	case e.current == nil:
		e.addFinding(Skip, KeyPEM, "The key in PEM was not compared, because there is no other to compare it with.", "Put the one-line form right first.")
	case p.Fingerprint() != e.current.Fingerprint():
		e.addFinding(Error, KeyPEM, "The key in PEM is another than the one on one line.", "Several instances, or a cache in front, disagree: give all of them one database, and empty the cache.",
			"fingerprint "+p.Fingerprint())
	default:
		e.addOK(KeyPEM, "The key in PEM is the same.")
	}
}

// comparePastedKey compares a key as it stands in the connector with the provider's own.
func (e *exam) comparePastedKey(code Code, what, text string) {
	if strings.TrimSpace(text) == "" {
		e.addFinding(Error, code, what+" is empty.", "Paste the one line that "+pathLine+" shows.")
		return
	}
	bare := stripPEMLines(text)
	der, _ := base64.StdEncoding.DecodeString(bare)
	for _, k := range e.keys {
		if bare != k.Base64() {
			continue
		}
		switch {
		case e.current != nil && k.ID != e.current.ID, e.current == nil && !k.signs:
			e.addFinding(Error, code, fmt.Sprintf("%s is %s of the key set, which is not the one that signs now.", what, k.ID),
				"Paste the key that signs now, or let the connector read the key set.", "fingerprint "+k.Fingerprint())
		case strings.Contains(text, "-----"):
			e.addFinding(Error, code, what+" is the right one, but between BEGIN and END lines.", "Paste the one line between them, without line breaks.")
		case text != bare:
			e.addFinding(Error, code, fmt.Sprintf("%s is the right one, but character %d is a space or a line break.", what, findSpace(text)), "Paste it on one line.")
		default:
			e.addOK(code, fmt.Sprintf("%s is %s, character by character.", what, k.ID))
		}
		return
	}
	if key, err := x509.ParsePKIXPublicKey(der); err == nil && inspect.Published(keys.PublicKey{Key: key}.Fingerprint()) != "" {
		e.addFinding(Error, code, what+" is the one of LivePerson's tutorial, whose private half is published.",
			"Replace it now: anybody can sign in as anybody. Paste the one line that "+pathLine+" shows.")
		return
	}
	e.explainKeyMismatch(code, what, text, bare, der)
}

// explainKeyMismatch says what is wrong with a text that is no key of the key set.
func (e *exam) explainKeyMismatch(code Code, what, text, bare string, der []byte) {
	const remedy = "Paste the one line that " + pathLine + " shows, or let the connector read the key set, and compare fingerprints."
	if strings.Contains(text, "PRIVATE KEY") {
		e.addFinding(Error, code, what+" is a private key.", "Treat the key as stolen: make a new one, and paste its public half.")
		return
	}
	want := e.expectedLine()
	var about []string
	if strings.Contains(text, "-----") {
		about = append(about, "it stands between BEGIN and END lines")
	} else if text != bare {
		about = append(about, fmt.Sprintf("character %d is a space or a line break", findSpace(text)))
	}
	about = append(about, describeDifference(bare, want))
	seen := ""
	if key, err := x509.ParsePKIXPublicKey(der); err == nil {
		if k, ok := key.(*rsa.PublicKey); ok && k.N.BitLen() < 2048 {
			about = append(about, fmt.Sprintf("it has %d bits, too few to be safe", k.N.BitLen()))
		}
		seen = "its fingerprint is " + keys.PublicKey{Key: key}.Fingerprint()
	} else if _, err := x509.ParsePKCS1PublicKey(der); err == nil {
		about = append(about, "it is a PKCS #1 key, which begins with BEGIN RSA PUBLIC KEY")
	} else {
		seen = "it is no key at all"
	}
	e.addFinding(Error, code, fmt.Sprintf("%s is not the provider's: %s.", what, strings.Join(about, "; ")), remedy, seen)
}

// expectedLine is the line that should have been pasted.
func (e *exam) expectedLine() string {
	if e.current != nil {
		return e.current.Base64()
	}
	for _, k := range e.keys {
		if k.signs {
			return k.Base64()
		}
	}
	return e.keys[0].Base64()
}

// stripPEMLines takes BEGIN and END lines and white space away.
func stripPEMLines(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "-----") {
			b.WriteString(strings.Join(strings.Fields(line), ""))
		}
	}
	return b.String()
}

// findSpace is where the first white space stands, counted from one.
func findSpace(text string) int {
	for i, r := range []rune(text) {
		if unicode.IsSpace(r) {
			return i + 1
		}
	}
	return 0
}
