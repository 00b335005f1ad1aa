package inspect

import (
	"crypto/rsa"
	"encoding/json"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// encrypted inspects a JWE and, where the key opens it, the token inside.
func (in *inspector) encrypted(token string, parts []string) {
	header, raw := in.object(parts[0], "outer", "header-not-json")
	in.report.Outer = raw
	for i, where := range []string{"outer.key", "outer.iv", "outer.ciphertext", "outer.tag"} {
		in.decode(parts[i+1], where)
	}
	in.report.Signature.Detail = "the signed token is inside the encryption"
	if header == nil {
		return
	}
	in.outer(header)
	key, ok := in.x.Decrypt.(*rsa.PrivateKey)
	if !ok || key == nil {
		in.add("jwe-closed", "outer", "", "")
		return
	}
	if text(header["alg"]) != string(jose.RSA_OAEP_256) {
		in.add("jwe-closed", "outer", "what is inside was not looked at, because only RSA-OAEP-256 is opened", "correct alg first")
		return
	}
	plain, err := open(token, key)
	if err != nil {
		in.add("jwe-not-opened", "outer", "", "")
		return
	}
	in.inner(plain)
}

// outer inspects the header of a JWE.
func (in *inspector) outer(header map[string]json.RawMessage) {
	switch alg := text(header["alg"]); {
	case alg == string(jose.RSA_OAEP_256):
	case wordsOnly(alg) == wordsOnly(string(jose.RSA_OAEP_256)):
		in.add("jwe-alg-misprint", "outer.alg", "is "+excerpt(alg)+"; an older page of LivePerson's misprinted it so", "")
	default:
		in.add("jwe-alg", "outer.alg", "is "+excerpt(alg)+", not RSA-OAEP-256", "")
	}
	switch enc := text(header["enc"]); enc {
	case string(jose.A128CBC_HS256), string(jose.A256GCM):
	case "":
		in.add("jwe-enc-missing", "outer.enc", "", "")
	default:
		in.add("jwe-enc", "outer.enc", "is "+excerpt(enc)+", neither A128CBC-HS256 nor A256GCM, the only two that were seen in others' tokens", "")
	}
	if !strings.EqualFold(text(header["cty"]), "JWT") {
		in.add("jwe-cty", "outer.cty", "", "")
	}
	if text(header["kid"]) == "" {
		in.add("jwe-kid-missing", "outer.kid", "", "")
	}
	if _, ok := header["zip"]; ok {
		in.add("jwe-zip", "outer.zip", "", "")
	}
}

// open decrypts a compact JWE.
func open(token string, key *rsa.PrivateKey) ([]byte, error) {
	encodings := []jose.ContentEncryption{jose.A128CBC_HS256, jose.A192CBC_HS384, jose.A256CBC_HS512, jose.A128GCM, jose.A192GCM, jose.A256GCM}
	parsed, err := jose.ParseEncryptedCompact(token, []jose.KeyAlgorithm{jose.RSA_OAEP_256}, encodings)
	if err != nil {
		return nil, err
	}
	return parsed.Decrypt(key)
}

// inner inspects what was encrypted.
func (in *inspector) inner(plain []byte) {
	s := string(plain)
	parts := strings.Split(s, ".")
	switch {
	case strings.HasPrefix(strings.TrimSpace(s), "{"):
		in.add("jwe-inner-not-jws", "outer", "inside the encryption are the bare claims, without a signature: anybody who has LivePerson's public key can make such a token", "")
		in.report.Claims = indent(plain)
	case len(parts) == 5:
		in.add("jwe-inner-not-jws", "outer", "inside the encryption is another encrypted token", "sign first, then encrypt once")
	case len(parts) != 3:
		in.add("jwe-inner-not-jws", "outer", "", "")
	default:
		in.signed(parts)
	}
}
