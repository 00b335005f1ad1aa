package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"idpbridge/liveengage/explain"
)

// What callers branch on. An Error is one of these where its answer says so.
var (
	// ErrBadRequest is a request that the service could not read.
	ErrBadRequest = errors.New("the service could not read the request")
	// ErrBadCredentials are credentials that were refused.
	ErrBadCredentials = errors.New("the credentials were refused")
	// ErrCSRF is a session whose csrf value is wrong.
	ErrCSRF = errors.New("the csrf value is wrong")
	// ErrTokenRejected is an answer 500 of the idp service whose code says that the token
	// or the connector is at fault: it is a refusal in all but its status.
	ErrTokenRejected = errors.New("the token or the connector was refused")
	// ErrUnknownService is a service that the account's domains do not name.
	ErrUnknownService = errors.New("the Domain API does not name the service")
)

// Error is an answer of a service that is not a success.
type Error struct {
	// Service is the name by which the Domain API knows it, or "domains".
	Service string
	// Status is that of HTTP, or of a message on the socket.
	Status int
	// Code is LivePerson's own, such as 9007; empty where the answer has none.
	Code string
	// Explanation is what the code means, or what the service said.
	Explanation string
	// RetryAfter is how long the service wants to be left alone; 0 if it said nothing.
	RetryAfter time.Duration

	kind error
}

// Error says which service answered what.
func (e *Error) Error() string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "%s answers %d", e.Service, e.Status)
	if text := http.StatusText(e.Status); text != "" {
		b.WriteString(" " + text)
	}
	if e.Code != "" {
		b.WriteString(", code " + e.Code)
	}
	if e.Explanation != "" {
		b.WriteString(": " + e.Explanation)
	} else if e.kind != nil {
		b.WriteString(": " + e.kind.Error())
	}
	return b.String()
}

// Unwrap is one of the errors above, or nil.
func (e *Error) Unwrap() error { return e.kind }

// noResponseError is a request that got no answer, or not all of it.
type noResponseError struct {
	service string
	err     error
	secrets secrets
}

func (u *noResponseError) Error() string {
	return u.service + " gives no answer: " + replaceControls(u.secrets.redactFrom(u.err.Error()))
}
func (u *noResponseError) Unwrap() error { return u.err }

// isRejectionCode says whether a code of the idp service is of those by which it refuses the
// token or the connector as they are. They come with status 500, so LivePerson's
// recommendation is three retries; but none can mend the token's form, its signature
// or the connector's settings, and a person waits for the answer. Not among them is
// what may pass: 9011 and 1038 where the brand's endpoint is away for a moment (each
// retry has a code of its own), 1041 until the key set is read anew, and LivePerson's
// own faults.
func isRejectionCode(code string) bool {
	switch code {
	case "9007", "9009", "9012", "9015",
		"1001", "1003", "1004", "1005", "1006", "1008", "1009", "1011", "1012", "1024", "1025", "1026", "1028", "1042":
		return true
	}
	return false
}

// parseErrorResponse reads an answer that is not a success. Three shapes are known: the idp
// service's, the Login Service's, and text. A service may repeat what it was sent.
func (c *Client) parseErrorResponse(service string, status int, header http.Header, body []byte, carried secrets) *Error {
	e := &Error{Service: service, Status: status, RetryAfter: parseRetryAfter(header, c.cfg.Now())}
	var shape struct {
		Code  json.RawMessage `json:"internalErrorCode"`
		Error struct {
			Message string          `json:"message"`
			Code    json.RawMessage `json:"internalCode"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &shape) == nil {
		e.Code, e.Explanation = carried.redactFrom(unquoteJSON(shape.Code)), shape.Error.Message
		if e.Code == "" {
			e.Code = carried.redactFrom(unquoteJSON(shape.Error.Code))
		}
	}
	csrf := strings.Contains(strings.ToLower(e.Explanation), "csrf")
	e.Code, e.Explanation = replaceControls(e.Code), sanitizeText(carried.redactFrom(e.Explanation))
	if known, ok := explain.Lookup(e.Code); ok && service == serviceIDP {
		e.Explanation = known.Name + ". " + known.Meaning
	}
	switch {
	case status == http.StatusBadRequest:
		e.kind = ErrBadRequest
	case csrf:
		e.kind = ErrCSRF
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		e.kind = ErrBadCredentials
	case service == serviceIDP && status >= http.StatusInternalServerError && isRejectionCode(e.Code):
		e.kind = ErrTokenRejected
	}
	return e
}

// unquoteJSON is a JSON string or number as text.
func unquoteJSON(raw json.RawMessage) string {
	text := string(raw)
	_ = json.Unmarshal(raw, &text) // a number stays as it is
	if text == "null" || len(text) > 64 {
		return ""
	}
	return text
}

// parseRetryAfter reads the header of that name: seconds or a date (RFC 9110 section
// 10.2.3). More than a day, or a number that is too long to be read, is taken for the
// longest that is ever waited: nobody comes back to a client after it.
func parseRetryAfter(header http.Header, now time.Time) time.Duration {
	var wait time.Duration
	text := strings.TrimSpace(header.Get("Retry-After"))
	seconds, err := strconv.ParseInt(text, 10, 32)
	switch at, dateErr := http.ParseTime(text); {
	case err == nil:
		wait = time.Duration(seconds) * time.Second
	case errors.Is(err, strconv.ErrRange) && seconds > 0:
		return maxBackoff
	case dateErr == nil:
		wait = at.Sub(now)
	}
	if wait > maxRetryAfter {
		return maxBackoff
	}
	return max(0, wait)
}
