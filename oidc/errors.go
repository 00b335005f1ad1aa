package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
)

// The error codes; zitadel/oidc has no name for some.
const (
	unsupportedResponseType  = "unsupported_response_type"
	requestURINotSupported   = "request_uri_not_supported"
	registrationNotSupported = "registration_not_supported"
	accessDenied             = string(zoidc.AccessDenied)
	invalidRequest           = string(zoidc.InvalidRequest)
	invalidScope             = string(zoidc.InvalidScope)
	invalidClient            = string(zoidc.InvalidClient)
	invalidGrant             = string(zoidc.InvalidGrant)
	unauthorizedClient       = string(zoidc.UnauthorizedClient)
	unsupportedGrantType     = string(zoidc.UnsupportedGrantType)
	requestNotSupported      = string(zoidc.RequestNotSupported)
	loginRequired            = string(zoidc.LoginRequired)
	serverError              = string(zoidc.ServerError)
	temporarilyUnavailable   = "temporarily_unavailable"
	invalidToken             = "invalid_token"
	insufficientScope        = "insufficient_scope"
)

// RetryAfter is the seconds after which a caller may try again when the service is
// unavailable.
const RetryAfter = "5"

// oauthError is an OAuth error: a code and a description that the client may see (RFC
// 6749 sections 4.1.2.1 and 5.2). Descriptions contain no quotes, no backslash and
// nothing that the caller sent.
type oauthError struct {
	status      int // HTTP status of a JSON response; zero means 400
	code        string
	description string
	cause       error // only for the log
}

func (e *oauthError) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.code, e.description, e.cause)
	}
	return e.code + ": " + e.description
}

func (e *oauthError) Unwrap() error { return e.cause }

// isServerError reports whether the error is ours, not the caller's.
func (e *oauthError) isServerError() bool { return e.status >= http.StatusInternalServerError }

func newOAuthError(code, description string) *oauthError {
	return &oauthError{code: code, description: description}
}

// toOAuthError returns the *oauthError in err, or a server_error with err as its cause.
func toOAuthError(err error) *oauthError {
	if oauthErr, ok := errors.AsType[*oauthError](err); ok {
		return oauthErr
	}
	if errors.Is(err, ErrUnavailable) {
		return &oauthError{
			status: http.StatusServiceUnavailable, code: temporarilyUnavailable, cause: err,
			description: "The service is not available at the moment. Try again in a few seconds.",
		}
	}
	return &oauthError{
		status: http.StatusInternalServerError, code: serverError, cause: err,
		description: "Something went wrong on our side. Try again in a moment.",
	}
}

// errorResponse is the body of an error response (RFC 6749 section 5.2).
type errorResponse struct {
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// writeError responds to a client's own request with a JSON error.
func (p *Provider) writeError(c echo.Context, err error) error {
	oauthErr := toOAuthError(err)
	p.countUnavailable(err)
	status := oauthErr.status
	if status == 0 {
		status = http.StatusBadRequest
	}
	if status == http.StatusServiceUnavailable {
		c.Response().Header().Set("Retry-After", RetryAfter)
	}
	if status >= http.StatusInternalServerError && !errors.Is(err, context.Canceled) {
		p.log.ErrorContext(c.Request().Context(), "request failed", "path", c.Path(), "error", err.Error())
	}
	if oauthErr.code == invalidClient && status == http.StatusUnauthorized {
		c.Response().Header().Set("WWW-Authenticate", `Basic realm="idp"`)
	}
	setNoStore(c)
	return c.JSON(status, errorResponse{Code: oauthErr.code, Description: oauthErr.description})
}

// countUnavailable counts requests that failed because the database is unavailable.
func (p *Provider) countUnavailable(err error) {
	if errors.Is(err, ErrUnavailable) {
		p.events("database_unavailable", "")
	}
}

// setNoStore keeps a response out of every cache (RFC 6749 section 5.1).
func setNoStore(c echo.Context) {
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
}
