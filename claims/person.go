package claims

// Person is everything that a client may be told about somebody.
type Person struct {
	Subject      string        `json:"sub"`
	Standard     Standard      `json:"claims,omitzero"`
	CustomerInfo *CustomerInfo `json:"customerInfo,omitempty"`
	PersonalInfo *PersonalInfo `json:"personalInfo,omitempty"`
}
