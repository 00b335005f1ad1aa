package session_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/claims"
	"idpbridge/internal/cookie"
	"idpbridge/server"
	"idpbridge/server/servertest"
	"idpbridge/session"
)

// jar is a browser that has only cookies.
type jar map[string]string

// request returns a request with the browser's cookies.
func (j jar) request(t *testing.T) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/", nil)
	for name, value := range j {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

// keep keeps the cookies of a response.
func (j jar) keep(w *httptest.ResponseRecorder) {
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(j, c.Name)
			continue
		}
		j[c.Name] = c.Value
	}
}

func (j jar) signIn(t *testing.T, m *session.Manager, person claims.Person) {
	t.Helper()
	w := httptest.NewRecorder()
	require.NoError(t, m.Start(w, j.request(t), person, session.Login{}))
	j.keep(w)
}

// requireSession requires an open session and returns it.
func (j jar) requireSession(t *testing.T, m *session.Manager) session.Current {
	t.Helper()
	current, ok, err := m.Find(j.request(t))
	require.NoError(t, err)
	require.True(t, ok, "there is no session")
	return current
}

func (j jar) requireNoSession(t *testing.T, m *session.Manager) {
	t.Helper()
	_, ok, err := m.Find(j.request(t))
	require.NoError(t, err)
	require.False(t, ok, "there is a session")
}

// newManager returns the manager of a server, its clock, and two people.
func newManager(t *testing.T) (m *session.Manager, clock *servertest.Clock, jane, victor claims.Person) {
	t.Helper()
	clock = &servertest.Clock{}
	s := servertest.New(t, func(c *server.Config) { c.Now = clock.Now })
	for _, p := range s.People {
		switch p.Username {
		case "jane":
			jane = p.Person
		case "victor":
			victor = p.Person
		}
	}
	require.NotEmpty(t, jane.Subject)
	require.NotEmpty(t, victor.Subject)
	return s.Sessions, clock, jane, victor
}

// TestStartChangesSecret: a cookie from before a sign-in is worth nothing afterwards,
// whether the same user signs in again or another.
func TestStartChangesSecret(t *testing.T) {
	t.Parallel()
	m, clock, jane, victor := newManager(t)
	browser, planted := jar{}, jar{}
	browser.requireNoSession(t, m)
	browser.signIn(t, m, jane)
	first := browser.requireSession(t, m)
	require.Equal(t, jane.Subject, first.Person.Subject)
	for name, value := range browser {
		planted[name] = value
	}
	clock.Add(time.Second)
	browser.signIn(t, m, jane)
	again := browser.requireSession(t, m)
	require.Equal(t, first.ID, again.ID, "the same session")
	require.Equal(t, first.Created.UnixMilli(), again.Created.UnixMilli())
	require.True(t, again.AuthTime.After(first.AuthTime))
	planted.requireNoSession(t, m)

	browser.signIn(t, m, victor)
	other := browser.requireSession(t, m)
	require.NotEqual(t, first.ID, other.ID)
	require.Equal(t, victor.Subject, other.Person.Subject)
}

// TestInvalidCookies: a cookie that is incomplete or changed is no session.
func TestInvalidCookies(t *testing.T) {
	t.Parallel()
	m, _, jane, _ := newManager(t)
	browser := jar{}
	browser.signIn(t, m, jane)
	require.Len(t, browser, 1)
	for name, value := range browser {
		id, secret, ok := strings.Cut(value, ".")
		require.True(t, ok)
		for _, invalid := range []string{
			"", id, id + ".", "." + secret, id + "." + secret[1:], secret + "." + id,
			id + "." + strings.Repeat("A", len(secret)), strings.Repeat("A", len(id)) + "." + secret,
		} {
			jar{name: invalid}.requireNoSession(t, m)
		}
	}
	browser.requireSession(t, m)
}

// TestSessionLifetimes: a session ends when it is not used, and after its absolute
// lifetime despite its use. Its time of use is written about once a minute.
func TestSessionLifetimes(t *testing.T) {
	t.Parallel()
	m, clock, jane, _ := newManager(t)
	browser := jar{}
	browser.signIn(t, m, jane)
	seen := browser.requireSession(t, m).Seen
	clock.Add(30 * time.Second)
	browser.requireSession(t, m)
	require.True(t, browser.requireSession(t, m).Seen.Equal(seen), "not written again within a minute")
	clock.Add(time.Minute)
	browser.requireSession(t, m)
	require.True(t, browser.requireSession(t, m).Seen.After(seen))
	clock.Add(m.Idle)
	browser.requireNoSession(t, m)

	browser.signIn(t, m, jane)
	for range int(m.Lifetime / (m.Idle / 2)) {
		browser.requireSession(t, m)
		clock.Add(m.Idle / 2)
	}
	browser.requireNoSession(t, m)
}

// TestEndClearsCookies: also the one for other sites.
func TestEndClearsCookies(t *testing.T) {
	t.Parallel()
	shared, _, jane, _ := newManager(t)
	m := session.New(session.Config{
		Store: shared.Store, Cookies: cookie.Policy{Secure: true}, CrossSite: true,
		Lifetime: shared.Lifetime, Idle: shared.Idle, Now: shared.Now,
	})
	browser := jar{}
	browser.signIn(t, m, jane)
	require.Len(t, browser, 2)
	crossSite := jar{"__Host-idp_page_session": browser["__Host-idp_page_session"]}
	for _, allowed := range []bool{true, false} {
		_, ok, err := m.FindForPage(crossSite.request(t), allowed)
		require.NoError(t, err)
		require.Equal(t, allowed, ok)
	}
	crossSite.requireNoSession(t, m)
	id := browser.requireSession(t, m).ID
	_, err := m.EndOf(t.Context(), id, "another")
	require.NoError(t, err)
	browser.requireSession(t, m) // of another subject

	w := httptest.NewRecorder()
	clients, err := m.End(w, browser.request(t))
	require.NoError(t, err)
	require.Empty(t, clients)
	old := jar{"__Host-idp_session": browser["__Host-idp_session"]}
	browser.keep(w)
	require.Empty(t, browser)
	old.requireNoSession(t, m)
}
