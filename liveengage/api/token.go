package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

const (
	// renewalLead is how long before its end a token is replaced, at most.
	renewalLead = time.Minute
	// shortLife is that of a token which is not replaced early: it would be a storm.
	shortLife = 10 * time.Second
)

// errTokenRenewed ends a connection whose token is about to run out.
var errTokenRenewed = errors.New("the connection is renewed")

// consumerToken is a token of the consumer, whether the service has answered to it, and when
// it is to be replaced: zero where that is not known.
type consumerToken struct {
	value   string
	proven  bool
	renewAt time.Time
}

// newConsumerToken reads from a token when it ends. It is not verified: if it lies, the
// service closes the connection, which is then opened with another.
func newConsumerToken(token string, now time.Time) consumerToken {
	p := consumerToken{value: token}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return p
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Issued  int64 `json:"iat"`
		Expires int64 `json:"exp"`
	}
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return p
	}
	// The whole life is right by any clock, if the token is new; what is left of it is
	// right for any token, if the clock is.
	left := time.Unix(claims.Expires, 0).Sub(now)
	if whole := time.Duration(claims.Expires-claims.Issued) * time.Second; claims.Issued > 0 && (left <= 0 || whole < left) {
		left = whole
	}
	if left > shortLife {
		p.renewAt = now.Add(left - min(renewalLead, left/10))
	}
	return p
}

// renewToken gets the next token shortly before one ends, while the connection goes on. If
// that fails, the service will close the connection, and Run goes on from there.
func (s *Socket) renewToken(ctx context.Context, p consumerToken, fresh chan<- string) {
	if p.renewAt.IsZero() || sleepContext(ctx, p.renewAt.Sub(s.client.cfg.Now())) != nil {
		return
	}
	token, err := s.cfg.GetToken(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		s.client.logFailure(ctx, failedAttempt{"token", "renew the consumer's token", 1, renewalLead, true, classifyCallerError(err)})
	default:
		fresh <- token
	}
}
