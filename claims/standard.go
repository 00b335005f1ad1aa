package claims

import (
	"reflect"
	"slices"
	"strings"
)

// Standard holds the standard claims in the order of OIDC Core 5.1, except sub, which
// is Person.Subject. The zero value of a field means unknown and is left out of JSON.
// Standard has no JSON methods, so a token's struct can embed it.
type Standard struct {
	Name                string   `json:"name,omitempty"`                  // the full name, for display
	GivenName           string   `json:"given_name,omitempty"`            // LiveEngage shows it as the first name
	FamilyName          string   `json:"family_name,omitempty"`           // LiveEngage shows it as the last name
	MiddleName          string   `json:"middle_name,omitempty"`           //
	Nickname            string   `json:"nickname,omitempty"`              //
	PreferredUsername   string   `json:"preferred_username,omitempty"`    // LiveEngage shows it as userName; not unique
	Profile             string   `json:"profile,omitempty"`               // URL of a page about the person
	Picture             string   `json:"picture,omitempty"`               // URL of an image of the person
	Website             string   `json:"website,omitempty"`               // URL of the person's own page
	Email               string   `json:"email,omitempty"`                 // RFC 5322 addr-spec; not unique
	EmailVerified       *bool    `json:"email_verified,omitempty"`        // nil is unknown, which is not false
	Gender              string   `json:"gender,omitempty"`                // female, male or another word
	Birthdate           string   `json:"birthdate,omitempty"`             // YYYY-MM-DD, 0000-MM-DD or YYYY
	Zoneinfo            string   `json:"zoneinfo,omitempty"`              // IANA name such as Europe/Paris
	Locale              string   `json:"locale,omitempty"`                // BCP 47 tag such as en-US
	PhoneNumber         string   `json:"phone_number,omitempty"`          // E.164 if possible; LiveEngage's imei
	PhoneNumberVerified *bool    `json:"phone_number_verified,omitempty"` // nil is unknown, which is not false
	Address             *Address `json:"address,omitempty"`               // nil is unknown
	UpdatedAt           int64    `json:"updated_at,omitempty"`            // seconds since 1970, UTC
}

// Address is a postal address (OIDC Core 5.1.1). The zero value of a field means
// unknown. Country is free text, unlike ContactAddress.Country.
type Address struct {
	Formatted     string `json:"formatted,omitempty"`      // for a label; lines end in \n or \r\n
	StreetAddress string `json:"street_address,omitempty"` // may have several lines
	Locality      string `json:"locality,omitempty"`       // city
	Region        string `json:"region,omitempty"`         // state, province, prefecture
	PostalCode    string `json:"postal_code,omitempty"`    //
	Country       string `json:"country,omitempty"`        // country name
}

// Filter returns the claims that the scopes release (OIDC Core 5.4) and those requested
// by name (OIDC Core 5.5). The scopes are profile, email, phone and address. Other scopes
// release nothing, and names that are not standard claims are ignored. The result
// shares the address with s.
func (s Standard) Filter(scopes, names []string) Standard {
	var r Standard
	if slices.Contains(scopes, "profile") {
		// All claims except those of the three other scopes.
		r = s
		r.Email, r.EmailVerified = "", nil
		r.PhoneNumber, r.PhoneNumberVerified = "", nil
		r.Address = nil
	}
	if slices.Contains(scopes, "email") {
		r.Email, r.EmailVerified = s.Email, s.EmailVerified
	}
	if slices.Contains(scopes, "phone") {
		r.PhoneNumber, r.PhoneNumberVerified = s.PhoneNumber, s.PhoneNumberVerified
	}
	if slices.Contains(scopes, "address") {
		r.Address = s.Address
	}
	if len(names) > 0 {
		from, to := reflect.ValueOf(s), reflect.ValueOf(&r).Elem()
		for i := range from.NumField() {
			name, _, _ := strings.Cut(from.Type().Field(i).Tag.Get("json"), ",")
			if slices.Contains(names, name) {
				to.Field(i).Set(from.Field(i))
			}
		}
	}
	return r
}

// ScopeOf returns the scope that releases a standard claim (OIDC Core 5.4). It returns
// the empty string for every other name, including sub.
func ScopeOf(name string) string {
	switch name {
	case "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username",
		"profile", "picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at":
		return "profile"
	case "email", "email_verified":
		return "email"
	case "phone_number", "phone_number_verified":
		return "phone"
	case "address":
		return "address"
	}
	return ""
}
