package claims

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth exceeds the depth of any lp_sdes: array, element, personal, contacts,
// contact, address.
const maxDepth = 8

var errTooDeep = errors.New("nested too deeply")

// object is a JSON object. It keeps the order of its members, so that errors are
// reported in the order of the text.
type object struct {
	names  []string
	values map[string]any
}

// checkShape reports every place in data that decoding into the types of this
// package would lose or change.
func checkShape(data []byte) error {
	const root = "lp_sdes"
	var errs fieldErrors
	if !utf8.Valid(data) {
		errs.add(root, "encode it as UTF-8", "is not valid UTF-8")
		return errs.join()
	}
	tree, err := parseDocument(data, root, &errs)
	if err != nil {
		errs.add(root, "", "is not valid JSON: %v", err)
		return errs.join()
	}
	array, ok := tree.([]any)
	if !ok {
		const remedy = `use an array: [{"type":"ctmrinfo","info":{…}},{"type":"personal","personal":{…}}]`
		errs.add(root, remedy, "is %s", describeType(tree))
		return errs.join()
	}
	seen := map[string]bool{}
	for i, element := range array {
		checkElement(indexPath(root, i), element, seen, &errs)
	}
	return errs.join()
}

// parseDocument reads one JSON value that nothing may follow. Unlike json.Unmarshal
// it reports duplicate names.
func parseDocument(data []byte, root string, errs *fieldErrors) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	tree, err := parseValue(dec, root, 0, errs)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the end")
	}
	return tree, nil
}

func parseValue(dec *json.Decoder, path string, depth int, errs *fieldErrors) (any, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('['):
		return parseArray(dec, path, depth, errs)
	case json.Delim('{'):
		return parseObject(dec, path, depth, errs)
	}
	return token, nil
}

func parseArray(dec *json.Decoder, path string, depth int, errs *fieldErrors) (any, error) {
	array := []any{}
	for dec.More() {
		value, err := parseValue(dec, indexPath(path, len(array)), depth+1, errs)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	_, err := dec.Token()
	return array, err
}

func parseObject(dec *json.Decoder, path string, depth int, errs *fieldErrors) (any, error) {
	o := object{values: map[string]any{}}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		value, err := parseValue(dec, memberPath(path, name), depth+1, errs)
		if err != nil {
			return nil, err
		}
		if _, duplicate := o.values[name]; duplicate {
			errs.addCode(DuplicateName, memberPath(path, name), "set it once", "is a duplicate")
			continue
		}
		o.names = append(o.names, name)
		o.values[name] = value
	}
	_, err := dec.Token()
	return o, err
}

// checkElement checks one element of the array. Seen holds the types of the
// elements before it.
func checkElement(path string, value any, seen map[string]bool, errs *fieldErrors) {
	o, ok := value.(object)
	if !ok {
		errs.add(path, "use an object with a type", "is %s", describeType(value))
		return
	}
	typeValue, ok := o.values["type"]
	if !ok {
		errs.add(path+".type", "use ctmrinfo or personal", "is missing")
		return
	}
	typeName, ok := typeValue.(string)
	if !ok {
		errs.add(path+".type", "use ctmrinfo or personal", "is %s", describeType(typeValue))
		return
	}
	var wrapper string
	var inner reflect.Type
	switch typeName {
	case TypeCustomerInfo:
		wrapper, inner = "info", reflect.TypeFor[CustomerInfo]()
	case TypePersonalInfo:
		wrapper, inner = "personal", reflect.TypeFor[PersonalInfo]()
	default:
		errs.add(path+".type", suggestType(typeName),
			"%s is not a type that LiveEngage accepts in a token", quoteExcerpt(typeName))
		return
	}
	if seen[typeName] {
		errs.add(path+".type", "send one object with all its fields", "%s occurs more than once", typeName)
	}
	seen[typeName] = true
	for _, name := range o.names {
		if name != "type" && name != wrapper {
			errs.add(memberPath(path, name), "move it into "+wrapper, "is not allowed next to type %s", typeName)
		}
	}
	body, ok := o.values[wrapper]
	if !ok {
		errs.add(memberPath(path, wrapper), "use an object", "is missing")
		return
	}
	checkValue(memberPath(path, wrapper), body, inner, errs)
}

// checkValue checks a value against the Go type that it will be decoded into.
func checkValue(path string, value any, t reflect.Type, errs *fieldErrors) {
	if value == nil {
		errs.add(path, "leave it out", "is null")
		return
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch value := value.(type) {
	case object:
		if t.Kind() == reflect.Struct {
			checkObject(path, value, t, errs)
			return
		}
	case []any:
		if t.Kind() == reflect.Slice {
			checkArray(path, value, t.Elem(), errs)
			return
		}
	case string:
		if t.Kind() == reflect.String {
			checkString(path, value, errs)
			return
		}
	case json.Number:
		if t.Kind() == reflect.Int || t.Kind() == reflect.Float64 {
			checkNumber(path, value.String(), t.Kind(), errs)
			return
		}
	}
	remedy := "use " + kindNames[t.Kind()]
	if strings.HasSuffix(path, ".gender") {
		remedy = `use "MALE", "FEMALE" or "OTHER"`
	}
	errs.addCode(WrongType, path, remedy, "is %s", describeType(value))
}

// kindNames names the JSON form of the kinds that the types of this package consist of.
var kindNames = map[reflect.Kind]string{
	reflect.Struct:  "an object",
	reflect.Slice:   "an array",
	reflect.String:  "a string",
	reflect.Int:     "a whole number without quotes",
	reflect.Float64: "a number without quotes",
}

func checkArray(path string, array []any, element reflect.Type, errs *fieldErrors) {
	if len(array) == 0 {
		errs.add(path, "leave it out", "is empty")
	}
	for i, value := range array {
		checkValue(indexPath(path, i), value, element, errs)
	}
}

func checkString(path, s string, errs *fieldErrors) {
	if s == "" {
		errs.add(path, "leave it out", "is empty")
	}
	// The decoder writes this character in place of half a surrogate pair.
	if strings.ContainsRune(s, utf8.RuneError) {
		errs.add(path, "send the original text as UTF-8", "contains U+FFFD, the replacement for invalid text")
	}
}

func checkNumber(path, number string, kind reflect.Kind, errs *fieldErrors) {
	if kind == reflect.Float64 {
		if !fitsFloat64(number) {
			errs.add(path, "use at most 15 significant digits", "does not fit into a double-precision number")
		}
		return
	}
	if _, err := strconv.Atoi(number); err != nil {
		errs.add(path, "use an integer without a fraction or an exponent", "is not a whole number in range")
	}
}

func checkObject(path string, o object, t reflect.Type, errs *fieldErrors) {
	fields := map[string]reflect.StructField{}
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		fields[name] = field
		if _, given := o.values[name]; !given && options == "" {
			errs.add(memberPath(path, name), "set day, month and year", "is missing")
		}
	}
	for _, name := range o.names {
		field, known := fields[name]
		if !known {
			e := explainUnknownField(t, name, fields)
			errs.addCode(e.Code, memberPath(path, name), e.Remedy, "%s", e.Problem)
			continue
		}
		value := o.values[name]
		if field.Type.Kind() == reflect.Int && isOptional(field) && isZero(value) {
			// The encoder would leave it out.
			errs.add(memberPath(path, name), "leave it out", "is 0")
			continue
		}
		checkValue(memberPath(path, name), value, field.Type, errs)
	}
}

func isOptional(field reflect.StructField) bool {
	return strings.HasSuffix(field.Tag.Get("json"), ",omitempty")
}

func isZero(value any) bool {
	number, ok := value.(json.Number)
	if !ok {
		return false
	}
	i, err := strconv.Atoi(number.String())
	return err == nil && i == 0
}

// fitsFloat64 reports whether a decimal number survives the conversion to a float64
// and back.
func fitsFloat64(number string) bool {
	x, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return false
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(number), "e")
	digits := strings.Trim(strings.NewReplacer("-", "", ".", "").Replace(mantissa), "0")
	if digits == "" {
		return true
	}
	const smallestNormal = 0x1p-1022
	return math.Abs(x) >= smallestNormal && len(digits) <= 15
}

// indexPath returns the path of an element of an array.
func indexPath(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// memberPath returns the path of a member of an object. Unusual names are quoted, so
// that the path fits on one line of a log.
func memberPath(path, name string) string {
	if name == "" || len(name) > 64 || strings.ContainsFunc(name, isUnusual) {
		return path + "[" + quoteExcerpt(name) + "]"
	}
	return path + "." + name
}

// isUnusual reports whether a name with this character is quoted in a path.
func isUnusual(c rune) bool {
	return c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
}

// quoteExcerpt quotes the first 32 characters of s.
func quoteExcerpt(s string) string {
	const most = 32
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return strconv.QuoteToASCII(s)
}

// describeType names the JSON type of a parsed value.
func describeType(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
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
