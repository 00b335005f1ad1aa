// Package pgurl parses PostgreSQL URLs, and says what is wrong with one without quoting
// a password.
package pgurl

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"idpbridge/internal/netaddr"
)

var errForm = errors.New("the PostgreSQL URL must have the form postgres://user@host/database")

// Parse parses a URL as connecting does: it reads the files that the URL names, and
// the environment variables of PostgreSQL. The error has no password.
func Parse(databaseURL string) (*pgx.ConnConfig, error) {
	cfg, err := pgx.ParseConfig(databaseURL)
	if err == nil {
		return cfg, nil
	}
	cause := err
	if e, ok := errors.AsType[*pgconn.ParseConfigError](err); ok {
		cause = e.Unwrap() // the error itself quotes the URL
	}
	u, parseErr := url.Parse(databaseURL)
	if cause == nil || parseErr != nil || mentionsPassword(cause.Error(), u) {
		return nil, errForm
	}
	return nil, errors.New(strings.ReplaceAll(cause.Error(), "\n", " "))
}

// mentionsPassword reports whether a text has a password of the URL in it, or the URL.
func mentionsPassword(text string, u *url.URL) bool {
	secrets := []string{u.String()}
	for key, values := range u.Query() {
		if strings.Contains(strings.ToLower(key), "pass") {
			secrets = append(secrets, values...)
		}
	}
	if password, ok := u.User.Password(); ok {
		secrets = append(secrets, password, url.QueryEscape(password), url.PathEscape(password))
	}
	return slices.ContainsFunc(secrets, func(s string) bool { return s != "" && strings.Contains(text, s) })
}

// IsProtected reports whether nobody on the network can read the connection or take the
// database's place: every host that is tried is this machine, or has to present a valid
// certificate. One that is valid for any host name must be of an authority that the URL
// names.
func IsProtected(cfg *pgx.ConnConfig) bool {
	if !isHostProtected(cfg.Host, &cfg.Config) {
		return false
	}
	for _, f := range cfg.Fallbacks {
		if !isHostProtected(f.Host, &pgconn.Config{TLSConfig: f.TLSConfig}) {
			return false
		}
	}
	return true
}

func isHostProtected(host string, cfg *pgconn.Config) bool {
	if strings.HasPrefix(host, "/") || netaddr.IsLoopback(host) { // a Unix socket
		return true
	}
	t := cfg.TLSConfig
	return t != nil && (!t.InsecureSkipVerify || t.VerifyPeerCertificate != nil && t.RootCAs != nil)
}
