package config

import (
	"fmt"
	"os"
	"strings"
	"unicode"

	"idpbridge/claims"
	"idpbridge/internal/password"
)

// Person is somebody in the people file.
type Person struct {
	Username     string        // what they sign in with: lower case, unique
	Note         string        // the one line that tells people apart; may be empty
	Password     string        // in plain text, for the development mode alone; may be empty
	PasswordHash string        // argon2id in PHC form; empty: cannot sign in by password
	Person       claims.Person // valid; the subject is unique
}

// People is a whole people file.
type People struct {
	// People are in the order of the file; none is allowed.
	People []record `yaml:"people"`
}

// record is a person as the file has it: who they are stands beside how they
// sign in.
type record struct {
	Username     string               `yaml:"username"`
	Note         string               `yaml:"note"`
	Password     string               `yaml:"password"`
	PasswordHash string               `yaml:"password_hash"`
	Subject      string               `yaml:"sub"`
	Customer     string               `yaml:"customer"` // the brand's own id, from which sub is made
	Claims       claims.Standard      `yaml:"claims"`
	CustomerInfo *claims.CustomerInfo `yaml:"customerInfo"`
	PersonalInfo *claims.PersonalInfo `yaml:"personalInfo"`
}

// PeopleRules is what a people file may have in it.
type PeopleRules struct {
	PlainPasswords bool             // for the development mode alone
	Subjects       *claims.Subjects // makes subjects of customer ids; nil: every person needs sub
}

// LoadPeople reads a people file. The error lists every fault, one to a line,
// each with file, line and column; it holds neither passwords nor hashes.
func LoadPeople(path string, rules PeopleRules) ([]Person, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	return ParsePeople(path, data, rules)
}

// ParsePeople is LoadPeople for content that has been read already; name stands
// for the file in errors.
func ParsePeople(name string, data []byte, rules PeopleRules) ([]Person, error) {
	var file People
	r := newReader(name, func(string) string { return "" }, "")
	r.label = func(list string, i int) string {
		if list != "people" || i >= len(file.People) || file.People[i].Username == "" {
			return ""
		}
		return fmt.Sprintf("person %q", excerpt(file.People[i].Username))
	}
	var out []Person
	if r.read(data, &file) {
		if !r.has("people") {
			r.fault("people", "people is missing; list them under it, or write people: []")
		}
		out = r.people(file, rules)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return out, nil
}

func (r *reader) people(file People, rules PeopleRules) []Person {
	out := make([]Person, 0, len(file.People))
	names, subjects := map[string]bool{}, map[string]bool{}
	for i, p := range file.People {
		path := fmt.Sprintf("people[%d]", i)
		p.Username = strings.ToLower(p.Username)
		switch {
		case p.Username == "":
			r.required(path+".username", "", "write the name to sign in with")
		case p.Username != strings.TrimSpace(p.Username) || strings.ContainsFunc(p.Username, unicode.IsControl):
			r.fault(path+".username", "username has space around it or control characters; leave them out")
		case names[p.Username]:
			r.fault(path+".username", "somebody else has that username; capitals make no difference")
		}
		p.Subject = r.subject(path, p, rules.Subjects)
		if p.Subject != "" && subjects[p.Subject] {
			r.fault(path+"."+subjectKey(p), "somebody else has that %s; give each person one of their own", subjectKey(p))
		}
		names[p.Username], subjects[p.Subject] = true, true
		if p.Password != "" && !rules.PlainPasswords {
			r.fault(path+".password", "password is in plain text; write password_hash, made with: idp people hash")
		}
		if p.PasswordHash != "" {
			if _, err := password.Parse(p.PasswordHash); err != nil {
				r.fault(path+".password_hash", "password_hash is %s; make one with: idp people hash", err)
			}
		}
		person := claims.Person{Subject: p.Subject, Standard: p.Claims, CustomerInfo: p.CustomerInfo, PersonalInfo: p.PersonalInfo}
		for _, f := range claims.FieldErrors(person.Validate()) {
			if f.Field == "sub" && p.Customer != "" {
				continue // said by subject
			}
			r.fault(path+"."+f.Field, "%s", f)
		}
		out = append(out, Person{Username: p.Username, Note: p.Note, Password: p.Password, PasswordHash: p.PasswordHash, Person: person})
	}
	return out
}

// subjectKey is what a person's subject stands under in the file.
func subjectKey(p record) string {
	if p.Customer != "" {
		return "customer"
	}
	return "sub"
}

// subject is a person's subject: as it stands there, or made of the customer id.
func (r *reader) subject(path string, p record, of *claims.Subjects) string {
	switch {
	case p.Customer == "":
		return p.Subject
	case p.Subject != "":
		r.fault(path+".customer", "there is a sub and a customer; leave one of them out")
	case of == nil:
		r.fault(path+".customer", "customer needs the key that subjects are made with; add subjects: {key: {env: NAME}} to the configuration, or write sub")
	default:
		return of.Of(p.Customer)
	}
	return p.Subject
}
