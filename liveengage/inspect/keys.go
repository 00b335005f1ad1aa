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
	"strings"

	"idpbridge/keys"
)

// mostInSet bounds how many keys of a set are tried.
const mostInSet = 64

// ParseKeys reads what a connector has: one line of base64, PEM, a certificate,
// or a JSON Web Key Set. Unlike keys.ParsePublicKey, which is for keys of our own,
// it takes weak and badly written keys too, and says in the findings what is
// wrong with them. An error says that there is no public key in the text, or that
// there is a private one, and repeats nothing of it. Of a key that was not in a
// set, ID is empty.
func ParseKeys(s string) ([]keys.PublicKey, []Finding, error) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "{") {
		return readSet(s)
	}
	p, strict := keys.ParsePublicKey(s)
	if strict == nil {
		p.ID = ""
		return []keys.PublicKey{p}, nil, nil
	}
	var notes []Finding
	der, certificate := []byte(nil), false
	if block, _ := pem.Decode([]byte(s)); block != nil {
		der, certificate = block.Bytes, block.Type == "CERTIFICATE"
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return nil, nil, strict
		}
	} else {
		dense := strings.Join(strings.Fields(s), "")
		var err error
		if der, err = base64.StdEncoding.DecodeString(dense); err != nil {
			return nil, nil, strict
		}
		if dense != s {
			notes = append(notes, finding("key-lines", "key", ""))
		}
	}
	var key any
	var err error
	switch {
	case certificate:
		var cert *x509.Certificate
		if cert, err = x509.ParseCertificate(der); err == nil {
			key = cert.PublicKey
		}
	default:
		if key, err = x509.ParsePKIXPublicKey(der); err != nil {
			if key, err = x509.ParsePKCS1PublicKey(der); err == nil {
				notes = append(notes, finding("key-pkcs1", "key", ""))
			}
		}
	}
	if err != nil {
		return nil, nil, strict
	}
	return []keys.PublicKey{{Key: key}}, notes, nil
}

// finding is one from outside an inspection.
func finding(code, where, problem string) Finding {
	for _, k := range FindingKinds() {
		if k.Code == code {
			return k.at(where, problem, "")
		}
	}
	return Finding{Code: code, Level: Error, Where: where, Problem: problem}
}

// jwk is a JSON Web Key as far as it is looked at.
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

func readSet(s string) ([]keys.PublicKey, []Finding, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal([]byte(s), &set); err != nil {
		return nil, nil, errors.New(`not a JSON Web Key Set; it has the form {"keys":[…]}`)
	}
	if set.Keys == nil {
		set.Keys = []json.RawMessage{json.RawMessage(s)}
	}
	if len(set.Keys) > mostInSet {
		return nil, nil, fmt.Errorf("the key set has %d keys; at most %d are looked at", len(set.Keys), mostInSet)
	}
	var out []keys.PublicKey
	var notes []Finding
	seen := map[string]bool{}
	for i, raw := range set.Keys {
		where := "key.keys[" + count(i) + "]"
		var k jwk
		if err := json.Unmarshal(raw, &k); err != nil {
			notes = append(notes, finding("jwks-key-broken", where, ""))
			continue
		}
		if k.Private != nil || k.Secret != nil {
			return nil, nil, errors.New("the key set holds a private or symmetric key; a set that others read must not")
		}
		if k.Use == "enc" || k.Type != "RSA" {
			if k.Type == "" {
				notes = append(notes, finding("jwks-key-broken", where, "has no kty"))
			}
			continue // another's business: a set may serve others too
		}
		key, more := k.read(where)
		notes = append(notes, more...)
		if key == nil {
			continue
		}
		if len(set.Keys) > 1 && (k.ID == "" || seen[k.ID]) {
			notes = append(notes, finding("jwks-kid", where, ""))
		}
		seen[k.ID] = true
		out = append(out, keys.PublicKey{ID: k.ID, Algorithm: rs256, Key: key})
	}
	if len(out) == 0 && len(notes) == 0 {
		return nil, nil, errors.New("the key set has no RSA key; LiveEngage takes no other")
	}
	return out, notes, nil
}

// read returns the RSA key; nil with a finding where there is none.
func (k jwk) read(where string) (*rsa.PublicKey, []Finding) {
	broken := []Finding{finding("jwks-key-broken", where, "")}
	if k.Modulus == "" && len(k.Chain) > 0 {
		der, err := base64.StdEncoding.DecodeString(k.Chain[0])
		if err != nil {
			return nil, broken
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, broken
		}
		key, ok := cert.PublicKey.(*rsa.PublicKey)
		if !ok {
			return nil, broken
		}
		return key, []Finding{finding("jwks-x5c-only", where, "")}
	}
	n, plainN, okN := decodeNumber(k.Modulus)
	e, plainE, okE := decodeNumber(k.Exponent)
	exponent := new(big.Int).SetBytes(e)
	if !okN || !okE || len(n) < 32 || len(n) > 2048 || exponent.BitLen() > 31 || exponent.Int64() < 3 {
		return nil, broken
	}
	var notes []Finding
	if plainN || plainE {
		notes = append(notes, finding("jwks-plain-base64", where, ""))
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, notes
}

// decodeNumber reads a number of a JWK; plain reports that it is padded or in the
// alphabet of plain base64.
func decodeNumber(s string) (data []byte, plain, ok bool) {
	if s == "" {
		return nil, false, false
	}
	if data, err := base64.RawURLEncoding.DecodeString(s); err == nil {
		return data, false, true
	}
	data, err := base64.RawURLEncoding.DecodeString(strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(s))
	return data, true, err == nil
}
