package config

import (
	"fmt"
	"os"
	"strings"

	"idpbridge/claims"
	"idpbridge/upstream"
)

// Person is somebody in the people file.
type Person struct {
	Username     string
	Note         string // tells them apart; development mode only
	Password     string // development mode only
	PasswordHash string
	Person       claims.Person
}

type peopleDocument struct {
	People []personRecord `yaml:"people"`
}

type personRecord struct {
	Username     string               `yaml:"username"`
	Note         string               `yaml:"note"`
	Password     string               `yaml:"password"`
	PasswordHash string               `yaml:"password_hash"`
	Subject      string               `yaml:"sub"`
	Claims       claims.Standard      `yaml:"claims"`
	CustomerInfo *claims.CustomerInfo `yaml:"customerInfo"`
	PersonalInfo *claims.PersonalInfo `yaml:"personalInfo"`
}

// LoadPeople reads a people file. Passwords in plain text are refused unless
// allowPlain, which is for the development mode.
func LoadPeople(path string, allowPlain bool) ([]Person, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("people file: %w", err)
	}
	return ParsePeople(path, data, allowPlain)
}

// ParsePeople reads the content of a people file. The error lists every fault.
func ParsePeople(name string, data []byte, allowPlain bool) ([]Person, error) {
	r := &reader{name: name}
	var doc peopleDocument
	if err := r.decode(data, &doc); err != nil {
		return nil, err
	}
	names, subjects := make(map[string]bool), make(map[string]bool)
	out := make([]Person, 0, len(doc.People))
	for i, p := range doc.People {
		path := fmt.Sprintf("$.people[%d]", i)
		username := strings.ToLower(strings.TrimSpace(p.Username))
		person := claims.Person{Subject: p.Subject, Standard: p.Claims, CustomerInfo: p.CustomerInfo, PersonalInfo: p.PersonalInfo}
		switch {
		case username == "":
			r.fault(path, "username is missing")
		case names[username]:
			r.fault(path+".username", "person %q occurs twice", username)
		case subjects[p.Subject]:
			r.fault(path+".sub", "person %q: sub belongs to somebody else already", username)
		case p.Password != "" && !allowPlain:
			r.fault(path+".password", "person %q: a password in plain text; write password_hash, made by: idp people hash", username)
		}
		names[username], subjects[p.Subject] = true, true
		if p.PasswordHash != "" {
			if err := upstream.CheckHash(p.PasswordHash); err != nil {
				r.fault(path+".password_hash", "person %q: %v", username, err)
			}
		}
		if err := person.Validate(); err != nil {
			for line := range strings.Lines(err.Error()) {
				r.fault(path, "person %q: %s", username, strings.TrimSpace(line))
			}
		}
		out = append(out, Person{
			Username: username, Note: p.Note, Password: p.Password, PasswordHash: p.PasswordHash, Person: person,
		})
	}
	return out, r.err()
}
