package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"idpbridge/internal/spelling"
)

// position is a place in a file. Both numbers count from 1.
type position struct{ line, column int }

// problem is one thing that is wrong at one place.
type problem struct {
	position
	path, message string
	element       string // which element of a list, if describeElement cannot say later
}

// addProblem reports a problem with the value at a path, at its place in the file
// or at that of its nearest parent. It does nothing if the value or a parent has a
// problem already: this one may just follow from it.
func (d *decoder) addProblem(path, format string, args ...any) {
	for at := path; at != ""; at = parentPath(at) {
		if d.rejected[at] {
			return
		}
	}
	d.rejected[path] = true
	where := position{1, 1}
	for at := path; at != ""; at = parentPath(at) {
		if p, ok := d.positions[at]; ok {
			where = p
			break
		}
	}
	d.addProblemAt(where, path, format, args...)
}

func (d *decoder) addProblemAt(where position, path, format string, args ...any) {
	d.problems = append(d.problems, problem{position: where, path: path, message: fmt.Sprintf(format, args...)})
}

// addTypeProblem reports that a value has the wrong type. It doesn't quote the
// value, which may be a secret under the wrong key.
func (d *decoder) addTypeProblem(n ast.Node, path, wanted string) {
	hint := ""
	if wanted == "a string" && describeKind(n) != "a map" && describeKind(n) != "a list" {
		hint = "; put it in quotes"
	}
	d.addProblem(path, "%s must be %s, not %s%s", displayPath(path), wanted, describeKind(n), hint)
}

// describeUnknownKey says that a key is unknown and which one may have been meant.
func describeUnknownKey(key string, known map[string]int) string {
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	if nearest := spelling.Nearest(key, names); nearest != "" {
		return fmt.Sprintf("unknown key %q; did you mean %q?", shorten(key), nearest)
	}
	return fmt.Sprintf("unknown key %q; use one of: %s", shorten(key), strings.Join(names, ", "))
}

// joinProblems returns all problems in the order of the file, one per line, or nil.
func (d *decoder) joinProblems() error {
	slices.SortStableFunc(d.problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	all := make([]error, 0, len(d.problems))
	for _, p := range d.problems {
		element := cmp.Or(p.element, d.describeElement(p.path))
		all = append(all, fmt.Errorf("%s:%d:%d: %s%s", d.name, p.line, p.column, element, p.message))
	}
	return errors.Join(all...)
}

// describeElement returns which element of a top-level list a path is in, such as
// `client "shop": `, or "".
func (d *decoder) describeElement(path string) string {
	list, i, rest := splitElement(path)
	if rest == "" {
		return ""
	}
	return cmp.Or(d.label(list, i), fmt.Sprintf("%s[%d]", list, i)) + ": "
}

// displayPath returns a path for messages, without the element of a top-level list,
// which describeElement names.
func displayPath(path string) string {
	if _, _, rest := splitElement(path); rest != "" {
		return rest
	}
	return path
}

// splitElement splits clients[2].redirect_uris[0] into clients, 2 and
// redirect_uris[0]. The rest is "" for a path that is not in a top-level list.
func splitElement(path string) (list string, i int, rest string) {
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

// parentPath returns a path without its last step.
func parentPath(path string) string { return path[:max(strings.LastIndexAny(path, ".["), 0)] }

func tokenPosition(t *token.Token) position {
	if t == nil || t.Position == nil {
		return position{1, 1}
	}
	return position{t.Position.Line, t.Position.Column}
}

// nodePosition returns where a value begins. A map without braces begins with its
// first key.
func nodePosition(n ast.Node) position {
	if m, ok := n.(*ast.MappingNode); ok && m.IsFlowStyle {
		return tokenPosition(m.Start)
	}
	if m, ok := n.(ast.MapNode); ok {
		if it := m.MapRange(); it.Next() {
			return tokenPosition(it.Key().GetToken())
		}
	}
	if l, ok := n.(*ast.LiteralNode); ok {
		return tokenPosition(l.Start)
	}
	return tokenPosition(n.GetToken())
}

// escapeLineEnds writes line ends and tabs, which the YAML library quotes, as \n
// and \t.
func escapeLineEnds(s string) string {
	return strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s)
}

// shorten returns the beginning of what the file has, for a message. It stops at
// what may be another key and its value, on a line that is indented too far.
func shorten(s string) string {
	const longest = 40
	if before, _, found := strings.Cut(s, ": "); found {
		s = before + "…"
	}
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}
