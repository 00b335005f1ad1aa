package web

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"idpbridge/claims"
	"idpbridge/liveengage"
)

// sessionCookie names the cookie that carries a session: its id, a dot, and a
// secret of which only the hash is kept.
const sessionCookie = "idp_session"

// pageCookie carries the same for the page script on sites other than ours, where
// the configuration allows it: nothing but CurrentOnPage reads it.
const pageCookie = "idp_page_session"

// seenEvery is how stale Seen may become before using a session writes it.
const seenEvery = time.Minute

// Current returns the session of a request's browser and its person, or
// ErrNoSession. It is one read, and once a minute one write.
func (s *Site) Current(r *http.Request) (Session, claims.Person, error) {
	return s.current(r, sessionCookie)
}

// CurrentOnPage is Current for a request that a page of the brand makes, whose
// origin the caller has checked: where across is true also from other sites.
func (s *Site) CurrentOnPage(r *http.Request, across bool) (Session, claims.Person, error) {
	session, person, err := s.current(r, sessionCookie)
	if errors.Is(err, ErrNoSession) && across {
		return s.current(r, pageCookie)
	}
	return session, person, err
}

func (s *Site) current(r *http.Request, cookie string) (Session, claims.Person, error) {
	id, secret, ok := strings.Cut(s.Cookies.Get(r, s.Cookies.Name(cookie)), ".")
	if !ok || len(id) != 22 || len(secret) != 43 {
		return Session{}, claims.Person{}, ErrNoSession
	}
	now := s.Now()
	session, person, err := s.Sessions.FindSession(r.Context(), id, now)
	if err != nil {
		return Session{}, claims.Person{}, err
	}
	if subtle.ConstantTimeCompare([]byte(hashed(secret)), []byte(session.SecretHash)) != 1 {
		return Session{}, claims.Person{}, ErrNoSession
	}
	if now.Sub(session.Seen) >= min(seenEvery, s.Idle/2) {
		if err := s.Sessions.TouchSession(r.Context(), id, now, earlier(now.Add(s.Idle), session.Ends)); err != nil {
			return Session{}, claims.Person{}, fmt.Errorf("touch session: %w", err)
		}
	}
	return session, person, nil
}

// begin makes the person signed in in this browser. The cookie's secret is new
// every time, so a session id from before the sign-in is worth nothing after it;
// the same person keeps the session, anybody else ends it.
func (s *Site) begin(c echo.Context, person claims.Person) error {
	ctx, now := c.Request().Context(), s.Now()
	secret := random(32)
	next := Session{
		ID: random(16), SecretHash: hashed(secret), Subject: person.Subject, ACR: liveengage.ACR, AMR: []string{"pwd"},
		AuthTime: now, Created: now, Seen: now, Expires: now.Add(min(s.Idle, s.Session)), Ends: now.Add(s.Session),
	}
	old, before, err := s.Current(c.Request())
	switch {
	case errors.Is(err, ErrNoSession):
		if err = s.Sessions.StartSession(ctx, next); err == nil {
			err = s.inherit(c, next)
		}
	case err != nil:
	case before.Subject == person.Subject:
		next.ID, next.Created = old.ID, old.Created
		if err = s.Sessions.RenewSession(ctx, old.SecretHash, next); errors.Is(err, ErrNoSession) {
			next.ID, next.Created = random(16), now // renewed by another tab at this moment
			err = s.Sessions.StartSession(ctx, next)
		}
	default:
		if _, err = s.Sessions.EndSession(ctx, old.ID, now); err == nil {
			err = s.Sessions.StartSession(ctx, next)
		}
	}
	if err != nil {
		return fmt.Errorf("begin session: %w", err)
	}
	s.Cookies.Set(c.Response(), s.Cookies.Name(sessionCookie), next.ID+"."+secret)
	if s.AcrossSites {
		s.Cookies.SetAcrossSites(c.Response(), s.Cookies.Name(pageCookie), next.ID+"."+secret)
	}
	return nil
}

// inherit lets a new session answer for what is left of the one that has expired
// in this browser, so that signing out ends that too. The cookie's secret can no
// longer be compared; whoever plants one reaches nothing but what the person has.
func (s *Site) inherit(c echo.Context, next Session) error {
	id, _, _ := strings.Cut(s.Cookies.Get(c.Request(), s.Cookies.Name(sessionCookie)), ".")
	if len(id) != 22 {
		return nil
	}
	return s.Sessions.InheritSession(c.Request().Context(), id, next.ID, next.Subject, s.Now())
}

// EndPast ends what is left of a subject's expired session and returns the ids of
// the clients that joined it.
func (s *Site) EndPast(r *http.Request, id, subject string) ([]string, error) {
	return s.Sessions.EndPastSession(r.Context(), id, subject, s.Now())
}

// Leave ends the session of a request's browser, if there is one, and takes its
// cookie away. It returns the ids of the clients that joined the session.
func (s *Site) Leave(w http.ResponseWriter, r *http.Request) (clients []string, err error) {
	session, _, err := s.Current(r)
	if err == nil {
		clients, err = s.Sessions.EndSession(r.Context(), session.ID, s.Now())
	}
	if err != nil && !errors.Is(err, ErrNoSession) {
		return nil, fmt.Errorf("end session: %w", err)
	}
	s.Cookies.Clear(w, s.Cookies.Name(sessionCookie))
	if s.AcrossSites {
		s.Cookies.Clear(w, s.Cookies.Name(pageCookie))
	}
	return clients, nil
}

// DisplayName is what pages call a person.
func DisplayName(p claims.Person) string {
	for _, name := range []string{p.Standard.Name, p.Standard.GivenName, p.Standard.PreferredUsername} {
		if name != "" {
			return name
		}
	}
	return "you"
}

// normal is how names are compared when failures are counted.
func normal(username string) string { return strings.ToLower(strings.TrimSpace(username)) }

func hashed(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
