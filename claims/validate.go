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

// Validate returns every problem in the values of p, joined, each a FieldError, or nil.
// The paths are those of p's JSON: sub, claims.birthdate, customerInfo.currency,
// personalInfo.contacts[0].address.country, and lp_sdes for the whole claim.
func (p Person) Validate() error {
	var errs fieldErrors
	validateSubject(p.Subject, &errs)
	validateStandard("claims", p.Standard, &errs)
	// Not p.SDEs, which leaves out an age or a contact without content.
	validateSDEs(SDEs{CustomerInfo: p.CustomerInfo, PersonalInfo: p.PersonalInfo}, &errs)
	return errs.join()
}

// Validate returns every problem in the values of s, joined, each a FieldError, or
// nil. The paths start with customerInfo or personalInfo. The path of the whole
// claim, which is limited to 4096 bytes, is lp_sdes.
func (s SDEs) Validate() error {
	var errs fieldErrors
	validateSDEs(s, &errs)
	return errs.join()
}

// validateSubject checks a subject against OIDC Core 2 and LivePerson's advice that
// subjects must not be guessable.
func validateSubject(sub string, errs *fieldErrors) {
	problem := describeSubjectProblem(sub)
	if problem != "" {
		errs.add("sub", "use a random identifier of 1 to 255 printable ASCII characters", "%s", problem)
	}
}

// describeSubjectProblem returns what is wrong with a subject, or the empty string.
func describeSubjectProblem(sub string) string {
	if sub == "" {
		return "is missing"
	}
	if len(sub) > 255 {
		return "is " + strconv.Itoa(len(sub)) + " characters long"
	}
	if strings.ContainsFunc(sub, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "contains a character that is not printable ASCII"
	}
	if kind := WhyGuessable(sub); kind != "" {
		return "is " + kind + ", which others can guess and the person can change"
	}
	return ""
}

func validateSDEs(s SDEs, errs *fieldErrors) {
	before := len(*errs)
	if s.CustomerInfo != nil {
		validateCustomer("customerInfo", *s.CustomerInfo, errs)
	}
	if s.PersonalInfo != nil {
		validatePersonal("personalInfo", *s.PersonalInfo, errs)
	}
	out, err := json.Marshal(s)
	if err != nil && len(*errs) == before {
		errs.add("lp_sdes", "", "cannot be encoded: %v", err)
	}
	if len(out) > maxSDEBytes {
		errs.add("lp_sdes", "shorten values or leave out fields",
			"is %d bytes of JSON, more than the limit of %d", len(out), maxSDEBytes)
	}
}

func validateCustomer(path string, c CustomerInfo, errs *fieldErrors) {
	validateStrings(path, reflect.ValueOf(c), errs)
	if c.Balance != nil && (math.IsNaN(*c.Balance) || math.IsInf(*c.Balance, 0)) {
		errs.add(path+".balance", "use a number that JSON can represent", "is not a finite number")
	}
	if c.Currency != "" && !isCurrency(c.Currency) {
		errs.add(path+".currency", "use an ISO 4217 code in upper case, such as USD",
			"%s is not a currency code", quoteExcerpt(c.Currency))
	}
	if c.CompanySize != nil && *c.CompanySize < 0 {
		errs.add(path+".companySize", "use the number of employees", "is negative")
	}
	if c.LastPaymentDate != nil {
		validateDate(path+".lastPaymentDate", *c.LastPaymentDate, errs)
	}
	if c.RegistrationDate != nil {
		validateDate(path+".registrationDate", *c.RegistrationDate, errs)
	}
}

func validatePersonal(path string, p PersonalInfo, errs *fieldErrors) {
	validateStrings(path, reflect.ValueOf(p), errs)
	if p.Age != nil {
		validateAge(path+".age", *p.Age, errs)
	}
	for i, c := range p.Contacts {
		validateContact(indexPath(path+".contacts", i), c, errs)
	}
	if p.Gender != "" && !slices.Contains([]string{GenderMale, GenderFemale, GenderOther}, p.Gender) {
		errs.add(path+".gender", "use MALE, FEMALE or OTHER",
			"%s is not a gender that LiveEngage accepts", quoteExcerpt(p.Gender))
	}
	if p.Language != "" {
		validateLanguage(path+".language", p.Language, errs)
	}
}

func validateContact(path string, c Contact, errs *fieldErrors) {
	if c == (Contact{}) {
		errs.add(path, "leave it out", "is empty")
	}
	if c.Email != "" {
		validateEmail(path+".email", c.Email, errs)
	}
	if c.PhoneType != "" && !slices.Contains(phoneTypes, c.PhoneType) {
		errs.add(path+".phoneType", "use one of "+strings.Join(phoneTypes, ", "),
			"%s is not a phone type", quoteExcerpt(c.PhoneType))
	}
	if c.Address != nil && c.Address.Country != "" && !isCountry(c.Address.Country) {
		errs.add(path+".address.country", "use an ISO 3166-1 alpha-2 code in upper case, such as US",
			"%s is not a country code", quoteExcerpt(c.Address.Country))
	}
}

// validateLanguage accepts en, en-US and en_US.
func validateLanguage(path, tag string, errs *fieldErrors) {
	const remedy = "use an ISO 639-1 language code, such as en, or add an ISO 3166-1 country code, such as en-US"
	language := tag
	if i := strings.IndexAny(tag, "-_"); i >= 0 {
		language = tag[:i]
		if country := tag[i+1:]; !isCountry(country) {
			errs.add(path, remedy, "%s is not a country code", quoteExcerpt(country))
		}
	}
	if !isLanguage(language) {
		errs.add(path, remedy, "%s is not a language code", quoteExcerpt(language))
	}
}

func validateDate(path string, d Date, errs *fieldErrors) {
	validYear := validateYear(path+".year", d.Year, errs)
	if !validateMonth(path+".month", d.Month, errs) {
		return
	}
	if !validYear {
		d.Year = leapYear
	}
	validateDay(path+".day", d, errs)
}

func validateAge(path string, a Age, errs *fieldErrors) {
	if a.Age == nil && a.Year == 0 {
		errs.add(path, "set age, or year for the year of birth", "has neither age nor year")
	}
	if a.Age != nil && (*a.Age < 0 || *a.Age > 150) {
		errs.add(path+".age", "use a whole number of years from 0 to 150", "%d is not an age", *a.Age)
	}
	birth := Date{Day: a.Day, Month: a.Month, Year: a.Year}
	if a.Year == 0 || !validateYear(path+".year", a.Year, errs) {
		birth.Year = leapYear
	}
	if a.Month == 0 {
		birth.Month = 1 // has 31 days, as the unknown month may have
	} else if !validateMonth(path+".month", a.Month, errs) {
		return
	}
	if a.Day != 0 {
		validateDay(path+".day", birth, errs)
	}
}

// leapYear stands in for an unknown year: it has every day.
const leapYear = 2000

// validateYear reports whether the year is valid.
func validateYear(path string, year int, errs *fieldErrors) bool {
	if year < 1000 || year > 9999 {
		errs.add(path, "use four digits, such as 1985", "%d is not a year", year)
		return false
	}
	return true
}

// validateMonth reports whether the month is valid.
func validateMonth(path string, month int, errs *fieldErrors) bool {
	if month < 1 || month > 12 {
		errs.add(path, "use 1 to 12", "%d is not a month", month)
		return false
	}
	return true
}

// validateDay requires a valid year and month.
func validateDay(path string, d Date, errs *fieldErrors) {
	last := time.Date(d.Year, time.Month(d.Month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	if d.Day < 1 || d.Day > last {
		errs.add(path, "use 1 to "+strconv.Itoa(last), "%d is not a day of that month", d.Day)
	}
}

// multilinePaths are the only values that may contain line breaks (OIDC Core 5.1.1).
var multilinePaths = []string{"claims.address.formatted", "claims.address.street_address"}

// validateStrings checks every string in v, including those that have no other rule:
// they end up in an agent's browser, in logs and in reports.
func validateStrings(path string, v reflect.Value, errs *fieldErrors) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			validateStrings(path, v.Elem(), errs)
		}
	case reflect.Slice:
		for i := range v.Len() {
			validateStrings(indexPath(path, i), v.Index(i), errs)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				continue // most are, and tags take long to read
			}
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			validateStrings(path+"."+name, v.Field(i), errs)
		}
	case reflect.String:
		validateString(path, v.String(), errs)
	}
}

func validateString(path, s string, errs *fieldErrors) {
	if !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError) {
		errs.add(path, "encode the text as UTF-8", "is not valid UTF-8")
		return
	}
	if n := utf8.RuneCountInString(s); n > maxValueLength {
		errs.add(path, "shorten it", "is %d characters long, more than the limit of %d", n, maxValueLength)
	}
	if slices.Contains(multilinePaths, path) {
		s = strings.NewReplacer("\r\n", "", "\n", "").Replace(s)
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		errs.addCode(ControlCharacter, path, "remove it", "contains a control character")
	}
}

func validateEmail(path, address string, errs *fieldErrors) {
	if !isEmail(address) {
		errs.add(path, "use an address such as jane@example.com", "is not an email address")
	}
}

// isEmail accepts an addr-spec (RFC 5322 section 3.4.1) without a display name.
func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Name == "" && !strings.ContainsAny(s, "<> ") && len(s) <= 254
}
