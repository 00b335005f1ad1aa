package inspect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// text is a JSON string's value, and empty for anything else.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// kindOf names the kind of a JSON value.
func kindOf(raw json.RawMessage) string {
	switch {
	case len(raw) == 0:
		return "missing"
	case raw[0] == '{':
		return "an object"
	case raw[0] == '[':
		return "an array"
	case raw[0] == '"':
		return "a string"
	case raw[0] == 't' || raw[0] == 'f':
		return "true or false"
	case raw[0] == 'n':
		return "null"
	}
	return "a number"
}

// indent lays JSON out for people, with every character escaped that a terminal
// or a reader could be fooled by.
func indent(data []byte) json.RawMessage {
	var b bytes.Buffer
	if json.Indent(&b, bytes.TrimSpace(data), "", "  ") != nil {
		return nil
	}
	var out strings.Builder
	for _, r := range b.String() {
		switch {
		case r == '\n' || !odd(r):
			out.WriteRune(r)
		case r > 0xFFFF:
			r -= 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return json.RawMessage(out.String())
}

// odd characters have no picture of their own, and may change that of others.
func odd(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
}

// scan goes through valid JSON for what decoding it would hide: names given
// twice, and control characters.
func (in *inspector) scan(data []byte, root string) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	in.scanValue(dec, root)
}

func (in *inspector) scanValue(dec *json.Decoder, path string) {
	token, err := dec.Token()
	if err != nil {
		return
	}
	switch token := token.(type) {
	case string:
		in.scanText(path, token)
	case json.Delim:
		if token == '[' {
			for i := 0; dec.More(); i++ {
				in.scanValue(dec, path+"["+strconv.Itoa(i)+"]")
			}
		} else {
			in.scanMembers(dec, path)
		}
		_, _ = dec.Token()
	}
}

func (in *inspector) scanMembers(dec *json.Decoder, path string) {
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return
		}
		name, _ := token.(string)
		below := member(path, name)
		if seen[name] {
			in.add("duplicate-member", below, "", "")
		}
		seen[name] = true
		in.scanText(below, name)
		in.scanValue(dec, below)
	}
}

func (in *inspector) scanText(path, s string) {
	if path == "address.formatted" || path == "address.street_address" {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", ""), "\n", "") // OIDC Core 5.1.1
	}
	if i := strings.IndexFunc(s, unicode.IsControl); i >= 0 {
		in.add("control-character", path, fmt.Sprintf("holds the control character U+%04X; LivePerson's filter of input refuses odd ones (9009)", []rune(s[i:])[0]), "")
	}
}

// member is the path of a member, fit for one line.
func member(path, name string) string {
	plain := name != "" && len(name) <= 64 && strings.IndexFunc(name, func(r rune) bool {
		return r != '_' && r != '.' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
	switch {
	case !plain:
		return path + "[" + excerpt(name) + "]"
	case path == "":
		return name
	}
	return path + "." + name
}

// excerpt quotes the beginning of a text.
func excerpt(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.QuoteToGraphic(s)
}

func count(n int) string { return strconv.Itoa(n) }

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
