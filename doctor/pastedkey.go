package doctor

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"idpbridge/keys"
	"idpbridge/liveengage/inspect"
)

// comparePastedKey compares a key from the connector with the provider's keys,
// character by character. Findings begin with name.
func (e *exam) comparePastedKey(code Code, name, pasted string) {
	if strings.TrimSpace(pasted) == "" {
		e.addError(code, name+" is empty.", pasteLine)
		return
	}
	line := stripPEMLines(pasted)
	i := slices.IndexFunc(e.keys, func(k publicKey) bool { return k.Base64() == line })
	if i < 0 {
		e.explainKeyMismatch(code, name, pasted, line)
		return
	}
	key := e.keys[i]
	if e.current != nil && key.ID != e.current.ID || e.current == nil && !key.signs {
		e.addError(code, fmt.Sprintf("%s is the key %s of the key set, but another key signs now.", name, key.ID),
			"Paste the key that signs now, or set the connector to use the key set.", "fingerprint "+key.Fingerprint())
		return
	}
	if strings.Contains(pasted, "-----") {
		e.addError(code, name+" is the right key, but it has BEGIN and END lines.",
			"Paste only the text between them, as one line.")
		return
	}
	if pasted != line {
		e.addError(code,
			fmt.Sprintf("%s is the right key, but character %d is a space or a line break.", name, findSpace(pasted)),
			"Paste it as one line, without spaces.")
		return
	}
	e.addOK(code, fmt.Sprintf("%s is the key %s, character by character.", name, key.ID))
}

// explainKeyMismatch reports what is wrong with a pasted key that is not in the
// key set. Line is the pasted text without BEGIN and END lines and white space.
func (e *exam) explainKeyMismatch(code Code, name, pasted, line string) {
	der, _ := base64.StdEncoding.DecodeString(line) // what is not base64 is not a key either
	parsed, err := x509.ParsePKIXPublicKey(der)
	fingerprint := ""
	if err == nil {
		fingerprint = keys.PublicKey{Key: parsed}.Fingerprint()
		if inspect.PublishedKeySource(fingerprint) != "" {
			e.addError(code, name+" is the example from LivePerson's tutorial, whose private key is public.",
				"Replace it now: anyone can sign in as any user. "+pasteLine)
			return
		}
	}
	if problem, remedy := recognizeNoKey(pasted, der); problem != "" {
		e.addError(code, name+" is "+problem+".", remedy)
		return
	}
	if strings.Contains(pasted, "PRIVATE KEY") {
		e.addError(code, name+" is a private key.",
			"Treat it as stolen: create a new key, and paste its public part.")
		return
	}
	var problems []string
	if strings.Contains(pasted, "-----") {
		problems = append(problems, "it has BEGIN and END lines")
	} else if pasted != line {
		problems = append(problems, fmt.Sprintf("character %d is a space or a line break", findSpace(pasted)))
	}
	if expected := e.expectedLine(); expected != "" {
		problems = append(problems, describeDifference(line, expected))
	}
	seen := "it is not a public key"
	if err == nil {
		seen = "its fingerprint is " + fingerprint
		if k, ok := parsed.(*rsa.PublicKey); ok && k.N.BitLen() < minKeyBits {
			problems = append(problems, fmt.Sprintf("it has only %d bits, which is not secure", k.N.BitLen()))
		}
	} else if _, err := x509.ParsePKCS1PublicKey(der); err == nil {
		problems = append(problems, "it has the older format PKCS #1 (BEGIN RSA PUBLIC KEY)")
		seen = ""
	}
	sentence := name + " is not the provider's key"
	if len(e.keys) == 0 {
		sentence = name + " cannot be used"
	}
	if len(problems) > 0 {
		sentence += ": " + strings.Join(problems, "; ")
	}
	e.addError(code, sentence+".",
		pasteLine+" Or set the connector to use the key set. Compare the fingerprints.", seen)
}

// recognizeNoKey says what was pasted in place of a key, and what to do about it. It
// returns "" for what may be a key.
func recognizeNoKey(pasted string, der []byte) (problem, remedy string) {
	const publicKey = "Paste the public key in it: openssl x509 -in FILE -pubkey -noout, on one line."
	if _, err := x509.ParseCertificate(der); err == nil || strings.Contains(pasted, "BEGIN CERTIFICATE") {
		return "a certificate, not a public key", publicKey
	}
	text := strings.TrimSpace(pasted)
	if strings.HasPrefix(text, "eyJ") || strings.HasPrefix(strings.ToLower(text), "bearer ") {
		return "a token, not a public key", pasteLine
	}
	if strings.HasPrefix(text, "{") {
		return "a JSON Web Key, not a key on one line", "Paste the key as X.509 SubjectPublicKeyInfo in base64. " + pasteLine
	}
	if strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") {
		return "a URL, not a public key", "Enter it as JWKS Endpoint, or paste the key."
	}
	return "", ""
}

// judgePastedKey checks the pasted key of a provider without a key set.
func (e *exam) judgePastedKey() {
	const name = "The pasted key"
	line := stripPEMLines(e.cfg.PastedKey)
	der, _ := base64.StdEncoding.DecodeString(line) // what is not base64 is not a key either
	parsed, err := x509.ParsePKIXPublicKey(der)
	key, isRSA := parsed.(*rsa.PublicKey)
	if err != nil || !isRSA || key.N.BitLen() < minKeyBits || line != e.cfg.PastedKey ||
		inspect.PublishedKeySource(keys.PublicKey{Key: parsed}.Fingerprint()) != "" {
		e.explainKeyMismatch(KeyPasted, name, e.cfg.PastedKey, line)
		return
	}
	e.addOK(KeyPasted, fmt.Sprintf("%s is an RSA key of %d bits, with the fingerprint %s. There is no key set to "+
		"compare it with.", name, key.N.BitLen(), keys.PublicKey{Key: parsed}.Fingerprint()))
}

// expectedLine returns the line that should have been pasted.
func (e *exam) expectedLine() string {
	if e.current != nil {
		return e.current.Base64()
	}
	for _, k := range e.keys {
		if k.signs {
			return k.Base64()
		}
	}
	if len(e.keys) > 0 {
		return e.keys[0].Base64()
	}
	return ""
}

// stripPEMLines removes BEGIN and END lines, and white space.
func stripPEMLines(pasted string) string {
	var b strings.Builder
	for line := range strings.Lines(pasted) {
		if !strings.HasPrefix(strings.TrimSpace(line), "-----") {
			b.WriteString(strings.Join(strings.Fields(line), ""))
		}
	}
	return b.String()
}

// findSpace returns the position of the first white space, counted from one, or 0.
func findSpace(s string) int {
	for i, r := range []rune(s) {
		if unicode.IsSpace(r) {
			return i + 1
		}
	}
	return 0
}
