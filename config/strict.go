package config

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"idpbridge/internal/secret"
	"idpbridge/internal/spelling"
)

// position is a place in a file; both count from 1.
type position struct{ line, column int }

// fault is one thing that is wrong at one place.
type fault struct {
	position
	path, message string
}

// reader reads one file into structs and collects everything that is wrong, so
// that somebody can mend all of it at once. The library's own decoder stops at
// the first fault and shows the source around it, secrets included.
type reader struct {
	name, dir string
	getenv    func(string) string
	// label names an element of a top-level list, or returns "".
	label  func(list string, i int) string
	at     map[string]position // path, such as clients[0].redirect_uris[1]
	bad    map[string]bool     // paths whose value is refused already
	faults []fault
}

func newReader(name string, getenv func(string) string, dir string) *reader {
	none := func(string, int) string { return "" }
	return &reader{name: name, dir: dir, getenv: getenv, label: none, at: map[string]position{}, bad: map[string]bool{}}
}

// read fills in the struct that into points to. It returns false where the
// content is no YAML at all, so that looking for further faults makes no sense.
func (r *reader) read(data []byte, into any) bool {
	if tooDeep(data) {
		r.faults = append(r.faults, fault{position: position{1, 1}, message: "the file nests brackets or dashes too deeply; close those that are open"})
		return false
	}
	// A key that stands twice is ours to refuse, together with everything else.
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		f := fault{position: position{1, 1}, message: "is not YAML"}
		if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil {
			f.position, f.message = place(e.GetToken()), "is not YAML: "+oneLine(e.GetMessage())
		}
		r.faults = append(r.faults, f)
		return false
	}
	var body ast.Node
	for _, d := range file.Docs {
		switch {
		case d.Body == nil || d.Body.Type() == ast.CommentType:
		case body != nil:
			r.faults = append(r.faults, fault{position: start(d.Body), message: "a second document begins; write one only, without ---"})
			return false
		default:
			body = d.Body
		}
	}
	if body == nil {
		r.faults = append(r.faults, fault{position: position{1, 1}, message: "the file is empty"})
		return false
	}
	if _, ok := body.(ast.MapNode); !ok {
		r.faults = append(r.faults, fault{position: start(body), message: "the file is " + kind(body) + "; write keys and values, such as key: value"})
		return false
	}
	r.value(body, "", reflect.ValueOf(into).Elem())
	return true
}

// value reads a node into v, or leaves v as it is.
func (r *reader) value(n ast.Node, path string, v reflect.Value) {
	r.at[path] = start(n)
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		r.fault(path, "%s is %s, which is not read here; write the value itself", r.shown(path), kind(n))
		return
	case *ast.NullNode:
		r.fault(path, "%s has no value; write one, or leave the key out", r.shown(path))
		return
	}
	switch v.Interface().(type) {
	case secret.Value:
		if t, ok := r.text(n, path); ok {
			v.Set(reflect.ValueOf(t))
		}
		return
	case time.Duration:
		s, ok := plain(n)
		d, err := time.ParseDuration(s)
		if !ok || err != nil {
			r.fault(path, "%s is not a duration; write one such as 90s, 15m or 1h", r.shown(path))
			return
		}
		v.SetInt(int64(d))
		return
	case netip.Prefix:
		s, _ := plain(n)
		p, ok := prefix(s)
		if !ok {
			r.fault(path, "%s is not an address or a network; write one such as 10.0.0.7 or 10.0.0.0/24", r.shown(path))
			return
		}
		v.Set(reflect.ValueOf(p))
		return
	}
	r.plainValue(n, path, v)
}

// plainValue reads a node into v by the kind of v.
func (r *reader) plainValue(n ast.Node, path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		r.value(n, path, v.Elem())
	case reflect.Struct:
		if m, ok := n.(ast.MapNode); ok {
			r.object(m, path, v)
			return
		}
		r.wrong(n, path, "keys and values")
	case reflect.Slice:
		s, ok := n.(*ast.SequenceNode)
		if !ok {
			r.wrong(n, path, "a list, such as [a, b]")
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(s.Values), len(s.Values)))
		for i, e := range s.Values {
			r.value(e, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.String:
		s, ok := plain(n)
		if !ok {
			r.wrong(n, path, "a text, in quotes if need be")
			return
		}
		v.SetString(s)
	case reflect.Bool:
		b, ok := n.(*ast.BoolNode)
		if !ok {
			r.wrong(n, path, "true or false")
			return
		}
		v.SetBool(b.Value)
	case reflect.Int, reflect.Int64:
		i, ok := whole(n)
		if !ok || v.OverflowInt(i) {
			r.wrong(n, path, "a whole number")
			return
		}
		v.SetInt(i)
	case reflect.Float64:
		f, ok := fraction(n)
		if !ok {
			r.wrong(n, path, "a number")
			return
		}
		v.SetFloat(f)
	}
}

// object reads a map into a struct, whose yaml or json tags are the keys.
func (r *reader) object(m ast.MapNode, path string, v reflect.Value) {
	known := map[string]int{}
	for i := range v.NumField() {
		tag, ok := v.Type().Field(i).Tag.Lookup("yaml")
		if !ok {
			tag = v.Type().Field(i).Tag.Get("json")
		}
		name, _, _ := strings.Cut(tag, ",")
		known[name] = i
	}
	seen := map[string]position{}
	for it := m.MapRange(); it.Next(); {
		name, where := keyOf(it.Key()), start(it.Key())
		inner := strings.TrimPrefix(path+"."+name, ".")
		field, ok := known[name]
		first, twice := seen[name]
		switch {
		case !ok:
			r.faultAt(where, inner, "%s", stranger(name, known))
		case twice:
			r.faultAt(where, inner, "%s stands here a second time, after line %d; write it once", r.shown(inner), first.line)
		default:
			seen[name] = where
			r.value(it.Value(), inner, v.Field(field))
		}
	}
}

// stranger says what is wrong with a key that nobody knows.
func stranger(name string, known map[string]int) string {
	names := make([]string, 0, len(known))
	for k := range known {
		names = append(names, k)
	}
	slices.Sort(names)
	if near := spelling.Nearest(name, names); near != "" {
		return fmt.Sprintf("key %q is not known; did you mean %s?", excerpt(name), near)
	}
	return fmt.Sprintf("key %q is not known; write one of: %s", excerpt(name), strings.Join(names, ", "))
}

// wrong notes that a value is of another kind than wanted. It quotes nothing:
// whoever mistakes a key may have put a secret there.
func (r *reader) wrong(n ast.Node, path, wanted string) {
	r.fault(path, "%s is %s; write %s", r.shown(path), kind(n), wanted)
}

// fault notes what is wrong with the value at a path. A path that is not in the
// file stands for its nearest parent. Of a value that is refused, or that is
// within one, nothing more is said: it may be an effect of the first fault.
func (r *reader) fault(path, format string, args ...any) {
	if r.refused(path) {
		return
	}
	r.bad[path] = true
	where := position{1, 1}
	for at := path; at != ""; at = parent(at) {
		if p, ok := r.at[at]; ok {
			where = p
			break
		}
	}
	r.faultAt(where, path, format, args...)
}

func (r *reader) refused(path string) bool {
	for at := path; at != ""; at = parent(at) {
		if r.bad[at] {
			return true
		}
	}
	return false
}

// parent cuts the last step off a path.
func parent(path string) string { return path[:max(strings.LastIndexAny(path, ".["), 0)] }

func (r *reader) faultAt(where position, path, format string, args ...any) {
	r.faults = append(r.faults, fault{where, path, fmt.Sprintf(format, args...)})
}

// err returns all faults in the order of the file, one to a line, or nil.
func (r *reader) err() error {
	slices.SortStableFunc(r.faults, func(a, b fault) int {
		if a.line != b.line {
			return a.line - b.line
		}
		return a.column - b.column
	})
	all := make([]error, 0, len(r.faults))
	for _, f := range r.faults {
		owner := ""
		if list, i, rest := element(f.path); rest != "" {
			if owner = r.label(list, i); owner == "" {
				owner = fmt.Sprintf("%s[%d]", list, i)
			}
			owner += ": "
		}
		all = append(all, fmt.Errorf("%s:%d:%d: %s%s", r.name, f.line, f.column, owner, f.message))
	}
	return errors.Join(all...)
}

// shown is a path for people: err says which element of a list it is in.
func (r *reader) shown(path string) string {
	if _, _, rest := element(path); rest != "" {
		return rest
	}
	return path
}

// element cuts clients[2].redirect_uris[0] into clients, 2 and redirect_uris[0].
func element(path string) (list string, i int, rest string) {
	list, after, ok := strings.Cut(path, "[")
	if !ok || strings.Contains(list, ".") {
		return "", 0, ""
	}
	number, rest, _ := strings.Cut(after, "]")
	i, err := strconv.Atoi(number)
	if err != nil {
		return "", 0, ""
	}
	return list, i, strings.TrimPrefix(rest, ".")
}

// oneLine writes line ends and tabs, which the library quotes, as \n and \t.
func oneLine(s string) string {
	return strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s)
}

func place(t *token.Token) position {
	if t == nil || t.Position == nil {
		return position{1, 1}
	}
	return position{t.Position.Line, t.Position.Column}
}

// start is where a value begins; a map without braces begins with its first key.
func start(n ast.Node) position {
	if m, ok := n.(*ast.MappingNode); ok && m.IsFlowStyle {
		return place(m.Start)
	}
	if m, ok := n.(ast.MapNode); ok {
		if it := m.MapRange(); it.Next() {
			return place(it.Key().GetToken())
		}
	}
	if l, ok := n.(*ast.LiteralNode); ok {
		return place(l.Start)
	}
	return place(n.GetToken())
}
