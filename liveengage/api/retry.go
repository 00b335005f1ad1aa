package api

import (
	"context"
	"errors"
	"net/http"
	"time"
)

const (
	minBackoff       = 2 * time.Minute // no growing interval is shorter
	maxBackoff       = time.Hour       // nor longer
	maxRetryAfter    = 24 * time.Hour  // a longer Retry-After is not meant
	minThrottlePause = time.Second
	maxThrottled     = 5 // answers 429 in a row that a call waits for
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

// exhaustedError is a fault that has been retried as often as its plan allows.
type exhaustedError struct{ err error }

func (e *exhaustedError) Error() string { return e.err.Error() }
func (e *exhaustedError) Unwrap() error { return e.err }

// permanentError is an error that time does not mend.
type permanentError struct{ err error }

func (l *permanentError) Error() string { return replaceControls(l.err.Error()) }
func (l *permanentError) Unwrap() error { return l.err }

// Permanent marks an error of a TokenSource, or of SocketConfig.Token, as one that time
// does not mend, such as a wrong password: it is not tried again. Any other error of
// theirs is taken for passing, like a service that gives no answer.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// temporaryError is an error of what a caller brings along: of the brand's provider, say.
type temporaryError struct{ err error }

func (p *temporaryError) Error() string { return replaceControls(p.err.Error()) }
func (p *temporaryError) Unwrap() error { return p.err }

// classifyCallerError reads an error of what a caller brings along: nobody here knows what it
// means, unless it is one of this package's own.
func classifyCallerError(err error) error {
	_, answered := errors.AsType[*Error](err)
	_, marked := errors.AsType[*permanentError](err)
	switch {
	case answered, marked, errors.Is(err, ErrHostNotAllowed), errors.Is(err, errRedirect), errors.Is(err, ErrUnknownService):
		return err
	}
	return &temporaryError{err}
}

// stepError is an error of what had to be done before a request could be made, so that
// the log names who has failed.
type stepError struct {
	service, request string
	err              error
}

func (s *stepError) Error() string { return s.err.Error() }
func (s *stepError) Unwrap() error { return s.err }

// retryPlan is when to try again. Its pauses come first, then, if it grows, intervals of
// 2, 4, 8 minutes and so on to an hour, without end.
type retryPlan struct {
	pauses   []time.Duration
	backsOff bool

	used      int           // pauses
	interval  time.Duration // growing interval
	throttled int           // answers 429 in a row
}

func newRetryPlan(p RetryPolicy, pauses []time.Duration, grows bool) *retryPlan {
	if p == NoRetry {
		return &retryPlan{}
	}
	return &retryPlan{pauses: pauses, backsOff: grows && p == RetryForever}
}

// reset starts afresh, after a success.
func (p *retryPlan) reset() { p.used, p.interval, p.throttled = 0, 0, 0 }

// isRetryable says whether the same request may succeed later: no answer, 5xx and
// 429. Every other 4xx is the caller's to mend, and so is what ErrRefused says.
func isRetryable(err error) bool {
	if _, ok := errors.AsType[*permanentError](err); ok || errors.Is(err, ErrTokenRejected) {
		return false
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status >= 500 && e.Status <= 599 || e.Status == http.StatusTooManyRequests
	}
	if _, ok := errors.AsType[*temporaryError](err); ok {
		return true
	}
	_, lost := errors.AsType[*noResponseError](err)
	return lost
}

// nextPause is how long to wait after a fault; false if it is final.
func (p *retryPlan) nextPause(err error) (time.Duration, bool) {
	if !isRetryable(err) || p.pauses == nil {
		return 0, false
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Status == http.StatusTooManyRequests {
		p.throttled++
		if p.throttled > maxThrottled || e.RetryAfter >= maxBackoff {
			if !p.backsOff {
				return 0, false
			}
			return max(p.growInterval(), e.RetryAfter), true
		}
		return max(e.RetryAfter, minThrottlePause<<(p.throttled-1)), true
	}
	p.throttled = 0
	if _, ok := errors.AsType[*exhaustedError](err); ok {
		p.used = len(p.pauses) // they have been spent one level below
	}
	if p.used < len(p.pauses) {
		p.used++
		return p.pauses[p.used-1], true
	}
	if !p.backsOff {
		return 0, false
	}
	return p.growInterval(), true
}

func (p *retryPlan) growInterval() time.Duration {
	p.interval = min(max(minBackoff, 2*p.interval), maxBackoff)
	return p.interval
}

// retryCall does something until it succeeds, fails for good or the plan ends. Every
// fault is logged.
func (c *Client) retryCall(ctx context.Context, p *retryPlan, service, request string, do func() error) error {
	for attempt := 1; ; attempt++ {
		err := do()
		if err == nil {
			return nil
		}
		pause, again := p.nextPause(err)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c.logFailure(ctx, failedAttempt{service, request, attempt, pause, again, err})
		if !again {
			if isRetryable(err) {
				return &exhaustedError{err}
			}
			return Permanent(err)
		}
		if err := sleepContext(ctx, pause); err != nil {
			return err
		}
	}
}

// failedAttempt is what the log is told of a failure.
type failedAttempt struct {
	service, request string
	attempt          int
	pause            time.Duration
	retries          bool
	err              error
}

func (c *Client) logFailure(ctx context.Context, f failedAttempt) {
	if s, ok := errors.AsType[*stepError](f.err); ok {
		f.service, f.request = s.service, s.request
	}
	args := []any{"account", c.cfg.Account, "service", f.service, "request", f.request, "attempt", f.attempt}
	if e, ok := errors.AsType[*Error](f.err); ok {
		args = append(args, "status", e.Status)
		if e.Code != "" {
			args = append(args, "code", e.Code)
		}
	}
	args = append(args, "error", sanitizeText(f.err.Error()))
	if f.retries {
		args = append(args, "next_try_in", f.pause.String(), "next_try", c.cfg.Now().Add(f.pause).UTC().Format(time.RFC3339))
	} else {
		args = append(args, "next_try", "never")
	}
	c.cfg.Log.WarnContext(ctx, "liveengage_fault", args...)
}
