package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"idpbridge/oidc"
)

func signinKept(t *testing.T, s Store) {
	people(t, s, "ann")
	want := signin("i", "", "ann")
	require.NoError(t, s.Answer(t.Context(), want))
	require.Error(t, s.Answer(t.Context(), want), "an id is used once")
	got, who, err := s.Find(t.Context(), "i", start)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, person("sub-ann"), who)
	_, _, err = s.Find(t.Context(), "I", start)
	require.ErrorIs(t, err, oidc.ErrNotFound)
}

func signinForward(t *testing.T, s Store) {
	people(t, s, "ann")
	want := signin("i", "", "ann")
	require.NoError(t, s.Answer(t.Context(), want))
	got, who, err := s.Redeem(t.Context(), "i", start)
	require.NoError(t, err)
	want.State = oidc.Redeemed
	require.Equal(t, want, got)
	require.Equal(t, person("sub-ann"), who)
	got, _, err = s.Find(t.Context(), "i", start)
	require.NoError(t, err)
	require.Equal(t, want, got)

	require.NoError(t, s.CloseSignin(t.Context(), "i"))
	require.NoError(t, s.CloseSignin(t.Context(), "i"))
	require.NoError(t, s.CloseSignin(t.Context(), "unknown"))
	_, _, err = s.Find(t.Context(), "i", start)
	require.ErrorIs(t, err, oidc.ErrNotFound)
	_, _, err = s.Redeem(t.Context(), "i", start)
	require.ErrorIs(t, err, oidc.ErrNotFound)
}

func signinReplayed(t *testing.T, s Store) {
	people(t, s, "ann")
	require.NoError(t, s.Answer(t.Context(), signin("i", "", "ann")))
	_, _, err := s.Redeem(t.Context(), "i", start)
	require.NoError(t, err)
	// Long after the code has expired it is still known.
	_, _, err = s.Redeem(t.Context(), "i", start.Add(2*codeLife))
	require.ErrorIs(t, err, oidc.ErrReplayed)
	_, _, err = s.Find(t.Context(), "i", start)
	require.ErrorIs(t, err, oidc.ErrNotFound)
	_, _, err = s.Redeem(t.Context(), "i", start)
	require.ErrorIs(t, err, oidc.ErrNotFound, "closed says nothing of why")
}

func signinWithoutCode(t *testing.T, s Store) {
	people(t, s, "ann")
	in := signin("i", "", "ann")
	in.State, in.CodeExpires = oidc.Redeemed, time.Time{}
	require.NoError(t, s.Answer(t.Context(), in))
	_, _, err := s.Redeem(t.Context(), "i", start)
	require.ErrorIs(t, err, oidc.ErrNotFound)
	got, _, err := s.Find(t.Context(), "i", start)
	require.NoError(t, err)
	require.Equal(t, in, got)
}

func signinExpires(t *testing.T, s Store) {
	people(t, s, "ann")
	in := signin("i", "", "ann")
	require.NoError(t, s.Answer(t.Context(), in))
	_, _, err := s.Redeem(t.Context(), "i", in.CodeExpires)
	require.ErrorIs(t, err, oidc.ErrNotFound)
	_, _, err = s.Redeem(t.Context(), "i", in.CodeExpires.Add(-time.Millisecond))
	require.NoError(t, err)
	_, _, err = s.Find(t.Context(), "i", in.Expires.Add(-time.Millisecond))
	require.NoError(t, err)
	_, _, err = s.Find(t.Context(), "i", in.Expires)
	require.ErrorIs(t, err, oidc.ErrNotFound)
}

func signinNeedsSession(t *testing.T, s Store) {
	people(t, s, "ann")
	require.NoError(t, s.Answer(t.Context(), signin("gone", "never", "ann")))
	_, _, err := s.Redeem(t.Context(), "gone", start)
	require.ErrorIs(t, err, oidc.ErrNotFound)

	b := newSession("b", "ann")
	b.Expires = start.Add(codeLife / 2)
	require.NoError(t, s.StartSession(t.Context(), b))
	require.NoError(t, s.Answer(t.Context(), signin("i", "b", "ann")))
	_, _, err = s.Redeem(t.Context(), "i", b.Expires)
	require.ErrorIs(t, err, oidc.ErrNotFound, "the session has expired")
	_, _, err = s.Redeem(t.Context(), "i", start)
	require.NoError(t, err)

	require.NoError(t, s.Answer(t.Context(), signin("nobody", "", "bob")))
	_, _, err = s.Redeem(t.Context(), "nobody", start)
	require.ErrorIs(t, err, oidc.ErrNotFound, "the person does not exist")
}

func signinRace(t *testing.T, s Store) {
	people(t, s, "ann")
	require.NoError(t, s.Answer(t.Context(), signin("i", "", "ann")))
	results := together(64, func(int) error {
		_, _, err := s.Redeem(t.Context(), "i", start)
		return err
	})
	won, replayed := 0, 0
	for _, err := range results {
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
	require.ErrorIs(t, err, oidc.ErrNotFound, "a race is a replay: nobody keeps tokens")
}

func manyWriters(t *testing.T, s Store) {
	people(t, s, "ann")
	for _, err := range together(32, func(n int) error {
		b := fmt.Sprint("b", n)
		err := s.StartSession(t.Context(), newSession(b, "ann"))
		for i := range 5 {
			id := fmt.Sprint(b, "-", i)
			answered := s.Answer(t.Context(), signin(id, b, "ann"))
			_, _, redeemed := s.Redeem(t.Context(), id, start)
			_, _, found := s.FindSession(t.Context(), b, start)
			err = errors.Join(err, answered, redeemed, found)
		}
		_, ended := s.EndSession(t.Context(), b, start)
		return errors.Join(err, ended)
	}) {
		assert.NoError(t, err)
	}
}

// together calls do from n goroutines at once and returns what each got.
func together(n int, do func(n int) error) []error {
	out := make([]error, n)
	begin := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-begin
			out[i] = do(i)
		})
	}
	close(begin)
	group.Wait()
	return out
}
