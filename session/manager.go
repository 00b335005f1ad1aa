// Package session keeps the session of a browser: its cookie, its row and its
// life. It knows nothing of OpenID Connect or of pages.
//
// Read Manager first; Store is what it needs of the database.
package session

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"idpbridge/claims"
	"idpbridge/internal/cookie"
	"idpbridge/liveengage"
)

const (
	// ACRPassword is the authentication context class of a sign-in by password.
	ACRPassword = liveengage.ACR

	// browserCookie carries a session: its id, a dot, and a secret. Only the hash of
	// the secret is stored.
	browserCookie = "idp_session"
	// pageCookie carries the same for the page script on other sites, if the
	// configuration allows it. Only FindForPage reads it.
	pageCookie = "idp_page_session"

	// touchInterval is how old Seen may get before the next use writes it.
	touchInterval = time.Minute

	idBytes, secretBytes   = 16, 32
	idLength, secretLength = 22, 43 // the same in base64url
)

// Config is what a Manager needs. Every field except CrossSite is required.
type Config struct {
	Store    Store
	Cookies  cookie.Policy
	Lifetime time.Duration // absolute
	Idle     time.Duration // without use
	Now      func() time.Time
	// CrossSite sets a second cookie, so that the page script can use the session on
	// other sites.
	CrossSite bool
}

// Manager starts, finds and ends the sessions of browsers. It is safe for concurrent use.
type Manager struct{ Config }

// New returns a Manager.
func New(cfg Config) *Manager { return &Manager{cfg} }

// Current is the open session of a browser, with its person as currently known.
type Current struct {
	Session

	Person claims.Person
}

// Find returns the session of the request's browser and reports whether there is
// one. It costs one read, and about once a minute one write.
func (m *Manager) Find(r *http.Request) (Current, bool, error) {
	return m.findByCookie(r, browserCookie)
}

// FindForPage is Find for a request of the page script, whose origin the caller has
// checked. With crossSite it also accepts the cookie for other sites.
func (m *Manager) FindForPage(r *http.Request, crossSite bool) (Current, bool, error) {
	current, ok, err := m.findByCookie(r, browserCookie)
	if err == nil && !ok && crossSite {
		return m.findByCookie(r, pageCookie)
	}
	return current, ok, err
}

func (m *Manager) findByCookie(r *http.Request, name string) (Current, bool, error) {
	id, secret, ok := strings.Cut(m.Cookies.Get(r, m.Cookies.Name(name)), ".")
	if !ok || len(id) != idLength || len(secret) != secretLength {
		return Current{}, false, nil
	}
	now := m.Now()
	found, person, err := m.Store.FindSession(r.Context(), id, now)
	if errors.Is(err, ErrNotFound) {
		return Current{}, false, nil
	}
	if err != nil {
		return Current{}, false, err
	}
	if subtle.ConstantTimeCompare([]byte(hashSecret(secret)), []byte(found.SecretHash)) != 1 {
		return Current{}, false, nil
	}
	if now.Sub(found.Seen) >= min(touchInterval, m.Idle/2) {
		if err := m.Store.TouchSession(r.Context(), id, now, earlierOf(now.Add(m.Idle), found.Ends)); err != nil {
			return Current{}, false, fmt.Errorf("touch session: %w", err)
		}
	}
	return Current{Session: found, Person: person}, true, nil
}

// Login is how a person has authenticated. The zero value is a password, just now.
type Login struct {
	ACR string   // empty means ACRPassword
	AMR []string // of an upstream; a password has its own
	// AuthTime is when the person authenticated at the upstream; zero if it did not say.
	AuthTime time.Time
	Remote   *UpstreamSession // nil for the local directory
}

// Start signs the person in in this browser. The cookie's secret is always new, so
// a cookie from before the sign-in is worth nothing afterwards (session fixation).
// The same person keeps the session; another person's session ends.
func (m *Manager) Start(w http.ResponseWriter, r *http.Request, person claims.Person, login Login) error {
	now, secret := m.Now(), randomString(secretBytes)
	next := Session{
		ID: randomString(idBytes), SecretHash: hashSecret(secret), Subject: person.Subject,
		ACR: cmp.Or(login.ACR, ACRPassword), AMR: login.AMR, AuthTime: login.AuthTime, Created: now, Seen: now,
		Expires: now.Add(min(m.Idle, m.Lifetime)), Ends: now.Add(m.Lifetime), Remote: login.Remote,
	}
	if login.Remote == nil {
		next.AMR = []string{"pwd"}
	} else {
		next.Upstream, next.AuthTimeUnknown = login.Remote.Upstream, login.AuthTime.IsZero()
	}
	if login.AuthTime.IsZero() || login.AuthTime.After(now) {
		next.AuthTime = now
	}
	old, signedIn, err := m.Find(r)
	if err == nil {
		next, err = m.storeSession(r, old, signedIn, next)
	}
	if err != nil {
		return fmt.Errorf("start session: %w", err)
	}
	value := next.ID + "." + secret
	m.Cookies.Set(w, m.Cookies.Name(browserCookie), value)
	if m.CrossSite {
		m.Cookies.SetAcrossSites(w, m.Cookies.Name(pageCookie), value)
	}
	return nil
}

// storeSession stores the next session of a browser and returns it as stored.
func (m *Manager) storeSession(r *http.Request, old Current, signedIn bool, next Session) (Session, error) {
	ctx := r.Context()
	if !signedIn {
		if err := m.Store.StartSession(ctx, next); err != nil {
			return next, err
		}
		return next, m.inheritExpired(r, next)
	}
	if old.Person.Subject != next.Subject {
		if _, err := m.Store.EndSession(ctx, old.ID, next.Created); err != nil {
			return next, err
		}
		return next, m.Store.StartSession(ctx, next)
	}
	renewed := next
	renewed.ID, renewed.Created = old.ID, old.Created
	err := m.Store.RenewSession(ctx, old.SecretHash, renewed)
	if errors.Is(err, ErrNotFound) { // another tab has renewed it at this moment
		return next, m.Store.StartSession(ctx, next)
	}
	return renewed, err
}

// inheritExpired moves what outlives the browser's expired session to the new one,
// so that signing out ends that too. The secret of the old cookie can no longer be
// checked; a planted cookie reaches only what belongs to the same person.
func (m *Manager) inheritExpired(r *http.Request, next Session) error {
	id, _, _ := strings.Cut(m.Cookies.Get(r, m.Cookies.Name(browserCookie)), ".")
	if len(id) != idLength {
		return nil
	}
	return m.Store.InheritSession(r.Context(), id, next.ID, next.Subject, next.Created)
}

// End ends the session of the request's browser, if there is one, and clears its
// cookies. It returns the ids of the clients that joined the session.
func (m *Manager) End(w http.ResponseWriter, r *http.Request) (clients []string, err error) {
	current, ok, err := m.Find(r)
	if err == nil && ok {
		clients, err = m.Store.EndSession(r.Context(), current.ID, m.Now())
	}
	if err != nil {
		return nil, fmt.Errorf("end session: %w", err)
	}
	m.Cookies.Clear(w, m.Cookies.Name(browserCookie))
	if m.CrossSite {
		m.Cookies.Clear(w, m.Cookies.Name(pageCookie))
	}
	return clients, nil
}

// EndOf ends the session of a subject by its id, and what outlives it. It returns the ids of
// the clients that joined the session. A session of another subject stays unchanged.
func (m *Manager) EndOf(ctx context.Context, id, subject string) (clients []string, err error) {
	return m.Store.EndSessionOf(ctx, id, subject, m.Now())
}

func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func randomString(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

func earlierOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
