package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
)

// UnreachableError means that no response came, or not all of one.
type UnreachableError struct {
	// Err is the cause. It doesn't repeat the URL.
	Err error
	// TimedOut reports whether the time limit or the context's deadline passed.
	TimedOut bool
}

// newUnreachableError wraps what http.Client or a body returned.
func newUnreachableError(err error) *UnreachableError {
	out := &UnreachableError{Err: err, TimedOut: isTimeout(err)}
	if wrapper, ok := errors.AsType[*url.Error](err); ok && wrapper.Err != nil {
		out.Err = wrapper.Err
	}
	return out
}

func isTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

func (e *UnreachableError) Error() string {
	if e.TimedOut {
		return "no response in time"
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// RedirectError means that a redirect was not followed.
type RedirectError struct {
	From, To string // origins, such as https://login.brand.example
	Followed int    // how many redirects were followed before, if there were too many
}

func (e *RedirectError) Error() string {
	if e.Followed > 0 {
		return fmt.Sprintf("redirect not followed: there were %d before it", e.Followed)
	}
	return fmt.Sprintf("redirect not followed: from %s to %s", e.From, e.To)
}

// TooLargeError means that a body was longer than the limit.
type TooLargeError struct{ Limit int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the response is larger than %d bytes", e.Limit)
}

// StatusError means that the status of a response is not the one that was wanted.
type StatusError struct{ Status int }

func (e *StatusError) Error() string {
	return fmt.Sprintf("the response is %d %s", e.Status, http.StatusText(e.Status))
}

// NotJSONError means that a body is not JSON of the form that was wanted.
type NotJSONError struct{ Err error }

func (e *NotJSONError) Error() string {
	return "the response is not the expected JSON: " + e.Err.Error()
}

// Unwrap returns the error of encoding/json.
func (e *NotJSONError) Unwrap() error { return e.Err }
