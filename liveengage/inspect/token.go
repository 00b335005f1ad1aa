// Package inspect reads a token the way LiveEngage does, and reports everything that
// is wrong with it.
package inspect

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"idpbridge/keys"
)

// Expectations are what a token is compared with. A field with its zero value is not
// compared.
type Expectations struct {
	Now     time.Time
	Issuer  string // JWT issuer (iss) of the connector
	Subject string // sub of the identity function
	// Keys are the keys of the connector's key set, or the pasted key with an empty ID.
	// Only RSA keys are used. ParseKeys returns them.
	Keys []keys.PublicKey
	// KeyFindings are what ParseKeys noticed; they become part of the report.
	KeyFindings []Finding
	// Decrypt decrypts an encrypted token: an *rsa.PrivateKey.
	Decrypt any
}

// The values of Report.Form.
const (
	formJWS = "JWS"
	formJWE = "JWE"
)

// Report is the result of Token. Header, Outer and Claims are indented JSON in the
// order of the token, with control characters escaped, or nil.
type Report struct {
	Form      string          `json:"form"`            // JWS, JWE, or empty if the text is not a token
	Outer     json.RawMessage `json:"outer,omitempty"` // header of the JWE
	Header    json.RawMessage `json:"header,omitempty"`
	Claims    json.RawMessage `json:"claims,omitempty"`
	Signature Signature       `json:"signature"`
	AgentSees []AgentField    `json:"agentSees"`
	Findings  []Finding       `json:"findings"` // errors first, then warnings, then notes
}

// CountErrors returns the number of findings with level Error.
func (r Report) CountErrors() int { return r.countFindings(Error) }

// CountWarnings returns the number of findings with level Warn.
func (r Report) CountWarnings() int { return r.countFindings(Warn) }

func (r Report) countFindings(level Level) int {
	n := 0
	for _, f := range r.Findings {
		if f.Level == level {
			n++
		}
	}
	return n
}

// The values of Signature.State.
const (
	Verified   = "verified"
	WrongKey   = "wrong key"
	NotChecked = "not checked"
)

// Signature is what is known about a token's signature.
type Signature struct {
	State       string `json:"state"`                 // Verified, WrongKey or NotChecked
	Detail      string `json:"detail"`                // the keys it was compared with, or why it was not checked
	KeyID       string `json:"kid,omitempty"`         // of the key that verified it, if that key has one
	Fingerprint string `json:"fingerprint,omitempty"` // of the key that verified it
}

// inspector collects a report.
type inspector struct {
	expected Expectations
	report   Report
	kinds    map[string]FindingKind
}

// Token reports how LiveEngage would read a token, with everything that is wrong with
// it. The text can have white space, "Bearer" or quotes around the token. It can also
// be the URL of a redirect, its fragment, or the response of a token endpoint. Token
// makes no requests and does not read the clock.
func Token(text string, expected Expectations) Report {
	ins := &inspector{expected: expected, kinds: map[string]FindingKind{}}
	for _, k := range FindingKinds() {
		ins.kinds[k.Code] = k
	}
	ins.report.Signature = Signature{State: NotChecked, Detail: "there is no signed token"}
	ins.report.AgentSees, ins.report.Findings = []AgentField{}, slices.Clone(expected.KeyFindings)
	if token := ins.findToken(text); token != "" {
		ins.inspectToken(token)
	}
	rank := func(f Finding) int { return slices.Index([]Level{Error, Warn, Note}, f.Level) }
	slices.SortStableFunc(ins.report.Findings, func(a, b Finding) int { return cmp.Compare(rank(a), rank(b)) })
	if ins.report.Findings == nil {
		ins.report.Findings = []Finding{}
	}
	return ins.report
}

func (ins *inspector) inspectToken(token string) {
	ins.checkSize(token)
	parts := strings.Split(token, ".")
	if len(parts) == 5 {
		ins.report.Form = formJWE
		ins.inspectJWE(token, parts)
		return
	}
	ins.report.Form = formJWS
	ins.inspectJWS(parts)
}

// addFinding adds a finding. An empty problem or remedy is replaced by that of its
// kind.
func (ins *inspector) addFinding(code, where, problem, remedy string) {
	ins.report.Findings = append(ins.report.Findings, ins.kinds[code].newFinding(where, problem, remedy))
}

func (k FindingKind) newFinding(where, problem, remedy string) Finding {
	// Where already names the member, so the problem does not repeat it.
	member := where[strings.LastIndexByte(where, '.')+1:]
	problem = strings.TrimPrefix(cmp.Or(problem, k.Meaning), "the "+member+" ")
	problem = strings.TrimPrefix(problem, member+" ")
	return Finding{Code: k.Code, Level: k.Level, Where: where, Problem: problem, Remedy: cmp.Or(remedy, k.Remedy)}
}

func (ins *inspector) checkSize(token string) {
	const large, huge = 4096, 8192
	n := len(token)
	if n > huge {
		problem := fmt.Sprintf("has %d bytes, more than %d; many servers reject URLs of that length", n, huge)
		ins.addFinding("size-huge", "token", problem, "")
	} else if n > large {
		problem := fmt.Sprintf("has %d bytes, more than %d; the pop-out window carries it in a URL", n, large)
		ins.addFinding("size-large", "token", problem, "")
	}
}

// inspectJWS inspects the parts of a JWS: three, or two if the signature was left out
// together with its dot.
func (ins *inspector) inspectJWS(parts []string) {
	header, raw := ins.decodeObject(parts[0], "header", "header-not-json")
	ins.report.Header = raw
	alg := ins.inspectHeader(header)
	signature := ""
	if len(parts) > 2 {
		signature = parts[2]
	}
	ins.inspectSignature(alg, decodeString(header["kid"]), parts[0]+"."+parts[1], signature)
	claims, raw := ins.decodeObject(parts[1], "claims", "claims-not-json")
	ins.report.Claims = raw
	if claims != nil {
		ins.inspectClaims(claims)
	}
}

// decodeObject decodes a part that must be a JSON object. It returns the members, the
// last of those with equal names, and the indented JSON. Both are nil if the part
// cannot be decoded.
func (ins *inspector) decodeObject(part, where, code string) (map[string]json.RawMessage, json.RawMessage) {
	data, ok := ins.decodeBase64(part, where)
	if !ok {
		return nil, nil
	}
	if !utf8.Valid(data) {
		ins.addFinding("not-utf8", where, "", "")
		data = bytes.ToValidUTF8(data, []byte("\uFFFD"))
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(data, &members) != nil || members == nil {
		ins.addFinding(code, where, "", "")
		if json.Valid(data) {
			return nil, indentJSON(data)
		}
		return nil, nil
	}
	root := ""
	if where != "claims" {
		root = where
	}
	ins.scanJSON(data, root)
	return members, indentJSON(data)
}

// decodeBase64 decodes base64url. It reports padding and the standard alphabet, but
// decodes them too.
func (ins *inspector) decodeBase64(part, where string) ([]byte, bool) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err == nil {
		return data, true
	}
	ins.addFinding("part-not-base64url", where, "", "")
	data, err = base64.RawURLEncoding.DecodeString(toBase64URL(part))
	return data, err == nil
}

// toBase64URL turns standard or padded base64 into base64url without padding.
func toBase64URL(s string) string { return strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(s) }
