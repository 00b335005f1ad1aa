package claims

import (
	"reflect"
	"slices"
	"strings"
)

// misspelling is a name that is often used in lp_sdes by mistake, because other
// LivePerson or OpenID documents spell it like that.
type misspelling struct{ wrong, right string }

var customerSpellings = []misspelling{
	{"customerType", "ctype"},
	{"customerStatus", "cstatus"},
	{"preferred_username", "userName"},
	{"customer_id", "customerId"},
	{"sub", "customerId"},
}

var personalSpellings = []misspelling{
	{"name", "firstname"},
	{"given_name", "firstname"},
	{"surname", "lastname"},
	{"family_name", "lastname"},
	{"customerAge", "age"},
	{"email", "contacts[].email"},
	{"phone", "contacts[].phone"},
	{"phone_number", "contacts[].phone"},
	{"contact", "contacts"},
	{"locale", "language"},
}

var ageSpellings = []misspelling{
	{"customerAgeInYears", "age"},
	{"customerYearOfBirth", "year"},
	{"customerMonthOfBirth", "month"},
	{"customerDateOfBirth", "day"},
}

var contactSpellings = []misspelling{
	{"country", "address.country"},
	{"region", "address.region"},
}

var typeSpellings = []misspelling{
	{"ctmrinfo", TypeCustomerInfo},
	{"customerInfo", TypeCustomerInfo},
	{"CUSTOMER_INFO", TypeCustomerInfo},
	{"personal", TypePersonalInfo},
	{"personalInfo", TypePersonalInfo},
	{"PERSONAL_INFO", TypePersonalInfo},
}

// unsupportedFields are fields of ctmrinfo, in lower case, that LiveEngage ignores
// for authenticated consumers.
var unsupportedFields = []string{"storezipcode", "storenumber"}

// explainUnknownField returns code, problem and remedy for a field that t does not
// have. The fields are those of t by name.
func explainUnknownField(t reflect.Type, name string, fields map[string]reflect.StructField) FieldError {
	if t == reflect.TypeFor[CustomerInfo]() && slices.Contains(unsupportedFields, strings.ToLower(name)) {
		return FieldError{Problem: "LiveEngage ignores this field for authenticated consumers", Remedy: "leave it out"}
	}
	for right := range fields {
		if strings.EqualFold(right, name) {
			return FieldError{Code: WrongCase, Problem: "is in the wrong case", Remedy: "use " + right}
		}
	}
	e := FieldError{Problem: "is not a field of lp_sdes", Remedy: "leave it out"}
	spellings := map[reflect.Type][]misspelling{
		reflect.TypeFor[CustomerInfo](): customerSpellings,
		reflect.TypeFor[PersonalInfo](): personalSpellings,
		reflect.TypeFor[Age]():          ageSpellings,
		reflect.TypeFor[Contact]():      contactSpellings,
	}
	if right := correctSpelling(spellings[t], name); right != "" {
		e.Remedy = "use " + right
	}
	return e
}

// suggestType returns the remedy for an element whose type LiveEngage does not accept.
func suggestType(name string) string {
	if right := correctSpelling(typeSpellings, name); right != "" {
		return "use " + right
	}
	return "send only ctmrinfo and personal"
}

// correctSpelling returns what to use for a misspelt name, or the empty string.
func correctSpelling(spellings []misspelling, name string) string {
	for _, s := range spellings {
		if strings.EqualFold(s.wrong, name) {
			return s.right
		}
	}
	return ""
}
