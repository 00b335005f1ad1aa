package upstream_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/claims"
	"idpbridge/internal/password"
	"idpbridge/upstream"
)

// people is a directory in memory; the embedded interface is for what is not used.
type people struct {
	upstream.People
	accounts map[string]upstream.Account
	err      error
}

func (p people) AccountByUsername(_ context.Context, username string) (upstream.Account, error) {
	if p.err != nil {
		return upstream.Account{}, p.err
	}
	a, ok := p.accounts[username]
	if !ok {
		return a, upstream.ErrNotFound
	}
	return a, nil
}

func hash(t *testing.T, plain string) string {
	t.Helper()
	h, err := password.Hash(plain)
	require.NoError(t, err)
	return h
}

func directory(t *testing.T) people {
	t.Helper()
	long := strings.Repeat("x", 1024)
	account := func(name, hash string) upstream.Account {
		return upstream.Account{Username: name, PasswordHash: hash, Person: claims.Person{Subject: "sub-" + name}}
	}
	return people{accounts: map[string]upstream.Account{
		"ann":  account("ann", hash(t, "correct horse")),
		"long": account("long", hash(t, long)),
		"none": account("none", ""),
		"bad":  account("bad", "$2y$10$something-else"),
	}}
}

func always() error { return nil }

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	l := upstream.NewLocal(directory(t), 2)
	for name, c := range map[string]struct {
		username, password, subject string
	}{
		"name and password":          {"ann", "correct horse", "sub-ann"},
		"capitals and space":         {" Ann\t", "correct horse", "sub-ann"},
		"the longest password":       {"long", strings.Repeat("x", 1024), "sub-long"},
		"a byte more":                {"long", strings.Repeat("x", 1025), ""},
		"a wrong password":           {"ann", "correct horsf", ""},
		"a password's case matters":  {"ann", "Correct horse", ""},
		"a password's space matters": {"ann", "correct horse ", ""},
		"no password":                {"ann", "", ""},
		"an unknown name":            {"bob", "correct horse", ""},
		"no name":                    {"", "", ""},
		"somebody without password":  {"none", "", ""},
		"and any password":           {"none", "x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := l.Authenticate(t.Context(), c.username, c.password, always)
			require.Equal(t, claims.Person{Subject: c.subject}, got)
			if c.subject == "" {
				require.ErrorIs(t, err, upstream.ErrRefused)
				return
			}
			require.NoError(t, err)
		})
	}
}

func TestAuthenticateErrorsAreNoRefusals(t *testing.T) {
	t.Parallel()
	p := directory(t)
	_, err := upstream.NewLocal(p, 1).Authenticate(t.Context(), "bad", "x", always)
	require.ErrorContains(t, err, "password of sub-bad")
	require.NotErrorIs(t, err, upstream.ErrRefused)
	p.err = errors.New("down")
	_, err = upstream.NewLocal(p, 1).Authenticate(t.Context(), "ann", "x", always)
	require.ErrorIs(t, err, p.err)
	require.NotErrorIs(t, err, upstream.ErrRefused)
}

// TestEveryRefusalCostsTheSame compares with a factor that leaves room for a
// busy machine: a comparison that is left out is a thousand times faster.
func TestEveryRefusalCostsTheSame(t *testing.T) {
	t.Parallel()
	l := upstream.NewLocal(directory(t), 1)
	cost := func(username, password string) time.Duration {
		best := time.Hour
		for range 3 {
			begun := time.Now()
			_, err := l.Authenticate(t.Context(), username, password, always)
			require.ErrorIs(t, err, upstream.ErrRefused)
			best = min(best, time.Since(begun))
		}
		return best
	}
	wrong := cost("ann", "wrong")
	for _, other := range []time.Duration{cost("bob", "wrong"), cost("none", "wrong"), cost("ann", strings.Repeat("x", 1<<20))} {
		require.Greater(t, other, wrong/5)
		require.Less(t, other, wrong*5)
	}
}

// TestGuessesSideBySideDoNotPassTheThrottle counts failures as callers do, when
// Authenticate has returned: one guess for each slot may start in between.
func TestGuessesSideBySideDoNotPassTheThrottle(t *testing.T) {
	t.Parallel()
	const guesses, free, slots = 12, 2, 1
	l := upstream.NewLocal(directory(t), slots)
	wait := errors.New("wait")
	var failures, refused atomic.Int32
	allowed := func() error {
		if failures.Load() >= free {
			return wait
		}
		return nil
	}
	var wg sync.WaitGroup
	for range guesses {
		wg.Go(func() {
			_, err := l.Authenticate(t.Context(), "ann", "wrong", allowed)
			if errors.Is(err, upstream.ErrRefused) {
				failures.Add(1)
			} else if err == wait { //nolint:errorlint // as it is, not wrapped
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, guesses, failures.Load()+refused.Load())
	require.GreaterOrEqual(t, failures.Load(), int32(free))
	require.LessOrEqual(t, failures.Load(), int32(free+slots))
}

func TestSlotsBoundWhatRunsAtOnce(t *testing.T) {
	t.Parallel()
	l := upstream.NewLocal(directory(t), 1)
	inside, leave := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		_, err := l.Authenticate(context.WithoutCancel(t.Context()), "ann", "correct horse", func() error {
			close(inside)
			<-leave
			return nil
		})
		done <- err
	}()
	<-inside
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := l.Authenticate(ctx, "ann", "correct horse", func() error {
		t.Error("let in while the slot is taken")
		return nil
	})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	close(leave)
	require.NoError(t, <-done)
	_, err = l.Authenticate(t.Context(), "ann", "correct horse", always)
	require.NoError(t, err, "a slot comes back")
	_, err = l.Authenticate(ctx, "ann", "correct horse", always)
	require.ErrorIs(t, err, context.DeadlineExceeded, "nobody waits for the answer any more")
}
