package claims

import (
	"errors"
	"fmt"
)

// FieldError is one problem in one field. Functions of this package that find
// several join them: errors.AsType returns the first, FieldErrors all of them.
//
// Names, addresses and free text are never quoted. Values that should be codes or
// small numbers are, up to 32 characters, escaped to fit on one line of a log.
type FieldError struct {
	Code    Code   // for callers that branch on the kind of error; empty for most
	Field   string // path, such as customerInfo.lastPaymentDate.month or lp_sdes[0].info.customerID
	Problem string // what is wrong, such as "13 is not a month"
	Remedy  string // what to do, such as "use 1 to 12"; may be empty
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

// FieldErrors returns every FieldError in err, including wrapped and joined ones,
// in the order in which they were found. It returns nil if there are none.
func FieldErrors(err error) []*FieldError {
	if e, ok := err.(*FieldError); ok { //nolint:errorlint // this is the walk through the tree that errors.As would do
		return []*FieldError{e}
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*FieldError
		for _, e := range joined.Unwrap() {
			all = append(all, FieldErrors(e)...)
		}
		return all
	}
	if inner := errors.Unwrap(err); inner != nil {
		return FieldErrors(inner)
	}
	return nil
}

// fieldErrors collects FieldErrors, so that a caller sees all of them at once.
type fieldErrors []error

// add adds an error without a code. The arguments are for the problem's format.
func (e *fieldErrors) add(field, remedy, problem string, args ...any) {
	e.addCode("", field, remedy, problem, args...)
}

// addCode adds an error of a kind that callers tell apart.
func (e *fieldErrors) addCode(code Code, field, remedy, problem string, args ...any) {
	*e = append(*e, &FieldError{Code: code, Field: field, Problem: fmt.Sprintf(problem, args...), Remedy: remedy})
}

// join returns the errors as one, or nil if there are none.
func (e fieldErrors) join() error { return errors.Join(e...) }
