package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"idpbridge/internal/secret"
)

// decodeSecret decodes a setting that may be secret: a string, {env: NAME} or
// {file: PATH}. Its messages never quote the file, which may have the secret in the
// wrong place.
func (d *decoder) decodeSecret(n ast.Node, path string) (secret.Value, bool) {
	m, isMap := n.(ast.MapNode)
	if !isMap {
		s, ok := stringValue(n)
		s = trimSecret(s)
		if !ok {
			d.addProblem(path, "%s must be a string, {env: NAME}, or {file: PATH}, not %s", displayPath(path), describeKind(n))
		} else if s == "" {
			d.addProblem(path, "%s is empty; use {env: NAME} or {file: PATH}, or remove the key", displayPath(path))
		}
		return secret.New(s), ok && s != ""
	}
	var source, name string
	entries := 0
	for it := m.MapRange(); it.Next(); entries++ {
		source = keyName(it.Key())
		name, _ = stringValue(it.Value())
	}
	if entries != 1 || name == "" || source != "env" && source != "file" {
		d.addProblem(path, "%s must have one of env and file: {env: NAME} or {file: PATH}", displayPath(path))
		return secret.Value{}, false
	}
	var value string
	if source == "env" {
		if value = trimSecret(d.getenv(name)); value == "" {
			d.addProblem(path, "%s is not set", describeVariable(name, displayPath(path)))
		}
	} else {
		raw, err := os.ReadFile(d.resolvePath(name))
		value = trimSecret(string(raw))
		if err != nil || value == "" {
			d.addProblem(path, "the file for %s %s; its path is relative to %s",
				displayPath(path), describeReadError(err), d.resolvePath("."))
			return secret.Value{}, false
		}
	}
	return secret.New(value), value != ""
}

// trimSecret removes what editors, echo and clusters add to a secret: a byte order mark
// at its beginning and line ends at its end.
func trimSecret(s string) string {
	return strings.TrimRight(strings.TrimPrefix(s, byteOrderMark), "\r\n")
}

// describeVariable names an environment variable, unless its name looks like a
// secret that was put there by mistake.
func describeVariable(name, setting string) string {
	unusual := func(c rune) bool { return c != '_' && (c < 'A' || c > 'Z') && (c < '0' || c > '9') }
	if strings.ContainsFunc(name, unusual) || len(name) > 64 {
		return "the environment variable used by " + setting
	}
	return fmt.Sprintf("environment variable %s (used by %s)", name, setting)
}

// describeReadError says why a file has no secret, without naming the file.
func describeReadError(err error) string {
	if err == nil {
		return "is empty"
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "does not exist"
	}
	if errors.Is(err, fs.ErrPermission) {
		return "is not readable by this user"
	}
	return "cannot be read"
}

// resolvePath makes a path in the file relative to the working directory.
func (d *decoder) resolvePath(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(d.dir, path)
}

// checkClientSecret returns what is wrong with the characters of a client's secret, or ""
// (RFC 6749 appendix A.2).
func checkClientSecret(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "secret has a line break or another character that is not printable ASCII; remove it (RFC 6749 appendix A.2)"
	}
	if s != strings.Trim(s, " ") {
		return "secret starts or ends with a space; remove it"
	}
	if isPublished(s) {
		return "secret is from the documentation, where everyone can read it; generate one with: openssl rand -hex 32"
	}
	return ""
}
