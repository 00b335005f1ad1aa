package config

import (
	"fmt"
	"os"
	"strings"
	"unicode"

	"idpbridge/claims"
	"idpbridge/internal/password"
)

// Person is a person in the people file.
type Person struct {
	Username     string        // to sign in with: lower case, unique
	Note         string        // one line that tells people apart; may be empty
	Password     string        // plain text, for development only; may be empty
	PasswordHash string        // argon2id in PHC form; without it, no sign-in by password
	Person       claims.Person // valid, with a unique subject
}

// peopleFile is a people file. The people may be an empty list.
type peopleFile struct {
	People []personRecord `yaml:"people"`
}

// personRecord is a person as the file has them.
type personRecord struct {
	Username     string               `yaml:"username"`
	Note         string               `yaml:"note"`
	Password     string               `yaml:"password"`
	PasswordHash string               `yaml:"password_hash"`
	Subject      string               `yaml:"sub"`
	Customer     string               `yaml:"customer"` // the brand's own id, from which sub is derived
	Claims       claims.Standard      `yaml:"claims"`
	CustomerInfo *claims.CustomerInfo `yaml:"customerInfo"`
	PersonalInfo *claims.PersonalInfo `yaml:"personalInfo"`
}

// PeopleRules says what a people file may have in it.
type PeopleRules struct {
	PlainPasswords bool             // for development only
	Subjects       *claims.Subjects // derives subjects from customer ids; nil: every person needs sub
}

// ReadPeople reads the people file and the file of known subjects, if there is one.
// The error lists every problem, one per line, with file, line and column. It contains
// neither passwords nor hashes.
func (cfg *Config) ReadPeople() ([]Person, error) {
	subjects, err := readSubjects(cfg.Subjects)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(cfg.People)
	if err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	return ParsePeople(cfg.People, data, PeopleRules{Subjects: subjects})
}

// ParsePeople parses the content of a people file. The name is that of the file in
// errors, which are like those of ReadPeople.
func ParsePeople(name string, data []byte, rules PeopleRules) ([]Person, error) {
	var file peopleFile
	d := newDecoder(name, func(string) string { return "" }, "")
	d.label = func(list string, i int) string {
		if list != "people" || i >= len(file.People) || file.People[i].Username == "" {
			return ""
		}
		return fmt.Sprintf("person %q", shorten(file.People[i].Username))
	}
	var people []Person
	if d.decode(data, &file) {
		if !d.isSet("people") {
			d.addProblem("people", "people is missing; list people under it, or set people: []")
		}
		people = d.validatePeople(file.People, rules)
	}
	if err := d.joinProblems(); err != nil {
		return nil, err
	}
	return people, nil
}

// validatePeople checks people and returns them with their subjects.
func (d *decoder) validatePeople(records []personRecord, rules PeopleRules) []Person {
	out := make([]Person, 0, len(records))
	names, subjects := map[string]bool{}, map[string]bool{}
	for i, p := range records {
		path := fmt.Sprintf("people[%d]", i)
		p.Username = strings.ToLower(p.Username)
		d.validateUsername(path, p.Username, names[p.Username])
		p.Subject = d.resolveSubject(path, p, rules.Subjects)
		if p.Subject != "" && subjects[p.Subject] {
			d.addProblem(path+"."+subjectKey(p), "another person already has this %s", subjectKey(p))
		}
		names[p.Username], subjects[p.Subject] = true, true
		d.validatePassword(path, p, rules.PlainPasswords)
		person := claims.Person{
			Subject: p.Subject, Standard: p.Claims, CustomerInfo: p.CustomerInfo, PersonalInfo: p.PersonalInfo,
		}
		for _, f := range claims.FieldErrors(person.Validate()) {
			if f.Field == "sub" && p.Customer != "" {
				continue // resolveSubject has reported it
			}
			d.addProblem(path+"."+f.Field, "%s", f)
		}
		out = append(out, Person{
			Username: p.Username, Note: p.Note, Password: p.Password, PasswordHash: p.PasswordHash, Person: person,
		})
	}
	return out
}

func (d *decoder) validateUsername(path, username string, taken bool) {
	d.requireValue(path+".username", username, "set it to the name to sign in with")
	if username != strings.TrimSpace(username) || strings.ContainsFunc(username, unicode.IsControl) {
		d.addProblem(path+".username", "username starts or ends with a space, or has control characters; remove them")
	}
	if taken {
		d.addProblem(path+".username", "another person already has this username (case is ignored)")
	}
}

func (d *decoder) validatePassword(path string, p personRecord, allowPlain bool) {
	if p.Password != "" && !allowPlain {
		d.addProblem(path+".password", "password is in plain text; use password_hash, generated with: idp people hash")
	}
	if p.PasswordHash == "" {
		return
	}
	hash, err := password.Parse(p.PasswordHash)
	if err == nil {
		err = hash.Cost().Check()
	}
	if err != nil {
		d.addProblem(path+".password_hash", "password_hash is %s; generate one with: idp people hash", err)
	}
}

// subjectKey returns the key that a person's subject comes from.
func subjectKey(p personRecord) string {
	if p.Customer != "" {
		return "customer"
	}
	return "sub"
}

// resolveSubject returns a person's subject: sub, or what is derived from customer.
func (d *decoder) resolveSubject(path string, p personRecord, subjects *claims.Subjects) string {
	if p.Customer == "" {
		return p.Subject
	}
	if p.Subject != "" {
		d.addProblem(path+".customer", "sub and customer are both set; remove one of them")
		return p.Subject
	}
	if subjects == nil {
		d.addProblem(path+".customer", "customer needs a key to derive subjects with; "+
			"add subjects: {key: {env: NAME}} to the configuration, or use sub")
		return ""
	}
	return subjects.Of(p.Customer)
}
