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
	// refreshLife is the absolute lifetime: more than two idle ones.
	refreshLife = 5 * time.Hour
)

// rotation presents a token of the sign-in i at the start.
func rotation(number int) oidc.Rotation {
	return oidc.Rotation{
		ID: "i", ClientID: "liveengage", Number: number, At: start, Idle: idleLife, Access: accessLife, Grace: grace,
	}
}

// refreshable records the redeemed sign-in i with its first refresh token.
func refreshable(t *testing.T, s Store) oidc.Signin {
	t.Helper()
	people(t, s, "ann")
	in := signin("i", "", "ann")
	in.Refresh = oidc.Refresh{Number: 1, Issued: start, Expires: start.Add(idleLife), Ends: start.Add(refreshLife)}
	in.Expires = in.Refresh.Expires
	require.NoError(t, s.Answer(t.Context(), in))
	back, _, err := s.Redeem(t.Context(), "i", start)
	require.NoError(t, err)
	in.State = oidc.Redeemed
	require.Equal(t, in, back)
	return in
}

// rotated is the sign-in after a rotation that must succeed.
func rotated(t *testing.T, s Store, r oidc.Rotation) oidc.Signin {
	t.Helper()
	in, who, err := s.Rotate(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, person("sub-ann"), who)
	return in
}

// refused presents a token that must be refused, and says whether the sign-in is
// open afterwards.
func refused(t *testing.T, s Store, r oidc.Rotation, want error, open bool) {
	t.Helper()
	before, _, _ := s.Find(t.Context(), "i", start)
	in, who, err := s.Rotate(t.Context(), r)
	require.ErrorIs(t, err, want)
	require.Zero(t, who, "nobody is told about the person")
	if errors.Is(want, oidc.ErrReplayed) {
		require.Equal(t, r.ID, in.ID, "whose it was, for the log")
		require.Equal(t, oidc.Closed, in.State)
	} else {
		require.Zero(t, in)
	}
	after, _, err := s.Find(t.Context(), "i", start)
	if open {
		require.NoError(t, err)
		require.Equal(t, before, after, "nothing changes")
		return
	}
	require.ErrorIs(t, err, oidc.ErrNotFound)
}

func refreshOrder(t *testing.T, s Store) {
	want := refreshable(t, s)
	refused(t, s, rotation(2), oidc.ErrNotFound, true)
	r := rotation(1)
	for n := range 3 {
		r.Number, r.At = n+1, start.Add(time.Duration(n)*time.Hour)
		want.Refresh.Number, want.Refresh.Issued, want.Refresh.Expires = n+2, r.At, r.At.Add(idleLife)
		want.Expires = want.Refresh.Expires
		require.Equal(t, want, rotated(t, s, r))
		found, _, err := s.Find(t.Context(), "i", r.At)
		require.NoError(t, err)
		require.Equal(t, want, found)
	}
	for _, number := range []int{0, -1, 5, 1 << 40} {
		refused(t, s, rotation(number), oidc.ErrNotFound, true)
	}
	unknown := rotation(4)
	unknown.ID = "I"
	refused(t, s, unknown, oidc.ErrNotFound, true)
}

func refreshGrace(t *testing.T, s Store) {
	refreshable(t, s)
	successor := rotated(t, s, rotation(1))
	retry := rotation(1)
	// A second before, too: the clocks of two instances differ.
	for _, late := range []time.Duration{0, grace - time.Millisecond, -time.Second} {
		retry.At = start.Add(late)
		require.Equal(t, successor, rotated(t, s, retry))
	}
	found, _, err := s.Find(t.Context(), "i", start)
	require.NoError(t, err)
	require.Equal(t, successor, found, "nothing is written")
	require.Equal(t, 3, rotated(t, s, rotation(2)).Refresh.Number)
}

func refreshLate(t *testing.T, s Store) {
	refreshable(t, s)
	rotated(t, s, rotation(1))
	late := rotation(1)
	late.At = start.Add(grace)
	refused(t, s, late, oidc.ErrReplayed, false)
	refused(t, s, late, oidc.ErrNotFound, false)
	refused(t, s, rotation(2), oidc.ErrNotFound, false)
}

func refreshNoGrace(t *testing.T, s Store) {
	refreshable(t, s)
	r := rotation(1)
	r.Grace = 0
	rotated(t, s, r)
	r.At = start.Add(-time.Second) // by the clock of an instance that is slow
	refused(t, s, r, oidc.ErrReplayed, false)
}

func refreshReplayed(t *testing.T, s Store) {
	refreshable(t, s)
	rotated(t, s, rotation(1))
	rotated(t, s, rotation(2))
	// The grace is the newest's predecessor's alone.
	refused(t, s, rotation(1), oidc.ErrReplayed, false)
	refused(t, s, rotation(1), oidc.ErrNotFound, false)
	refused(t, s, rotation(3), oidc.ErrNotFound, false)
}

func refreshForeign(t *testing.T, s Store) {
	refreshable(t, s)
	foreign := rotation(1)
	foreign.ClientID = "another"
	refused(t, s, foreign, oidc.ErrNotFound, true)
	rotated(t, s, rotation(1))
	refused(t, s, foreign, oidc.ErrNotFound, true) // in grace for its own client
	rotated(t, s, rotation(2))
	refused(t, s, foreign, oidc.ErrNotFound, true) // a replay by its own client
	require.Equal(t, 4, rotated(t, s, rotation(3)).Refresh.Number)
}

func refreshNone(t *testing.T, s Store) {
	people(t, s, "ann")
	in := signin("i", "", "ann")
	in.Refresh = oidc.Refresh{Number: 1, Issued: start, Expires: start.Add(idleLife), Ends: start.Add(refreshLife)}
	require.NoError(t, s.Answer(t.Context(), in))
	refused(t, s, rotation(1), oidc.ErrNotFound, true)
	_, _, err := s.Redeem(t.Context(), "i", start)
	require.NoError(t, err, "still answered")
	rotated(t, s, rotation(1))

	require.NoError(t, s.Answer(t.Context(), signin("none", "", "ann")))
	_, _, err = s.Redeem(t.Context(), "none", start)
	require.NoError(t, err)
	for _, number := range []int{0, 1} {
		r := rotation(number)
		r.ID = "none"
		_, _, err = s.Rotate(t.Context(), r)
		require.ErrorIs(t, err, oidc.ErrNotFound)
	}
	_, _, err = s.Find(t.Context(), "none", start)
	require.NoError(t, err)

	nobody := signin("nobody", "", "bob")
	nobody.State, nobody.Refresh = oidc.Redeemed, in.Refresh
	require.NoError(t, s.Answer(t.Context(), nobody))
	r := rotation(1)
	r.ID = "nobody"
	_, _, err = s.Rotate(t.Context(), r)
	require.ErrorIs(t, err, oidc.ErrNotFound)
}

// refreshEach has each of the three moments be the one that counts.
func refreshEach(t *testing.T, s Store) {
	people(t, s, "ann")
	early, late := start.Add(time.Hour), start.Add(2*time.Hour)
	for name, moments := range map[string][3]time.Time{
		"idle": {early, late, late}, "absolute": {late, early, late}, "sign-in": {late, late, early},
	} {
		in := signin(name, "", "ann")
		in.State, in.Expires = oidc.Redeemed, moments[2]
		in.Refresh = oidc.Refresh{Number: 1, Issued: start, Expires: moments[0], Ends: moments[1]}
		require.NoError(t, s.Answer(t.Context(), in))
		r := rotation(1)
		r.ID, r.At = name, early
		_, _, err := s.Rotate(t.Context(), r)
		require.ErrorIs(t, err, oidc.ErrNotFound, name)
		r.At = early.Add(-time.Millisecond)
		require.Equal(t, 2, rotated(t, s, r).Refresh.Number, name)
	}
}

func refreshExpires(t *testing.T, s Store) {
	in := refreshable(t, s)
	r := rotation(1)
	r.At = in.Refresh.Expires
	refused(t, s, r, oidc.ErrNotFound, true)
	r.At = r.At.Add(-time.Millisecond)
	in = rotated(t, s, r)
	require.Equal(t, r.At.Add(idleLife), in.Refresh.Expires)

	// However busy: the last token ends with the absolute lifetime.
	r.Number, r.At = 2, in.Refresh.Expires.Add(-time.Millisecond)
	in = rotated(t, s, r)
	ends := start.Add(refreshLife)
	require.Equal(t, ends, in.Refresh.Expires)
	require.Equal(t, ends, in.Refresh.Ends)
	r.Number, r.At = 3, ends
	refused(t, s, r, oidc.ErrNotFound, true)
	r.At = ends.Add(-time.Millisecond)
	in = rotated(t, s, r)
	require.Equal(t, ends, in.Refresh.Expires)
	// A retry that comes when the successor has ended is no replay.
	r.At = ends
	refused(t, s, r, oidc.ErrNotFound, true)
}

func refreshKeeps(t *testing.T, s Store) {
	for name, c := range map[string]struct{ before, ends, idle, access, want time.Duration }{
		"refresh token": {before: 2 * time.Hour, ends: 9 * time.Hour, idle: 3 * time.Hour, access: time.Hour, want: 3 * time.Hour},
		"access token":  {before: 2 * time.Hour, ends: 9 * time.Hour, idle: 3 * time.Hour, access: 4 * time.Hour, want: 4 * time.Hour},
		"last access":   {before: 2 * time.Hour, ends: 3 * time.Hour, idle: 9 * time.Hour, access: 4 * time.Hour, want: 4 * time.Hour},
		"last refresh":  {before: 2 * time.Hour, ends: 3 * time.Hour, idle: 9 * time.Hour, access: time.Hour, want: 3 * time.Hour},
		"as before":     {before: 5 * time.Hour, ends: 9 * time.Hour, idle: 3 * time.Hour, access: time.Hour, want: 5 * time.Hour},
		"as before too": {before: 5 * time.Hour, ends: 3 * time.Hour, idle: 9 * time.Hour, access: time.Hour, want: 5 * time.Hour},
	} {
		people(t, s, "ann")
		in := signin(name, "", "ann")
		in.State, in.Expires = oidc.Redeemed, start.Add(c.before)
		in.Refresh = oidc.Refresh{Number: 1, Issued: start, Expires: start.Add(time.Hour), Ends: start.Add(c.ends)}
		require.NoError(t, s.Answer(t.Context(), in))
		r := rotation(1)
		r.ID, r.Idle, r.Access = name, c.idle, c.access
		got := rotated(t, s, r)
		require.Equal(t, start.Add(c.want), got.Expires, name)
		require.Equal(t, start.Add(min(c.idle, c.ends)), got.Refresh.Expires, name)
		_, err := s.Sweep(t.Context(), start.Add(c.want-time.Millisecond))
		require.NoError(t, err)
		_, _, err = s.Find(t.Context(), name, start)
		require.NoError(t, err, name)
	}
}

func refreshClosed(t *testing.T, s Store) {
	closers := map[string]func() error{
		"session": func() error {
			_, err := s.EndSession(t.Context(), "session", start)
			return err
		},
		"revoked": func() error { return s.CloseSignin(t.Context(), "revoked") },
		"replay": func() error {
			if _, _, err := s.Redeem(t.Context(), "replay", start); !errors.Is(err, oidc.ErrReplayed) {
				return errors.New("no replay")
			}
			return nil
		},
		"person": func() error { people(t, s); return nil },
	}
	people(t, s, "ann")
	for name := range closers {
		require.NoError(t, s.StartSession(t.Context(), newSession(name, "ann")))
		in := signin(name, name, "ann")
		in.Refresh = oidc.Refresh{Number: 1, Issued: start, Expires: start.Add(idleLife), Ends: start.Add(refreshLife)}
		require.NoError(t, s.Answer(t.Context(), in))
		_, _, err := s.Redeem(t.Context(), name, start)
		require.NoError(t, err)
	}
	for _, name := range []string{"session", "revoked", "replay", "person"} {
		r := rotation(1)
		r.ID = name
		rotated(t, s, r)
		require.NoError(t, closers[name]())
		for number := range 4 { // the successor, its predecessor in grace, and what never was
			r.Number = number
			_, _, err := s.Rotate(t.Context(), r)
			require.ErrorIs(t, err, oidc.ErrNotFound, name)
		}
	}
}

func refreshRace(t *testing.T, s Store) {
	refreshable(t, s)
	got := make([]oidc.Signin, 64)
	for _, err := range together(64, func(n int) (err error) {
		r := rotation(1)
		// Whoever writes leaves its own moment in the row.
		r.At = start.Add(time.Duration(n) * time.Millisecond)
		got[n], _, err = s.Rotate(t.Context(), r)
		return err
	}) {
		require.NoError(t, err)
	}
	for _, in := range got {
		require.Equal(t, got[0], in)
	}
	require.Equal(t, 2, got[0].Refresh.Number)
	found, _, err := s.Find(t.Context(), "i", start)
	require.NoError(t, err)
	require.Equal(t, got[0], found)
}

func refreshRaceStrict(t *testing.T, s Store) {
	refreshable(t, s)
	won, replayed := 0, 0
	for _, err := range together(64, func(n int) error {
		r := rotation(1)
		r.At, r.Grace = start.Add(-time.Duration(n)*time.Millisecond), 0
		_, _, err := s.Rotate(t.Context(), r)
		return err
	}) {
		switch {
		case err == nil:
			won++
		case errors.Is(err, oidc.ErrReplayed):
			replayed++
		default:
			require.ErrorIs(t, err, oidc.ErrNotFound)
		}
	}
	require.Equal(t, 1, won)
	require.Equal(t, 1, replayed)
	_, _, err := s.Find(t.Context(), "i", start)
	require.ErrorIs(t, err, oidc.ErrNotFound, "a race without grace is a replay: nobody keeps tokens")
}
