package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"idpbridge/claims"
	"idpbridge/internal/normalize"
	"idpbridge/oidc"
	"idpbridge/session"
	"idpbridge/upstream"
)

// showSignIn shows the sign-in page.
func (s *Site) showSignIn(c echo.Context) error {
	sealed := c.QueryParam("request")
	login, ok, err := s.openRequest(c, sealed, "")
	if !ok {
		return err
	}
	page := signInPage{Request: sealed, Username: login.Username}
	if login.Restarted {
		page.Notice = "The page was open for too long, so it started again. If you entered your password, " +
			"it was not checked: enter it again."
	}
	return s.renderSignIn(c, http.StatusOK, login, page)
}

// cancelSignIn returns to the client without signing in.
func (s *Site) cancelSignIn(c echo.Context) error {
	form, err := readPostForm(c)
	if err != nil {
		return err
	}
	sealed := form.Get("request")
	if _, ok, err := s.openRequest(c, sealed, ""); !ok {
		return err
	}
	next, err := s.Provider.CancelLogin(c.Request(), sealed)
	if err != nil {
		return err
	}
	s.Events("login_canceled")
	return s.Renderer.RedirectTo(c, next)
}

func (s *Site) renderSignIn(c echo.Context, status int, login oidc.PendingLogin, page signInPage) error {
	page.Client = login.Client
	page.People = s.DemoPeople
	return s.Renderer.Render(c.Response(), status, "signin", page, Policy{})
}

// submitSignIn checks username and password, starts or renews the browser's session,
// and redirects to /resume.
func (s *Site) submitSignIn(c echo.Context) error {
	form, err := readPostForm(c)
	if err != nil {
		return err
	}
	sealed, username, password := form.Get("request"), form.Get("username"), form.Get("password")
	login, ok, err := s.openRequest(c, sealed, username)
	if !ok {
		return err
	}
	page := signInPage{Request: sealed, Username: username}
	if username == "" || password == "" {
		page.Message = "Enter your username and your password."
		return s.renderSignIn(c, http.StatusUnprocessableEntity, login, page)
	}
	ctx := c.Request().Context()
	log := s.Log.With("reference", login.Reference, "client_id", login.ClientID,
		"address", c.RealIP(), "account", s.HashAccount(normalize.Username(username)))
	person, err := s.checkPassword(c, username, password)
	if throttled, ok := errors.AsType[*throttledError](err); ok {
		s.Events("login_throttled")
		log.InfoContext(ctx, "login throttled", "wait", throttled.wait.Round(time.Second).String())
		c.Response().Header().Set("Retry-After", strconv.Itoa(throttled.waitSeconds()))
		page.Message = "Too many attempts. Wait " + throttled.describeWait() + ", then try again."
		return s.renderSignIn(c, http.StatusTooManyRequests, login, page)
	}
	if errors.Is(err, upstream.ErrBusy) {
		s.Events("login_postponed")
		c.Response().Header().Set("Retry-After", strconv.Itoa(busySeconds))
		page.Message = "Too many people are signing in right now, so your password was not checked. " +
			"Wait a few seconds, then try again."
		return s.renderSignIn(c, http.StatusServiceUnavailable, login, page)
	}
	if errors.Is(err, upstream.ErrRefused) {
		s.Events("login_failed")
		log.InfoContext(ctx, "login failed")
		page.Message = "Username and password do not match. Check both and try again."
		return s.renderSignIn(c, http.StatusUnprocessableEntity, login, page)
	}
	if err != nil {
		return fmt.Errorf("check password: %w", err)
	}
	if err := s.Sessions.Start(c.Response(), c.Request(), person, session.Login{}); err != nil {
		return err
	}
	s.Events("login_succeeded")
	log.InfoContext(ctx, "login succeeded", "subject", person.Subject)
	return s.Renderer.RedirectTo(c, s.Provider.ResumeURL(sealed))
}

// readPostForm returns the fields of the body. The query does not count: a link must not
// fill in a form.
func readPostForm(c echo.Context) (url.Values, error) {
	if err := c.Request().ParseForm(); err != nil {
		status := http.StatusBadRequest
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			status = http.StatusRequestEntityTooLarge
		}
		return nil, echo.NewHTTPError(status).SetInternal(err)
	}
	return c.Request().PostForm, nil
}

// busySeconds is when to try again if too many passwords are waiting to be checked.
const busySeconds = 3

// checkPassword asks the directory, unless the username or the IP address has
// failed too often. The limits are checked again when the comparison is about to
// start, so that parallel guesses cannot slip past them. If the address is unknown, only
// the username is limited: one caller's failures must not lock everyone out.
func (s *Site) checkPassword(c echo.Context, username, password string) (claims.Person, error) {
	address := c.RealIP()
	account := normalize.Username(username)
	name, known := address+" "+account, s.findKnownToken(c.Request(), account)
	checkLimits := func() error {
		wait := s.Usernames.Wait(name)
		if known != "" {
			// A stolen token is worth as much from many addresses as from one.
			wait = max(wait, s.Usernames.Wait("browser "+known))
		} else {
			wait = max(wait, s.Accounts.Wait(account))
		}
		if address != "" {
			wait = max(wait, s.Addresses.Wait(address))
		}
		if wait > 0 {
			return &throttledError{wait}
		}
		return nil
	}
	if err := checkLimits(); err != nil {
		return claims.Person{}, err
	}
	person, err := s.Directory.Authenticate(c.Request().Context(), address, username, password, checkLimits)
	if err == nil {
		s.Usernames.Forget(name)
		// The failures of the account stay: forgetting them would tell a guesser that its
		// owner has signed in.
		s.rememberBrowser(c, account)
	}
	if errors.Is(err, upstream.ErrRefused) {
		s.Usernames.Fail(name)
		if known != "" {
			s.Usernames.Fail("browser " + known)
		} else {
			s.Accounts.Fail(account)
		}
		if address != "" {
			s.Addresses.Fail(address)
		}
	}
	return person, err
}

// throttledError says how long a user must wait before the next attempt.
type throttledError struct{ wait time.Duration }

func (e *throttledError) Error() string { return "too many failures, wait " + e.describeWait() }

func (e *throttledError) waitSeconds() int { return int((e.wait + time.Second - 1) / time.Second) }

func (e *throttledError) describeWait() string {
	n := e.waitSeconds()
	if n == 1 {
		return "1 second"
	}
	if n < 90 {
		return strconv.Itoa(n) + " seconds"
	}
	return strconv.Itoa((n+59)/60) + " minutes"
}
