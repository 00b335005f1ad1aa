package inspect

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"strings"

	"idpbridge/keys"
)

// PublishedKeySource says where the private half of a key stands on a public page; empty
// where that is not known of it. The fingerprint is that of keys.PublicKey. The list is
// short because it holds only keys that were computed from the page itself; it will
// never be complete.
func PublishedKeySource(fingerprint string) string {
	if fingerprint == "D2:F8:D7:91:79:28:BB:E7:A4:57:BD:BA:A0:F6:92:21:A4:9B:0F:BC:86:7E:A3:4B:70:0E:9E:78:36:4D:57:E8" {
		return "LivePerson's tutorial on authentication with the Messaging Window API"
	}
	return ""
}

// rsaKeys are the keys that can have signed for LiveEngage.
func (in *inspector) rsaKeys() []keys.PublicKey {
	var out []keys.PublicKey
	for _, k := range in.x.Keys {
		if _, ok := k.Key.(*rsa.PublicKey); ok {
			out = append(out, k)
		}
	}
	return out
}

// signature checks the signature against every key, so that a kid that names
// the wrong one is told from a key that is not there.
func (in *inspector) signature(alg, kid, signed, encoded string) {
	unchecked := func(why string) { in.report.Signature = Signature{State: NotChecked, Detail: why} }
	if encoded == "" {
		in.add("signature-missing", "signature", "", "")
		unchecked("there is none")
		return
	}
	raw, ok := in.decode(encoded, "signature")
	candidates := in.rsaKeys()
	switch {
	case len(in.x.Keys) == 0:
		in.add("signature-unchecked", "signature", "", "")
		unchecked("there is no key to check it with")
		return
	case len(candidates) == 0:
		in.add("key-not-rsa", "key", "", "")
		unchecked("none of the keys is an RSA key")
		return
	case alg != rs256:
		unchecked("the algorithm is not RS256")
		return
	case !ok:
		unchecked("it cannot be read")
		return
	}
	digest := sha256.Sum256([]byte(signed))
	for _, k := range candidates {
		if rsa.VerifyPKCS1v15(k.Key.(*rsa.PublicKey), crypto.SHA256, digest[:], raw) == nil { //nolint:forcetypeassert // rsaKeys has RSA keys alone
			in.verified(k, kid, candidates)
			return
		}
	}
	in.wrong(kid, candidates)
}

// verified reports the key that fits, and what is wrong with it or with the kid.
func (in *inspector) verified(k keys.PublicKey, kid string, candidates []keys.PublicKey) {
	print := k.Fingerprint()
	detail := "with the key " + print
	if k.ID != "" {
		detail = "with the key " + excerpt(k.ID) + ", fingerprint " + print
	}
	in.report.Signature = Signature{State: Verified, Detail: detail, KeyID: k.ID, Fingerprint: print}
	bits := k.Key.(*rsa.PublicKey).N.BitLen() //nolint:forcetypeassert // rsaKeys has RSA keys alone
	if from := PublishedKeySource(print); from != "" {
		in.add("key-published", "key", "the private half of the key that signed is published, in "+from+": anybody can make tokens for anybody", "")
	}
	if bits < 2048 {
		in.add("key-small", "key", fmt.Sprintf("the RSA key that signed has %d bits, less than 2048, and can be broken; the private key of an old tutorial of LivePerson's, which is public, has 1024", bits), "")
	}
	if kid == "" || kid == k.ID || !named(candidates) {
		return
	}
	for _, other := range candidates {
		if other.ID == kid {
			in.add("kid-names-other-key", "header.kid", "names the key "+other.Fingerprint()+", and the signature is of "+print, "write the kid of the key that signs: "+excerpt(k.ID))
			return
		}
	}
	in.add("kid-unknown", "header.kid", excerpt(kid)+" names no key of the key set (1041); the signature is of "+excerpt(k.ID), "")
}

// named reports whether keys have kids: pasted ones have none.
func named(candidates []keys.PublicKey) bool {
	for _, k := range candidates {
		if k.ID != "" {
			return true
		}
	}
	return false
}

// wrong reports what the signature was compared with.
func (in *inspector) wrong(kid string, candidates []keys.PublicKey) {
	var prints []string
	known := false
	for _, k := range candidates {
		label := k.Fingerprint()
		if k.ID != "" {
			label = excerpt(k.ID) + " " + label
		}
		prints = append(prints, label)
		known = known || k.ID == kid
	}
	detail := "compared with " + strings.Join(prints, ", ")
	in.report.Signature = Signature{State: WrongKey, Detail: detail}
	problem := "fits none of the connector's keys (9007); " + detail
	if kid != "" && known {
		problem = "does not fit the key that kid names, nor any other (9007); " + detail
	}
	in.add("signature-wrong", "signature", problem, "")
	if kid != "" && !known && named(candidates) {
		in.add("kid-unknown", "header.kid", excerpt(kid)+" names no key of the key set (1041)", "")
	}
}
