// Package config reads the configuration file and the people file, strictly:
// whatever is unknown, of the wrong type or unsafe is refused with file, line,
// column and what to write instead. Read config.go first, then strict.go.
package config

import (
	_ "embed"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"idpbridge/internal/secret"
)

// Config is a whole configuration file. Load and Parse return it with every
// default filled in and every path made relative to the working directory.
type Config struct {
	// Issuer is the address that clients know this program by, without a slash
	// at its end (OIDC Discovery section 3). It is https, or http on loopback.
	Issuer string `yaml:"issuer"`
	// Listen is host:port of the public endpoints; 127.0.0.1:8080 unless given.
	Listen string `yaml:"listen"`
	// Operations is the loopback host:port of metrics and health, 127.0.0.1:8081
	// unless given, or "off".
	Operations string `yaml:"operations"`
	// Data is the folder of the database and of generated secrets; never empty.
	Data string `yaml:"data"`
	// Store is a postgres:// address; empty means SQLite in Data.
	Store secret.Value `yaml:"store"`
	// Secret is the instance secret, 64 hexadecimal characters; empty means that
	// it is kept in a file in Data.
	Secret secret.Value `yaml:"secret"`
	// TLS is nil where a proxy ends TLS, or on loopback.
	TLS *TLS `yaml:"tls"`
	// Proxies may say whom a request comes from; empty means that nobody may.
	Proxies []netip.Prefix `yaml:"proxies"`
	// Brand is what pages show; its name is never empty.
	Brand Brand `yaml:"brand"`
	// People is the path of the people file; see LoadPeople.
	People string `yaml:"people"`
	// Subjects makes subjects of customer ids; nil where people have one of their own.
	Subjects *Subjects `yaml:"subjects"`
	// Clients are the relying parties, at least one, with ids of their own.
	Clients []Client `yaml:"clients"`
	// Lifetimes and Limits have no zero values once loaded.
	Lifetimes Lifetimes `yaml:"lifetimes"`
	Limits    Limits    `yaml:"limits"`
}

// TLS names the PEM files of a certificate chain and of its key.
type TLS struct {
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
}

// Brand is what pages say about whose they are. All but Name may be empty, and
// are https addresses otherwise.
type Brand struct {
	Name    string `yaml:"name"`
	Logo    string `yaml:"logo"`
	Help    string `yaml:"help"`
	Privacy string `yaml:"privacy"`
}

// Subjects says how a customer id becomes a subject; see claims.Subjects.
type Subjects struct {
	// Key is 64 hexadecimal characters, and must never change.
	Key secret.Value `yaml:"key"`
	// Known is the path of a file with subjects that LivePerson knows already; it
	// may be empty. See LoadSubjects.
	Known string `yaml:"known"`
}

// Client is a relying party.
type Client struct {
	// ID is the client_id: printable ASCII without spaces.
	ID string `yaml:"id"`
	// Name is what people call the client; its ID unless given.
	Name string `yaml:"name"`
	// Secret has 32 characters or more; empty means a public client, which must
	// use PKCE (RFC 7636).
	Secret secret.Value `yaml:"secret"`
	// Type is web, the default, or native.
	Type string `yaml:"application_type"`
	// AuthMethod is the one method that the client may use at the token
	// endpoint: client_secret_basic, the default with a secret,
	// client_secret_post, private_key_jwt, the default with JWKS, or none, the
	// default without either (OIDC Core section 9).
	AuthMethod string `yaml:"token_endpoint_auth_method"`
	// JWKS is the JSON Web Key Set of the client's public keys, for private_key_jwt.
	JWKS secret.Value `yaml:"jwks"`
	// PushedOnly refuses authorization requests that were not pushed (RFC 9126).
	PushedOnly bool `yaml:"require_pushed_authorization_requests"`
	// RedirectURIs and PostLogoutRedirectURIs are compared byte for byte
	// (RFC 9700 section 4.1.3); the first list is never empty.
	RedirectURIs           []string `yaml:"redirect_uris"`
	PostLogoutRedirectURIs []string `yaml:"post_logout_redirect_uris"`
	// BackchannelLogoutURI and FrontchannelLogoutURI are told of sign-outs; empty
	// means not. They are https, or http on loopback.
	BackchannelLogoutURI  string `yaml:"backchannel_logout_uri"`
	FrontchannelLogoutURI string `yaml:"frontchannel_logout_uri"`
	// ResponseTypes holds code, id_token, "id_token token", "code id_token",
	// "code token" or "code id_token token"; code unless given.
	ResponseTypes []string `yaml:"response_types"`
	// Scopes are those that the client may ask for; all of them unless given, but
	// for offline_access, which allows refresh tokens and must be named.
	Scopes []string `yaml:"scopes"`
	// Profile is empty or liveengage, which always gets lp_sdes and the claims
	// in the ID token, and may do what LiveEngage says.
	Profile string `yaml:"profile"`
	// LiveEngage is how LivePerson's services talk to the client of that profile;
	// never nil with it, and nil without it.
	LiveEngage *LiveEngage `yaml:"liveengage"`
	// ClaimsInIDToken puts the claims of the granted scopes into the ID token
	// even where an access token could fetch them; true for liveengage.
	ClaimsInIDToken bool `yaml:"claims_in_id_token"`
	// Algorithm signs the client's ID tokens: RS256, the default, or ES256.
	Algorithm string `yaml:"id_token_signed_response_alg"`
	// PinnedKey is the kid of the key that signs for the client whatever rotation
	// does, because its public half is pasted elsewhere; empty means the active key.
	PinnedKey string `yaml:"pinned_key"`
	// Encryption encrypts the client's ID tokens; nil means that they are not.
	Encryption *Encryption `yaml:"id_token_encryption"`
	// RedirectsOnTo are further https origins that a redirect URI leads to, for
	// the form-action of the pages' Content-Security-Policy.
	RedirectsOnTo []string `yaml:"redirects_on_to"`

	eitherWay bool // the secret may come in the header or in the body
}

// AuthMethods lists the methods that the client may use: AuthMethod, and for the
// profile liveengage with a secret both ways to send it, unless the file names one.
func (c Client) AuthMethods() []string {
	if c.eitherWay {
		return []string{authBasic, authPost}
	}
	return []string{c.AuthMethod}
}

// Lifetimes says how long things live.
type Lifetimes struct {
	Request     time.Duration `yaml:"request"`      // from a request to its answer; 30m
	Code        time.Duration `yaml:"code"`         // 60s, at most 10m (RFC 6749 section 4.1.2)
	IDToken     time.Duration `yaml:"id_token"`     // 30m; shorter than SessionIdle, so that a chat can renew it
	AccessToken time.Duration `yaml:"access_token"` // 1h
	Session     time.Duration `yaml:"session"`      // 12h, however busy
	SessionIdle time.Duration `yaml:"session_idle"` // 1h without a request
	// Of refresh tokens: all of a sign-in together 720h, one of them 168h unless
	// used, and 10s in which one that was used may come back; 0s is never.
	Refresh      time.Duration `yaml:"refresh_token"`
	RefreshIdle  time.Duration `yaml:"refresh_token_idle"`
	RefreshGrace time.Duration `yaml:"refresh_token_grace"`
}

// Limits bounds what strangers can do.
type Limits struct {
	Failures        int           `yaml:"failures"`         // wrong passwords of one name from one address without a wait; 5
	AddressFailures int           `yaml:"address_failures"` // the same of one address, whatever the name; 100
	Delay           time.Duration `yaml:"delay"`            // the first wait, 1s; it doubles
	MaxDelay        time.Duration `yaml:"max_delay"`        // the longest wait; 5m
	Window          time.Duration `yaml:"window"`           // failures are forgotten after so long; 15m
	Body            int64         `yaml:"body"`             // of a request, in bytes; 65536
	Header          int           `yaml:"header"`           // of a request, in bytes; 65536
	Timeout         time.Duration `yaml:"timeout"`          // to read a request; 15s
}

// Defaults returns the settings of a file that says nothing. It is not complete:
// issuer, data, brand, people and clients have no default.
func Defaults() Config {
	return Config{
		Listen: "127.0.0.1:8080", Operations: operationsAddress,
		Lifetimes: Lifetimes{
			Request: 30 * time.Minute, Code: time.Minute, IDToken: 30 * time.Minute, AccessToken: time.Hour,
			Session: 12 * time.Hour, SessionIdle: time.Hour,
			Refresh: 30 * 24 * time.Hour, RefreshIdle: 7 * 24 * time.Hour, RefreshGrace: 10 * time.Second,
		},
		Limits: Limits{
			Failures: 5, AddressFailures: 100, Delay: time.Second, MaxDelay: 5 * time.Minute, Window: 15 * time.Minute,
			Body: 64 << 10, Header: 64 << 10, Timeout: 15 * time.Second,
		},
	}
}

const operationsAddress = "127.0.0.1:8081"

//go:embed idp.yaml.template
var template []byte

// Template returns the commented file that idp init writes. It loads without an
// error once the environment holds the secrets that it names. The caller may
// change what it gets.
func Template() []byte { return slices.Clone(template) }

// Load reads a configuration file. Paths in it are relative to its folder and
// getenv looks up the secrets that it leaves to the environment. The error
// lists every fault, one to a line, each with file, line and column; it never
// holds a secret.
func Load(path string, getenv func(string) string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, data, getenv, filepath.Dir(path))
}

// Parse is Load for content that has been read already: name stands for the
// file in errors and dir for its folder. Certificates and people are not read.
func Parse(name string, data []byte, getenv func(string) string, dir string) (*Config, error) {
	cfg := Defaults()
	r := newReader(name, getenv, dir)
	r.label = func(list string, i int) string {
		if list != "clients" || i >= len(cfg.Clients) || cfg.Clients[i].ID == "" {
			return ""
		}
		return fmt.Sprintf("client %q", excerpt(cfg.Clients[i].ID))
	}
	if r.read(data, &cfg) {
		r.check(&cfg)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return &cfg, nil
}
