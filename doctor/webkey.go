package doctor

import (
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"

	"idpbridge/keys"
)

// Codes of a single key in the key set.
const (
	KeysPrivate  Code = "keys-private"
	KeysKind     Code = "keys-kind"
	KeysNumbers  Code = "keys-numbers"
	KeysEncoding Code = "keys-encoding"
	KeysSize     Code = "keys-size"
	KeysUse      Code = "keys-use"
)

// webKey is a JSON Web Key (RFC 7517) as the provider wrote it. No library parses
// it, because libraries accept encodings that LivePerson rejects.
type webKey struct {
	Kty, Kid, Use, Alg string
	N, E               string
	D, P, Q, K         string
	X5c                []string
}

// publicKey is an RSA key that can verify tokens.
type publicKey struct {
	keys.PublicKey
	signs bool // use and alg allow RS256 signatures
}

const minKeyBits = 2048

// checkKey checks one key, and adds it to e.keys if it can verify tokens.
func (e *exam) checkKey(k webKey) {
	name := fmt.Sprintf("The key %q", k.Kid)
	if k.D != "" || k.P != "" || k.Q != "" || k.K != "" {
		e.addError(KeysPrivate, name+" is published with its private part.",
			"Remove it now, and create a new key: with this one, anyone can sign in as any user. "+
				"Publish only kty, n, e, kid, use and alg.")
	}
	if k.Kty != "RSA" {
		e.addNote(KeysKind, fmt.Sprintf("%s has the type %q, which LivePerson does not support.", name, k.Kty),
			"It does no harm next to an RSA key. Make sure that tokens for LivePerson are signed with RS256.")
		return
	}
	if k.N == "" || k.E == "" {
		problem := name + " lacks n or e"
		if len(k.X5c) > 0 {
			problem += " and has only a certificate (x5c)"
		}
		e.addError(KeysNumbers, problem+".",
			"Publish the modulus as n and the exponent as e, in base64url (RFC 7518 section 6.3.1).")
		return
	}
	modulus, okN := e.decodeNumber(name, "n", k.N)
	exponent, okE := e.decodeNumber(name, "e", k.E)
	if !okN || !okE {
		return
	}
	if bits := modulus.BitLen(); bits < minKeyBits {
		e.addError(KeysSize, fmt.Sprintf("%s has only %d bits, which is not secure.", name, bits),
			"Create a key of 2048 bits or more.")
	}
	if !isValidExponent(exponent) {
		e.addError(KeysNumbers, name+" has an invalid exponent (e).",
			"Write the exponent in base64url; for nearly every key it is AQAB.", k.E)
		return
	}
	signs := (k.Use == "" || k.Use == "sig") && (k.Alg == "" || k.Alg == "RS256")
	if !signs {
		e.addNote(KeysUse, fmt.Sprintf("%s has use %q and alg %q, so it is not for RS256 signatures.", name, k.Use, k.Alg),
			`Sign LivePerson's tokens with another key, with use "sig" and alg "RS256".`)
	}
	public := &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}
	e.keys = append(e.keys, publicKey{keys.PublicKey{ID: k.Kid, Algorithm: "RS256", Key: public}, signs})
}

func isValidExponent(x *big.Int) bool {
	return x.IsInt64() && x.Int64() >= 3 && x.Int64() <= 1<<31-1 && x.Bit(0) == 1
}

// decodeNumber decodes a number of a key strictly: base64url without padding
// (RFC 7518 section 6.3.1.1).
func (e *exam) decodeNumber(name, member, encoded string) (*big.Int, bool) {
	for i, c := range encoded {
		if isBase64URL(c) {
			continue
		}
		e.addError(KeysEncoding,
			fmt.Sprintf("%s is not base64url without padding: character %d of %s is %q.", name, i+1, member, c),
			"Write - instead of +, _ instead of /, and no = at the end (RFC 7518 section 6.3.1.1). "+
				"LivePerson rejects plain base64.")
		return nil, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || len(raw) == 0 {
		e.addError(KeysEncoding, fmt.Sprintf("%s is cut off: the length of %s is not possible in base64url.", name, member),
			"Publish the complete number.")
		return nil, false
	}
	if raw[0] == 0 {
		e.addWarning(KeysEncoding, fmt.Sprintf("%s has a zero byte at the start of %s.", name, member),
			"Remove the zero byte, which some libraries add as a sign (RFC 7518 section 6.3.1.1).")
	}
	return new(big.Int).SetBytes(raw), true
}

func isBase64URL(c rune) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}
