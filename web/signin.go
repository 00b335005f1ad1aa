package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"idpbridge/claims"
)

// showSignin shows the sign-in page of a waiting request.
func (s *Site) showSignin(c echo.Context) error {
	sealed := c.QueryParam("request")
	w := s.Requests.Waiting(c.Request(), sealed)
	if done, err := s.unusable(c, w); done {
		return err
	}
	return s.signinPage(c, http.StatusOK, w, SigninPage{Request: sealed, Username: w.LoginHint})
}

func (s *Site) signinPage(c echo.Context, status int, w Waiting, page SigninPage) error {
	page.Client = w.Client
	page.People = s.Demo
	return s.Renderer.Render(c.Response(), status, "signin", page, Policy{FormAction: w.FormAction})
}

// signIn checks name and password, starts or renews the browser's session and
// returns to the dispatcher.
func (s *Site) signIn(c echo.Context) error {
	sealed, username, password := c.FormValue("request"), c.FormValue("username"), c.FormValue("password")
	w := s.Requests.Waiting(c.Request(), sealed)
	if done, err := s.unusable(c, w); done {
		return err
	}
	page := SigninPage{Request: sealed, Username: username}
	if username == "" || password == "" {
		page.Message = "Enter both your username and your password."
		return s.signinPage(c, http.StatusUnprocessableEntity, w, page)
	}
	person, err := s.prove(c, username, password)
	if wait, ok := errors.AsType[*tooManyError](err); ok {
		s.Events("signin_throttled")
		c.Response().Header().Set("Retry-After", strconv.Itoa(wait.seconds()))
		page.Message = "Too many attempts. Wait " + wait.words() + ", then try again."
		return s.signinPage(c, http.StatusTooManyRequests, w, page)
	}
	if err != nil && s.Refused(err) {
		s.Events("signin_failed")
		s.Log.InfoContext(c.Request().Context(), "password refused", "reference", w.Reference, "client_id", w.ClientID, "address", c.RealIP())
		page.Message = "That username and password do not match. Check both and try again."
		return s.signinPage(c, http.StatusUnprocessableEntity, w, page)
	}
	if err != nil {
		return fmt.Errorf("check password: %w", err)
	}
	if err := s.begin(c, person); err != nil {
		return err
	}
	s.Events("signin_proved")
	s.Log.InfoContext(c.Request().Context(), "password accepted", "reference", w.Reference, "client_id", w.ClientID, "subject", person.Subject)
	return s.see(c, s.Requests.Resume(sealed))
}

// prove asks the directory, unless name or address have failed too often. The
// throttle is asked again when the comparison is about to start, so guesses
// made side by side do not slip past it.
func (s *Site) prove(c echo.Context, username, password string) (claims.Person, error) {
	address := c.RealIP()
	name := address + " " + normal(username)
	allowed := func() error {
		if wait := max(s.Names.Wait(name), s.Addresses.Wait(address)); wait > 0 {
			return &tooManyError{wait}
		}
		return nil
	}
	if err := allowed(); err != nil {
		return claims.Person{}, err
	}
	person, err := s.Directory.Authenticate(c.Request().Context(), username, password, allowed)
	switch {
	case err == nil:
		s.Names.Forget(name)
	case s.Refused(err):
		s.Names.Fail(name)
		s.Addresses.Fail(address)
	}
	return person, err
}

// tooManyError says how long to wait.
type tooManyError struct{ wait time.Duration }

func (e *tooManyError) Error() string { return "too many failures, wait " + e.words() }

func (e *tooManyError) seconds() int { return int((e.wait + time.Second - 1) / time.Second) }

func (e *tooManyError) words() string {
	switch n := e.seconds(); {
	case n == 1:
		return "1 second"
	case n < 90:
		return strconv.Itoa(n) + " seconds"
	default:
		return strconv.Itoa((n+59)/60) + " minutes"
	}
}
