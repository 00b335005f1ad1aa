package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/config"
)

const goodHash = "$argon2id$v=19$m=19456,t=2,p=1$hUqlhqAJUX4DJRm5n8L7Cg$QELPUeTfQvRAJewDy5psaVEB1jvHPRn5LtYrciNKZaw"

const goodPeople = `people:
  - username: Jane
    note: Gold customer
    password_hash: ` + goodHash + `
    sub: 356cbfbfe86f0c45e3d082a8d26dcaab
    claims:
      given_name: Jane
      email_verified: true
      updated_at: 1764547200
    customerInfo:
      balance: -5
      currency: USD
      lastPaymentDate: {day: 15, month: 10, year: 2025}
    personalInfo:
      contacts:
        - email: jane@example.com
`

func TestParsePeople(t *testing.T) {
	t.Parallel()
	t.Run("reads claims and credentials", func(t *testing.T) {
		t.Parallel()
		people, err := config.ParsePeople("people.yaml", []byte(goodPeople), config.PeopleRules{})
		require.NoError(t, err)
		require.Len(t, people, 1)
		p := people[0]
		require.Equal(t, "jane", p.Username)
		require.Equal(t, goodHash, p.PasswordHash)
		require.Equal(t, "356cbfbfe86f0c45e3d082a8d26dcaab", p.Person.Subject)
		require.True(t, *p.Person.Standard.EmailVerified)
		require.InDelta(t, -5.0, *p.Person.CustomerInfo.Balance, 0)
		require.Equal(t, 10, p.Person.CustomerInfo.LastPaymentDate.Month)
		require.Equal(t, "jane@example.com", p.Person.PersonalInfo.Contacts[0].Email)
	})
	t.Run("allows plain passwords in development only", func(t *testing.T) {
		t.Parallel()
		text := strings.Replace(goodPeople, "password_hash: "+goodHash, "password: hunter2", 1)
		people, err := config.ParsePeople("people.yaml", []byte(text), config.PeopleRules{PlainPasswords: true})
		require.NoError(t, err)
		require.Equal(t, "hunter2", people[0].Password)
		_, err = config.ParsePeople("people.yaml", []byte(text), config.PeopleRules{})
		require.EqualError(t, err, `people.yaml:4:15: person "Jane": password is in plain text; `+
			"use password_hash, generated with: idp people hash")
	})
	t.Run("allows an empty list", func(t *testing.T) {
		t.Parallel()
		people, err := config.ParsePeople("people.yaml", []byte("people: []"), config.PeopleRules{})
		require.NoError(t, err)
		require.Empty(t, people)
	})
}

func TestReadPeople(t *testing.T) {
	t.Parallel()
	file := filepath.Join("..", "dev", "people.yaml")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	people, err := config.ParsePeople(file, text, config.PeopleRules{PlainPasswords: true})
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(people), 7)
	_, err = (&config.Config{People: file}).ReadPeople()
	require.ErrorContains(t, err, "password is in plain text")
	_, err = (&config.Config{People: "/nowhere/people.yaml"}).ReadPeople()
	require.ErrorIs(t, err, os.ErrNotExist)
}

var badPeople = []badFile{ //nolint:gochecknoglobals // read only
	{"no list", goodPeople, "poeple: []\n", "1:1: unknown key \"poeple\"; did you mean \"people\"?\n" +
		`people.yaml:1:1: people is missing; list people under it, or set people: []`},
	{
		"username missing",
		"username: Jane\n    note",
		"note",
		`2:5: people[0]: username is missing; set it to the name to sign in with`,
	},
	{
		"username starts with a space",
		"username: Jane",
		"username: ' jane'",
		`2:15: person " jane": username starts or ends with a space, or has control characters; remove them`,
	},
	{
		"username twice",
		"  - username: Jane",
		"  - {username: jane, sub: 56cbfbfe86f0c45e3d082a8d26dcaab3}\n  - username: Jane",
		`3:15: person "Jane": another person already has this username (case and Unicode normalization are ignored)`,
	},
	{
		"username twice, composed and decomposed",
		"  - username: Jane",
		"  - {username: \"jos\u00e9\", sub: 56cbfbfe86f0c45e3d082a8d26dcaab3}\n  - username: Jose\u0301",
		"3:15: person \"Jose\u0301\": another person already has this username (case and Unicode normalization are ignored)",
	},
	{
		"sub twice",
		"  - username: Jane",
		"  - {username: joe, sub: 356cbfbfe86f0c45e3d082a8d26dcaab}\n  - username: Jane",
		`6:10: person "Jane": another person already has this sub`,
	},
	{
		"sub is a number",
		"356cbfbfe86f0c45e3d082a8d26dcaab",
		"356",
		`5:10: person "Jane": sub must be a string, not a number; put it in quotes`,
	},
	{
		"hash of another algorithm",
		goodHash,
		"$2a$10$hunter2",
		`4:20: person "Jane": password_hash is not an argon2id hash in PHC form; generate one with: idp people hash`,
	},
	{
		"hash that costs too much",
		"m=19456",
		"m=99999999",
		`4:20: person "Jane": password_hash is not an argon2id hash in PHC form; generate one with: idp people hash`,
	},
	{
		"hash that costs too little",
		"m=19456,t=2",
		"m=19456,t=1",
		`4:20: person "Jane": password_hash is too cheap to guess; use at least m=19456,t=2,p=1; ` +
			`generate one with: idp people hash`,
	},
	{
		"unknown claim",
		"given_name",
		"givenname",
		`7:7: person "Jane": unknown key "givenname"; did you mean "given_name"?`,
	},
	{
		"claim in the wrong case",
		"currency",
		"Currency",
		`12:7: person "Jane": unknown key "Currency"; did you mean "currency"?`,
	},
	{
		"claim of the wrong type",
		"email_verified: true",
		"email_verified: 'yes'",
		`8:23: person "Jane": claims.email_verified must be true or false, not a string`,
	},
	{
		"claim without a value",
		"given_name: Jane",
		"given_name:",
		`7:18: person "Jane": claims.given_name has no value; set one or remove the key`,
	},
	{
		"invalid month",
		"month: 10",
		"month: 13",
		`13:41: person "Jane": customerInfo.lastPaymentDate.month: 13 is not a month; use 1 to 12`,
	},
	{"invalid currency", "USD", "usd", `12:17: person "Jane": customerInfo.currency: "usd" is not a currency code; ` +
		`use an ISO 4217 code in upper case, such as USD`},
}

func TestParsePeopleReportsProblems(t *testing.T) {
	t.Parallel()
	for _, b := range badPeople {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, goodPeople, b.old)
			text := strings.Replace(goodPeople, b.old, b.new, 1)
			_, err := config.ParsePeople("people.yaml", []byte(text), config.PeopleRules{})
			require.EqualError(t, err, "people.yaml:"+b.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}
