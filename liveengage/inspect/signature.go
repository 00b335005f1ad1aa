package inspect

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"strings"

	"idpbridge/keys"
)

// PublishedKeySource returns where the private half of a key is published, or "" if
// that is not known. The fingerprint is that of keys.PublicKey. Only keys that were
// computed from the source itself are listed; the list will never be complete.
func PublishedKeySource(fingerprint string) string {
	const tutorialKey = "D2:F8:D7:91:79:28:BB:E7:A4:57:BD:BA:A0:F6:92:21:A4:9B:0F:BC:86:7E:A3:4B:70:0E:9E:78:36:4D:57:E8"
	if fingerprint == tutorialKey {
		return "LivePerson's tutorial on authentication with the Messaging Window API"
	}
	return ""
}

// rsaKey is a key that can have signed for LiveEngage.
type rsaKey struct {
	keys.PublicKey
	rsa *rsa.PublicKey
}

// rsaKeys returns the RSA keys among the expected ones.
func (ins *inspector) rsaKeys() []rsaKey {
	var out []rsaKey
	for _, k := range ins.expected.Keys {
		if key, ok := k.Key.(*rsa.PublicKey); ok {
			out = append(out, rsaKey{k, key})
		}
	}
	return out
}

// inspectSignature verifies the signature with every key, to tell a kid that names the
// wrong key from a key that is missing.
func (ins *inspector) inspectSignature(alg, kid, signed, encoded string) {
	if encoded == "" {
		ins.addFinding("signature-missing", "signature", "", "")
		ins.skipSignature("there is none")
		return
	}
	signature, ok := ins.decodeBase64(encoded, "signature")
	if len(ins.expected.Keys) == 0 {
		ins.addFinding("signature-unchecked", "signature", "", "")
		ins.skipSignature("there is no key to check it with")
		return
	}
	candidates := ins.rsaKeys()
	if len(candidates) == 0 {
		ins.addFinding("key-not-rsa", "key", "", "")
		ins.skipSignature("none of the keys is an RSA key")
		return
	}
	if alg != rs256 {
		ins.skipSignature("the algorithm is not RS256")
		return
	}
	if !ok {
		ins.skipSignature("it cannot be decoded")
		return
	}
	digest := sha256.Sum256([]byte(signed))
	for _, k := range candidates {
		if rsa.VerifyPKCS1v15(k.rsa, crypto.SHA256, digest[:], signature) == nil {
			ins.reportVerified(k, kid, candidates)
			return
		}
	}
	ins.reportWrongKey(kid, candidates)
}

func (ins *inspector) skipSignature(reason string) {
	ins.report.Signature = Signature{State: NotChecked, Detail: reason}
}

// reportVerified reports the key that signed, and what is wrong with it or the kid.
func (ins *inspector) reportVerified(k rsaKey, kid string, candidates []rsaKey) {
	fingerprint := k.Fingerprint()
	detail := "with the key " + fingerprint
	if k.ID != "" {
		detail = "with the key " + quoteExcerpt(k.ID) + ", fingerprint " + fingerprint
	}
	ins.report.Signature = Signature{State: Verified, Detail: detail, KeyID: k.ID, Fingerprint: fingerprint}
	if source := PublishedKeySource(fingerprint); source != "" {
		ins.addFinding("key-published", "key", "the private half of the signing key is published in "+source+
			", so anyone can create tokens for any customer", "")
	}
	if bits := k.rsa.N.BitLen(); bits < 2048 {
		problem := fmt.Sprintf("the signing key has %d bits, less than 2048, and can be broken; "+
			"the key in an old LivePerson tutorial, whose private half is public, has 1024", bits)
		ins.addFinding("key-small", "key", problem, "")
	}
	if kid != "" && kid != k.ID && haveIDs(candidates) {
		ins.reportWrongKeyID(k, kid, candidates)
	}
}

// reportWrongKeyID reports a kid that is not that of the key that signed.
func (ins *inspector) reportWrongKeyID(k rsaKey, kid string, candidates []rsaKey) {
	for _, other := range candidates {
		if other.ID == kid {
			ins.addFinding("kid-names-other-key", "header.kid",
				"names the key "+other.Fingerprint()+", but the token is signed with "+k.Fingerprint(),
				"use the kid of the signing key: "+quoteExcerpt(k.ID))
			return
		}
	}
	ins.addFinding("kid-unknown", "header.kid",
		quoteExcerpt(kid)+" is not in the key set (1041); the token is signed with "+quoteExcerpt(k.ID), "")
}

// haveIDs reports whether one of the keys has a kid. Pasted keys have none.
func haveIDs(candidates []rsaKey) bool {
	for _, k := range candidates {
		if k.ID != "" {
			return true
		}
	}
	return false
}

// reportWrongKey reports the keys that the signature was compared with.
func (ins *inspector) reportWrongKey(kid string, candidates []rsaKey) {
	var labels []string
	known := false
	for _, k := range candidates {
		label := k.Fingerprint()
		if k.ID != "" {
			label = quoteExcerpt(k.ID) + " " + label
		}
		labels = append(labels, label)
		known = known || k.ID == kid
	}
	detail := "compared with " + strings.Join(labels, ", ")
	ins.report.Signature = Signature{State: WrongKey, Detail: detail}
	problem := "matches none of the connector's keys (9007); " + detail
	if kid != "" && known {
		problem = "does not match the key that kid names, or any other key (9007); " + detail
	}
	ins.addFinding("signature-wrong", "signature", problem, "")
	if kid != "" && !known && haveIDs(candidates) {
		ins.addFinding("kid-unknown", "header.kid", quoteExcerpt(kid)+" is not in the key set (1041)", "")
	}
}
