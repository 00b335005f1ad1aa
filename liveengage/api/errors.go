package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"idpbridge/liveengage"
	"idpbridge/liveengage/explain"
)

// What callers branch on: an *Error wraps one of these if its response says so.
var (
	// ErrBadRequest means that the service could not read the request.
	ErrBadRequest = errors.New("the service could not read the request")
	// ErrBadCredentials means that the credentials were rejected.
	ErrBadCredentials = errors.New("the credentials were rejected")
	// ErrCSRF means that the csrf value does not match the session.
	ErrCSRF = errors.New("the csrf value is wrong")
	// ErrTokenRejected means that the idp service rejected the token or the connector.
	// It does so with status 500 and a code.
	ErrTokenRejected = errors.New("the token or the connector was rejected")
	// ErrUnknownService means that the Domain API does not list the service.
	ErrUnknownService = errors.New("the Domain API does not list the service")
)

// Error is a response of a service that is not a success.
type Error struct {
	// Service is its name in the Domain API, or "domains".
	Service string
	// Status is the HTTP status, or that of a message on the socket.
	Status int
	// Code is LivePerson's own code, such as 9007. Empty if the response has none.
	Code string
	// Explanation is what the code means, or what the service said.
	Explanation string
	// RetryAfter is how long the service asks to wait. Zero if it does not say.
	RetryAfter time.Duration

	kind error
}

// Error says which service responded, and how.
func (e *Error) Error() string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "%s returned %d", e.Service, e.Status)
	if status := http.StatusText(e.Status); status != "" {
		b.WriteString(" " + status)
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

// Unwrap returns one of the errors above, or nil.
func (e *Error) Unwrap() error { return e.kind }

// noResponseError is a request without a response, or with an incomplete one.
type noResponseError struct {
	service string
	err     error
	secrets secrets
}

func (e *noResponseError) Error() string {
	return e.service + " did not respond: " + replaceControls(e.secrets.redactFrom(e.err.Error()))
}
func (e *noResponseError) Unwrap() error { return e.err }

// codeRejected is the Login Service's code for a wrong csrf value, among others.
var codeRejected = strconv.Itoa(liveengage.LoginRejected)

// isRejectionCode reports whether the idp service uses this code to reject the token
// or the connector as it is. These come with status 500, for which LivePerson
// recommends three retries. But no retry can change the token's form, its signature
// or the connector's settings, and a person is waiting. Codes that may be temporary
// are not listed: 9011 and 1038 if the brand's endpoint is briefly down (each retry
// has a new code), 1041 until the key set is read again, and LivePerson's own errors.
func isRejectionCode(code string) bool {
	switch code {
	case liveengage.CodeCustomerJWTNotValid,
		liveengage.CodeESAPIError,
		liveengage.CodeInputValidationError,
		liveengage.CodeUnsupportedAuthType,
		liveengage.CodeParseError,
		liveengage.CodeNoSuchAlgorithm,
		liveengage.CodeJOSEException,
		liveengage.CodeInvalidKeySpec,
		liveengage.CodeUnsupportedEncoding,
		liveengage.CodeJWTNotValid,
		liveengage.CodeJWTParsingError,
		liveengage.CodeJWTMissingClaimset,
		liveengage.CodeJWTExpired,
		liveengage.CodeACConnectorNotFound,
		liveengage.CodeACConnectorTypeNotFound,
		liveengage.CodeSDEParseException,
		liveengage.CodeRSAVerifierInitError,
		liveengage.CodeMultipleJWKWithoutKidHeader:
		return true
	}
	return false
}

// parseErrorResponse reads a response that is not a success: JSON of the idp service,
// of the Login Service or of OAuth, or text. A service may repeat what it was sent, so
// secrets are removed.
func (c *Client) parseErrorResponse(
	service string, status int, header http.Header, body []byte, carried secrets,
) *Error {
	e := &Error{Service: service, Status: status, RetryAfter: parseRetryAfter(header, c.cfg.Now())}
	code, message := readErrorBody(body)
	e.Code = replaceControls(carried.redactFrom(code))
	e.Explanation = sanitizeText(carried.redactFrom(message))
	if known, ok := explain.Lookup(e.Code); ok && service == serviceIDP {
		e.Explanation = known.Name + ". " + known.Meaning
	}
	e.kind = errorKind(service, status, e.Code, message)
	return e
}

// readErrorBody returns LivePerson's code and what else the body of an error says. The
// member error is an object at the Login Service, and a string elsewhere.
func readErrorBody(body []byte) (code, message string) {
	var form struct {
		Code        json.RawMessage `json:"internalErrorCode"`
		Error       json.RawMessage `json:"error"`
		Description string          `json:"error_description"`
		Message     string          `json:"message"`
	}
	if json.Unmarshal(body, &form) != nil {
		return "", readErrorText(body)
	}
	code = unquoteJSON(form.Code)
	var inner struct {
		Message string          `json:"message"`
		Code    json.RawMessage `json:"internalCode"`
	}
	if json.Unmarshal(form.Error, &inner) == nil {
		return cmp.Or(code, unquoteJSON(inner.Code)), cmp.Or(inner.Message, form.Message)
	}
	var name string
	_ = json.Unmarshal(form.Error, &name) // stays empty if it is neither
	var parts []string
	for _, part := range []string{name, form.Description, form.Message} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return code, strings.Join(parts, ": ")
}

// readErrorText returns a body that is text or a JSON string, such as
// oauth_problem=signature_invalid, and "" for a page.
func readErrorText(body []byte) string {
	var text string
	if json.Unmarshal(body, &text) != nil {
		text = string(body)
	}
	if !utf8.ValidString(text) || strings.HasPrefix(strings.TrimSpace(text), "<") {
		return ""
	}
	return text
}

// errorKind returns the error for callers to branch on, or nil.
func errorKind(service string, status int, code, message string) error {
	switch status {
	case http.StatusBadRequest:
		return ErrBadRequest
	case http.StatusUnauthorized, http.StatusForbidden:
		// The code has other meanings, which only the message tells apart.
		if service == serviceLogin && code == codeRejected && strings.Contains(strings.ToLower(message), "csrf") {
			return ErrCSRF
		}
		return ErrBadCredentials
	}
	if service == serviceIDP && status >= http.StatusInternalServerError && isRejectionCode(code) {
		return ErrTokenRejected
	}
	return nil
}

// unquoteJSON returns a JSON string or number as a string. Null and anything longer
// than 64 characters become "".
func unquoteJSON(raw json.RawMessage) string {
	value := string(raw)
	_ = json.Unmarshal(raw, &value) // a number stays as it is
	if value == "null" || len(value) > 64 {
		return ""
	}
	return value
}

// parseRetryAfter reads a Retry-After header: seconds or a date (RFC 9110 section
// 10.2.3). More than a day, or a number too long to read, counts as the longest wait
// there is: a server that asks for more does not mean it.
func parseRetryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	seconds, err := strconv.ParseInt(value, 10, 32)
	if errors.Is(err, strconv.ErrRange) && seconds > 0 {
		return maxBackoff
	}
	wait := time.Duration(seconds) * time.Second
	if err != nil {
		wait = 0
		if date, err := http.ParseTime(value); err == nil {
			wait = date.Sub(now)
		}
	}
	if wait > maxRetryAfter {
		return maxBackoff
	}
	return max(0, wait)
}
