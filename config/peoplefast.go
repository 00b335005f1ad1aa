package config

import (
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// decodeSimpleEntry decodes an entry of the list of people that uses only the simplest
// YAML: maps and lists in block style or on one line, with values that every YAML parser
// reads alike. It returns false for everything else, and for every problem; the caller
// then uses the YAML parser, which is thirty times slower and says what is wrong.
func decodeSimpleEntry(text []byte, record *personRecord) bool {
	d := simpleDecoder{}
	for line := range strings.Lines(string(text)) {
		spaces, dash, isText := describeLine([]byte(line))
		content := strings.TrimRight(line[spaces:], " \r\n")
		if content == "" {
			continue
		}
		if !isText {
			return false // a comment
		}
		d.lines = append(d.lines, simpleLine{spaces, content, dash})
	}
	if len(d.lines) == 0 || !d.openItem() {
		return false
	}
	return d.decodeMap(reflect.ValueOf(record).Elem(), d.lines[0].indent) && d.next == len(d.lines)
}

// simpleDecoder decodes the lines of one entry.
type simpleDecoder struct {
	lines []simpleLine
	next  int
}

// simpleLine is a line without its indentation.
type simpleLine struct {
	indent int
	text   string
	dash   bool // it begins an item of a list
}

// openItem replaces the dash in the next line by space, and reports whether there was one
// with something behind it.
func (d *simpleDecoder) openItem() bool {
	line := d.lines[d.next]
	if !line.dash {
		return false
	}
	content := strings.TrimLeft(line.text[1:], " ")
	indent := line.indent + len(line.text) - len(content)
	_, dash, isText := describeLine([]byte(content))
	d.lines[d.next] = simpleLine{indent, content, false}
	return isText && !dash
}

// decodeMap decodes a map in block style whose keys have that indentation into a struct.
func (d *simpleDecoder) decodeMap(target reflect.Value, indent int) bool {
	seen := map[string]bool{}
	for ; d.next < len(d.lines); d.next++ {
		line := d.lines[d.next]
		if line.indent < indent || line.indent == indent && line.dash {
			break
		}
		key, value, ok := strings.Cut(line.text, ":")
		if !ok || line.indent != indent || seen[key] {
			return false
		}
		seen[key] = true
		field, ok := fieldByTag(target, key)
		if !ok {
			return false
		}
		if value == "" {
			d.next++
			if !d.decodeBlock(field, indent) {
				return false
			}
			d.next-- // the last line of the block
			continue
		}
		value, ok = strings.CutPrefix(value, " ")
		if !ok || !setSimpleValue(field, strings.TrimLeft(value, " ")) {
			return false
		}
	}
	return len(seen) > 0
}

// decodeBlock decodes the lines below a key with that indentation: a map or a list.
func (d *simpleDecoder) decodeBlock(field reflect.Value, indent int) bool {
	if d.next == len(d.lines) {
		return false // a value that is missing
	}
	line := d.lines[d.next]
	if field.Kind() == reflect.Struct {
		return line.indent > indent && !line.dash && d.decodeMap(field, line.indent)
	}
	if field.Kind() != reflect.Slice || !line.dash || line.indent < indent {
		return false
	}
	for d.next < len(d.lines) && d.lines[d.next].dash && d.lines[d.next].indent == line.indent {
		item := reflect.New(field.Type().Elem()).Elem()
		if !d.openItem() || !d.decodeItem(item) {
			return false
		}
		field.Set(reflect.Append(field, item))
	}
	return true
}

// decodeItem decodes an item of a list.
func (d *simpleDecoder) decodeItem(item reflect.Value) bool {
	line := d.lines[d.next]
	if item.Kind() == reflect.Struct && !strings.HasPrefix(line.text, "{") {
		return d.decodeMap(item, line.indent)
	}
	d.next++
	return setSimpleValue(item, line.text)
}

// fieldByTag returns the field with that key; for a pointer, what it points to.
func fieldByTag(target reflect.Value, key string) (reflect.Value, bool) {
	i, ok := fieldsByTag(target.Type())[key]
	if !ok {
		return reflect.Value{}, false
	}
	field := target.Field(i)
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(field.Type().Elem()))
		field = field.Elem()
	}
	return field, true
}

// tagCache has the results of fieldsByTag: reading tags takes longer than decoding an entry.
var tagCache sync.Map //nolint:gochecknoglobals // depends on nothing but the types

// fieldsByTag returns the numbers of the fields of a struct by their keys.
func fieldsByTag(structType reflect.Type) map[string]int {
	if known, ok := tagCache.Load(structType); ok {
		return known.(map[string]int) //nolint:forcetypeassert // nothing else is stored
	}
	fields := map[string]int{}
	for i := range structType.NumField() {
		fields[tagName(structType.Field(i))] = i
	}
	tagCache.Store(structType, fields)
	return fields
}

// setSimpleValue sets a field to a value that is the rest of its line.
func setSimpleValue(field reflect.Value, value string) bool {
	if !strings.HasPrefix(value, "{") {
		return setSimpleScalar(field, value)
	}
	rest, ok := setSimpleMap(field, value)
	return ok && rest == ""
}

// setSimpleMap sets a struct to the flow map that the text begins with, and returns the text
// after it.
func setSimpleMap(field reflect.Value, text string) (rest string, ok bool) {
	if field.Kind() != reflect.Struct {
		return "", false
	}
	seen := map[string]bool{}
	for rest = text[1:]; ; {
		var key string
		key, rest, ok = strings.Cut(strings.TrimLeft(rest, " "), ": ")
		if !ok || seen[key] {
			return "", false
		}
		seen[key] = true
		inner, ok := fieldByTag(field, key)
		if !ok {
			return "", false
		}
		if rest, ok = setFlowValue(inner, strings.TrimLeft(rest, " ")); !ok || rest == "" {
			return "", false
		}
		end := rest[0]
		rest = rest[1:]
		if end == '}' {
			return rest, true
		}
		if end != ',' || !strings.HasPrefix(rest, " ") {
			return "", false
		}
	}
}

// setFlowValue sets a field to the value that the text of a flow map begins with, and returns
// the text after it: a comma, or the end of the map.
func setFlowValue(field reflect.Value, text string) (rest string, ok bool) {
	if strings.HasPrefix(text, "{") {
		rest, ok = setSimpleMap(field, text)
		return strings.TrimLeft(rest, " "), ok
	}
	end := strings.IndexAny(text, ",}")
	if quote := strings.IndexAny(text[:min(1, len(text))], `"'`); quote == 0 {
		closing := strings.IndexByte(text[1:], text[0])
		if closing < 0 {
			return "", false
		}
		end = closing + 2
	}
	if end < 0 || !setSimpleScalar(field, strings.TrimRight(text[:end], " ")) {
		return "", false
	}
	return strings.TrimLeft(text[end:], " "), true
}

// setSimpleScalar sets a field to a scalar.
func setSimpleScalar(field reflect.Value, value string) bool {
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
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(s, 10, 32)
		field.SetInt(n)
		return !quoted && err == nil && strconv.FormatInt(n, 10) == s
	case reflect.Float64:
		n, err := strconv.ParseFloat(s, 64)
		field.SetFloat(n)
		return !quoted && err == nil && isDecimal(s)
	}
	return false
}

// isDecimal reports whether a number is written as 1, -5 or 12.50.
func isDecimal(s string) bool {
	whole, fraction, hasPoint := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	if whole != "0" && strings.HasPrefix(whole, "0") || whole == "" || hasPoint && fraction == "" {
		return false
	}
	return len(s) < 16 && strings.Trim(whole+fraction, "0123456789") == ""
}

// simpleScalar returns a scalar without escapes.
func simpleScalar(value string) (s string, quoted, ok bool) {
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		s := value[1 : n-1]
		return s, true, !strings.ContainsAny(s, "\"'\\\t")
	}
	for _, c := range value {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c > unicode.MaxLatin1 && unicode.IsLetter(c)
		if !letter && !strings.ContainsRune(" @._+-", c) {
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
	return s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z' || s[0] > unicode.MaxASCII
}
