package claims_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/claims"
)

func TestValidatePerson(t *testing.T) {
	t.Parallel()
	type person = claims.Person
	for _, c := range []struct {
		name  string
		spoil func(p *person)
		want  []string // the fields with errors
	}{
		{"rich person", func(*person) {}, nil},
		{"only a subject", func(p *person) { *p = person{Subject: "x"} }, nil},
		{"no subject", func(p *person) { p.Subject = "" }, []string{"sub"}},
		{"subject of 255 characters", func(p *person) { p.Subject = strings.Repeat("a", 255) }, nil},
		{"subject of 256 characters", func(p *person) { p.Subject = strings.Repeat("a", 256) }, []string{"sub"}},
		{"subject beyond ASCII", func(p *person) { p.Subject = "zoë" }, []string{"sub"}},
		{"subject with a line break", func(p *person) { p.Subject = "a\nb" }, []string{"sub"}},
		{"email address as subject", func(p *person) { p.Subject = "jane@example.com" }, []string{"sub"}},
		{"URL without a scheme", func(p *person) { p.Standard.Website = "example.com" }, []string{"claims.website"}},
		{"script as picture", func(p *person) { p.Standard.Picture = "javascript:alert(1)" }, []string{"claims.picture"}},
		{"profile without a host", func(p *person) { p.Standard.Profile = "https://" }, []string{"claims.profile"}},
		{
			"email with a display name",
			func(p *person) { p.Standard.Email = "Jane <jane@example.com>" },
			[]string{"claims.email"},
		},
		{"birthdate with only a year", func(p *person) { p.Standard.Birthdate = "1980" }, nil},
		{"birthdate without year", func(p *person) { p.Standard.Birthdate = "0000-02-29" }, nil},
		{
			"29 February outside a leap year",
			func(p *person) { p.Standard.Birthdate = "1981-02-29" },
			[]string{"claims.birthdate"},
		},
		{"birthdate with slashes", func(p *person) { p.Standard.Birthdate = "1980/02/01" }, []string{"claims.birthdate"}},
		{"birthdate in the year 0", func(p *person) { p.Standard.Birthdate = "0000" }, []string{"claims.birthdate"}},
		{"offset as time zone", func(p *person) { p.Standard.Zoneinfo = "+01:00" }, []string{"claims.zoneinfo"}},
		{"locale as a word", func(p *person) { p.Standard.Locale = "English" }, []string{"claims.locale"}},
		{"locale of an unknown language", func(p *person) { p.Standard.Locale = "qq-US" }, []string{"claims.locale"}},
		{"locale with underscore", func(p *person) { p.Standard.Locale = "zh_Hant_TW" }, nil},
		{"phone number in national format", func(p *person) { p.Standard.PhoneNumber = "(212) 555-0110" }, nil},
		{
			"milliseconds instead of seconds",
			func(p *person) { p.Standard.UpdatedAt = 1700000000000 },
			[]string{"claims.updated_at"},
		},
		{"time before 1970", func(p *person) { p.Standard.UpdatedAt = -1 }, []string{"claims.updated_at"}},
		{"control character", func(p *person) { p.Standard.Name = "a\x00b" }, []string{"claims.name"}},
		{"line break in a name", func(p *person) { p.Standard.GivenName = "a\nb" }, []string{"claims.given_name"}},
		{"line break in a street", func(p *person) { p.Standard.Address.StreetAddress = "a\nb" }, nil},
		{
			"line break in a city",
			func(p *person) { p.Standard.Address.Locality = "a\nb" },
			[]string{"claims.address.locality"},
		},
		{
			"carriage return without line feed",
			func(p *person) { p.Standard.Address.Formatted = "a\rb" },
			[]string{"claims.address.formatted"},
		},
		{"text that is not UTF-8", func(p *person) { p.Standard.Nickname = "\xff" }, []string{"claims.nickname"}},
		{"1024 characters", func(p *person) { p.Standard.Nickname = strings.Repeat("é", 1024) }, nil},
		{
			"1025 characters",
			func(p *person) { p.Standard.Nickname = strings.Repeat("é", 1025) },
			[]string{"claims.nickname"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := rich()
			c.spoil(&p)
			requireFieldErrors(t, c.want, p.Validate())
		})
	}
}

func TestValidateSDEs(t *testing.T) {
	t.Parallel()
	type customer = claims.CustomerInfo
	type personal = claims.PersonalInfo
	for _, c := range []struct {
		name  string
		spoil func(c *customer, p *personal)
		want  []string // the fields with errors
	}{
		{"currency in lower case", func(c *customer, _ *personal) { c.Currency = "usd" }, []string{"customerInfo.currency"}},
		{
			"currency across two codes",
			func(c *customer, _ *personal) { c.Currency = "EDA" },
			[]string{"customerInfo.currency"},
		},
		{
			"balance that is not a number",
			func(c *customer, _ *personal) { c.Balance = new(math.NaN()) },
			[]string{"customerInfo.balance"},
		},
		{
			"infinite balance",
			func(c *customer, _ *personal) { c.Balance = new(math.Inf(-1)) },
			[]string{"customerInfo.balance"},
		},
		{
			"negative company size",
			func(c *customer, _ *personal) { c.CompanySize = new(-1) },
			[]string{"customerInfo.companySize"},
		},
		{
			"month 13",
			func(c *customer, _ *personal) { c.LastPaymentDate.Month = 13 },
			[]string{"customerInfo.lastPaymentDate.month"},
		},
		{
			"30 February",
			func(c *customer, _ *personal) { c.LastPaymentDate.Day = 30 },
			[]string{"customerInfo.lastPaymentDate.day"},
		},
		{
			"29 February outside a leap year",
			func(c *customer, _ *personal) { c.LastPaymentDate.Year = 2023 },
			[]string{"customerInfo.lastPaymentDate.day"},
		},
		{
			"year of two digits",
			func(c *customer, _ *personal) { c.RegistrationDate.Year = 13 },
			[]string{"customerInfo.registrationDate.year"},
		},
		{
			"zero date",
			func(c *customer, _ *personal) { *c.RegistrationDate = claims.Date{} },
			[]string{"customerInfo.registrationDate.year", "customerInfo.registrationDate.month"},
		},
		{"control character", func(c *customer, _ *personal) { c.Role = "a\tb" }, []string{"customerInfo.role"}},
		{"gender in lower case", func(_ *customer, p *personal) { p.Gender = "male" }, []string{"personalInfo.gender"}},
		{"language without country", func(_ *customer, p *personal) { p.Language = "he" }, nil},
		{"language with hyphen", func(_ *customer, p *personal) { p.Language = "he-IL" }, nil},
		{
			"country in lower case in a language",
			func(_ *customer, p *personal) { p.Language = "he-il" },
			[]string{"personalInfo.language"},
		},
		{
			"language in upper case",
			func(_ *customer, p *personal) { p.Language = "EN-US" },
			[]string{"personalInfo.language"},
		},
		{
			"language with a script",
			func(_ *customer, p *personal) { p.Language = "zh-Hant-TW" },
			[]string{"personalInfo.language"},
		},
		{
			"language with a trailing hyphen",
			func(_ *customer, p *personal) { p.Language = "en-" },
			[]string{"personalInfo.language"},
		},
		{"age without content", func(_ *customer, p *personal) { *p.Age = claims.Age{} }, []string{"personalInfo.age"}},
		{
			"birthday without year and age",
			func(_ *customer, p *personal) { *p.Age = claims.Age{Month: 2, Day: 29} },
			[]string{"personalInfo.age"},
		},
		{
			"age and birthday without year",
			func(_ *customer, p *personal) { *p.Age = claims.Age{Age: new(0), Month: 2, Day: 29} },
			nil,
		},
		{"age 151", func(_ *customer, p *personal) { p.Age.Age = new(151) }, []string{"personalInfo.age.age"}},
		{"month of birth 13", func(_ *customer, p *personal) { p.Age.Month = 13 }, []string{"personalInfo.age.month"}},
		{"day of birth 31 February", func(_ *customer, p *personal) { p.Age.Day = 31 }, []string{"personalInfo.age.day"}},
		{
			"year of birth of two digits",
			func(_ *customer, p *personal) { p.Age.Year = 80 },
			[]string{"personalInfo.age.year"},
		},
		{
			"country in lower case",
			func(_ *customer, p *personal) { p.Contacts[1].Address.Country = "ar" },
			[]string{"personalInfo.contacts[1].address.country"},
		},
		{
			"country that is not assigned",
			func(_ *customer, p *personal) { p.Contacts[1].Address.Country = "UK" },
			[]string{"personalInfo.contacts[1].address.country"},
		},
		{
			"unknown phone type",
			func(_ *customer, p *personal) { p.Contacts[0].PhoneType = "mobile" },
			[]string{"personalInfo.contacts[0].phoneType"},
		},
		{
			"invalid email of a contact",
			func(_ *customer, p *personal) { p.Contacts[0].Email = "rosa" },
			[]string{"personalInfo.contacts[0].email"},
		},
		{
			"contact's phone with a control character",
			func(_ *customer, p *personal) { p.Contacts[0].Phone = "1\x7f" },
			[]string{"personalInfo.contacts[0].phone"},
		},
		{
			"contact without content",
			func(_ *customer, p *personal) { p.Contacts[0] = claims.Contact{} },
			[]string{"personalInfo.contacts[0]"},
		},
		{
			"value too long",
			func(_ *customer, p *personal) { p.Company = strings.Repeat("x", 1025) },
			[]string{"personalInfo.company"},
		},
		{"claim too large", func(c *customer, p *personal) {
			long := strings.Repeat("x", 1024)
			c.Role, c.AccountName, c.SocialID, p.Company = long, long, long, long
		}, []string{"lp_sdes"}},
		{"several problems at once", func(c *customer, p *personal) {
			c.Currency, p.Gender, p.Language = "XXX", "0", "qq-QQ"
		}, []string{"customerInfo.currency", "personalInfo.gender", "personalInfo.language", "personalInfo.language"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := rich().SDEs()
			c.spoil(s.CustomerInfo, s.PersonalInfo)
			requireFieldErrors(t, c.want, s.Validate())
			person := claims.Person{Subject: "x", CustomerInfo: s.CustomerInfo, PersonalInfo: s.PersonalInfo}
			requireFieldErrors(t, c.want, person.Validate())
		})
	}
}

func TestFieldError(t *testing.T) {
	t.Parallel()
	s := rich().SDEs()
	s.CustomerInfo.LastPaymentDate.Month = 13
	require.EqualError(t, s.Validate(), "customerInfo.lastPaymentDate.month: 13 is not a month; use 1 to 12")
	require.Nil(t, claims.FieldErrors(nil))
	require.Equal(t, "a: b", (&claims.FieldError{Field: "a", Problem: "b"}).Error())
}

func requireFieldErrors(t *testing.T, want []string, err error) {
	t.Helper()
	var got []string
	for _, f := range claims.FieldErrors(err) {
		got = append(got, f.Field)
		require.NotEmpty(t, f.Problem)
		require.NotEmpty(t, f.Remedy)
	}
	require.Equal(t, want, got, "%v", err)
	require.Equal(t, want == nil, err == nil)
}
