// Package inspect reads a token as LiveEngage would, and says what is wrong with it.
package inspect

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"idpbridge/keys"
)

// Expectations are what a token is held against. The zero value of a field
// leaves its comparison out.
type Expectations struct {
	Now     time.Time
	Issuer  string // JWT issuer (iss) of the connector
	Subject string // sub of the identity function
	// Keys are what the connector has: the keys of its key set, or the pasted one
	// with an empty ID. Of several keys the RSA ones count. ReadKeys makes them.
	Keys []keys.PublicKey
	// KeyFindings are what ReadKeys noticed; they become part of the report.
	KeyFindings []Finding
	// Decrypt opens an encrypted token: an *rsa.PrivateKey.
	Decrypt any
}

// Report is what Token noticed. Header, Outer and Claims are indented JSON in
// the order of the token, with control characters escaped; nil where there is none.
type Report struct {
	Form      string          `json:"form"`            // JWS, JWE, or empty where the text is no token
	Outer     json.RawMessage `json:"outer,omitempty"` // header of the JWE
	Header    json.RawMessage `json:"header,omitempty"`
	Claims    json.RawMessage `json:"claims,omitempty"`
	Signature Signature       `json:"signature"`
	AgentSees []AgentField    `json:"agentSees"`
	Findings  []Finding       `json:"findings"` // faults first, then warnings, then notes
}

// CountErrors counts the findings of that level.
func (r Report) CountErrors() int { return r.count(Error) }

// CountWarnings counts the findings of that level.
func (r Report) CountWarnings() int { return r.count(Warn) }

func (r Report) count(level Level) int {
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

// Signature is what is known of a token's signature.
type Signature struct {
	State       string `json:"state"`                 // Verified, WrongKey or NotChecked
	Detail      string `json:"detail"`                // with which key, or why not
	KeyID       string `json:"kid,omitempty"`         // of the key that verified it, where that has one
	Fingerprint string `json:"fingerprint,omitempty"` // of that key
}

// inspector collects a report.
type inspector struct {
	x      Expectations
	report Report
	levels map[string]FindingKind
}

// Token says how LiveEngage would take a token and what is wrong with it:
// every fault, not only the first. The text may have white space, Bearer or
// quotes around the token, and may be a redirect's address, its fragment, or a
// token endpoint's answer. It asks nobody and reads no clock.
func Token(token string, x Expectations) Report {
	in := &inspector{x: x, levels: map[string]FindingKind{}}
	for _, k := range FindingKinds() {
		in.levels[k.Code] = k
	}
	in.report.Signature = Signature{State: NotChecked, Detail: "there is no signed token"}
	in.report.AgentSees, in.report.Findings = []AgentField{}, slices.Clone(x.KeyFindings)
	if bare := in.find(token); bare != "" {
		in.measure(bare)
		if parts := strings.Split(bare, "."); len(parts) == 5 {
			in.report.Form = "JWE"
			in.encrypted(bare, parts)
		} else {
			in.report.Form = "JWS"
			in.signed(parts)
		}
	}
	rank := func(f Finding) int { return slices.Index([]Level{Error, Warn, Note}, f.Level) }
	slices.SortStableFunc(in.report.Findings, func(a, b Finding) int { return cmp.Compare(rank(a), rank(b)) })
	if in.report.Findings == nil {
		in.report.Findings = []Finding{}
	}
	return in.report
}

// add notes a finding; an empty problem or remedy is that of its kind.
func (in *inspector) add(code, where, problem, remedy string) {
	in.report.Findings = append(in.report.Findings, in.levels[code].at(where, problem, remedy))
}

func (k FindingKind) at(where, problem, remedy string) Finding {
	// The place says already what the sentence is about.
	last := where[strings.LastIndexByte(where, '.')+1:]
	problem = strings.TrimPrefix(cmp.Or(problem, k.Meaning), last+" ")
	return Finding{Code: k.Code, Level: k.Level, Where: where, Problem: problem, Remedy: cmp.Or(remedy, k.Remedy)}
}

func (in *inspector) measure(token string) {
	switch n := len(token); {
	case n > 8192:
		in.add("size-huge", "token", "measures "+count(n)+" bytes, more than 8192; addresses of that length are refused by servers on the way", "")
	case n > 4096:
		in.add("size-large", "token", "measures "+count(n)+" bytes, more than 4096; the chat's own window carries it in an address", "")
	}
}

// signed inspects the parts of a JWS: three, or two where the signature was left
// out together with its dot.
func (in *inspector) signed(parts []string) {
	header, raw := in.object(parts[0], "header", "header-not-json")
	in.report.Header = raw
	alg := in.header(header)
	signature := ""
	if len(parts) > 2 {
		signature = parts[2]
	}
	in.signature(alg, text(header["kid"]), parts[0]+"."+parts[1], signature)
	claims, raw := in.object(parts[1], "claims", "claims-not-json")
	in.report.Claims = raw
	if claims != nil {
		in.claims(claims)
	}
}

// object reads a part that must hold a JSON object. It returns the object's
// members, the last of equal names, and its text for people; nil where there is
// no object.
func (in *inspector) object(part, where, code string) (members map[string]json.RawMessage, pretty json.RawMessage) {
	data, ok := in.decode(part, where)
	if !ok {
		return nil, nil
	}
	if !utf8.Valid(data) {
		in.add("not-utf8", where, "", "")
		data = bytes.ToValidUTF8(data, []byte("\uFFFD"))
	}
	if json.Unmarshal(data, &members) != nil || members == nil {
		in.add(code, where, "", "")
		if json.Valid(data) {
			return nil, indent(data)
		}
		return nil, nil
	}
	root := ""
	if where != "claims" {
		root = where
	}
	in.scan(data, root)
	return members, indent(data)
}

// decode reads base64url, and goes on where it is only padded or in the other
// alphabet.
func (in *inspector) decode(part, where string) ([]byte, bool) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err == nil {
		return data, true
	}
	in.add("part-not-base64url", where, "", "")
	other := strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(part)
	data, err = base64.RawURLEncoding.DecodeString(other)
	return data, err == nil
}
