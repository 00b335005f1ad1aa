package config

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"idpbridge/internal/secret"
)

// decoder decodes one file into structs and collects every problem, so that all of
// them can be fixed at once. The YAML library's own decoder stops at the first
// problem and quotes the source around it, secrets included.
type decoder struct {
	name   string // of the file, for messages
	dir    string // what paths in the file are relative to
	getenv func(string) string
	// label names an element of a top-level list for messages, or returns "".
	label func(list string, i int) string

	positions map[string]position // by path, such as clients[0].redirect_uris[1]
	rejected  map[string]bool     // paths that have a problem
	problems  []problem

	// What is decoded may be a part of the file: a line after skipAfter is skipped lines
	// further down in the file.
	skipAfter, skipped int

	undecodable bool // the content is not a YAML map
}

func newDecoder(name string, getenv func(string) string, dir string) *decoder {
	return &decoder{
		name: name, dir: dir, getenv: getenv, label: func(string, int) string { return "" },
		positions: map[string]position{}, rejected: map[string]bool{},
	}
}

// decode decodes a file into the struct that target points to. It returns false if
// the content is not a YAML map, so that looking for more problems is pointless.
func (d *decoder) decode(data []byte, target any) bool {
	body, ok := d.parse(data)
	if !ok {
		return false
	}
	d.decodeValue(body, "", reflect.ValueOf(target).Elem())
	return true
}

// parse parses a file, or a part of one, that has one YAML document with a map in it.
func (d *decoder) parse(data []byte) (ast.Node, bool) {
	body, problem := parseDocument(data)
	if problem != nil {
		d.undecodable = true
		problem.position = d.inFile(problem.position)
		d.problems = append(d.problems, *problem)
		return nil, false
	}
	return body, true
}

// inFile translates a position in what was parsed to one in the file.
func (d *decoder) inFile(p position) position {
	if p.line > d.skipAfter {
		p.line += d.skipped
	}
	return p
}

// parseDocument parses a file that has one YAML document with a map in it.
func parseDocument(data []byte) (ast.Node, *problem) {
	begin := position{1, 1}
	data, encodingProblem := normalizeText(data)
	if encodingProblem != nil {
		return nil, encodingProblem
	}
	if nestsTooDeeply(data) {
		return nil, &problem{position: begin, message: "too many nested brackets or dashes; close the open ones"}
	}
	// Duplicate keys are reported by decodeStruct, together with everything else.
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil {
			message := "not valid YAML: " + escapeLineEnds(e.GetMessage())
			return nil, &problem{position: tokenPosition(e.GetToken()), message: message}
		}
		return nil, &problem{position: begin, message: "not valid YAML"}
	}
	var body ast.Node
	for _, document := range file.Docs {
		if document.Body == nil || document.Body.Type() == ast.CommentType {
			continue
		}
		if body != nil {
			return nil, &problem{position: nodePosition(document.Body), message: "only one document is allowed; remove ---"}
		}
		body = document.Body
	}
	if body == nil {
		return nil, &problem{position: begin, message: "the file is empty"}
	}
	if _, ok := body.(ast.MapNode); !ok {
		message := "the file must be a map such as key: value, not " + describeKind(body)
		return nil, &problem{position: nodePosition(body), message: message}
	}
	return body, nil
}

// decodeValue decodes a node into v. It leaves v as it is if there is a problem.
func (d *decoder) decodeValue(n ast.Node, path string, v reflect.Value) {
	d.positions[path] = d.inFile(nodePosition(n))
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		d.addProblem(path, "%s is %s, which is not supported; write the value itself", displayPath(path), describeKind(n))
		return
	case *ast.NullNode:
		d.addProblem(path, "%s has no value; set one or remove the key", displayPath(path))
		return
	}
	switch v.Interface().(type) {
	case secret.Value:
		if s, ok := d.decodeSecret(n, path); ok {
			v.Set(reflect.ValueOf(s))
		}
	case time.Duration:
		s, ok := stringValue(n)
		duration, err := time.ParseDuration(s)
		if !ok || err != nil {
			d.addProblem(path, "%s is not a duration; use a value such as 90s, 15m, or 1h", displayPath(path))
			return
		}
		v.SetInt(int64(duration))
	case netip.Prefix:
		s, _ := stringValue(n)
		prefix, ok := parsePrefix(s)
		if !ok {
			d.addProblem(path, "%s is not an IP address or network; use a value such as 10.0.0.7 or 10.0.0.0/24",
				displayPath(path))
			return
		}
		v.Set(reflect.ValueOf(prefix))
	default:
		d.decodeKind(n, path, v)
	}
}

// decodeKind decodes a node into v by the kind of v.
func (d *decoder) decodeKind(n ast.Node, path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decodeValue(n, path, v.Elem())
	case reflect.Struct:
		if m, ok := n.(ast.MapNode); ok {
			d.decodeStruct(m, path, v)
			return
		}
		d.addTypeProblem(n, path, "a map of settings")
	case reflect.Slice:
		s, ok := n.(*ast.SequenceNode)
		if one, scalar := stringValue(n); scalar && v.Type() == reflect.TypeFor[oneOrMore]() {
			v.Set(reflect.ValueOf(oneOrMore{one}))
			return
		}
		if !ok {
			d.addTypeProblem(n, path, "a list such as [a, b]")
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(s.Values), len(s.Values)))
		for i, element := range s.Values {
			d.decodeValue(element, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	default:
		if wanted, ok := setScalar(n, v); !ok {
			d.addTypeProblem(n, path, wanted)
		}
	}
}

// setScalar sets v to a string, a boolean or a number. If n is not of the kind of v
// it returns in words what is wanted.
func setScalar(n ast.Node, v reflect.Value) (wanted string, ok bool) {
	switch v.Kind() {
	case reflect.String:
		if s, ok := stringValue(n); ok {
			v.SetString(strings.Clone(s)) // s is part of the text of the file
			return "", true
		}
		return "a string", false
	case reflect.Bool:
		if b, ok := n.(*ast.BoolNode); ok {
			v.SetBool(b.Value)
			return "", true
		}
		return "true or false", false
	case reflect.Int, reflect.Int64:
		if i, ok := intValue(n); ok && !v.OverflowInt(i) {
			v.SetInt(i)
			return "", true
		}
		return "a whole number", false
	default: // reflect.Float64
		if f, ok := floatValue(n); ok {
			v.SetFloat(f)
			return "", true
		}
		return "a number", false
	}
}

// decodeStruct decodes a map into a struct. The struct's yaml or json tags are the
// keys.
func (d *decoder) decodeStruct(m ast.MapNode, path string, v reflect.Value) {
	fields := map[string]int{}
	for i := range v.NumField() {
		if name := tagName(v.Type().Field(i)); name != "" {
			fields[name] = i
		}
	}
	seen := map[string]position{}
	for it := m.MapRange(); it.Next(); {
		key, at := keyName(it.Key()), d.inFile(nodePosition(it.Key()))
		inner := strings.TrimPrefix(path+"."+key, ".")
		if _, known := fields[key]; !known {
			d.addProblemAt(at, inner, "%s", describeUnknownKey(key, fields))
			continue
		}
		if first, duplicate := seen[key]; duplicate {
			d.addProblemAt(at, inner, "duplicate key %q (first set on line %d)", displayPath(inner), first.line)
			continue
		}
		seen[key] = at
		d.decodeValue(it.Value(), inner, v.Field(fields[key]))
	}
}

// tagName returns the key of a field: the name in its yaml tag, or else in its json
// tag. Fields without either have no key.
func tagName(field reflect.StructField) string {
	tag, ok := field.Tag.Lookup("yaml")
	if !ok {
		tag = field.Tag.Get("json")
	}
	name, _, _ := strings.Cut(tag, ",")
	return name
}
