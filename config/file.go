package config

import (
	_ "embed"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

//go:embed idp.yaml
var template []byte

// Template is the commented file that idp init writes.
func Template() []byte { return slices.Clone(template) }

// text is a Text as it is written.
type text struct {
	literal   string
	env, file string
}

// UnmarshalYAML reads a string or a map with one key.
func (t *text) UnmarshalYAML(unmarshal func(any) error) error {
	if unmarshal(&t.literal) == nil {
		return nil
	}
	var m map[string]string
	if err := unmarshal(&m); err != nil || len(m) != 1 || m["env"] == "" && m["file"] == "" {
		return fmt.Errorf("write a text, {env: NAME} or {file: PATH}")
	}
	t.env, t.file = m["env"], m["file"]
	return nil
}

// document is the file's form.
type document struct {
	Issuer     string         `yaml:"issuer"`
	Listen     string         `yaml:"listen"`
	Operations string         `yaml:"operations"`
	Data       string         `yaml:"data"`
	Store      text           `yaml:"store"`
	Secret     text           `yaml:"secret"`
	TLS        *TLS           `yaml:"tls"`
	Proxies    []string       `yaml:"proxies"`
	Brand      Brand          `yaml:"brand"`
	People     string         `yaml:"people"`
	Clients    []clientRecord `yaml:"clients"`
	Lifetimes  Lifetimes      `yaml:"lifetimes"`
	Limits     Limits         `yaml:"limits"`
}

type clientRecord struct {
	ID                     string   `yaml:"id"`
	Name                   string   `yaml:"name"`
	Secret                 text     `yaml:"secret"`
	Type                   string   `yaml:"application_type"`
	AuthMethod             string   `yaml:"token_endpoint_auth_method"`
	RedirectURIs           []string `yaml:"redirect_uris"`
	PostLogoutRedirectURIs []string `yaml:"post_logout_redirect_uris"`
	ResponseTypes          []string `yaml:"response_types"`
	Scopes                 []string `yaml:"scopes"`
	Profile                string   `yaml:"profile"`
	ClaimsInIDToken        bool     `yaml:"claims_in_id_token"`
	Algorithm              string   `yaml:"id_token_signed_response_alg"`
	RedirectsOnTo          []string `yaml:"redirects_on_to"`
}

// reader reads one file and collects what is wrong with it.
type reader struct {
	name   string
	tree   *ast.File
	getenv func(string) string
	dir    string
	faults []string
}

// Load reads a configuration file. The error lists every fault, one to a line.
func Load(path string, getenv func(string) string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return Parse(path, data, filepath.Dir(path), getenv)
}

// Parse reads a configuration; paths in it are relative to dir.
func Parse(name string, data []byte, dir string, getenv func(string) string) (*Config, error) {
	r := &reader{name: name, getenv: getenv, dir: dir}
	defaults := Defaults()
	doc := document{Listen: defaults.Listen, Operations: defaults.Operations, Lifetimes: defaults.Lifetimes, Limits: defaults.Limits}
	if err := r.decode(data, &doc); err != nil {
		return nil, err
	}
	cfg := r.config(doc)
	return cfg, r.err()
}

// decode reads YAML strictly.
func (r *reader) decode(data []byte, into any) error {
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return r.syntax(err)
	}
	r.tree = tree
	if err := yaml.UnmarshalWithOptions(data, into, yaml.Strict()); err != nil {
		return r.syntax(err)
	}
	return nil
}

// syntax turns the library's error into ours: position first.
func (r *reader) syntax(err error) error {
	if e, ok := err.(yaml.Error); ok && e.GetToken() != nil { //nolint:errorlint // the library returns it bare
		p := e.GetToken().Position
		return fmt.Errorf("%s:%d:%d: %s", r.name, p.Line, p.Column, strings.TrimSpace(e.GetMessage()))
	}
	return fmt.Errorf("%s: %s", r.name, strings.SplitN(err.Error(), "\n", 2)[0])
}

// fault notes what is wrong with the value at a path such as
// $.clients[0].redirect_uris[1]; a path that is not in the file stands for its
// nearest parent.
func (r *reader) fault(path, format string, args ...any) {
	line, column := 1, 1
	for at := path; at != "" && at != "$"; at = at[:max(strings.LastIndexAny(at, ".["), 0)] {
		p, err := yaml.PathString(at)
		if err != nil {
			continue
		}
		if node, err := p.FilterFile(r.tree); err == nil && node != nil {
			line, column = node.GetToken().Position.Line, node.GetToken().Position.Column
			break
		}
	}
	r.faults = append(r.faults, fmt.Sprintf("%s:%d:%d: %s", r.name, line, column, fmt.Sprintf(format, args...)))
}

func (r *reader) err() error {
	if len(r.faults) == 0 {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(r.faults, "\n"))
}

// resolve finds out what a text stands for.
func (r *reader) resolve(path string, t text) Text {
	switch {
	case t.env != "":
		v := r.getenv(t.env)
		if v == "" {
			r.fault(path, "environment variable %s is not set; set it, or write {file: PATH}", t.env)
		}
		return Text(v)
	case t.file != "":
		raw, err := os.ReadFile(r.path(t.file))
		if err != nil {
			r.fault(path, "cannot read %s; give a file that this user may read", t.file)
		}
		return Text(strings.TrimRight(string(raw), "\r\n"))
	}
	return Text(t.literal)
}

func (r *reader) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(r.dir, p)
}

func (r *reader) proxies(in []string) []netip.Prefix {
	var out []netip.Prefix
	for i, s := range in {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			var a netip.Addr
			if a, err = netip.ParseAddr(s); err == nil {
				p = netip.PrefixFrom(a, a.BitLen())
			}
		}
		if err != nil || p.Bits() == 0 {
			r.fault(fmt.Sprintf("$.proxies[%d]", i), "%q is not an address or a network such as 10.0.0.7 or 10.0.0.0/24", s)
			continue
		}
		out = append(out, p)
	}
	return out
}
