package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/oidc"
	"idpbridge/session"
)

func newRemote(name string) *session.UpstreamSession {
	return &session.UpstreamSession{
		Upstream: "okta", SubjectHash: "subject of " + name, SessionHash: "session of " + name,
		IDToken: "id token of " + name, RefreshToken: "refresh token of " + name, Refreshed: start,
	}
}

// startRemoteSession starts a session of a person who came by an upstream.
func startRemoteSession(t *testing.T, s Store, id, name string) session.Session {
	t.Helper()
	require.NoError(t, s.RecordPerson(t.Context(), "okta", newPerson("sub-"+name), start))
	started := newSession(id, name)
	started.Upstream, started.AuthTimeUnknown, started.Remote = "okta", true, newRemote(id)
	require.NoError(t, s.StartSession(t.Context(), started))
	return started
}

func testUpstreamSessionIsStored(t *testing.T, s Store) {
	started := startRemoteSession(t, s, "b", "ann")
	got, err := s.FindUpstreamSession(t.Context(), "b")
	require.NoError(t, err)
	require.Equal(t, *newRemote("b"), got)
	found, _, err := s.FindSession(t.Context(), "b", start)
	require.NoError(t, err)
	require.Equal(t, "okta", found.Upstream)
	require.True(t, found.AuthTimeUnknown)

	renewed := started
	renewed.SecretHash, renewed.Remote, renewed.AuthTimeUnknown = "new", newRemote("later"), false
	require.ErrorIs(t, s.RenewSession(t.Context(), "another", renewed), session.ErrNotFound)
	require.NoError(t, s.RenewSession(t.Context(), started.SecretHash, renewed))
	got, err = s.FindUpstreamSession(t.Context(), "b")
	require.NoError(t, err)
	require.Equal(t, *newRemote("later"), got)
	found, _, err = s.FindSession(t.Context(), "b", start)
	require.NoError(t, err)
	require.False(t, found.AuthTimeUnknown)

	next := *newRemote("next")
	replaced, err := s.ReplaceUpstreamSession(t.Context(), "b", "refresh token of b", next)
	require.NoError(t, err)
	require.False(t, replaced, "another instance has used that refresh token")
	replaced, err = s.ReplaceUpstreamSession(t.Context(), "b", "refresh token of later", next)
	require.NoError(t, err)
	require.True(t, replaced)

	_, err = s.EndSession(t.Context(), "b", start)
	require.NoError(t, err)
	_, err = s.FindUpstreamSession(t.Context(), "b")
	require.ErrorIs(t, err, session.ErrNotFound)
	_, err = s.FindUpstreamSession(t.Context(), "")
	require.ErrorIs(t, err, session.ErrNotFound)
}

func testUpstreamSessionsEnd(t *testing.T, s Store) {
	for _, id := range []string{"a", "b", "c", "d"} {
		startRemoteSession(t, s, id, "ann")
		require.NoError(t, s.RecordSignin(t.Context(), newSignin(id, id, "ann")))
		require.NoError(t, s.JoinSession(t.Context(), id, "web"))
	}
	end := func(upstream, subjectHash, sessionHash string, want int) {
		t.Helper()
		n, err := s.EndUpstreamSessions(t.Context(), upstream, subjectHash, sessionHash, start)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	end("other", "", "session of a", 0)
	end("okta", "", "", 0)
	end("okta", "subject of nobody", "", 0)
	end("okta", "subject of b", "session of a", 1)
	end("okta", "subject of b", "", 1)
	for id, open := range map[string]bool{"a": false, "b": false, "c": true, "d": true} {
		_, _, err := s.FindSignin(t.Context(), id, start)
		if open {
			require.NoError(t, err, id)
			continue
		}
		require.ErrorIs(t, err, oidc.ErrNotFound, id)
	}
	pending, err := s.PendingLogouts(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, pending)
}

func testUpstreamSessionIsSwept(t *testing.T, s Store) {
	started := startRemoteSession(t, s, "b", "ann")
	_, err := s.Sweep(t.Context(), started.Expires.Add(-time.Millisecond))
	require.NoError(t, err)
	_, err = s.FindUpstreamSession(t.Context(), "b")
	require.NoError(t, err)
	_, err = s.Sweep(t.Context(), started.Expires)
	require.NoError(t, err)
	_, err = s.FindUpstreamSession(t.Context(), "b")
	require.ErrorIs(t, err, session.ErrNotFound)
}

func testPeopleOfUpstreams(t *testing.T, s Store) {
	name := func(subject string) string {
		_, person, err := s.FindSession(t.Context(), "of "+subject, start)
		require.NoError(t, err)
		return person.Standard.Name
	}
	record := func(subject, displayName string) {
		t.Helper()
		person := newPerson("sub-" + subject)
		person.Standard.Name = displayName
		require.NoError(t, s.RecordPerson(t.Context(), "okta", person, start))
	}
	record("zoe", "Zoe")
	record("ann", "Ann of Okta")
	for _, subject := range []string{"zoe", "ann"} {
		require.NoError(t, s.StartSession(t.Context(), newSession("of "+subject, subject)))
	}
	require.Equal(t, "Zoe", name("zoe"))
	record("zoe", "Zoe Two")
	require.Equal(t, "Zoe Two", name("zoe"), "what the upstream said last")

	replacePeople(t, s, "ann", "bob")
	require.Equal(t, "Zoe Two", name("zoe"), "the people file does not remove people of upstreams")
	require.Empty(t, name("ann"), "the people file has ann now")
	record("ann", "Ann of Okta")
	require.Empty(t, name("ann"), "a person of the people file stays as the file says")
	requirePeople(t, s, newAccount("ann"), newAccount("bob"))
	replacePeople(t, s)
	_, _, err := s.FindSession(t.Context(), "of ann", start)
	require.ErrorIs(t, err, session.ErrNotFound)
}

func testSigninKeepsItsOrigin(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	signin := newSignin("a", "", "ann")
	signin.Upstream, signin.ExchangedBy = "backend", "shop"
	require.NoError(t, s.RecordSignin(t.Context(), signin))
	got, _, err := s.FindSignin(t.Context(), "a", start)
	require.NoError(t, err)
	require.Equal(t, signin, got)
}
