package claims

import (
	"encoding/json"
	"fmt"
)

const (
	// maxSDEBytes limits the claim lp_sdes, in bytes of JSON. LivePerson's pop-out
	// window passes the whole token in a URL, and proxies reject URLs over 8 kB.
	maxSDEBytes = 4096
	// maxValueLength limits each string, in characters.
	maxValueLength = 1024
)

// SDEs is the claim lp_sdes: what LiveEngage's agents see about a consumer. Each of the
// two attributes replaces all that LiveEngage had for it, so both are always sent whole.
// A nil attribute is not sent. The zero value is an empty array.
type SDEs struct {
	CustomerInfo *CustomerInfo // sent as type ctmrinfo
	PersonalInfo *PersonalInfo // sent as type personal

	personalFirst bool // keeps the order of decoded JSON
}

// element is one member of the array. The name of its nested object depends on its type.
type element struct {
	Type     string        `json:"type"`
	Info     *CustomerInfo `json:"info,omitempty"`
	Personal *PersonalInfo `json:"personal,omitempty"`
}

// The types of the two attributes.
const (
	TypeCustomerInfo = "ctmrinfo"
	TypePersonalInfo = "personal"
)

// Empty reports whether s has no values, so that the claim may be left out.
func (s SDEs) Empty() bool { return s.CustomerInfo.isBlank() && s.PersonalInfo.isBlank() }

// MarshalJSON writes the array that LiveEngage reads. It fails for a balance that
// is not finite and checks nothing else: see Validate.
func (s SDEs) MarshalJSON() ([]byte, error) {
	array := make([]element, 0, 2)
	if s.CustomerInfo != nil {
		array = append(array, element{Type: TypeCustomerInfo, Info: s.CustomerInfo})
	}
	if s.PersonalInfo != nil {
		array = append(array, element{Type: TypePersonalInfo, Personal: s.PersonalInfo})
	}
	if s.personalFirst && len(array) == 2 {
		array[0], array[1] = array[1], array[0]
	}
	out, err := json.Marshal(array)
	if err != nil {
		return nil, fmt.Errorf("encode lp_sdes: %w", err)
	}
	return out, nil
}

// UnmarshalJSON reads the array strictly: it rejects everything that MarshalJSON would
// not write again, such as an object in place of the array, an unknown type or field,
// a name in the wrong case, a value of the wrong JSON type, an empty string or null.
// Each problem is a FieldError. It does not check values: see Validate. After an error
// s is unchanged.
func (s *SDEs) UnmarshalJSON(data []byte) error {
	if err := checkShape(data); err != nil {
		return err
	}
	var array []element
	if err := json.Unmarshal(data, &array); err != nil {
		return fmt.Errorf("decode lp_sdes: %w", err)
	}
	var read SDEs
	for i, e := range array {
		switch e.Type {
		case TypeCustomerInfo:
			read.CustomerInfo = e.Info
		case TypePersonalInfo:
			read.PersonalInfo = e.Personal
			read.personalFirst = i == 0 && len(array) == 2
		}
	}
	*s = read
	return nil
}
