package claims

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is deeper than any lp_sdes goes: array, element, personal, contacts,
// contact, address.
const maxDepth = 8

// object is a JSON object with its members in the order in which they came, so
// that faults are reported in the order of the text.
type object struct {
	names  []string
	values map[string]any
}

// checkShape reports every place in data that the types of this package would
// lose or change.
func checkShape(data []byte) error {
	var f faults
	const root = "lp_sdes"
	if !utf8.Valid(data) {
		f.add(root, "encode it as UTF-8", "is not UTF-8")
		return f.err()
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	tree, err := parse(dec, root, 0, &f)
	if err == nil {
		if _, end := dec.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("text after the end")
		}
	}
	if err != nil {
		f.add(root, "", "is not JSON: %v", err)
		return f.err()
	}
	array, ok := tree.([]any)
	if !ok {
		f.add(root, `write an array: [{"type":"ctmrinfo","info":{…}},{"type":"personal","personal":{…}}]`, "is %s", kind(tree))
		return f.err()
	}
	seen := map[string]bool{}
	for i, e := range array {
		checkElement(root+"["+strconv.Itoa(i)+"]", e, seen, &f)
	}
	return f.err()
}

var errDepth = errors.New("nested too deeply")

// parse reads one value. Unlike json.Unmarshal it notices a name given twice.
func parse(dec *json.Decoder, path string, depth int, f *faults) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('['):
		array := []any{}
		for dec.More() {
			v, err := parse(dec, path+"["+strconv.Itoa(len(array))+"]", depth+1, f)
			if err != nil {
				return nil, err
			}
			array = append(array, v)
		}
		_, err = dec.Token()
		return array, err
	case json.Delim('{'):
		o := object{values: map[string]any{}}
		for dec.More() {
			t, err := dec.Token()
			if err != nil {
				return nil, err
			}
			name, _ := t.(string)
			v, err := parse(dec, member(path, name), depth+1, f)
			if err != nil {
				return nil, err
			}
			if _, twice := o.values[name]; twice {
				f.addCode(DuplicateName, member(path, name), "write it once", "is given twice")
				continue
			}
			o.names = append(o.names, name)
			o.values[name] = v
		}
		_, err = dec.Token()
		return o, err
	}
	return token, nil
}

func checkElement(path string, v any, seen map[string]bool, f *faults) {
	o, ok := v.(object)
	if !ok {
		f.add(path, "write an object with a type", "is %s", kind(v))
		return
	}
	given, ok := o.values["type"]
	if !ok {
		f.add(path+".type", "write ctmrinfo or personal", "is missing")
		return
	}
	name, ok := given.(string)
	if !ok {
		f.add(path+".type", "write ctmrinfo or personal", "is %s", kind(given))
		return
	}
	var wrapper string
	var inner reflect.Type
	switch name {
	case typeCustomer:
		wrapper, inner = "info", reflect.TypeFor[CustomerInfo]()
	case typePersonal:
		wrapper, inner = "personal", reflect.TypeFor[PersonalInfo]()
	default:
		f.add(path+".type", typeRemedy(name), "%s is not a type that LiveEngage takes from a token", excerpt(name))
		return
	}
	if seen[name] {
		f.add(path+".type", "send one object with all of its fields", "%s comes a second time", name)
	}
	seen[name] = true
	for _, n := range o.names {
		if n != "type" && n != wrapper {
			f.add(member(path, n), "put the fields into "+wrapper, "is not known beside the type %s", name)
		}
	}
	body, ok := o.values[wrapper]
	if !ok {
		f.add(member(path, wrapper), "write an object", "is missing")
		return
	}
	checkValue(member(path, wrapper), body, inner, f)
}

// checkValue compares v with the Go type that it will be read into.
func checkValue(path string, v any, t reflect.Type, f *faults) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct:
		if o, ok := v.(object); ok {
			checkObject(path, o, t, f)
			return
		}
	case reflect.Slice:
		if array, ok := v.([]any); ok {
			if len(array) == 0 {
				f.add(path, "leave the field out", "is empty")
			}
			for i, e := range array {
				checkValue(path+"["+strconv.Itoa(i)+"]", e, t.Elem(), f)
			}
			return
		}
	case reflect.String:
		if s, ok := v.(string); ok {
			checkString(path, s, f)
			return
		}
	case reflect.Int:
		if n, ok := v.(json.Number); ok {
			if _, err := strconv.Atoi(n.String()); err != nil {
				f.add(path, "write an integer without fraction or exponent", "is not a whole number in range")
			}
			return
		}
	case reflect.Float64:
		if n, ok := v.(json.Number); ok {
			if !survives(n.String()) {
				f.add(path, "write at most 15 significant digits", "has more digits than a double keeps")
			}
			return
		}
	}
	if v == nil {
		f.add(path, "leave the field out", "is null")
		return
	}
	remedy := "write " + wanted[t.Kind()]
	if strings.HasSuffix(path, ".gender") {
		remedy = `write "MALE", "FEMALE" or "OTHER"`
	}
	f.addCode(WrongType, path, remedy, "is %s", kind(v))
}

// wanted names the kinds that the types of this package are made of.
var wanted = map[reflect.Kind]string{
	reflect.Struct: "an object", reflect.Slice: "an array", reflect.String: "a string",
	reflect.Int: "a whole number without quotes", reflect.Float64: "a number without quotes",
}

func checkString(path, s string, f *faults) {
	if s == "" {
		f.add(path, "leave the field out", "is empty")
	}
	// The decoder has put this character in place of half a surrogate pair.
	if strings.ContainsRune(s, utf8.RuneError) {
		f.add(path, "send the text in its own encoding", "holds U+FFFD, the mark of broken text")
	}
}

func checkObject(path string, o object, t reflect.Type, f *faults) {
	fields := map[string]reflect.StructField{}
	for sf := range t.Fields() {
		name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
		fields[name] = sf
		if _, given := o.values[name]; !given && options == "" {
			f.add(member(path, name), "write day, month and year", "is missing")
		}
	}
	for _, name := range o.names {
		sf, known := fields[name]
		if !known {
			e := stranger(t, name, fields)
			f.addCode(e.Code, member(path, name), e.Remedy, "%s", e.Problem)
			continue
		}
		v := o.values[name]
		// A zero that the encoder would leave out is not a value in these fields.
		if n, ok := v.(json.Number); ok && sf.Type.Kind() == reflect.Int && optional(sf) {
			if i, err := strconv.Atoi(n.String()); err == nil && i == 0 {
				f.add(member(path, name), "leave the field out", "is 0")
				continue
			}
		}
		checkValue(member(path, name), v, sf.Type, f)
	}
}

func optional(sf reflect.StructField) bool {
	return strings.HasSuffix(sf.Tag.Get("json"), ",omitempty")
}

// survives reports whether a double gives the decimal number back.
func survives(number string) bool {
	x, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return false
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(number), "e")
	digits := strings.TrimLeft(strings.NewReplacer("-", "", ".", "").Replace(mantissa), "0")
	if strings.TrimRight(digits, "0") == "" {
		return true
	}
	const smallestNormal = 0x1p-1022
	return math.Abs(x) >= smallestNormal && len(strings.TrimRight(digits, "0")) <= 15
}

// member returns the path of a member, fit for one line of a log.
func member(path, name string) string {
	plain := name != "" && len(name) <= 64 && !slices.ContainsFunc([]byte(name), func(b byte) bool {
		return b != '_' && (b < '0' || b > '9') && (b < 'A' || b > 'Z') && (b < 'a' || b > 'z')
	})
	if plain {
		return path + "." + name
	}
	return path + "[" + excerpt(name) + "]"
}

// excerpt quotes the beginning of s.
func excerpt(s string) string {
	const most = 32
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.QuoteToASCII(s)
}

func kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "true or false"
	case json.Number:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "an array"
	default:
		return "an object"
	}
}
