// Package config reads the configuration file and the people file, strictly:
// whatever is unknown, of the wrong type or unsafe is refused with file, line,
// column and what to write instead. Read config.go first.
package config

import (
	"log/slog"
	"net/netip"
	"time"
)

// Text is a setting that may be secret. It is written as it is, as
// {env: NAME} or as {file: PATH}, and it never shows in logs or errors.
type Text string

// LogValue keeps the text out of logs.
func (Text) LogValue() slog.Value { return slog.StringValue("redacted") }

// String keeps the text out of formatted text.
func (Text) String() string { return "redacted" }

// Config is a whole configuration file.
type Config struct {
	Issuer     string
	Listen     string
	Operations string // loopback address of metrics and health, or "off"
	Data       string // folder of database and keys
	Store      Text   // postgres://…; empty means SQLite in Data
	Secret     Text   // instance secret; empty means a file in Data
	TLS        *TLS   // nil: plain http, behind a proxy or on loopback
	Proxies    []netip.Prefix
	Brand      Brand
	People     string // people file
	Clients    []Client
	Lifetimes  Lifetimes
	Limits     Limits
}

// TLS names the files of a certificate and its key, both PEM.
type TLS struct {
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
}

// Brand is what pages say about whose they are.
type Brand struct {
	Name    string `yaml:"name"`
	Logo    string `yaml:"logo"`
	Help    string `yaml:"help"`
	Privacy string `yaml:"privacy"`
}

// Client is a relying party.
type Client struct {
	ID                     string
	Name                   string
	Secret                 Text
	Type                   string // web or native
	AuthMethod             string
	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	ResponseTypes          []string
	Scopes                 []string
	Profile                string // "" or liveengage
	ClaimsInIDToken        bool
	Algorithm              string
	RedirectsOnTo          []string
}

// Lifetimes says how long things live.
type Lifetimes struct {
	Request     time.Duration `yaml:"request"`
	Code        time.Duration `yaml:"code"`
	IDToken     time.Duration `yaml:"id_token"`
	AccessToken time.Duration `yaml:"access_token"`
	Session     time.Duration `yaml:"session"`
	SessionIdle time.Duration `yaml:"session_idle"`
}

// Limits bounds what strangers can do.
type Limits struct {
	Failures        int           `yaml:"failures"`         // wrong passwords of a name from an address that cost nothing
	AddressFailures int           `yaml:"address_failures"` // the same for an address, whatever the name
	Delay           time.Duration `yaml:"delay"`            // wait after the first failure that costs; it doubles
	MaxDelay        time.Duration `yaml:"max_delay"`
	Window          time.Duration `yaml:"window"`  // failures are forgotten after so long
	Body            int64         `yaml:"body"`    // bytes
	Header          int           `yaml:"header"`  // bytes
	Timeout         time.Duration `yaml:"timeout"` // to read a request
}

// Defaults are the settings of a file that says nothing.
func Defaults() Config {
	return Config{
		Listen: "127.0.0.1:8080", Operations: "127.0.0.1:8081",
		Lifetimes: Lifetimes{
			Request: 30 * time.Minute, Code: time.Minute, IDToken: time.Hour, AccessToken: time.Hour,
			Session: 12 * time.Hour, SessionIdle: time.Hour,
		},
		Limits: Limits{
			Failures: 5, AddressFailures: 100, Delay: time.Second, MaxDelay: 5 * time.Minute, Window: 15 * time.Minute,
			Body: 64 << 10, Header: 64 << 10, Timeout: 15 * time.Second,
		},
	}
}
