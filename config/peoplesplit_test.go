package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/config"
)

// TestPeopleAreReadEntryByEntry: the styles that a list can have give the same people, and
// problems have the line of the file.
func TestPeopleAreReadEntryByEntry(t *testing.T) {
	t.Parallel()
	const bad = `username: bo, sub: 456cbfbfe86f0c45e3d082a8d26dcaab, bad: 1`
	for name, c := range map[string]struct{ file, want string }{
		"indented": {"people:\n  - username: al\n    sub: " + goodSub + "\n\n  # comment\n  - {" + bad + "}\n", "6:59"},
		"not indented": {
			"# first\npeople: # all of them\n- username: al\n  sub: " + goodSub + "\n# comment\n- {" + bad + "}", "6:57",
		},
		"Windows line ends": {"people:\r\n  - username: al\r\n    sub: " + goodSub + "\r\n  - {" + bad + "}\r\n", "4:59"},
		"a dash alone":      {"people:\n  -\n    username: al\n    sub: " + goodSub + "\n  -\n    {" + bad + "}\n", "6:59"},
		"flow style":        {"people: [{username: al, sub: " + goodSub + "},\n {" + bad + "}]\n", "2:56"},
		"flow style below":  {"people:\n  [{username: al, sub: " + goodSub + "},\n {" + bad + "}]\n", "3:56"},
		"text with dashes": {
			"people:\n  - username: al\n    note: |\n     - username: x\n     - y\n    sub: " + goodSub + "\n" +
				"  - {" + bad + "}\n", "7:59",
		},
		"after ---": {"---\npeople:\n\n  - username: al\n    sub: " + goodSub + "\n  - {" + bad + "}\n", "6:59"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.ParsePeople("people.yaml", []byte(c.file), config.PeopleRules{})
			require.ErrorContains(t, err, "people.yaml:"+c.want+`: person "bo": unknown key "bad"`)
			require.NotContains(t, err.Error(), "\n")
			people, err := config.ParsePeople("people.yaml",
				[]byte(strings.ReplaceAll(c.file, ", bad: 1", "")), config.PeopleRules{})
			require.NoError(t, err)
			require.Len(t, people, 2)
			require.Equal(t, "al", people[0].Username)
			require.Equal(t, "bo", people[1].Username)
		})
	}
}

const goodSub = "356cbfbfe86f0c45e3d082a8d26dcaab"

// TestProblemsBesideTheListHaveTheirLines: what stands before, in and after the list.
func TestProblemsBesideTheListHaveTheirLines(t *testing.T) {
	t.Parallel()
	entry := "  - username: al\n    sub: " + goodSub + "\n"
	for text, want := range map[string]string{
		"x: 1\npeople:\n" + entry:                        `1:1: unknown key "x"`,
		"people:\n" + entry + "\nx: 1\n":                 `5:1: unknown key "x"`,
		"people:\n" + entry + "people:\n" + entry:        `4:1: duplicate key "people" (first set on line 1)`,
		"people:\n" + entry + "---\npeople: []\n":        `5:1: only one document is allowed; remove ---`,
		"people:\n" + entry + "  - username: 'a\n":       `4:15: not valid YAML: `,
		"people:\n" + entry + "  - username: b\n   x: 1": `5:4: not valid YAML: `,
		"people:\n" + entry + "  - plain\n":              `4:5: people[1] must be a map of settings, not a string`,
		"people:\n" + entry + "  -\n":                    `4:5: people[1] has no value; set one or remove the key`,
		"people:\n" + entry + entry:                      `4:15: person "al": another person already has this username`,
		"people:\n" + entry + "    sub: x\n":             `4:5: person "al": duplicate key "sub" (first set on line 3)`,
		"people:\n" + entry + "  - sub: '1'\n":           `4:5: people[1]: username is missing`,
	} {
		_, err := config.ParsePeople("people.yaml", []byte(text), config.PeopleRules{})
		require.ErrorContains(t, err, "people.yaml:"+want, text)
	}
	_, err := config.ParsePeople("people.yaml", []byte("people:\n"), config.PeopleRules{})
	require.EqualError(t, err, "people.yaml:1:9: people has no value; set one or remove the key")
}

// TestManyPeopleNeedLittleMemory: what is allocated for a person does not depend on how
// many there are, and is not kept.
func TestManyPeopleNeedLittleMemory(t *testing.T) {
	t.Parallel()
	file := func(n int) []byte {
		text := strings.Builder{}
		text.WriteString("people:\n")
		for i := range n {
			fmt.Fprintf(&text, "  - username: user%d\n    sub: \"%032d\"\n    claims: {name: User}\n", i, i)
		}
		return []byte(text.String())
	}
	perPerson := func(n int) float64 {
		data := file(n)
		result := testing.Benchmark(func(b *testing.B) {
			for range b.N {
				_, err := config.ParsePeople("people.yaml", data, config.PeopleRules{})
				require.NoError(b, errors.Join(err))
			}
		})
		return float64(result.AllocedBytesPerOp()) / float64(n)
	}
	few, many := perPerson(50), perPerson(2000)
	require.Less(t, many, few*1.5)
}

// TestSimpleEntriesAreReadAlike: entries that are read without the YAML parser give what
// it makes of them. A comment in the entry has it used.
func TestSimpleEntriesAreReadAlike(t *testing.T) {
	t.Parallel()
	for _, entry := range []string{
		"username: al\n    sub: " + goodSub,
		"username: \"Al B\"\n    note: 'it is: #1'\n    sub: \"" + goodSub + "\"\n" +
			"    claims: {name: Al B, email_verified: true}",
		"username: al@example.com\n    sub: " + goodSub + "\n    claims:\n      name: Al\n" +
			"      updated_at: 17\n    note: x",
		"username: al\n    sub: " + goodSub + "\n" +
			"    customerInfo: {customerId: C-1, balance: -5, ctype: gold, socialId: yes}",
		"username: al\n    sub: " + goodSub + "\n" +
			"    customerInfo: {balance: 1.5, lastPaymentDate: {day: 1, month: 2, year: 2025}}",
		"username: null\n    sub: " + goodSub,
		"username: 1e3\n    sub: " + goodSub,
		"username: al\n    sub: " + goodSub + "\n    claims: {}",
		"username: al\n    sub: " + goodSub + "\n    claims:",
		"username: al\n    sub: " + goodSub + "\n    claims:\n    note: x",
		"username: al\n    sub: " + goodSub + "\n    claims: {name: x, name: y}",
		"username: al\n    sub: " + goodSub + "\n    claims: {name: 007, zoneinfo: Europe/Rome}",
		"username: al\n    sub: " + goodSub + "\n    note: a\n      b",
		"username: al\n    sub: " + goodSub + "\n    note: a # b",
		"username: al\n    sub: " + goodSub + "\n    note: ''",
		"username: al\n    username: bo\n    sub: " + goodSub,
		"username: al\n    sub: " + goodSub + "\n    claims: {email: 'a', phone_number: \"+1 555\"}",
		"username: al\n    sub: al@example.com",
		"username: al\n    sub: " + goodSub + "\n    personalInfo:\n      firstname: Al\n      contacts:\n" +
			"        - {email: al@example.com, phone: \"+12125550100\", address: {country: US, region: 'New York'}}\n" +
			"        - email: b@example.com\n          phoneType: MOBILE\n      lastname: 'B, C'",
		"username: al\n    sub: " + goodSub + "\n    personalInfo:\n      contacts:\n      - {email: al@example.com}\n" +
			"      company: X\n    note: y",
		"username: al\n    sub: " + goodSub + "\n    personalInfo: {contacts: [{email: al@example.com}]}",
		"username: al\n    sub: " + goodSub + "\n    personalInfo:\n      contacts:\n        - al@example.com",
		"username: al\n    sub: " + goodSub + "\n    personalInfo:\n      contacts:\n        -",
		"username: al\n    sub: " + goodSub + "\n    personalInfo:\n      contacts:\n        - - email: a@b.example",
		"username: al\n    sub: " + goodSub + "\n    personalInfo:\n      contacts:\n        - email: a@b.example\n" +
			"         phone: \"+12125550100\"",
		"username: al\n    sub: " + goodSub + "\n    customerInfo: {balance: 12.50, currency: USD}",
		"username: al\n    sub: " + goodSub + "\n    customerInfo: {balance: -0.5}",
		"username: al\n    sub: " + goodSub + "\n    customerInfo: {balance: 007}",
		"username: al\n    sub: " + goodSub + "\n    customerInfo: {balance: 1.}",
		"username: al\n    sub: " + goodSub + "\n    customerInfo: {balance: .5}",
		"username: al\n    sub: " + goodSub + "\n    customerInfo: {balance: '5'}",
		"username: al\n    sub: " + goodSub + "\n    customerInfo: {companySize: 1.5}",
		"username: al\n    sub: " + goodSub + "\n    customerInfo: {ctype: \"a, b\", cstatus: 'c}'}",
		"username: al\n    sub: " + goodSub + "\n    customerInfo: {ctype: \"a\"b}",
		"username: al\n    sub: " + goodSub + "\n    customerInfo: {ctype: a,cstatus: b}",
		"username: al\n    sub: " + goodSub + "\n    customerInfo: {ctype: a, }",
		"username: al\n    sub: " + goodSub + "\n    customerInfo: {ctype: a} x",
		"username: al\n    sub: " + goodSub + "\n    customerInfo: {ctype: }",
		"username: al\n    sub: " + goodSub + "\n    claims: {name: 山田 太郎, given_name: Ünal, family_name: \"כהן\"}",
		"username: al\n    sub: " + goodSub + "\n    claims:\n    - name: x",
		"username: al\n    sub: " + goodSub + "\n    note:\n      - x",
	} {
		fast, errFast := config.ParsePeople("p", []byte("people:\n  - "+entry+"\n"), config.PeopleRules{})
		slow, errSlow := config.ParsePeople("p", []byte("people:\n  - "+entry+"\n    # slow\n"), config.PeopleRules{})
		require.Equal(t, slow, fast, entry)
		require.Equal(t, fmt.Sprint(errSlow), fmt.Sprint(errFast), entry)
	}
}
