package config

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"idpbridge/claims"
	"idpbridge/internal/filemode"
)

// Installation is a configuration with the people whom it names.
type Installation struct {
	Config

	People []Person
}

// LoadInstallation is Load that also reads every file that the configuration names, as a
// server does when it starts. The error lists every problem in all of them. If at is not
// zero, a certificate that browsers would reject at that time is a problem too.
func LoadInstallation(path string, getenv func(string) string, at time.Time) (*Installation, error) {
	d, cfg, err := load(path, getenv)
	if err != nil {
		return nil, err
	}
	installation := &Installation{Config: *cfg}
	if !d.undecodable {
		d.readCertificate(cfg, at)
		installation.People, err = d.readPeople(cfg)
	}
	if err := errors.Join(d.joinProblems(), err); err != nil {
		return nil, err
	}
	return installation, nil
}

// readCertificate reports what is wrong with the files of the certificate.
func (d *decoder) readCertificate(cfg *Config, at time.Time) {
	if cfg.TLS == nil || cfg.TLS.Certificate == "" || cfg.TLS.Key == "" {
		return
	}
	pair, err := cfg.TLS.Load()
	if err != nil {
		setting := "tls"
		if e, ok := errors.AsType[*tlsError](err); ok {
			setting = e.setting
		}
		d.addProblem(setting, "%s", err)
		return
	}
	if at.IsZero() || len(cfg.Proxies) > 0 { // a proxy may not look at it
		return
	}
	leaf := pair.Leaf
	if at.After(leaf.NotAfter) || at.Before(leaf.NotBefore) {
		d.addProblem("tls.certificate", "the certificate is valid from %s to %s only; replace it",
			leaf.NotBefore.UTC().Format(time.DateOnly), leaf.NotAfter.UTC().Format(time.DateOnly))
		return
	}
	if issuer, err := url.Parse(cfg.Issuer); err == nil && leaf.VerifyHostname(issuer.Hostname()) != nil {
		d.addProblem("tls.certificate", "the certificate is not for %s, the host of issuer; replace it", issuer.Hostname())
	}
}

// readPeople reads the people file and the file of known subjects. What cannot be read is
// a problem of the configuration; the error is about what is in the files.
func (d *decoder) readPeople(cfg *Config) ([]Person, error) {
	subjects, err := d.readSubjects(cfg.Subjects)
	if cfg.People == "" {
		return nil, err
	}
	peopleErr := filemode.CheckFile(cfg.People)
	if peopleErr != nil {
		d.addProblem("people", "people file %s %s", cfg.People, peopleErr)
		return nil, err
	}
	people, peopleErr := readPeopleFile(cfg.People, PeopleRules{Subjects: subjects})
	if failure, ok := errors.AsType[*fs.PathError](peopleErr); ok {
		d.addProblem("people", "people file %s cannot be read: %s", cfg.People,
			strings.TrimPrefix(failure.Error(), "open "))
		return nil, err
	}
	return people, errors.Join(err, peopleErr)
}

// readSubjects returns what derives subjects. If the settings have a problem, it still
// returns something to check people with.
func (d *decoder) readSubjects(s *Subjects) (*claims.Subjects, error) {
	if s == nil {
		return nil, nil //nolint:nilnil // no subjects is a valid configuration
	}
	known, err := map[string]string{}, error(nil)
	if s.Known != "" {
		if data, ok := d.readFile("subjects.known", "file of known subjects", s.Known); ok {
			known, err = parseKnownSubjects(s.Known, data)
		}
	}
	key := s.decodeKey()
	if key == nil {
		key = make([]byte, 32) // the problem is reported; this one checks the customers
	}
	subjects, newErr := claims.NewSubjects(key, known)
	return subjects, errors.Join(err, newErr)
}

// readFile reads a file that a setting names, if other users cannot. A problem is
// reported at the setting.
func (d *decoder) readFile(setting, what, path string) ([]byte, bool) {
	err := filemode.CheckFile(path)
	if err == nil {
		var data []byte
		if data, err = os.ReadFile(path); err == nil {
			return data, true
		}
		err = errors.New("cannot be read: " + strings.TrimPrefix(err.Error(), "open "))
	}
	d.addProblem(setting, "%s %s %s", what, path, err)
	return nil, false
}
