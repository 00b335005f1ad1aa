package inspect

import (
	"crypto/rsa"
	"encoding/json"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// inspectJWE inspects a JWE and, if the key decrypts it, the token inside.
func (ins *inspector) inspectJWE(token string, parts []string) {
	header, raw := ins.decodeObject(parts[0], "outer", "header-not-json")
	ins.report.Outer = raw
	for i, where := range []string{"outer.key", "outer.iv", "outer.ciphertext", "outer.tag"} {
		ins.decodeBase64(parts[i+1], where)
	}
	ins.report.Signature.Detail = "the signed token is encrypted"
	if header == nil {
		return
	}
	ins.inspectOuterHeader(header)
	key, ok := ins.expected.Decrypt.(*rsa.PrivateKey)
	if !ok || key == nil {
		ins.addFinding("jwe-closed", "outer", "", "")
		return
	}
	if decodeString(header["alg"]) != string(jose.RSA_OAEP_256) {
		ins.addFinding("jwe-closed", "outer",
			"the encrypted token was not inspected, because only RSA-OAEP-256 is decrypted", "correct alg first")
		return
	}
	plain, err := decryptJWE(token, key)
	if err != nil {
		ins.addFinding("jwe-not-opened", "outer", "", "")
		return
	}
	ins.inspectDecrypted(plain)
}

// inspectOuterHeader inspects the header of a JWE.
func (ins *inspector) inspectOuterHeader(header map[string]json.RawMessage) {
	const rsaOAEP256 = string(jose.RSA_OAEP_256)
	alg := decodeString(header["alg"])
	if alg != rsaOAEP256 && lettersAndDigits(alg) == lettersAndDigits(rsaOAEP256) {
		ins.addFinding("jwe-alg-misprint", "outer.alg",
			"is "+quoteExcerpt(alg)+", a misprint in an older version of LivePerson's documentation", "")
	} else if alg != rsaOAEP256 {
		ins.addFinding("jwe-alg", "outer.alg", "is "+quoteExcerpt(alg)+", not RSA-OAEP-256", "")
	}
	enc := decodeString(header["enc"])
	if enc == "" {
		ins.addFinding("jwe-enc-missing", "outer.enc", "", "")
	} else if enc != string(jose.A128CBC_HS256) && enc != string(jose.A256GCM) {
		ins.addFinding("jwe-enc", "outer.enc",
			"is "+quoteExcerpt(enc)+", neither A128CBC-HS256 nor A256GCM, the only two seen in published tokens", "")
	}
	if !strings.EqualFold(decodeString(header["cty"]), "JWT") {
		ins.addFinding("jwe-cty", "outer.cty", "", "")
	}
	if decodeString(header["kid"]) == "" {
		ins.addFinding("jwe-kid-missing", "outer.kid", "", "")
	}
	if _, ok := header["zip"]; ok {
		ins.addFinding("jwe-zip", "outer.zip", "", "")
	}
}

// decryptJWE decrypts a compact JWE.
func decryptJWE(token string, key *rsa.PrivateKey) ([]byte, error) {
	algorithms := []jose.KeyAlgorithm{jose.RSA_OAEP_256}
	encodings := []jose.ContentEncryption{
		jose.A128CBC_HS256, jose.A192CBC_HS384, jose.A256CBC_HS512,
		jose.A128GCM, jose.A192GCM, jose.A256GCM,
	}
	parsed, err := jose.ParseEncryptedCompact(token, algorithms, encodings)
	if err != nil {
		return nil, err
	}
	return parsed.Decrypt(key)
}

// inspectDecrypted inspects the content of a JWE, which should be a JWS.
func (ins *inspector) inspectDecrypted(plain []byte) {
	s := string(plain)
	if strings.HasPrefix(strings.TrimSpace(s), "{") {
		ins.addFinding("jwe-inner-not-jws", "outer", "the encrypted content is the claims without a signature: "+
			"anyone who has LivePerson's public key can create such a token", "")
		ins.report.Claims = indentJSON(plain)
		return
	}
	parts := strings.Split(s, ".")
	if len(parts) == 5 {
		ins.addFinding("jwe-inner-not-jws", "outer",
			"the encrypted content is another encrypted token", "sign first, then encrypt once")
		return
	}
	if len(parts) != 3 {
		ins.addFinding("jwe-inner-not-jws", "outer", "", "")
		return
	}
	ins.inspectJWS(parts)
}
