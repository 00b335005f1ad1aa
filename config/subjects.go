package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"idpbridge/claims"
)

// knownSubjects is a file of subjects that LivePerson knows already.
type knownSubjects struct {
	Subjects []knownSubject `yaml:"subjects"`
}

type knownSubject struct {
	Customer string `yaml:"customer"` // the brand's own id
	Subject  string `yaml:"sub"`
}

// readSubjects returns what derives subjects as the configuration says, or nil if it
// says nothing. It reads the file of known subjects; the error lists every problem in
// it, with line and column. A subject there must not be an email address or a phone
// number: a page that trusts it could mistake anyone who knows it for the customer.
func readSubjects(s *Subjects) (*claims.Subjects, error) {
	if s == nil {
		return nil, nil //nolint:nilnil // no subjects is a valid configuration
	}
	key := s.decodeKey()
	if key == nil {
		return nil, errors.New("subjects.key: not hexadecimal")
	}
	known := map[string]string{}
	if s.Known != "" {
		data, err := os.ReadFile(s.Known)
		if err != nil {
			return nil, fmt.Errorf("read known subjects: %w", err)
		}
		if known, err = parseKnownSubjects(s.Known, data); err != nil {
			return nil, err
		}
	}
	return claims.NewSubjects(key, known)
}

// decodeKey returns the key, or nil if it is not valid.
func (s *Subjects) decodeKey() []byte {
	key, err := hex.DecodeString(s.Key.Reveal())
	if err != nil {
		return nil
	}
	return key
}

// parseKnownSubjects returns subjects by customer id.
func parseKnownSubjects(name string, data []byte) (map[string]string, error) {
	var file knownSubjects
	d := newDecoder(name, func(string) string { return "" }, "")
	known, seen := map[string]string{}, map[string]bool{}
	if !d.decode(data, &file) {
		return nil, d.joinProblems()
	}
	for i, k := range file.Subjects {
		path := fmt.Sprintf("subjects[%d]", i)
		if _, duplicate := known[k.Customer]; duplicate {
			d.addProblem(path+".customer", "customer %q is listed twice; keep the entry that LivePerson knows",
				shorten(k.Customer))
		}
		if seen[k.Subject] {
			d.addProblem(path+".sub", "another customer already has this sub; two people can't share one")
		}
		d.requireValue(path+".customer", k.Customer, "set it to your own id of the customer")
		for _, f := range claims.FieldErrors(claims.Person{Subject: k.Subject}.Validate()) {
			d.addProblem(path+"."+f.Field, "%s", f)
		}
		known[k.Customer], seen[k.Subject] = k.Subject, true
	}
	return known, d.joinProblems()
}
