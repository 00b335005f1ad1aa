package oidc

import (
	"github.com/labstack/echo/v4"

	"idpbridge/claims"
)

// Pages shows pages to the user. Package web implements it.
type Pages interface {
	// RedirectTo redirects the browser, which then uses GET. If the URL is too long for a
	// header, it shows a page that continues there by itself.
	RedirectTo(c echo.Context, to string) error
	// ShowError shows an error page.
	ShowError(c echo.Context, page ErrorPage) error
	// SubmitForm sends parameters to the client by a form that submits itself
	// (OAuth 2.0 Form Post Response Mode).
	SubmitForm(c echo.Context, action string, params []Param) error
	// ConfirmLogout asks whether to sign out.
	ConfirmLogout(c echo.Context, page LogoutPage) error
	// ShowLoggedOut says that the user is signed out, notifies clients by frames, and
	// continues to the client.
	ShowLoggedOut(c echo.Context, page LoggedOutPage) error
}

// ErrorPage tells a user what happened and what to do. Cause, Received and
// Registered are shown in development mode only.
type ErrorPage struct {
	Status     int    // HTTP status; zero means 400
	Title      string // empty means the usual one
	Message    string // what happened
	Remedy     string // what to do
	Reference  string // names the sign-in in logs; may be empty
	Cause      string
	Received   string   // redirect URI of the request
	Registered []string // redirect URIs of the client
}

// Param is a parameter of an authorization response.
type Param struct{ Name, Value string }

// LogoutPage asks a user whether to sign out (RP-Initiated Logout section 2).
type LogoutPage struct {
	Person  claims.Person
	Client  string // name of the client that asks; empty if unknown
	Request string // the sealed request, posted back to PathConfirmLogout
}

// LoggedOutPage is what remains to do in the browser after a sign-out.
type LoggedOutPage struct {
	Frames      []string // URLs to load in frames (Front-Channel Logout section 3)
	ContinueURL string   // where to go once they are loaded; empty for nowhere
	// OnlyClient is the name of the only app that was signed out, if the request did not
	// come from a browser with a session; otherwise it is empty.
	OnlyClient string
}
