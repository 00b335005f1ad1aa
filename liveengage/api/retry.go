package api

import (
	"context"
	"errors"
	"net/http"
	"time"
)

const (
	minBackoff       = 2 * time.Minute // the first growing interval
	maxBackoff       = time.Hour       // the longest growing interval
	maxRetryAfter    = 24 * time.Hour  // a longer Retry-After is ignored
	minThrottlePause = time.Second
	maxThrottled     = 5 // responses 429 in a row that a call waits for
)

// threePauses returns the pauses between the retries of a request.
func threePauses() []time.Duration {
	return []time.Duration{5 * time.Second, 10 * time.Second, 15 * time.Second}
}

// socketPauses returns the pauses before a lost socket is opened again.
func socketPauses() []time.Duration {
	return []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second}
}

// exhaustedError is a failure after all the retries its plan allows.
type exhaustedError struct{ err error }

func (e *exhaustedError) Error() string { return e.err.Error() }
func (e *exhaustedError) Unwrap() error { return e.err }

// permanentError is an error that a retry cannot fix.
type permanentError struct{ err error }

func (e *permanentError) Error() string { return replaceControls(e.err.Error()) }
func (e *permanentError) Unwrap() error { return e.err }

// Permanent marks an error of a CredentialSource or of SocketConfig.GetToken as one
// that a retry cannot fix, such as a wrong password. All their other errors count as
// temporary and are retried. Permanent returns nil for nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// temporaryError is an error of the caller's code, for example of the brand's
// provider. It is retried.
type temporaryError struct{ err error }

func (e *temporaryError) Error() string { return replaceControls(e.err.Error()) }
func (e *temporaryError) Unwrap() error { return e.err }

// classifyCallerError marks an error of the caller's code as temporary, unless it is
// marked as permanent or is one of this package's own.
func classifyCallerError(err error) error {
	_, fromService := errors.AsType[*Error](err)
	_, permanent := errors.AsType[*permanentError](err)
	if fromService || permanent || errors.Is(err, ErrHostNotAllowed) ||
		isRedirect(err) || errors.Is(err, ErrUnknownService) {
		return err
	}
	return &temporaryError{err}
}

// stepError is a failure before a request could be made. The log names this step
// instead of the request.
type stepError struct {
	service, request string
	err              error
}

func (e *stepError) Error() string { return e.err.Error() }
func (e *stepError) Unwrap() error { return e.err }

// retryPlan is when to try again: after its pauses and then, if it backs off, at
// intervals of 2, 4, 8 minutes and so on up to an hour, without end.
type retryPlan struct {
	pauses   []time.Duration
	backsOff bool

	used      int           // pauses so far
	interval  time.Duration // the last growing interval
	throttled int           // responses 429 in a row
}

func newRetryPlan(p RetryPolicy, pauses []time.Duration, backsOff bool) *retryPlan {
	if p == NoRetry {
		return &retryPlan{}
	}
	return &retryPlan{pauses: pauses, backsOff: backsOff && p == RetryForever}
}

// reset starts over after a success.
func (p *retryPlan) reset() { p.used, p.interval, p.throttled = 0, 0, 0 }

// isRetryable reports whether the same request may succeed later: after no response,
// 5xx or 429. Any other 4xx is for the caller to fix, and so is ErrTokenRejected.
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
	_, ok := errors.AsType[*noResponseError](err)
	return ok
}

// nextPause returns how long to wait after a failure, and whether to retry at all.
func (p *retryPlan) nextPause(err error) (time.Duration, bool) {
	if !isRetryable(err) || p.pauses == nil {
		return 0, false
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Status == http.StatusTooManyRequests {
		p.throttled++
		if p.throttled <= maxThrottled && e.RetryAfter < maxBackoff {
			return max(e.RetryAfter, minThrottlePause<<(p.throttled-1)), true
		}
		if !p.backsOff {
			return 0, false
		}
		return max(p.growInterval(), e.RetryAfter), true
	}
	p.throttled = 0
	if _, ok := errors.AsType[*exhaustedError](err); ok {
		p.used = len(p.pauses) // the inner call has already used them
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

// retryCall runs do until it succeeds, fails permanently or the plan ends. It logs
// every failure.
func (c *Client) retryCall(ctx context.Context, p *retryPlan, service, request string, do func() error) error {
	for attempt := 1; ; attempt++ {
		err := do()
		if err == nil {
			return nil
		}
		pause, retries := p.nextPause(err)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c.logFailure(ctx, failedAttempt{service, request, attempt, pause, retries, err})
		if !retries {
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

// failedAttempt is what is logged about a failure.
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
		next := c.cfg.Now().Add(f.pause).UTC().Format(time.RFC3339)
		args = append(args, "next_try_in", f.pause.String(), "next_try", next)
	} else {
		args = append(args, "next_try", "never")
	}
	c.cfg.Log.WarnContext(ctx, "liveengage_request_failed", args...)
}
