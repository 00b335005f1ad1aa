package claims

import (
	"encoding/json"
	"fmt"
)

const (
	// MaxSDEBytes is the most that the claim lp_sdes may measure, in bytes of JSON.
	// LivePerson's pop-out window carries the whole token in an address, base64 and
	// signature on top, and addresses over 8 kB break in proxies on the way.
	MaxSDEBytes = 4096
	// MaxValueLength is the most that one string may measure, in characters.
	MaxValueLength = 1024
)

// SDEs is the claim lp_sdes: what LiveEngage's agents see about a consumer. Each
// of the two attributes replaces all of what LiveEngage knew of it before, so
// both are always sent whole. A nil attribute is not sent. The zero value is
// an empty array.
type SDEs struct {
	CustomerInfo *CustomerInfo // sent as type ctmrinfo
	PersonalInfo *PersonalInfo // sent as type personal

	personalFirst bool // came in that order, and goes out in it
}

// element is one member of the array. Its nested object has another name per type.
type element struct {
	Type     string        `json:"type"`
	Info     *CustomerInfo `json:"info,omitempty"`
	Personal *PersonalInfo `json:"personal,omitempty"`
}

const (
	typeCustomer = "ctmrinfo"
	typePersonal = "personal"
)

// Empty reports whether s tells nothing, so that the claim may be left out.
func (s SDEs) Empty() bool { return s.CustomerInfo.blank() && s.PersonalInfo.blank() }

// MarshalJSON writes the array that LiveEngage reads. It fails for a balance that
// is not finite and checks nothing else; that is what Validate is for.
func (s SDEs) MarshalJSON() ([]byte, error) {
	array := make([]element, 0, 2)
	if s.CustomerInfo != nil {
		array = append(array, element{Type: typeCustomer, Info: s.CustomerInfo})
	}
	if s.PersonalInfo != nil {
		array = append(array, element{Type: typePersonal, Personal: s.PersonalInfo})
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

// UnmarshalJSON reads the array strictly: whatever MarshalJSON would not give back
// is refused, with a FieldError for every fault of shape, such as an object in
// place of the array, a type or a field that LiveEngage does not take, a name
// in the wrong case, a value of the wrong JSON type, an empty string or null. It does
// not judge values: Validate does. After an error s is as it was before.
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
		case typeCustomer:
			read.CustomerInfo = e.Info
		case typePersonal:
			read.PersonalInfo = e.Personal
			read.personalFirst = i == 0 && len(array) == 2
		}
	}
	*s = read
	return nil
}
