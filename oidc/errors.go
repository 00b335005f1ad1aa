package oidc

import (
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
	invalidToken             = "invalid_token"
	insufficientScope        = "insufficient_scope"
)

// oauthError is an OAuth error: a code and a description that the client may see (RFC
// 6749 sections 4.1.2.1 and 5.2). Descriptions contain no quotes, no backslash and
// nothing that the caller sent.
type oauthError struct {
	status      int // HTTP status of a JSON response; zero means 400
	code        string
	description string
	cause       error // only for the log
}

func (oauthErr *oauthError) Error() string {
	if oauthErr.cause != nil {
		return fmt.Sprintf("%s: %s: %v", oauthErr.code, oauthErr.description, oauthErr.cause)
	}
	return oauthErr.code + ": " + oauthErr.description
}

func (oauthErr *oauthError) Unwrap() error { return oauthErr.cause }

func newOAuthError(code, description string) *oauthError {
	return &oauthError{code: code, description: description}
}

// toOAuthError returns the *oauthError in err, or a server_error with err as its cause.
func toOAuthError(err error) *oauthError {
	if oauthErr, ok := errors.AsType[*oauthError](err); ok {
		return oauthErr
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
	status := oauthErr.status
	if status == 0 {
		status = http.StatusBadRequest
	}
	if status >= http.StatusInternalServerError {
		p.log.ErrorContext(c.Request().Context(), "request failed", "path", c.Path(), "error", err.Error())
	}
	if oauthErr.code == invalidClient && status == http.StatusUnauthorized {
		c.Response().Header().Set("WWW-Authenticate", `Basic realm="idp"`)
	}
	setNoStore(c)
	return c.JSON(status, errorResponse{Code: oauthErr.code, Description: oauthErr.description})
}

// setNoStore keeps a response out of every cache (RFC 6749 section 5.1).
func setNoStore(c echo.Context) {
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
}
