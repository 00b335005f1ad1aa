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
	// renewalLead is the longest time before its expiry that a token is renewed.
	renewalLead = time.Minute
	// shortLife is the lifetime up to which a token is not renewed early: renewals would
	// follow each other too closely.
	shortLife = 10 * time.Second
)

// errTokenRenewed ends a connection whose token is about to expire.
var errTokenRenewed = errors.New("the connection was replaced because its token was renewed")

// consumerToken is LivePerson's token of the consumer.
type consumerToken struct {
	value   string
	proven  bool      // the service has accepted it
	renewAt time.Time // zero if unknown
}

// newConsumerToken reads the expiry from a token without verifying it. If it is
// wrong, the service closes the connection and Run opens the next.
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
	// For a new token, exp minus iat is right even if this clock is wrong. For an older
	// one, exp minus now is right if this clock is. The smaller one is safe.
	left := time.Unix(claims.Expires, 0).Sub(now)
	lifetime := time.Duration(claims.Expires-claims.Issued) * time.Second
	if claims.Issued > 0 && (left <= 0 || lifetime < left) {
		left = lifetime
	}
	if left > shortLife {
		p.renewAt = now.Add(left - min(renewalLead, left/10))
	}
	return p
}

// renewToken gets the next token shortly before one expires, while the connection
// stays open. If that fails, the service will close the connection and Run opens the
// next.
func (s *Socket) renewToken(ctx context.Context, p consumerToken, renewed chan<- string) {
	if p.renewAt.IsZero() || sleepContext(ctx, p.renewAt.Sub(s.client.cfg.Now())) != nil {
		return
	}
	token, err := s.cfg.GetToken(ctx)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		err = classifyCallerError(err)
		s.client.logFailure(ctx, failedAttempt{"token", "renew the consumer's token", 1, renewalLead, true, err})
		return
	}
	renewed <- token
}
