// Package claims describes a person to a client: the standard claims of OpenID
// Connect, and the two engagement attributes that LiveEngage reads from an ID token.
// Read person.go first, then sdes.go.
//
// The package does not deal with HTTP, storage or tokens and imports only the standard
// library. Its types are plain values: concurrent reads are safe.
package claims

// Person is all that a client may learn about a person. Only the subject is required.
// Decoding from JSON is lenient; Validate checks the values.
type Person struct {
	// Subject identifies the person to every client and never changes: 1 to 255
	// printable ASCII characters, not guessable, and neither an email address nor a
	// phone number (OIDC Core 2, "sub").
	Subject string `json:"sub"`
	// Standard holds all standard claims, whatever the scopes of a request.
	Standard Standard `json:"claims,omitzero"`
	// CustomerInfo is what the brand knows about its customer; nil is nothing.
	CustomerInfo *CustomerInfo `json:"customerInfo,omitempty"`
	// PersonalInfo is what the brand knows about the person; nil is nothing.
	PersonalInfo *PersonalInfo `json:"personalInfo,omitempty"`
}

// SDEs returns the claim lp_sdes for p. An attribute without values is left out. The
// result shares p's pointers and must not be changed.
func (p Person) SDEs() SDEs {
	var s SDEs
	if !p.CustomerInfo.isBlank() {
		s.CustomerInfo = p.CustomerInfo
	}
	if !p.PersonalInfo.isBlank() {
		s.PersonalInfo = p.PersonalInfo
	}
	return s
}
