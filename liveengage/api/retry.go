package api

import (
	"context"
	"errors"
	"net/http"
	"time"
)

const (
	growingFloor = 2 * time.Minute // no growing interval is shorter
	growingCap   = time.Hour       // nor longer
	mostWait     = 24 * time.Hour  // a longer Retry-After is not meant
	busyFloor    = time.Second
	mostBusy     = 5 // answers 429 in a row that a call waits for
)

// threePauses are those between the retries of a request that a server could not
// answer.
func threePauses() []time.Duration {
	return []time.Duration{5 * time.Second, 10 * time.Second, 15 * time.Second}
}

// socketPauses are those before a lost socket is opened again.
func socketPauses() []time.Duration {
	return []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second}
}

// exhausted is a fault that has been retried as often as its plan allows.
type exhausted struct{ err error }

func (e *exhausted) Error() string { return e.err.Error() }
func (e *exhausted) Unwrap() error { return e.err }

// lasting is an error that time does not mend.
type lasting struct{ err error }

func (l *lasting) Error() string { return printable(l.err.Error()) }
func (l *lasting) Unwrap() error { return l.err }

// Permanent marks an error of a TokenSource, or of SocketConfig.Token, as one that time
// does not mend, such as a wrong password: it is not tried again. Any other error of
// theirs is taken for passing, like a service that gives no answer.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &lasting{err}
}

// passing is an error of what a caller brings along: of the brand's provider, say.
type passing struct{ err error }

func (p *passing) Error() string { return printable(p.err.Error()) }
func (p *passing) Unwrap() error { return p.err }

// brought reads an error of what a caller brings along: nobody here knows what it
// means, unless it is one of this package's own.
func brought(err error) error {
	_, answered := errors.AsType[*Error](err)
	_, marked := errors.AsType[*lasting](err)
	switch {
	case answered, marked, errors.Is(err, ErrHostNotAllowed), errors.Is(err, errRedirect), errors.Is(err, ErrUnknownService):
		return err
	}
	return &passing{err}
}

// step is an error of what had to be done before a request could be made, so that
// the log names who has failed.
type step struct {
	service, request string
	err              error
}

func (s *step) Error() string { return s.err.Error() }
func (s *step) Unwrap() error { return s.err }

// plan is when to try again. Its pauses come first, then, if it grows, intervals of
// 2, 4, 8 minutes and so on to an hour, without end.
type plan struct {
	pauses []time.Duration
	grows  bool

	used int           // pauses
	next time.Duration // growing interval
	busy int           // answers 429 in a row
}

func newPlan(p RetryPolicy, pauses []time.Duration, grows bool) *plan {
	if p == NoRetry {
		return &plan{}
	}
	return &plan{pauses: pauses, grows: grows && p == RetryForever}
}

// reset starts afresh, after a success.
func (p *plan) reset() { p.used, p.next, p.busy = 0, 0, 0 }

// retryable says whether the same request may succeed later: no answer, 5xx and
// 429. Every other 4xx is the caller's to mend, and so is what ErrRefused says.
func retryable(err error) bool {
	if _, ok := errors.AsType[*lasting](err); ok || errors.Is(err, ErrTokenRejected) {
		return false
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status >= 500 && e.Status <= 599 || e.Status == http.StatusTooManyRequests
	}
	if _, ok := errors.AsType[*passing](err); ok {
		return true
	}
	_, lost := errors.AsType[*unreachable](err)
	return lost
}

// after is how long to wait after a fault; false if it is final.
func (p *plan) after(err error) (time.Duration, bool) {
	if !retryable(err) || p.pauses == nil {
		return 0, false
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Status == http.StatusTooManyRequests {
		p.busy++
		if p.busy > mostBusy || e.RetryAfter >= growingCap {
			if !p.grows {
				return 0, false
			}
			return max(p.grow(), e.RetryAfter), true
		}
		return max(e.RetryAfter, busyFloor<<(p.busy-1)), true
	}
	p.busy = 0
	if _, ok := errors.AsType[*exhausted](err); ok {
		p.used = len(p.pauses) // they have been spent one level below
	}
	if p.used < len(p.pauses) {
		p.used++
		return p.pauses[p.used-1], true
	}
	if !p.grows {
		return 0, false
	}
	return p.grow(), true
}

func (p *plan) grow() time.Duration {
	p.next = min(max(growingFloor, 2*p.next), growingCap)
	return p.next
}

// retry does something until it succeeds, fails for good or the plan ends. Every
// fault is logged.
func (c *Client) retry(ctx context.Context, p *plan, service, request string, do func() error) error {
	for attempt := 1; ; attempt++ {
		err := do()
		if err == nil {
			return nil
		}
		pause, again := p.after(err)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c.fault(ctx, fault{service, request, attempt, pause, again, err})
		if !again {
			if retryable(err) {
				return &exhausted{err}
			}
			return Permanent(err)
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// fault is what the log is told of a failure.
type fault struct {
	service, request string
	attempt          int
	pause            time.Duration
	again            bool
	err              error
}

func (c *Client) fault(ctx context.Context, f fault) {
	if s, ok := errors.AsType[*step](f.err); ok {
		f.service, f.request = s.service, s.request
	}
	args := []any{"account", c.cfg.Account, "service", f.service, "request", f.request, "attempt", f.attempt}
	if e, ok := errors.AsType[*Error](f.err); ok {
		args = append(args, "status", e.Status)
		if e.Code != "" {
			args = append(args, "code", e.Code)
		}
	}
	args = append(args, "error", redacted(f.err.Error()))
	if f.again {
		args = append(args, "next_try_in", f.pause.String(), "next_try", c.cfg.Now().Add(f.pause).UTC().Format(time.RFC3339))
	} else {
		args = append(args, "next_try", "never")
	}
	c.cfg.Log.WarnContext(ctx, "liveengage_fault", args...)
}
