// Package claims says who a person is and what a client may be told: the
// standard claims of OpenID Connect and the two engagement attributes that
// LiveEngage takes from an ID token. Read person.go first, then sdes.go.
//
// The package knows nothing of HTTP, storage or tokens and imports the standard
// library only. Its types are plain values: they are safe for concurrent use as
// long as nobody changes them.
package claims

// Person is everything that a client may be told about somebody. The zero value
// is nobody; a person with a subject alone is complete. JSON decoding of a
// Person is lenient; Validate finds what is wrong with its values.
type Person struct {
	// Subject identifies the person to every client, for ever: 1 to 255 printable
	// ASCII characters, unguessable, never an e-mail address or a phone number
	// (OIDC Core 2, "sub").
	Subject string `json:"sub"`
	// Standard are the standard claims, before any scope has narrowed them.
	Standard Standard `json:"claims,omitzero"`
	// CustomerInfo is what the brand knows about its customer; nil says nothing.
	CustomerInfo *CustomerInfo `json:"customerInfo,omitempty"`
	// PersonalInfo is what the brand knows about the human being; nil says nothing.
	PersonalInfo *PersonalInfo `json:"personalInfo,omitempty"`
}

// SDEs returns what LiveEngage is told about p in the claim lp_sdes. A part that
// says nothing is left out. The result shares p's pointers: it is for reading.
func (p Person) SDEs() SDEs {
	var s SDEs
	if !p.CustomerInfo.blank() {
		s.CustomerInfo = p.CustomerInfo
	}
	if !p.PersonalInfo.blank() {
		s.PersonalInfo = p.PersonalInfo
	}
	return s
}
