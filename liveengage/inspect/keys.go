package inspect

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"idpbridge/keys"
)

// maxKeysInSet limits how many keys of a set are read.
const maxKeysInSet = 64

// ParseKeys parses what a connector has: one line of base64, PEM, a certificate, or a
// JSON Web Key Set. Unlike keys.ParsePublicKey, which is for our own keys, it accepts
// weak and badly encoded keys; the findings say what is wrong with them. It returns an
// error if there is no public key in the text or a private one. The error does not
// repeat the text. A key that is not in a set has an empty ID.
func ParseKeys(s string) ([]keys.PublicKey, []Finding, error) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "{") {
		return parseKeySet(s)
	}
	k, err := keys.ParsePublicKey(s)
	if err == nil {
		k.ID = ""
		return []keys.PublicKey{k}, nil, nil
	}
	key, findings := parseBadlyEncodedKey(s)
	if key == nil {
		return nil, nil, err
	}
	return []keys.PublicKey{{Key: key}}, findings, nil
}

// parseBadlyEncodedKey parses a key that keys.ParsePublicKey does not accept. It
// returns nil if that is not possible.
func parseBadlyEncodedKey(s string) (any, []Finding) {
	if block, _ := pem.Decode([]byte(s)); block != nil {
		if block.Type == "CERTIFICATE" {
			return parseCertificate(block.Bytes), nil
		}
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return nil, nil
		}
		return parseDER(block.Bytes)
	}
	joined := strings.Join(strings.Fields(s), "")
	der, err := base64.StdEncoding.DecodeString(joined)
	if err != nil {
		return nil, nil
	}
	key, findings := parseDER(der)
	if joined != s {
		findings = append([]Finding{newKeyFinding("key-lines", "key", "")}, findings...)
	}
	return key, findings
}

// parseCertificate returns the public key of a certificate, or nil.
func parseCertificate(der []byte) any {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	return certificate.PublicKey
}

// parseDER parses SubjectPublicKeyInfo or PKCS #1. It returns nil for anything else.
func parseDER(der []byte) (any, []Finding) {
	if key, err := x509.ParsePKIXPublicKey(der); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS1PublicKey(der)
	if err != nil {
		return nil, nil
	}
	return key, []Finding{newKeyFinding("key-pkcs1", "key", "")}
}

// newKeyFinding returns a finding about a key. An empty problem is that of its kind.
func newKeyFinding(code, where, problem string) Finding {
	for _, k := range keyKinds() {
		if k.Code == code {
			return k.newFinding(where, problem, "")
		}
	}
	return Finding{Code: code, Level: Error, Where: where, Problem: problem}
}

// jwk has the members of a JSON Web Key that matter here.
type jwk struct {
	Type     string   `json:"kty"`
	ID       string   `json:"kid"`
	Use      string   `json:"use"`
	Modulus  string   `json:"n"`
	Exponent string   `json:"e"`
	Chain    []string `json:"x5c"`
	Private  any      `json:"d"`
	Secret   any      `json:"k"`
}

// isForOthers reports whether LiveEngage does not use the key. A set may have keys for
// other clients.
func (k jwk) isForOthers() bool { return k.Type != "" && (k.Type != "RSA" || k.Use == "enc") }

func parseKeySet(s string) ([]keys.PublicKey, []Finding, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal([]byte(s), &set); err != nil {
		return nil, nil, errors.New(`not a JSON Web Key Set, which has the form {"keys":[…]}`)
	}
	if set.Keys == nil {
		set.Keys = []json.RawMessage{json.RawMessage(s)}
	}
	if len(set.Keys) > maxKeysInSet {
		return nil, nil, fmt.Errorf("the key set has %d keys; at most %d are read", len(set.Keys), maxKeysInSet)
	}
	var out []keys.PublicKey
	var findings []Finding
	seen := map[string]bool{}
	for i, raw := range set.Keys {
		where := "key.keys[" + strconv.Itoa(i) + "]"
		var k jwk
		if err := json.Unmarshal(raw, &k); err != nil {
			findings = append(findings, newKeyFinding("jwks-key-broken", where, ""))
			continue
		}
		if k.Private != nil || k.Secret != nil {
			return nil, nil, errors.New("the key set has a private or symmetric key; a published set must not have one")
		}
		if k.isForOthers() {
			continue
		}
		key, more := k.parse(where)
		findings = append(findings, more...)
		if key == nil {
			continue
		}
		if len(set.Keys) > 1 && (k.ID == "" || seen[k.ID]) {
			findings = append(findings, newKeyFinding("jwks-kid", where, ""))
		}
		seen[k.ID] = true
		out = append(out, keys.PublicKey{ID: k.ID, Algorithm: rs256, Key: key})
	}
	if len(out) == 0 && len(findings) == 0 {
		return nil, nil, errors.New("the key set has no RSA key; LiveEngage accepts no other type")
	}
	return out, findings, nil
}

// parse returns the RSA key, or nil and a finding.
func (k jwk) parse(where string) (*rsa.PublicKey, []Finding) {
	if k.Type == "" {
		return nil, []Finding{newKeyFinding("jwks-key-broken", where, "has no kty")}
	}
	broken := []Finding{newKeyFinding("jwks-key-broken", where, "")}
	if k.Modulus == "" && len(k.Chain) > 0 {
		der, err := base64.StdEncoding.DecodeString(k.Chain[0])
		if err != nil {
			return nil, broken
		}
		key, ok := parseCertificate(der).(*rsa.PublicKey)
		if !ok {
			return nil, broken
		}
		return key, []Finding{newKeyFinding("jwks-x5c-only", where, "")}
	}
	modulus, plainModulus, ok := decodeNumber(k.Modulus)
	if !ok || len(modulus) < 32 || len(modulus) > 2048 {
		return nil, broken
	}
	e, plainExponent, ok := decodeNumber(k.Exponent)
	exponent := new(big.Int).SetBytes(e)
	if !ok || exponent.BitLen() > 31 || exponent.Int64() < 3 {
		return nil, broken
	}
	var findings []Finding
	if plainModulus || plainExponent {
		findings = append(findings, newKeyFinding("jwks-plain-base64", where, ""))
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(exponent.Int64())}, findings
}

// decodeNumber decodes a number of a JWK. It sets plain if the number is padded or in
// the alphabet of standard base64.
func decodeNumber(s string) (data []byte, plain, ok bool) {
	if s == "" {
		return nil, false, false
	}
	if data, err := base64.RawURLEncoding.DecodeString(s); err == nil {
		return data, false, true
	}
	data, err := base64.RawURLEncoding.DecodeString(toBase64URL(s))
	return data, true, err == nil
}
