package inspect

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"idpbridge/claims"
)

// attribute is one attribute of lp_sdes, as it was probably meant.
type attribute struct {
	path   string // of its fields
	kind   string // claims.TypeCustomerInfo or claims.TypePersonalInfo
	fields map[string]any
	isRead bool // LiveEngage reads it as it is
}

// wrapper returns the name of the member that has the fields.
func (a attribute) wrapper() string {
	if a.kind == claims.TypeCustomerInfo {
		return "info"
	}
	return "personal"
}

// findAttributes finds the attributes in lp_sdes. It also finds them if lp_sdes is an
// object, if a type is spelt as in LivePerson's other interfaces, or if the fields are
// not in their wrapper.
func findAttributes(raw json.RawMessage) []attribute {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var tree any
	if decoder.Decode(&tree) != nil {
		return nil
	}
	switch tree := tree.(type) {
	case []any:
		return findInArray(tree)
	case map[string]any:
		return findInObject(tree)
	}
	return nil
}

func findInArray(array []any) []attribute {
	var out []attribute
	for i, v := range array {
		if o, ok := v.(map[string]any); ok {
			out = append(out, readAttribute(o, claimSDEs+"["+strconv.Itoa(i)+"]", true)...)
		}
	}
	return out
}

func findInObject(object map[string]any) []attribute {
	if _, ok := object["type"]; ok {
		return readAttribute(object, claimSDEs, false)
	}
	var out []attribute
	for name, v := range object {
		if fields, ok := v.(map[string]any); ok && attributeKind(name) != "" {
			out = append(out, attribute{path: joinPath(claimSDEs, name), kind: attributeKind(name), fields: fields})
		}
	}
	slices.SortFunc(out, func(a, b attribute) int { return strings.Compare(a.path, b.path) })
	return out
}

// readAttribute reads one element. It returns nothing if it is unclear what was meant.
func readAttribute(element map[string]any, path string, isRead bool) []attribute {
	typeName, _ := element["type"].(string)
	a := attribute{kind: attributeKind(typeName), path: path, isRead: isRead && attributeKind(typeName) == typeName}
	if a.kind == "" {
		return nil
	}
	if fields, ok := element[a.wrapper()].(map[string]any); ok {
		a.path, a.fields = path+"."+a.wrapper(), fields
		return []attribute{a}
	}
	a.isRead = false
	for name, v := range element {
		if fields, ok := v.(map[string]any); ok && mayWrap(name, a.kind) {
			a.path, a.fields = joinPath(path, name), fields
			return []attribute{a}
		}
	}
	return nil
}

// mayWrap reports whether a member with that name probably has the fields of an
// attribute.
func mayWrap(name, kind string) bool {
	return attributeKind(name) == kind || strings.EqualFold(name, "info") || strings.EqualFold(name, "personal")
}

// attributeKind returns the type that a name means in lp_sdes or in LivePerson's
// other interfaces, or "".
func attributeKind(name string) string {
	switch lettersAndDigits(name) {
	case "ctmrinfo", "customerinfo":
		return claims.TypeCustomerInfo
	case "personal", "personalinfo":
		return claims.TypePersonalInfo
	}
	return ""
}

// decodeLeniently decodes the fields that are valid. The others have been reported and
// stay zero.
func decodeLeniently(fields map[string]any, into any) {
	if exact, err := json.Marshal(keepExactNames(fields, reflect.TypeOf(into).Elem())); err == nil {
		_ = json.Unmarshal(exact, into)
	}
}

// keepExactNames removes the members whose names are not exactly those of t. The
// decoder would accept them in any case, but LiveEngage does not.
func keepExactNames(v any, t reflect.Type) any {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if array, ok := v.([]any); ok && t.Kind() == reflect.Slice {
		out := make([]any, len(array))
		for i, e := range array {
			out[i] = keepExactNames(e, t.Elem())
		}
		return out
	}
	if object, ok := v.(map[string]any); ok && t.Kind() == reflect.Struct {
		out := map[string]any{}
		for field := range t.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if e, ok := object[name]; ok {
				out[name] = keepExactNames(e, field.Type)
			}
		}
		return out
	}
	return v
}
