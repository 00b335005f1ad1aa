package config

import (
	"bytes"
	"reflect"
	"strconv"
	"strings"
)

// decodeSimpleEntry decodes an entry of the list of people that uses only the simplest
// YAML: one key per line, or a flow map on one line, with values that every YAML parser
// reads alike. It returns false for everything else, and for every problem; the caller
// then uses the YAML parser, which is thirty times slower and says what is wrong.
func decodeSimpleEntry(text []byte, record *personRecord) bool {
	first := bytes.IndexByte(text, '-')
	if first < 0 || len(bytes.Trim(text[:first], " ")) > 0 {
		return false
	}
	indent := -1 // of the keys of the entry
	inner := -1  // of the keys of the map in it, if there is one
	outer := reflect.ValueOf(record).Elem()
	target, nested := outer, false // nested: within the map of a key of the entry
	seen := map[string]bool{}
	for offset := 0; offset < len(text); {
		line, next := cutLine(text, offset)
		if offset == 0 {
			line = append(append(bytes.Repeat([]byte(" "), first), ' '), line[first+1:]...)
		}
		offset = next
		spaces, _, isText := describeLine(line)
		if len(bytes.TrimSpace(line)) == 0 && indent >= 0 {
			continue
		}
		if !isText {
			return false
		}
		if indent < 0 {
			indent = spaces
		}
		if spaces == indent {
			target, nested, inner = outer, false, -1
		} else if !nested || spaces < indent || inner >= 0 && spaces != inner {
			return false
		} else {
			inner = spaces
		}
		key, value, ok := strings.Cut(strings.TrimRight(string(line[spaces:]), " \r\n"), ":")
		path := key
		if nested {
			path = target.Type().Name() + "." + key
		}
		if !ok || seen[path] {
			return false
		}
		seen[path] = true
		field, ok := fieldByTag(target, key)
		if !ok {
			return false
		}
		if value == "" {
			if nested || field.Kind() != reflect.Struct || offset >= len(text) {
				return false
			}
			target, nested = field, true
			// A map without keys is a value that is missing.
			if spaces, _, isText := describeLine(text[offset:]); !isText || spaces <= indent {
				return false
			}
			continue
		}
		if !strings.HasPrefix(value, " ") || !setSimpleValue(field, strings.TrimLeft(value, " ")) {
			return false
		}
	}
	return indent >= 0
}

// fieldByTag returns the field with that key; for a pointer, what it points to.
func fieldByTag(target reflect.Value, key string) (reflect.Value, bool) {
	for i := range target.NumField() {
		if tagName(target.Type().Field(i)) != key {
			continue
		}
		field := target.Field(i)
		if field.Kind() == reflect.Pointer {
			field.Set(reflect.New(field.Type().Elem()))
			field = field.Elem()
		}
		return field, true
	}
	return reflect.Value{}, false
}

// setSimpleValue sets a field to a simple value, or to a flow map of simple values.
func setSimpleValue(field reflect.Value, value string) bool {
	if content, ok := strings.CutPrefix(value, "{"); ok {
		content, ok = strings.CutSuffix(content, "}")
		return ok && field.Kind() == reflect.Struct && setSimpleMap(field, content)
	}
	s, quoted, ok := simpleScalar(value)
	if !ok {
		return false
	}
	switch field.Kind() {
	case reflect.String:
		if !quoted && !isPlainString(s) {
			return false
		}
		field.SetString(strings.Clone(s))
		return true
	case reflect.Bool:
		field.SetBool(s == "true")
		return !quoted && (s == "true" || s == "false")
	case reflect.Int, reflect.Int64, reflect.Float64:
		n, err := strconv.ParseInt(s, 10, 32)
		if quoted || err != nil || strconv.FormatInt(n, 10) != s {
			return false
		}
		field.Set(reflect.ValueOf(n).Convert(field.Type()))
		return true
	}
	return false
}

// setSimpleMap sets the fields of a struct to the content of a flow map.
func setSimpleMap(target reflect.Value, content string) bool {
	if strings.ContainsAny(content, `"'[]{}`) {
		return false
	}
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(content, ",") {
		key, value, ok := strings.Cut(strings.Trim(pair, " "), ": ")
		if !ok || seen[key] {
			return false
		}
		seen[key] = true
		field, ok := fieldByTag(target, key)
		if !ok || field.Kind() == reflect.Struct || !setSimpleValue(field, value) {
			return false
		}
	}
	return true
}

// simpleScalar returns a scalar without escapes.
func simpleScalar(value string) (s string, quoted, ok bool) {
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		s := value[1 : n-1]
		return s, true, !strings.ContainsAny(s, "\"'\\\t")
	}
	for _, c := range []byte(value) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune(" @._+-", rune(c)) {
			return "", false, false
		}
	}
	return value, false, value != ""
}

// isPlainString reports whether every YAML parser reads a scalar without quotes as a
// string.
func isPlainString(s string) bool {
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "null", "y", "n", "inf", "nan":
		return false
	}
	return s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z'
}
