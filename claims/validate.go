package claims

import (
	"encoding/json"
	"math"
	"net/mail"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Validate returns every fault in what p says, joined, each a FieldError, or nil.
// The paths are those of p's JSON: sub, claims.birthdate, customerInfo.currency,
// personalInfo.contacts[0].address.country, and lp_sdes for the whole claim.
func (p Person) Validate() error {
	var f faults
	validateSubject(p.Subject, &f)
	validateStandard("claims", p.Standard, &f)
	// The parts as they are, so that an age or a contact without content is found.
	validateSDEs(SDEs{CustomerInfo: p.CustomerInfo, PersonalInfo: p.PersonalInfo}, &f)
	return f.err()
}

// Validate returns every fault in the values of s, joined, each a FieldError, or
// nil. The paths start with customerInfo or personalInfo; the claim as a whole,
// which must keep within MaxSDEBytes, is called lp_sdes.
func (s SDEs) Validate() error {
	var f faults
	validateSDEs(s, &f)
	return f.err()
}

// validateSubject holds a subject to OIDC Core 2 and to LivePerson's advice that
// nobody must be able to guess it.
func validateSubject(sub string, f *faults) {
	const field, remedy = "sub", "give every person a random subject of 1 to 255 printable ASCII characters"
	outside := func(r rune) bool { return r < ' ' || r > '~' }
	switch {
	case sub == "":
		f.add(field, remedy, "is missing")
	case len(sub) > 255:
		f.add(field, remedy, "has %d characters", len(sub))
	case strings.ContainsFunc(sub, outside):
		f.add(field, remedy, "holds a character that is not printable ASCII")
	case WhyGuessable(sub) != "":
		f.add(field, remedy, "is %s, which others can guess and its owner can change", WhyGuessable(sub))
	}
}

func validateSDEs(s SDEs, f *faults) {
	before := len(*f)
	if s.CustomerInfo != nil {
		validateCustomer("customerInfo", *s.CustomerInfo, f)
	}
	if s.PersonalInfo != nil {
		validatePersonal("personalInfo", *s.PersonalInfo, f)
	}
	out, err := json.Marshal(s)
	switch {
	case err != nil && len(*f) == before:
		f.add("lp_sdes", "", "cannot be encoded: %v", err)
	case len(out) > MaxSDEBytes:
		f.add("lp_sdes", "shorten values or leave fields out", "measures %d bytes, more than %d", len(out), MaxSDEBytes)
	}
}

func validateCustomer(path string, c CustomerInfo, f *faults) {
	validateText(path, reflect.ValueOf(c), f)
	if c.Balance != nil && (math.IsNaN(*c.Balance) || math.IsInf(*c.Balance, 0)) {
		f.add(path+".balance", "write a finite number", "is no number that JSON can hold")
	}
	if c.Currency != "" && !isCurrency(c.Currency) {
		f.add(path+".currency", "write an ISO 4217 code in upper case, such as USD", "%s is no currency", excerpt(c.Currency))
	}
	if c.CompanySize != nil && *c.CompanySize < 0 {
		f.add(path+".companySize", "write the number of employees", "is negative")
	}
	if c.LastPaymentDate != nil {
		validateDate(path+".lastPaymentDate", *c.LastPaymentDate, f)
	}
	if c.RegistrationDate != nil {
		validateDate(path+".registrationDate", *c.RegistrationDate, f)
	}
}

func validatePersonal(path string, p PersonalInfo, f *faults) {
	validateText(path, reflect.ValueOf(p), f)
	if p.Age != nil {
		validateAge(path+".age", *p.Age, f)
	}
	for i, c := range p.Contacts {
		validateContact(path+".contacts["+strconv.Itoa(i)+"]", c, f)
	}
	if p.Gender != "" && !slices.Contains([]string{GenderMale, GenderFemale, GenderOther}, p.Gender) {
		f.add(path+".gender", "write MALE, FEMALE or OTHER", "%s is no gender that LiveEngage knows", excerpt(p.Gender))
	}
	if p.Language != "" {
		validateLanguage(path+".language", p.Language, f)
	}
}

func validateContact(path string, c Contact, f *faults) {
	if c == (Contact{}) {
		f.add(path, "leave it out", "is empty")
	}
	if c.Email != "" && !isEmail(c.Email) {
		f.add(path+".email", "write an address such as jane@example.com", "is no e-mail address")
	}
	if c.PhoneType != "" && !slices.Contains(phoneTypes, c.PhoneType) {
		f.add(path+".phoneType", "write one of "+strings.Join(phoneTypes, ", "), "%s is no type of phone", excerpt(c.PhoneType))
	}
	if c.Address != nil && c.Address.Country != "" && !isCountry(c.Address.Country) {
		f.add(path+".address.country", "write an ISO 3166-1 alpha-2 code in upper case, such as US",
			"%s is no country", excerpt(c.Address.Country))
	}
}

// validateLanguage accepts en, en-US and en_US.
func validateLanguage(path, tag string, f *faults) {
	const remedy = "write an ISO 639-1 code, alone or with an ISO 3166-1 country, such as en or en-US"
	language, country := tag, ""
	if i := strings.IndexAny(tag, "-_"); i >= 0 {
		language, country = tag[:i], tag[i+1:]
		if !isCountry(country) {
			f.add(path, remedy, "%s is no country", excerpt(country))
		}
	}
	if !isLanguage(language) {
		f.add(path, remedy, "%s is no language", excerpt(language))
	}
}

func validateDate(path string, d Date, f *faults) {
	year := validateYear(path+".year", d.Year, f)
	if !validateMonth(path+".month", d.Month, f) {
		return
	}
	if !year {
		d.Year = leapYear
	}
	validateDay(path+".day", d, f)
}

func validateAge(path string, a Age, f *faults) {
	if a.Age == nil && a.Year == 0 {
		f.add(path, "write age, or the year of birth", "says neither the age nor the year of birth")
	}
	if a.Age != nil && (*a.Age < 0 || *a.Age > 150) {
		f.add(path+".age", "write whole years from 0 to 150", "%d is no age", *a.Age)
	}
	birth := Date{Day: a.Day, Month: a.Month, Year: a.Year}
	if a.Year == 0 || !validateYear(path+".year", a.Year, f) {
		birth.Year = leapYear
	}
	if a.Month == 0 {
		birth.Month = 1 // has 31 days, as the month that we aren't told may have
	} else if !validateMonth(path+".month", a.Month, f) {
		return
	}
	if a.Day != 0 {
		validateDay(path+".day", birth, f)
	}
}

// leapYear stands in for a year that isn't known: it has every day.
const leapYear = 2000

func validateYear(path string, year int, f *faults) bool {
	if year < 1000 || year > 9999 {
		f.add(path, "write four digits", "%d is no year", year)
		return false
	}
	return true
}

func validateMonth(path string, month int, f *faults) bool {
	if month < 1 || month > 12 {
		f.add(path, "write 1 to 12", "%d is no month", month)
		return false
	}
	return true
}

// validateDay wants year and month to be right.
func validateDay(path string, d Date, f *faults) {
	last := time.Date(d.Year, time.Month(d.Month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	if d.Day < 1 || d.Day > last {
		f.add(path, "write a day that the month has, 1 to "+strconv.Itoa(last), "%d is no day of that month", d.Day)
	}
}

// multiline are the only values that may hold line ends (OIDC Core 5.1.1).
var multiline = []string{"claims.address.formatted", "claims.address.street_address"}

// validateText looks at every string within v, also those that no other rule
// is about: they end in an agent's browser, in logs and in reports.
func validateText(path string, v reflect.Value, f *faults) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			validateText(path, v.Elem(), f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			validateText(path+"["+strconv.Itoa(i)+"]", v.Index(i), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			validateText(path+"."+name, v.Field(i), f)
		}
	case reflect.String:
		validateString(path, v.String(), f)
	}
}

func validateString(path, s string, f *faults) {
	if !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError) {
		f.add(path, "send UTF-8", "is broken text")
		return
	}
	if n := utf8.RuneCountInString(s); n > MaxValueLength {
		f.add(path, "shorten it", "has %d characters, more than %d", n, MaxValueLength)
	}
	if slices.Contains(multiline, path) {
		s = strings.NewReplacer("\r\n", "", "\n", "").Replace(s)
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		f.addCode(ControlCharacter, path, "leave it out", "holds a control character")
	}
}

// isEmail accepts the addr-spec of RFC 5322 and nothing around it.
func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Name == "" && !strings.ContainsAny(s, "<> ") && len(s) <= 254
}
