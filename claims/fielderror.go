package claims

import (
	"errors"
	"fmt"
)

// FieldError is one fault in one field. Several of them come joined; errors.AsType
// finds the first and FieldErrors lists them all. Names, addresses
// and free text are never quoted; of values that should have been codes or small
// numbers, at most 32 characters are, escaped so that they fit one line of a log.
type FieldError struct {
	Code    Code   // for callers that branch on the kind of error; empty for most
	Field   string // path, such as customerInfo.lastPaymentDate.month or lp_sdes[0].info.customerID
	Problem string // what is wrong, such as "13 is no month"
	Remedy  string // what to do, such as "write 1 to 12"; may be empty
}

// Code names a kind of FieldError.
type Code string

// The kinds of FieldError that callers tell apart.
const (
	ControlCharacter Code = "control_character" // a string contains a control character
	DuplicateName    Code = "duplicate_name"    // an object has two members of that name
	WrongCase        Code = "wrong_case"        // the field's name is right but for upper and lower case
	WrongType        Code = "wrong_type"        // the value has another JSON type; null has no code
)

// Error returns field, problem and remedy in one line.
func (e *FieldError) Error() string {
	if e.Remedy == "" {
		return e.Field + ": " + e.Problem
	}
	return e.Field + ": " + e.Problem + "; " + e.Remedy
}

// FieldErrors returns every FieldError within err, in the order in which they were
// found, also from wrapped and joined errors. It is nil where there is none.
func FieldErrors(err error) []*FieldError {
	if f, ok := err.(*FieldError); ok { //nolint:errorlint // this is the walk through the tree that errors.As would do
		return []*FieldError{f}
	}
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*FieldError
		for _, e := range j.Unwrap() {
			all = append(all, FieldErrors(e)...)
		}
		return all
	}
	if inner := errors.Unwrap(err); inner != nil {
		return FieldErrors(inner)
	}
	return nil
}

// faults collects what is wrong, so that somebody can mend all of it at once.
type faults []error

func (f *faults) add(field, remedy, problem string, args ...any) {
	*f = append(*f, &FieldError{Field: field, Problem: fmt.Sprintf(problem, args...), Remedy: remedy})
}

// addCode is add for the kinds of error that callers tell apart.
func (f *faults) addCode(code Code, field, remedy, problem string, args ...any) {
	*f = append(*f, &FieldError{Code: code, Field: field, Problem: fmt.Sprintf(problem, args...), Remedy: remedy})
}

func (f faults) err() error { return errors.Join(f...) }
