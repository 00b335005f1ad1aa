package config

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime/debug"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"

	"idpbridge/claims"
	"idpbridge/internal/normalize"
	"idpbridge/internal/password"
)

// Person is a person in the people file.
type Person struct {
	Username     string        // to sign in with: normalized, in lower case, unique
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
	return readPeopleFile(cfg.People, PeopleRules{Subjects: subjects})
}

// readPeopleFile reads a people file. It does not keep the whole file in memory.
func readPeopleFile(path string, rules PeopleRules) ([]Person, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err == nil && info.Size() > 1<<20 {
		// Otherwise there would be as much garbage as people. These need about twice the
		// memory of their file.
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(5 * info.Size() / 2))
	}
	return parsePeople(path, file, rules)
}

// ParsePeople parses the content of a people file. The name is that of the file in
// errors, which are like those of ReadPeople.
func ParsePeople(name string, data []byte, rules PeopleRules) ([]Person, error) {
	return parsePeople(name, bytes.NewReader(data), rules)
}

func parsePeople(name string, content io.ReaderAt, rules PeopleRules) ([]Person, error) {
	d := newDecoder(name, func(string) string { return "" }, "")
	parts, err := splitPeople(content)
	if err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	v := peopleValidator{d: d, rules: rules, names: map[string]bool{}, subjects: map[string]bool{}}
	v.people = make([]Person, 0, len(parts.entries))
	var file peopleFile
	d.skipAfter, d.skipped = parts.line, parts.lines
	if d.decode(parts.rest, &file) {
		if !d.isSet("people") {
			d.addProblem("people", "people is missing; list people under it, or set people: []")
		}
		for i, record := range file.People {
			v.addPerson(i, record, 0)
		}
	}
	d.skipAfter = 0
	for i, entry := range parts.entries {
		text, err := parts.read(entry)
		if err != nil {
			return nil, fmt.Errorf("read people: %w", err)
		}
		v.addEntry(i, text, entry.line)
	}
	if err := d.joinProblems(); err != nil {
		return nil, err
	}
	return v.people, nil
}

// peopleValidator checks people one after the other.
type peopleValidator struct {
	d               *decoder
	rules           PeopleRules
	names, subjects map[string]bool
	people          []Person
}

// addEntry decodes and checks one entry of the list. It forgets where its values are: the
// positions of 100,000 people would need more memory than the people.
func (v *peopleValidator) addEntry(i int, text []byte, line int) {
	d, problems := v.d, len(v.d.problems)
	var simple personRecord
	if decodeSimpleEntry(text, &simple) && v.isValid(i, simple) {
		return
	}
	clear(d.positions)
	clear(d.rejected)
	d.skipped = line - 2 // below the line that is put in front
	file, ok := d.parse(append([]byte("people:\n"), text...))
	if !ok {
		return
	}
	var record personRecord
	d.decodeValue(firstElement(file), fmt.Sprintf("people[%d]", i), reflect.ValueOf(&record).Elem())
	v.addPerson(i, record, problems)
}

// isValid adds a person who has no problem. If there is one, it leaves everything as it
// was: the caller has to find out where the values are.
func (v *peopleValidator) isValid(i int, record personRecord) bool {
	d, before := v.d, len(v.d.problems)
	clear(d.rejected)
	name := normalize.Username(record.Username)
	subject := record.Subject
	if record.Customer != "" && v.rules.Subjects != nil {
		subject = v.rules.Subjects.Of(record.Customer)
	}
	if name == "" || subject == "" || v.names[name] || v.subjects[subject] {
		return false
	}
	v.addPerson(i, record, before)
	if len(d.problems) == before {
		return true
	}
	last := v.people[len(v.people)-1]
	v.people = v.people[:len(v.people)-1]
	d.problems = d.problems[:before]
	delete(v.names, last.Username)
	delete(v.subjects, last.Person.Subject)
	return false
}

// firstElement returns the first element of the only list in a file.
func firstElement(file ast.Node) ast.Node {
	if m, ok := file.(ast.MapNode); ok {
		for it := m.MapRange(); it.Next(); {
			if list, ok := it.Value().(*ast.SequenceNode); ok && len(list.Values) > 0 {
				return list.Values[0]
			}
		}
	}
	return file
}

// addPerson checks a person and adds them with their subject. It names the person in the
// problems from the given one on.
func (v *peopleValidator) addPerson(i int, p personRecord, problems int) {
	d, path, written := v.d, fmt.Sprintf("people[%d]", i), p.Username
	p.Username = normalize.Username(p.Username)
	d.validateUsername(path, written, v.names[p.Username])
	p.Subject = d.resolveSubject(path, p, v.rules.Subjects)
	if p.Subject != "" && v.subjects[p.Subject] {
		d.addProblem(path+"."+subjectKey(p), "another person already has this %s", subjectKey(p))
	}
	v.names[p.Username], v.subjects[p.Subject] = true, true
	d.validatePassword(path, p, v.rules.PlainPasswords)
	person := claims.Person{
		Subject: p.Subject, Standard: p.Claims, CustomerInfo: p.CustomerInfo, PersonalInfo: p.PersonalInfo,
	}
	for _, f := range claims.FieldErrors(person.Validate()) {
		if f.Field == "sub" && p.Customer != "" {
			continue // resolveSubject has reported it
		}
		d.addProblem(path+"."+f.Field, "%s", f)
	}
	for n := problems; n < len(d.problems) && written != ""; n++ {
		if list, at, rest := splitElement(d.problems[n].path); list == "people" && at == i && rest != "" {
			d.problems[n].element = fmt.Sprintf("person %q: ", shorten(written))
		}
	}
	v.people = append(v.people, Person{
		Username: p.Username, Note: p.Note, Password: p.Password, PasswordHash: p.PasswordHash, Person: person,
	})
}

func (d *decoder) validateUsername(path, username string, taken bool) {
	d.requireValue(path+".username", username, "set it to the name to sign in with")
	if username != strings.TrimSpace(username) || strings.ContainsFunc(username, unicode.IsControl) {
		d.addProblem(path+".username", "username starts or ends with a space, or has control characters; remove them")
	}
	if taken {
		d.addProblem(path+".username",
			"another person already has this username (case and Unicode normalization are ignored)")
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
