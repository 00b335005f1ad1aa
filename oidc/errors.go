package oidc

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
)

// The error codes that zitadel/oidc has no name for.
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
	invalidToken             = "invalid_token"
	insufficientScope        = "insufficient_scope"
)

// fault is a refusal in OAuth's terms: the code and description that a client
// may see (RFC 6749 sections 4.1.2.1 and 5.2). Descriptions hold no quotes, no
// backslash and nothing that a stranger sent.
type fault struct {
	status      int // HTTP status where it is answered as JSON; zero means 400
	code        string
	description string
	cause       error // for the log alone
}

func (f *fault) Error() string {
	if f.cause != nil {
		return fmt.Sprintf("%s: %s: %v", f.code, f.description, f.cause)
	}
	return f.code + ": " + f.description
}

func (f *fault) Unwrap() error { return f.cause }

// refuse makes a fault.
func refuse(code, description string) *fault { return &fault{code: code, description: description} }

// asFault turns any error into a fault; what is not one already is a
// server_error whose cause stays in the log.
func asFault(err error) *fault {
	if f, ok := errors.AsType[*fault](err); ok {
		return f
	}
	return &fault{
		status: http.StatusInternalServerError, code: serverError, cause: err,
		description: "Something went wrong on our side. Try again in a moment.",
	}
}

// oauthError is the body of an error answer (RFC 6749 section 5.2).
type oauthError struct {
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// writeFault answers a client's own request with a JSON error.
func (p *Provider) writeFault(c echo.Context, err error) error {
	f := asFault(err)
	status := f.status
	if status == 0 {
		status = http.StatusBadRequest
	}
	if status >= http.StatusInternalServerError {
		p.log.ErrorContext(c.Request().Context(), "request failed", "path", c.Path(), "error", err.Error())
	}
	if f.code == invalidClient && status == http.StatusUnauthorized {
		c.Response().Header().Set("WWW-Authenticate", `Basic realm="idp"`)
	}
	noStore(c)
	return c.JSON(status, oauthError{Code: f.code, Description: f.description})
}

// noStore keeps an answer out of every cache (RFC 6749 section 5.1).
func noStore(c echo.Context) {
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
}
