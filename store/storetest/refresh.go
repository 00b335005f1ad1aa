package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/oidc"
)

const (
	idleLife   = 2 * time.Hour
	accessLife = 10 * time.Minute
	grace      = 30 * time.Second
	// refreshLife is the absolute lifetime, more than twice the idle lifetime.
	refreshLife = 5 * time.Hour
)

// newRotation presents a token of sign-in i at the start.
func newRotation(number int) oidc.Rotation {
	return oidc.Rotation{
		ID: "i", ClientID: "liveengage", Number: number, At: start, Idle: idleLife, Access: accessLife, Grace: grace,
	}
}

// storeRefreshableSignin stores the redeemed sign-in i with its first refresh token.
func storeRefreshableSignin(t *testing.T, s Store) oidc.Signin {
	t.Helper()
	replacePeople(t, s, "ann")
	signin := newSignin("i", "", "ann")
	signin.Refresh = oidc.Refresh{Number: 1, Issued: start, Expires: start.Add(idleLife), Ends: start.Add(refreshLife)}
	signin.Expires = signin.Refresh.Expires
	require.NoError(t, s.RecordSignin(t.Context(), signin))
	back, _, err := s.RedeemCode(t.Context(), "i", start, 0)
	require.NoError(t, err)
	signin.State = oidc.Redeemed
	require.Equal(t, signin, back)
	return signin
}

// mustRotate returns the sign-in after a rotation, which must succeed.
func mustRotate(t *testing.T, s Store, r oidc.Rotation) oidc.Signin {
	t.Helper()
	signin, person, err := s.RotateRefreshToken(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, newPerson("sub-ann"), person)
	return signin
}

// mustReject presents a token that must be rejected with an error. Open tells whether the
// sign-in must be open afterwards.
func mustReject(t *testing.T, s Store, r oidc.Rotation, want error, open bool) {
	t.Helper()
	before, _, _ := s.FindSignin(t.Context(), "i", start)
	signin, person, err := s.RotateRefreshToken(t.Context(), r)
	require.ErrorIs(t, err, want)
	require.Zero(t, person, "the person is not returned")
	if errors.Is(want, oidc.ErrReplayed) {
		require.Equal(t, r.ID, signin.ID, "the sign-in, for the log")
		require.Equal(t, oidc.Closed, signin.State)
	} else {
		require.Zero(t, signin)
	}
	after, _, err := s.FindSignin(t.Context(), "i", start)
	if open {
		require.NoError(t, err)
		require.Equal(t, before, after, "nothing has changed")
		return
	}
	require.ErrorIs(t, err, oidc.ErrNotFound)
}

func testRefreshTokenSequence(t *testing.T, s Store) {
	want := storeRefreshableSignin(t, s)
	mustReject(t, s, newRotation(2), oidc.ErrNotFound, true)
	r := newRotation(1)
	for n := range 3 {
		r.Number, r.At = n+1, start.Add(time.Duration(n)*time.Hour)
		want.Refresh.Number, want.Refresh.Issued, want.Refresh.Expires = n+2, r.At, r.At.Add(idleLife)
		want.Expires = want.Refresh.Expires
		require.Equal(t, want, mustRotate(t, s, r))
		found, _, err := s.FindSignin(t.Context(), "i", r.At)
		require.NoError(t, err)
		require.Equal(t, want, found)
	}
	for _, number := range []int{0, -1, 5, 1 << 40} {
		mustReject(t, s, newRotation(number), oidc.ErrNotFound, true)
	}
	unknown := newRotation(4)
	unknown.ID = "I"
	mustReject(t, s, unknown, oidc.ErrNotFound, true)
}

func testGracePeriod(t *testing.T, s Store) {
	storeRefreshableSignin(t, s)
	successor := mustRotate(t, s, newRotation(1))
	retry := newRotation(1)
	// A second earlier, too, because the clocks of two instances may differ.
	for _, late := range []time.Duration{0, grace - time.Millisecond, -time.Second} {
		retry.At = start.Add(late)
		require.Equal(t, successor, mustRotate(t, s, retry))
	}
	found, _, err := s.FindSignin(t.Context(), "i", start)
	require.NoError(t, err)
	require.Equal(t, successor, found, "nothing has changed")
	require.Equal(t, 3, mustRotate(t, s, newRotation(2)).Refresh.Number)
}

func testReplayAfterGracePeriod(t *testing.T, s Store) {
	storeRefreshableSignin(t, s)
	mustRotate(t, s, newRotation(1))
	late := newRotation(1)
	late.At = start.Add(grace)
	mustReject(t, s, late, oidc.ErrReplayed, false)
	mustReject(t, s, late, oidc.ErrNotFound, false)
	mustReject(t, s, newRotation(2), oidc.ErrNotFound, false)
}

func testReplayWithoutGracePeriod(t *testing.T, s Store) {
	storeRefreshableSignin(t, s)
	r := newRotation(1)
	r.Grace = 0
	mustRotate(t, s, r)
	r.At = start.Add(-time.Second) // by an instance whose clock is slow
	mustReject(t, s, r, oidc.ErrReplayed, false)
}

func testReplayOfOlderToken(t *testing.T, s Store) {
	storeRefreshableSignin(t, s)
	mustRotate(t, s, newRotation(1))
	mustRotate(t, s, newRotation(2))
	// Only the predecessor of the newest token has a grace period.
	mustReject(t, s, newRotation(1), oidc.ErrReplayed, false)
	mustReject(t, s, newRotation(1), oidc.ErrNotFound, false)
	mustReject(t, s, newRotation(3), oidc.ErrNotFound, false)
}

func testTokenOfOtherClient(t *testing.T, s Store) {
	storeRefreshableSignin(t, s)
	foreign := newRotation(1)
	foreign.ClientID = "another"
	mustReject(t, s, foreign, oidc.ErrNotFound, true)
	mustRotate(t, s, newRotation(1))
	mustReject(t, s, foreign, oidc.ErrNotFound, true) // within the grace period of its own client
	mustRotate(t, s, newRotation(2))
	mustReject(t, s, foreign, oidc.ErrNotFound, true) // a replay by its own client
	require.Equal(t, 4, mustRotate(t, s, newRotation(3)).Refresh.Number)
}

func testSigninWithoutRefreshToken(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	signin := newSignin("i", "", "ann")
	signin.Refresh = oidc.Refresh{Number: 1, Issued: start, Expires: start.Add(idleLife), Ends: start.Add(refreshLife)}
	require.NoError(t, s.RecordSignin(t.Context(), signin))
	mustReject(t, s, newRotation(1), oidc.ErrNotFound, true)
	_, _, err := s.RedeemCode(t.Context(), "i", start, 0)
	require.NoError(t, err, "the code can still be redeemed")
	mustRotate(t, s, newRotation(1))

	require.NoError(t, s.RecordSignin(t.Context(), newSignin("none", "", "ann")))
	_, _, err = s.RedeemCode(t.Context(), "none", start, 0)
	require.NoError(t, err)
	for _, number := range []int{0, 1} {
		r := newRotation(number)
		r.ID = "none"
		_, _, err = s.RotateRefreshToken(t.Context(), r)
		require.ErrorIs(t, err, oidc.ErrNotFound)
	}
	_, _, err = s.FindSignin(t.Context(), "none", start)
	require.NoError(t, err)

	orphan := newSignin("no person", "", "bob")
	orphan.State, orphan.Refresh = oidc.Redeemed, signin.Refresh
	require.NoError(t, s.RecordSignin(t.Context(), orphan))
	r := newRotation(1)
	r.ID = "no person"
	_, _, err = s.RotateRefreshToken(t.Context(), r)
	require.ErrorIs(t, err, oidc.ErrNotFound)
}

// testRefreshTokenLimits makes each of the three times the earliest one.
func testRefreshTokenLimits(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	early, late := start.Add(time.Hour), start.Add(2*time.Hour)
	for name, moments := range map[string][3]time.Time{
		"idle": {early, late, late}, "absolute": {late, early, late}, "sign-in": {late, late, early},
	} {
		signin := newSignin(name, "", "ann")
		signin.State, signin.Expires = oidc.Redeemed, moments[2]
		signin.Refresh = oidc.Refresh{Number: 1, Issued: start, Expires: moments[0], Ends: moments[1]}
		require.NoError(t, s.RecordSignin(t.Context(), signin))
		r := newRotation(1)
		r.ID, r.At = name, early
		_, _, err := s.RotateRefreshToken(t.Context(), r)
		require.ErrorIs(t, err, oidc.ErrNotFound, name)
		r.At = early.Add(-time.Millisecond)
		require.Equal(t, 2, mustRotate(t, s, r).Refresh.Number, name)
	}
}

func testRefreshTokenExpires(t *testing.T, s Store) {
	signin := storeRefreshableSignin(t, s)
	r := newRotation(1)
	r.At = signin.Refresh.Expires
	mustReject(t, s, r, oidc.ErrNotFound, true)
	r.At = r.At.Add(-time.Millisecond)
	signin = mustRotate(t, s, r)
	require.Equal(t, r.At.Add(idleLife), signin.Refresh.Expires)

	// Rotations do not extend the absolute lifetime.
	r.Number, r.At = 2, signin.Refresh.Expires.Add(-time.Millisecond)
	signin = mustRotate(t, s, r)
	ends := start.Add(refreshLife)
	require.Equal(t, ends, signin.Refresh.Expires)
	require.Equal(t, ends, signin.Refresh.Ends)
	r.Number, r.At = 3, ends
	mustReject(t, s, r, oidc.ErrNotFound, true)
	r.At = ends.Add(-time.Millisecond)
	signin = mustRotate(t, s, r)
	require.Equal(t, ends, signin.Refresh.Expires)
	// A retry after the successor has expired is not a replay.
	r.At = ends
	mustReject(t, s, r, oidc.ErrNotFound, true)
}

func testSigninOutlivesTokens(t *testing.T, s Store) {
	const hour = time.Hour
	for name, c := range map[string]struct{ before, ends, idle, access, want time.Duration }{
		"refresh token":           {before: 2 * hour, ends: 9 * hour, idle: 3 * hour, access: 1 * hour, want: 3 * hour},
		"access token":            {before: 2 * hour, ends: 9 * hour, idle: 3 * hour, access: 4 * hour, want: 4 * hour},
		"last access token":       {before: 2 * hour, ends: 3 * hour, idle: 9 * hour, access: 4 * hour, want: 4 * hour},
		"last refresh token":      {before: 2 * hour, ends: 3 * hour, idle: 9 * hour, access: 1 * hour, want: 3 * hour},
		"earlier access token":    {before: 5 * hour, ends: 9 * hour, idle: 3 * hour, access: 1 * hour, want: 5 * hour},
		"earlier than last token": {before: 5 * hour, ends: 3 * hour, idle: 9 * hour, access: 1 * hour, want: 5 * hour},
	} {
		replacePeople(t, s, "ann")
		signin := newSignin(name, "", "ann")
		signin.State, signin.Expires = oidc.Redeemed, start.Add(c.before)
		signin.Refresh = oidc.Refresh{Number: 1, Issued: start, Expires: start.Add(time.Hour), Ends: start.Add(c.ends)}
		require.NoError(t, s.RecordSignin(t.Context(), signin))
		r := newRotation(1)
		r.ID, r.Idle, r.Access = name, c.idle, c.access
		got := mustRotate(t, s, r)
		require.Equal(t, start.Add(c.want), got.Expires, name)
		require.Equal(t, start.Add(min(c.idle, c.ends)), got.Refresh.Expires, name)
		_, err := s.Sweep(t.Context(), start.Add(c.want-time.Millisecond))
		require.NoError(t, err)
		_, _, err = s.FindSignin(t.Context(), name, start)
		require.NoError(t, err, name)
	}
}

func testClosedSigninEndsRefreshToken(t *testing.T, s Store) {
	closers := map[string]func() error{
		"session": func() error {
			_, err := s.EndSession(t.Context(), "session", start)
			return err
		},
		"revoked": func() error { return s.CloseSignin(t.Context(), "revoked") },
		"replay": func() error {
			if _, _, err := s.RedeemCode(t.Context(), "replay", start, 0); !errors.Is(err, oidc.ErrReplayed) {
				return errors.New("not a replay")
			}
			return nil
		},
		"person": func() error { replacePeople(t, s); return nil },
	}
	replacePeople(t, s, "ann")
	for name := range closers {
		require.NoError(t, s.StartSession(t.Context(), newSession(name, "ann")))
		signin := newSignin(name, name, "ann")
		signin.Refresh = oidc.Refresh{Number: 1, Issued: start, Expires: start.Add(idleLife), Ends: start.Add(refreshLife)}
		require.NoError(t, s.RecordSignin(t.Context(), signin))
		_, _, err := s.RedeemCode(t.Context(), name, start, 0)
		require.NoError(t, err)
	}
	for _, name := range []string{"session", "revoked", "replay", "person"} {
		r := newRotation(1)
		r.ID = name
		mustRotate(t, s, r)
		require.NoError(t, closers[name]())
		for number := range 4 { // the successor, its predecessor within the grace period, and invalid numbers
			r.Number = number
			_, _, err := s.RotateRefreshToken(t.Context(), r)
			require.ErrorIs(t, err, oidc.ErrNotFound, name)
		}
	}
}

func testConcurrentRotationsWithGracePeriod(t *testing.T, s Store) {
	storeRefreshableSignin(t, s)
	got := make([]oidc.Signin, 64)
	for _, err := range runConcurrently(64, func(n int) (err error) {
		r := newRotation(1)
		// The row keeps the time of the rotation that succeeds.
		r.At = start.Add(time.Duration(n) * time.Millisecond)
		got[n], _, err = s.RotateRefreshToken(t.Context(), r)
		return err
	}) {
		require.NoError(t, err)
	}
	for _, signin := range got {
		require.Equal(t, got[0], signin)
	}
	require.Equal(t, 2, got[0].Refresh.Number)
	found, _, err := s.FindSignin(t.Context(), "i", start)
	require.NoError(t, err)
	require.Equal(t, got[0], found)
}

func testConcurrentRotationsWithoutGracePeriod(t *testing.T, s Store) {
	storeRefreshableSignin(t, s)
	requireOneWinner(t, runConcurrently(64, func(n int) error {
		r := newRotation(1)
		r.At, r.Grace = start.Add(-time.Duration(n)*time.Millisecond), 0
		_, _, err := s.RotateRefreshToken(t.Context(), r)
		return err
	}))
	_, _, err := s.FindSignin(t.Context(), "i", start)
	require.ErrorIs(t, err, oidc.ErrNotFound, "without a grace period, concurrent rotations close the sign-in")
}
