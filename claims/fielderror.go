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
	Field   string // path, such as customerInfo.lastPaymentDate.month or lp_sdes[0].info.customerID
	Problem string // what is wrong, such as "13 is no month"
	Remedy  string // what to do, such as "write 1 to 12"; may be empty
}

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

func (f faults) err() error { return errors.Join(f...) }
