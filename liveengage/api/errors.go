package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"idpbridge/liveengage"
)

// What callers branch on. An Error is one of these where its answer says so.
var (
	// ErrBadBody is a request that the service could not read.
	ErrBadBody = errors.New("the service could not read the request")
	// ErrCredentials are credentials that were refused.
	ErrCredentials = errors.New("the credentials were refused")
	// ErrCSRF is a session whose csrf value is wrong.
	ErrCSRF = errors.New("the csrf value is wrong")
	// ErrNoService is a service that the account's domains do not name.
	ErrNoService = errors.New("the Domain API does not name the service")
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

// unreachable is a request that got no answer, or not all of it.
type unreachable struct {
	service string
	err     error
}

func (u *unreachable) Error() string { return u.service + " gives no answer: " + u.err.Error() }
func (u *unreachable) Unwrap() error { return u.err }

// refusal reads an answer that is not a success. Three shapes are known: the idp
// service's, the Login Service's, and text.
func (c *Client) refusal(service string, status int, header http.Header, body []byte) *Error {
	e := &Error{Service: service, Status: status, RetryAfter: retryAfter(header, c.cfg.Now())}
	var shape struct {
		Code  json.RawMessage `json:"internalErrorCode"`
		Error struct {
			Message string          `json:"message"`
			Code    json.RawMessage `json:"internalCode"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &shape) == nil {
		e.Code, e.Explanation = unquoted(shape.Code), redacted(shape.Error.Message)
		if e.Code == "" {
			e.Code = unquoted(shape.Error.Code)
		}
	}
	if known, ok := liveengage.Explain(e.Code); ok && service == serviceIDP {
		e.Explanation = known.Name + ". " + known.Meaning
	}
	switch {
	case status == http.StatusBadRequest:
		e.kind = ErrBadBody
	case strings.Contains(strings.ToLower(e.Explanation), "csrf"):
		e.kind = ErrCSRF
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		e.kind = ErrCredentials
	}
	return e
}

// unquoted is a JSON string or number as text.
func unquoted(raw json.RawMessage) string {
	text := strings.Trim(string(raw), `"`)
	if text == "null" || len(text) > 64 {
		return ""
	}
	return text
}

var secretPattern = regexp.MustCompile(`[A-Za-z0-9_+=-]{32,}`)

// redacted is the beginning of a text without what may be a secret.
func redacted(s string) string {
	s = secretPattern.ReplaceAllString(strings.Join(strings.Fields(s), " "), "redacted")
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}

// retryAfter reads the header of that name: seconds or a date (RFC 9110 section 10.2.3).
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
