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

// people is a directory in memory. It embeds the interface for the unused methods.
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
		"name and password":           {"ann", "correct horse", "sub-ann"},
		"capitals and space":          {" Ann\t", "correct horse", "sub-ann"},
		"the longest password":        {"long", strings.Repeat("x", 1024), "sub-long"},
		"a byte more":                 {"long", strings.Repeat("x", 1025), ""},
		"a wrong password":            {"ann", "correct horsf", ""},
		"a password's case matters":   {"ann", "Correct horse", ""},
		"a password's space matters":  {"ann", "correct horse ", ""},
		"no password":                 {"ann", "", ""},
		"an unknown name":             {"bob", "correct horse", ""},
		"no name":                     {"", "", ""},
		"an account without password": {"none", "", ""},
		"the same with a password":    {"none", "x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := l.Authenticate(t.Context(), "192.0.2.1", c.username, c.password, always)
			require.Equal(t, claims.Person{Subject: c.subject}, got)
			if c.subject == "" {
				require.ErrorIs(t, err, upstream.ErrRefused)
				return
			}
			require.NoError(t, err)
		})
	}
}

func TestOtherErrorsAreNotRefusals(t *testing.T) {
	t.Parallel()
	p := directory(t)
	_, err := upstream.NewLocal(p, 1).Authenticate(t.Context(), "192.0.2.1", "bad", "x", always)
	require.ErrorContains(t, err, "password of sub-bad")
	require.NotErrorIs(t, err, upstream.ErrRefused)
	p.err = errors.New("down")
	_, err = upstream.NewLocal(p, 1).Authenticate(t.Context(), "192.0.2.1", "ann", "x", always)
	require.ErrorIs(t, err, p.err)
	require.NotErrorIs(t, err, upstream.ErrRefused)
}

// TestParallelGuessesDoNotPassTheThrottle counts failures as callers do, after
// Authenticate has returned. One guess for each comparison may start in between.
func TestParallelGuessesDoNotPassTheThrottle(t *testing.T) {
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
			_, err := l.Authenticate(t.Context(), "192.0.2.1", "ann", "wrong", allowed)
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

func TestComparisonsAreLimited(t *testing.T) {
	t.Parallel()
	l := upstream.NewLocal(directory(t), 1)
	inside, leave := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		_, err := l.Authenticate(context.WithoutCancel(t.Context()), "192.0.2.1", "ann", "correct horse", func() error {
			close(inside)
			<-leave
			return nil
		})
		done <- err
	}()
	<-inside
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := l.Authenticate(ctx, "192.0.2.1", "ann", "correct horse", func() error {
		t.Error("a second comparison has started")
		return nil
	})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	close(leave)
	require.NoError(t, <-done)
	_, err = l.Authenticate(t.Context(), "192.0.2.1", "ann", "correct horse", always)
	require.NoError(t, err, "the next comparison may start")
	_, err = l.Authenticate(ctx, "192.0.2.1", "ann", "correct horse", always)
	require.ErrorIs(t, err, context.DeadlineExceeded, "the context had ended before")
}
