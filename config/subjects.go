package config

import (
	"encoding/hex"
	"fmt"
	"os"

	"idpbridge/claims"
)

// knownSubjects is a whole file of subjects that LivePerson knows already.
type knownSubjects struct {
	Subjects []knownSubject `yaml:"subjects"`
}

type knownSubject struct {
	Customer string `yaml:"customer"` // the brand's own id
	Subject  string `yaml:"sub"`
}

// LoadSubjects prepares what the configuration says about subjects; nil where it
// says nothing. The error lists every fault of the file of known subjects, each
// with line and column. An e-mail address or a phone number is refused there too:
// whoever knows it could be taken for the customer on pages that believe it.
func LoadSubjects(s *Subjects) (*claims.Subjects, error) {
	if s == nil {
		return nil, nil //nolint:nilnil // no subjects is an answer
	}
	key, err := hex.DecodeString(s.Key.Reveal())
	if err != nil {
		return nil, fmt.Errorf("subjects.key: not hexadecimal")
	}
	known := map[string]string{}
	if s.Known != "" {
		data, err := os.ReadFile(s.Known)
		if err != nil {
			return nil, fmt.Errorf("read known subjects: %w", err)
		}
		if known, err = parseKnown(s.Known, data); err != nil {
			return nil, err
		}
	}
	return claims.NewSubjects(key, known)
}

func parseKnown(name string, data []byte) (map[string]string, error) {
	var file knownSubjects
	r := newReader(name, func(string) string { return "" }, "")
	known, seen := map[string]string{}, map[string]bool{}
	if r.read(data, &file) {
		for i, k := range file.Subjects {
			path := fmt.Sprintf("subjects[%d]", i)
			if _, twice := known[k.Customer]; twice {
				r.fault(path+".customer", "customer %q is listed twice; keep the one that LivePerson knows", excerpt(k.Customer))
			}
			if seen[k.Subject] {
				r.fault(path+".sub", "another customer has that sub; two people must not share one")
			}
			r.required(path+".customer", k.Customer, "write the brand's own id")
			for _, f := range claims.FieldErrors(claims.Person{Subject: k.Subject}.Validate()) {
				r.fault(path+"."+f.Field, "%s", f)
			}
			known[k.Customer], seen[k.Subject] = k.Subject, true
		}
	}
	return known, r.err()
}
