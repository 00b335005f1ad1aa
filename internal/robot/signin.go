package robot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// maxPages is the number of pages that a sign-in may show.
const maxPages = 6

// Credentials are what a person types into a sign-in page.
type Credentials struct{ Username, Password string }

// Response modes (OAuth 2.0 Multiple Response Type Encoding Practices 2.1, Form
// Post Response Mode).
const (
	ModeQuery    = "query"
	ModeFragment = "fragment"
	ModeFormPost = "form_post"
)

// Response is an authorization response, good or bad: its parameters and how
// they were sent.
type Response struct {
	url.Values

	Mode        string
	RedirectURI string // where it was sent, without the parameters
	Page        *Page
}

// PageError is a page at which a sign-in ended without a response to the client.
type PageError struct{ Page *Page }

func (e *PageError) Error() string {
	return fmt.Sprintf("the sign-in ended at a page without a response to the client (status %d): %s",
		e.Page.Status, Excerpt(e.Page.Body))
}

// LoginRejectedError is a sign-in page that came back after the password was submitted.
// The password is not submitted again: providers lock accounts after a few attempts.
type LoginRejectedError struct {
	Username string
	Page     *Page
}

func (e *LoginRejectedError) Error() string {
	return fmt.Sprintf("the provider rejected the password of %q, which was submitted once (status %d): %s",
		e.Username, e.Page.Status, Excerpt(e.Page.Body))
}

// ErrTooManyPages is a sign-in that shows page after page.
var ErrTooManyPages = errors.New("the sign-in went from page to page without a response to the client")

// SignIn opens the URL of an authorization request, does what every page asks
// for, and returns the response to the client, which may be an OAuth error. It
// returns a *PageError if the provider shows a page that is no part of a sign-in, and a
// *LoginRejectedError if it rejects the password.
func (b *Browser) SignIn(ctx context.Context, rawURL, redirectURI string, user Credentials) (Response, error) {
	page, err := b.Get(ctx, rawURL)
	if err != nil {
		return Response{}, err
	}
	return b.FinishSignIn(ctx, page, redirectURI, user)
}

// FinishSignIn is SignIn from a page on.
func (b *Browser) FinishSignIn(
	ctx context.Context, page *Page, redirectURI string, user Credentials,
) (Response, error) {
	submitted := false
	for range maxPages {
		if response, ok := page.AuthorizationResponse(redirectURI); ok {
			return response, nil
		}
		form, fields, ok := page.nextStep(user)
		if !ok {
			return Response{}, &PageError{page}
		}
		if _, asks := page.PasswordForm(); asks {
			if submitted && page.Status < http.StatusInternalServerError {
				return Response{}, &LoginRejectedError{user.Username, page}
			}
			if submitted {
				return Response{}, &PageError{page}
			}
			submitted = true
		}
		var err error
		if page, err = b.Submit(ctx, page, form, fields); err != nil {
			return Response{}, err
		}
	}
	return Response{}, ErrTooManyPages
}

// nextStep returns the form that takes a sign-in on, filled in.
func (p *Page) nextStep(user Credentials) (Form, url.Values, bool) {
	if form, ok := p.PasswordForm(); ok {
		return form, form.FillIn(user), true
	}
	if forms := p.Forms(); len(forms) > 0 && p.Status < 300 {
		return forms[0], forms[0].Agree(), true
	}
	return Form{}, nil, false
}

// AuthorizationResponse returns the response that the page hands to the client,
// and false if there is none.
func (p *Page) AuthorizationResponse(redirectURI string) (Response, bool) {
	if p.Location != "" {
		return p.readLocation()
	}
	for _, form := range p.Forms() {
		if form.Action == redirectURI && form.Method == http.MethodPost {
			fields := form.SubmittedFields()
			return Response{Values: fields, Mode: ModeFormPost, RedirectURI: form.Action, Page: p}, true
		}
	}
	return Response{}, false
}

func (p *Page) readLocation() (Response, bool) {
	mode := ModeFragment
	target, raw, found := strings.Cut(p.Location, "#")
	if !found {
		mode = ModeQuery
		target, raw, _ = strings.Cut(p.Location, "?")
	}
	parameters, err := url.ParseQuery(raw)
	if err != nil {
		return Response{}, false
	}
	return Response{Values: parameters, Mode: mode, RedirectURI: target, Page: p}, true
}
