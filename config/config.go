// Package config reads the configuration file and the people file. It is strict: it
// rejects whatever is unknown, unsafe or of the wrong type, and says where and what to
// write instead. Read config.go first, then decoder.go.
package config

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"idpbridge/internal/secret"
	"idpbridge/oidc"
)

// Config is a configuration file. Load and Parse fill in every default and make every
// path relative to the working directory. settings.go says what each setting means.
type Config struct {
	// Issuer is the URL of the provider without a trailing slash (OIDC Discovery
	// section 3). It is https, or http on loopback.
	Issuer string `yaml:"issuer"`
	// Listen is the host:port of the public endpoints.
	Listen string `yaml:"listen"`
	// Operations is the loopback host:port of metrics and health checks, or "off".
	Operations string `yaml:"operations"`
	// Health is the host:port of health checks alone, or "off".
	Health string `yaml:"health"`
	// Data is the directory of the database and of generated secrets.
	Data string `yaml:"data"`
	// Store is a PostgreSQL URL. Unset means SQLite in Data.
	Store secret.Value `yaml:"store"`
	// InsecureStoreConnection allows a Store on another host without verified TLS.
	InsecureStoreConnection bool `yaml:"insecure_store_connection"`
	// Secret is the instance secret, 64 hexadecimal characters. Unset means that it is
	// in a file in Data.
	Secret secret.Value `yaml:"secret"`
	// TLS is nil if a proxy terminates TLS, or on loopback.
	TLS *TLS `yaml:"tls"`
	// Proxies are trusted reverse proxies. X-Forwarded-* from anyone else is ignored.
	Proxies []netip.Prefix `yaml:"proxies"`
	// Brand is shown on pages.
	Brand Brand `yaml:"brand"`
	// People is the path of the people file; see ReadPeople.
	People string `yaml:"people"`
	// Subjects derives subjects from customer ids. It may be nil.
	Subjects *Subjects `yaml:"subjects"`
	// Clients are the relying parties. There is at least one, and ids are unique.
	Clients   []Client  `yaml:"clients"`
	Lifetimes Lifetimes `yaml:"lifetimes"`
	Limits    Limits    `yaml:"limits"`
	// ShutdownDelay is how long a server that stops still accepts requests.
	ShutdownDelay time.Duration `yaml:"shutdown_delay"`
}

// TLS names the PEM files of a certificate chain and of its private key.
type TLS struct {
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
}

// Brand is what pages show of the brand. Name is required; the others are https URLs
// or empty.
type Brand struct {
	Name    string `yaml:"name"`
	Home    string `yaml:"home"`
	Logo    string `yaml:"logo"`
	Help    string `yaml:"help"`
	Privacy string `yaml:"privacy"`
}

// Subjects says how subjects are derived from customer ids; see claims.Subjects.
type Subjects struct {
	// Key is 64 hexadecimal characters, and must never change.
	Key secret.Value `yaml:"key"`
	// Known is the path of a file of subjects that LivePerson knows already. It may be
	// empty.
	Known string `yaml:"known"`
}

// Lifetimes says how long things are valid.
type Lifetimes struct {
	Request      time.Duration `yaml:"request"`
	Code         time.Duration `yaml:"code"` // at most 10m (RFC 6749 section 4.1.2)
	IDToken      time.Duration `yaml:"id_token"`
	AccessToken  time.Duration `yaml:"access_token"`
	Session      time.Duration `yaml:"session"`
	SessionIdle  time.Duration `yaml:"session_idle"`
	Refresh      time.Duration `yaml:"refresh_token"`
	RefreshIdle  time.Duration `yaml:"refresh_token_idle"`
	RefreshGrace time.Duration `yaml:"refresh_token_grace"`
}

// Limits bounds what unauthenticated users can do.
type Limits struct {
	Failures        int           `yaml:"failures"`
	AddressFailures int           `yaml:"address_failures"`
	Delay           time.Duration `yaml:"delay"`
	MaxDelay        time.Duration `yaml:"max_delay"`
	Window          time.Duration `yaml:"window"`
	Body            int64         `yaml:"body"`   // bytes
	Header          int           `yaml:"header"` // bytes
	Timeout         time.Duration `yaml:"timeout"`
}

const operationsAddress = "127.0.0.1:8081"

// Defaults returns the settings of an empty file. It lacks issuer, data, brand, people
// and clients, which have no defaults.
func Defaults() Config {
	return Config{
		Listen:     "127.0.0.1:8080",
		Operations: operationsAddress,
		Health:     "off",
		Lifetimes: Lifetimes{
			Request:      30 * time.Minute,
			Code:         time.Minute,
			IDToken:      30 * time.Minute,
			AccessToken:  time.Hour,
			Session:      12 * time.Hour,
			SessionIdle:  time.Hour,
			Refresh:      30 * 24 * time.Hour,
			RefreshIdle:  7 * 24 * time.Hour,
			RefreshGrace: 10 * time.Second,
		},
		Limits: Limits{
			Failures:        5,
			AddressFailures: 100,
			Delay:           time.Second,
			MaxDelay:        5 * time.Minute,
			Window:          15 * time.Minute,
			Body:            64 << 10,
			Header:          64 << 10,
			Timeout:         15 * time.Second,
		},
		ShutdownDelay: 5 * time.Second,
	}
}

//go:embed idp.yaml.template
var template []byte

// Template returns the commented file that idp init writes. It is valid once the
// environment has the secrets that it names. The caller may change the result.
func Template() []byte { return slices.Clone(template) }

//go:embed people.yaml.template
var peopleTemplate []byte

// PeopleTemplate returns the people file that idp init writes: nobody, and a commented
// example. The caller may change the result.
func PeopleTemplate() []byte { return slices.Clone(peopleTemplate) }

// Load reads a configuration file. Paths in it are relative to its directory, and
// getenv looks up the secrets that it leaves to the environment. The error lists every
// problem, one per line, with file, line and column. It never contains a secret.
func Load(path string, getenv func(string) string) (*Config, error) {
	d, cfg, err := load(path, getenv)
	if err != nil {
		return nil, err
	}
	if err := d.joinProblems(); err != nil {
		return nil, err
	}
	return cfg, nil
}

// load reads a configuration file. The decoder has its problems.
func load(path string, getenv func(string) string) (*decoder, *Config, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("read configuration: %w; name the file, or create one with: idp init", err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read configuration: %w", err)
	}
	d, cfg := parse(path, data, getenv, filepath.Dir(path))
	return d, cfg, nil
}

// Parse is Load for content that has been read already: name is the file's name in
// errors, and dir its directory. Parse reads neither certificates nor people.
func Parse(name string, data []byte, getenv func(string) string, dir string) (*Config, error) {
	d, cfg := parse(name, data, getenv, dir)
	if err := d.joinProblems(); err != nil {
		return nil, err
	}
	return cfg, nil
}

// parse decodes and checks a configuration. The decoder has its problems.
func parse(name string, data []byte, getenv func(string) string, dir string) (*decoder, *Config) {
	cfg := Defaults()
	d := newDecoder(name, getenv, dir)
	d.label = func(list string, i int) string {
		if list != "clients" || i >= len(cfg.Clients) || cfg.Clients[i].ID == "" {
			return ""
		}
		return fmt.Sprintf("client %q", shorten(cfg.Clients[i].ID))
	}
	if d.decode(data, &cfg) {
		d.validateConfig(&cfg)
	}
	return d, &cfg
}

// OIDCClients returns the clients in the form that package oidc uses; see
// Client.Build.
func (cfg *Config) OIDCClients() ([]oidc.Client, error) {
	out := make([]oidc.Client, 0, len(cfg.Clients))
	for _, c := range cfg.Clients {
		client, err := c.Build()
		if err != nil {
			return nil, err
		}
		out = append(out, client)
	}
	return out, nil
}
