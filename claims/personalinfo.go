package claims

// The values of PersonalInfo.Gender.
const (
	GenderMale   = "MALE"
	GenderFemale = "FEMALE"
	GenderOther  = "OTHER"
)

// PersonalInfo is LiveEngage's engagement attribute personal, in the spelling that
// lp_sdes uses. Every field is optional; the zero value of a field is left out.
type PersonalInfo struct {
	FirstName string    `json:"firstname,omitempty"` //
	LastName  string    `json:"lastname,omitempty"`  //
	Age       *Age      `json:"age,omitempty"`       // nil is unknown
	Contacts  []Contact `json:"contacts,omitempty"`  // in order of preference
	Gender    string    `json:"gender,omitempty"`    // Male, Female or OtherGender; never a number
	Language  string    `json:"language,omitempty"`  // ISO 639-1, or with ISO 3166-1: en, en-US, en_US
	Company   string    `json:"company,omitempty"`   // employer
}

// Age is a person's age or date of birth. Age or Year is required: LiveEngage
// computes one from the other.
type Age struct {
	Age   *int `json:"age,omitempty"`   // whole years; nil is unknown, 0 is a baby
	Year  int  `json:"year,omitempty"`  // of birth, four digits; 0 is unknown
	Month int  `json:"month,omitempty"` // of birth, 1 to 12; 0 is unknown
	Day   int  `json:"day,omitempty"`   // of birth, 1 to 31; 0 is unknown
}

// Contact is one way to reach a person.
type Contact struct {
	Email     string          `json:"email,omitempty"`
	Phone     string          `json:"phone,omitempty"`     // unlike phone_number, agents see it as a phone
	PhoneType string          `json:"phoneType,omitempty"` // one of phoneTypes, such as MOBILE
	Address   *ContactAddress `json:"address,omitempty"`   // nil is unknown
}

// ContactAddress is where a contact is, as far as LiveEngage keeps it.
type ContactAddress struct {
	Country string `json:"country,omitempty"` // ISO 3166-1 alpha-2, upper case
	Region  string `json:"region,omitempty"`  // free text
}

func (p *PersonalInfo) isBlank() bool {
	return p == nil || p.FirstName == "" && p.LastName == "" && p.Age == nil && len(p.Contacts) == 0 &&
		p.Gender == "" && p.Language == "" && p.Company == ""
}
