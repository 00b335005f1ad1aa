package claims

import (
	"reflect"
	"slices"
	"strings"
)

// misspelling is a name that people write in lp_sdes because another of
// LivePerson's or OpenID's pages spells it like that.
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

// stranger explains a field that t does not have.
func stranger(t reflect.Type, name string, fields map[string]reflect.StructField) FieldError {
	if slices.Contains([]string{"storezipcode", "storenumber"}, strings.ToLower(name)) && t == reflect.TypeFor[CustomerInfo]() {
		return FieldError{Problem: "LiveEngage does not take it from an authenticated consumer", Remedy: "leave the field out"}
	}
	for right := range fields {
		if strings.EqualFold(right, name) {
			return FieldError{Code: WrongCase, Problem: "is in the wrong case", Remedy: "write " + right}
		}
	}
	spellings := map[reflect.Type][]misspelling{
		reflect.TypeFor[CustomerInfo](): customerSpellings,
		reflect.TypeFor[PersonalInfo](): personalSpellings,
		reflect.TypeFor[Age]():          ageSpellings,
		reflect.TypeFor[Contact]():      contactSpellings,
	}
	for _, s := range spellings[t] {
		if strings.EqualFold(s.wrong, name) {
			return FieldError{Problem: "is not a field of lp_sdes", Remedy: "write " + s.right}
		}
	}
	return FieldError{Problem: "is not a field of lp_sdes", Remedy: "leave the field out"}
}

// typeRemedy says what to do about an element of another type.
func typeRemedy(name string) string {
	for _, alias := range []misspelling{
		{"ctmrinfo", typeCustomer},
		{"customerInfo", typeCustomer},
		{"CUSTOMER_INFO", typeCustomer},
		{"personal", typePersonal},
		{"personalInfo", typePersonal},
		{"PERSONAL_INFO", typePersonal},
	} {
		if strings.EqualFold(alias.wrong, name) {
			return "write " + alias.right
		}
	}
	return "send only ctmrinfo and personal"
}
