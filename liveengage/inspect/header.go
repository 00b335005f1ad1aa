package inspect

import (
	"encoding/json"
	"strings"
)

const rs256 = "RS256"

// inspectHeader inspects the header of a signed token and returns its algorithm.
func (ins *inspector) inspectHeader(header map[string]json.RawMessage) string {
	if header == nil {
		return ""
	}
	alg := decodeString(header["alg"])
	ins.inspectAlgorithm(alg, header["alg"])
	if raw, ok := header["typ"]; ok && !strings.EqualFold(decodeString(raw), "JWT") {
		typ := quoteExcerpt(strings.Trim(string(raw), `"`))
		ins.addFinding("typ-odd", "header.typ",
			"is "+typ+", not JWT; at+jwt, for example, marks an access token, which is not for LiveEngage", "")
	}
	ins.inspectKeyID(header)
	return alg
}

func (ins *inspector) inspectKeyID(header map[string]json.RawMessage) {
	const where = "header.kid"
	raw, ok := header["kid"]
	if ok && kindOf(raw) != kindString {
		ins.addFinding("kid-type", where, "is "+string(kindOf(raw))+", not a string", "")
		return
	}
	if decodeString(raw) != "" {
		return
	}
	if len(ins.rsaKeys()) > 1 {
		ins.addFinding("kid-needed", where, "", "")
		return
	}
	ins.addFinding("kid-missing", where, "", "")
}

// inspectAlgorithm says why LiveEngage does not accept an algorithm other than RS256.
func (ins *inspector) inspectAlgorithm(alg string, raw json.RawMessage) {
	if alg == rs256 {
		return
	}
	const where = "header.alg"
	if alg == "" {
		ins.addFinding("alg-missing", where, "is "+string(kindOf(raw)), "")
		return
	}
	upper := strings.ToUpper(alg)
	if upper == "NONE" {
		ins.addFinding("alg-none", where, "", "")
		return
	}
	if upper == rs256 {
		ins.addFinding("alg-unknown", where,
			"is "+quoteExcerpt(alg)+"; names of algorithms are case-sensitive", "write RS256")
		return
	}
	code := codeOfAlgorithm(upper)
	meaning := strings.TrimPrefix(ins.kinds[code].Meaning, "alg is ")
	ins.addFinding(code, where, "is "+quoteExcerpt(alg)+", "+meaning, "")
}

// codeOfAlgorithm returns the code of the finding for an algorithm in upper case.
func codeOfAlgorithm(upper string) string {
	if upper == "RS384" || upper == "RS512" {
		return "alg-hash"
	}
	for _, family := range []struct{ prefix, code string }{
		{"HS", "alg-secret"},
		{"ES", "alg-elliptic"},
		{"ED", "alg-elliptic"},
		{"PS", "alg-pss"},
	} {
		if strings.HasPrefix(upper, family.prefix) {
			return family.code
		}
	}
	return "alg-unknown"
}
