package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"idpbridge/internal/secret"

	"github.com/goccy/go-yaml/ast"
)

// text reads a setting that may be secret: the string itself, {env: NAME} or
// {file: PATH}. Nothing that stands in the file is quoted in its faults,
// because it may be the secret in the wrong place.
func (r *reader) text(n ast.Node, path string) (secret.Value, bool) {
	m, isMap := n.(ast.MapNode)
	if !isMap {
		s, ok := plain(n)
		switch {
		case !ok:
			r.fault(path, "%s is %s; write a text, {env: NAME} or {file: PATH}", r.shown(path), kind(n))
		case s == "":
			r.fault(path, "%s is empty; write {env: NAME} or {file: PATH}, or leave it out", r.shown(path))
		}
		return secret.New(s), ok && s != ""
	}
	var from, value string
	entries := 0
	for it := m.MapRange(); it.Next(); entries++ {
		from = keyOf(it.Key())
		value, _ = plain(it.Value())
	}
	switch {
	case entries != 1 || from != "env" && from != "file" || value == "":
		r.fault(path, "%s is a map with other keys than one of env and file; write {env: NAME} or {file: PATH}", r.shown(path))
	case from == "env":
		v := r.getenv(value)
		if v != "" {
			return secret.New(v), true
		}
		r.fault(path, "%s is to come from %s, which is not set; set it, or write {file: PATH}", r.shown(path), variable(value))
	default:
		// A line end is the editor's, not the secret's.
		raw, err := os.ReadFile(r.join(value))
		v := strings.TrimRight(string(raw), "\r\n")
		if err == nil && v != "" {
			return secret.New(v), true
		}
		r.fault(path, "%s is to come from a file that %s; name one that this user may read, relative to %s", r.shown(path), reason(err), r.join("."))
	}
	return secret.Value{}, false
}

// variable names an environment variable, unless its name looks like a secret
// that somebody put there instead.
func variable(name string) string {
	odd := func(c rune) bool { return c != '_' && (c < 'A' || c > 'Z') && (c < '0' || c > '9') }
	if strings.ContainsFunc(name, odd) || len(name) > 64 {
		return "an environment variable"
	}
	return "the environment variable " + name
}

// reason says why a file gave nothing, without its name.
func reason(err error) string {
	switch {
	case err == nil:
		return "is empty"
	case errors.Is(err, fs.ErrNotExist):
		return "does not exist"
	case errors.Is(err, fs.ErrPermission):
		return "this user may not read"
	}
	return "cannot be read"
}

// join makes a path of the file relative to the working directory.
func (r *reader) join(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(r.dir, p)
}
