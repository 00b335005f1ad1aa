package inspect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// decodeString returns the value of a JSON string, or "" for anything else.
func decodeString(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// jsonKind is the kind of a JSON value, in words for findings.
type jsonKind string

const (
	kindMissing jsonKind = "missing"
	kindNull    jsonKind = "null"
	kindObject  jsonKind = "an object"
	kindArray   jsonKind = "an array"
	kindString  jsonKind = "a string"
	kindBool    jsonKind = "true or false"
	kindNumber  jsonKind = "a number"
)

// kindOf returns the kind of a valid JSON value.
func kindOf(raw json.RawMessage) jsonKind {
	if len(raw) == 0 {
		return kindMissing
	}
	switch raw[0] {
	case '{':
		return kindObject
	case '[':
		return kindArray
	case '"':
		return kindString
	case 't', 'f':
		return kindBool
	case 'n':
		return kindNull
	}
	return kindNumber
}

// isAbsent reports whether a member is missing or null.
func isAbsent(raw json.RawMessage) bool {
	kind := kindOf(raw)
	return kind == kindMissing || kind == kindNull
}

// indentJSON indents JSON for people, with all invisible characters escaped, because
// they can mislead a terminal or a reader.
func indentJSON(data []byte) json.RawMessage {
	var indented bytes.Buffer
	if json.Indent(&indented, bytes.TrimSpace(data), "", "  ") != nil {
		return nil
	}
	var out strings.Builder
	for _, r := range indented.String() {
		if r == '\n' || !isInvisible(r) {
			out.WriteRune(r)
			continue
		}
		if r > 0xFFFF { // a surrogate pair
			r -= 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
			continue
		}
		fmt.Fprintf(&out, `\u%04x`, r)
	}
	return json.RawMessage(out.String())
}

// isInvisible reports whether a character has no glyph and may change how others are
// shown.
func isInvisible(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
}

// scanJSON looks through valid JSON for what decoding would hide: repeated names and
// control characters.
func (ins *inspector) scanJSON(data []byte, root string) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	ins.scanValue(decoder, root)
}

func (ins *inspector) scanValue(decoder *json.Decoder, path string) {
	token, err := decoder.Token()
	if err != nil {
		return
	}
	if s, ok := token.(string); ok {
		ins.scanString(path, s)
		return
	}
	delimiter, ok := token.(json.Delim)
	if !ok {
		return
	}
	if delimiter == '[' {
		for i := 0; decoder.More(); i++ {
			ins.scanValue(decoder, path+"["+strconv.Itoa(i)+"]")
		}
	} else {
		ins.scanObject(decoder, path)
	}
	_, _ = decoder.Token() // the closing delimiter
}

func (ins *inspector) scanObject(decoder *json.Decoder, path string) {
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return
		}
		name, _ := token.(string)
		memberPath := joinPath(path, name)
		if seen[name] {
			ins.addFinding("duplicate-member", memberPath, "", "")
		}
		seen[name] = true
		ins.scanString(memberPath, name)
		ins.scanValue(decoder, memberPath)
	}
}

func (ins *inspector) scanString(path, s string) {
	if path == "address.formatted" || path == "address.street_address" {
		// These may have line breaks (OIDC Core section 5.1.1).
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", ""), "\n", "")
	}
	if i := strings.IndexFunc(s, unicode.IsControl); i >= 0 {
		r, _ := utf8.DecodeRuneInString(s[i:])
		problem := fmt.Sprintf("contains the control character U+%04X; "+
			"LivePerson's input filter rejects unusual characters (9009)", r)
		ins.addFinding("control-character", path, problem, "")
	}
}

// joinPath returns the path of a member, on one line.
func joinPath(path, name string) string {
	isOther := func(r rune) bool {
		return r != '_' && r != '.' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}
	if name == "" || len(name) > 64 || strings.ContainsFunc(name, isOther) {
		return path + "[" + quoteExcerpt(name) + "]"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

// quoteExcerpt quotes the beginning of a text.
func quoteExcerpt(s string) string {
	const maxLength = 80
	if r := []rune(s); len(r) > maxLength {
		s = string(r[:maxLength]) + "…"
	}
	return strconv.QuoteToGraphic(s)
}

// quoteInvisible quotes a text if it contains invisible characters, so that it fits on
// one line of a table.
func quoteInvisible(s string) string {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, isInvisible) {
		return quoteExcerpt(s)
	}
	return s
}

// lettersAndDigits returns the letters and digits of a text, in lower case.
func lettersAndDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}
