package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"idpbridge/keys"
)

const (
	// logoutTokenLife is short: every attempt has a token of its own.
	logoutTokenLife = 2 * time.Minute
	// logoutLease is how long one attempt may take, with the reading of its answer.
	logoutLease = time.Minute
	// logoutBatch is how many logouts are taken at once.
	logoutBatch = 256
	// logoutSpell is how long one client is told one logout after the other before
	// what is left of its share is put off; well below the lease.
	logoutSpell = 30 * time.Second
	// logoutRest is how long a client that did not answer is left alone.
	logoutRest = time.Minute
	// logoutPause is the wait after the first failure; it doubles up to
	// logoutLongest, and after logoutGiveUp the client is told no more.
	logoutPause   = 5 * time.Second
	logoutLongest = time.Hour
	logoutGiveUp  = 24 * time.Hour
)

// logoutToken is the payload of a logout token (OpenID Connect Back-Channel
// Logout 1.0 section 2.4).
type logoutToken struct {
	Issuer   string       `json:"iss"`
	Subject  string       `json:"sub"`
	Audience string       `json:"aud"`
	IssuedAt int64        `json:"iat"` // seconds
	Expires  int64        `json:"exp"` // seconds
	ID       string       `json:"jti"`
	Session  string       `json:"sid"`
	Events   logoutEvents `json:"events"`
}

type logoutEvents struct {
	Logout struct{} `json:"http://schemas.openid.net/event/backchannel-logout"`
}

// NotifyClients tells the clients whose time has come that a session has ended
// (OpenID Connect Back-Channel Logout 1.0), and returns when none is left. The
// client should follow no redirects and have a time limit well below a minute.
// Whoever runs the provider calls it again and again; a client that answers 5xx
// or not at all is told again after pauses that grow from five seconds to an
// hour, and given up after a day. One that refuses is given up at once. Both are
// logged as errors. A client that does not answer is then left alone for a minute,
// however much waits for it, so that the others wait for one of its time-outs a
// minute at most. It is not safe for concurrent use.
func (p *Provider) NotifyClients(ctx context.Context, client *http.Client) error {
	for {
		now := p.now()
		due, err := p.logouts.TakeLogouts(ctx, now, now.Add(logoutLease), logoutBatch)
		if err != nil {
			return fmt.Errorf("take logouts: %w", err)
		}
		byClient := map[string][]Logout{}
		for _, l := range due {
			byClient[l.ClientID] = append(byClient[l.ClientID], l)
		}
		var mu sync.Mutex
		var errs []error
		var group sync.WaitGroup
		resting := maps.Clone(p.resting)
		for id, share := range byClient {
			rests := resting[id]
			group.Go(func() {
				until, err := p.tellClient(ctx, client, share, rests)
				mu.Lock()
				defer mu.Unlock()
				p.resting[id] = until
				errs = append(errs, err)
			})
		}
		group.Wait()
		if err := errors.Join(errs...); err != nil || len(due) < logoutBatch {
			return err
		}
	}
}

// tellClient tells one client its share, one after the other, and returns until
// when it is to be left alone. The error is one of the store.
func (p *Provider) tellClient(ctx context.Context, client *http.Client, share []Logout, rests time.Time) (time.Time, error) {
	begun := p.now()
	for _, l := range share {
		now := p.now()
		var err error
		switch {
		case ctx.Err() != nil:
			return rests, nil //nolint:nilerr // the lease runs out, and another attempt is made after the next start
		case now.Before(rests):
			err = p.settle(ctx, l, true, errResting)
		case now.Sub(begun) > logoutSpell:
			err = p.logouts.PostponeLogout(ctx, l, now)
		default:
			var silent bool
			if silent, err = p.tell(ctx, client, l); silent {
				rests = p.now().Add(logoutRest)
			}
		}
		if err != nil {
			return rests, err
		}
	}
	return rests, nil
}

var errResting = errors.New("it did not answer a moment ago, and was not asked again")

// tell makes one attempt and settles what becomes of the logout. Silent says that
// there was no answer. The error is one of the store: what the client does is no
// error here.
func (p *Provider) tell(ctx context.Context, client *http.Client, l Logout) (silent bool, err error) {
	c := p.clients[l.ClientID]
	if c == nil || c.BackchannelLogoutURI == "" {
		return false, p.logouts.DropLogout(ctx, l)
	}
	status, cause := p.deliverLogout(ctx, client, c, l)
	if ctx.Err() != nil {
		return false, nil //nolint:nilerr // as in tellClient
	}
	again := status == 0 || status >= 500 || status < 400 || status == http.StatusRequestTimeout || status == http.StatusTooManyRequests
	return status == 0, p.settle(ctx, l, again, cause)
}

// settle drops a logout that is told or given up, and postpones any other.
func (p *Provider) settle(ctx context.Context, l Logout, again bool, cause error) error {
	now := p.now()
	switch {
	case cause == nil:
		p.events("logout_delivered", l.ClientID)
		p.log.InfoContext(ctx, "client told of sign-out", "client_id", l.ClientID, "tries", l.Tries)
	case !again, now.Sub(l.Created) >= logoutGiveUp:
		p.events("logout_given_up", l.ClientID)
		p.log.ErrorContext(ctx, "client could not be told of sign-out; given up", "client_id", l.ClientID,
			"tries", l.Tries, "error", cause.Error())
	default:
		next := now.Add(pauseAfter(l.Tries))
		p.events("logout_postponed", l.ClientID)
		p.log.WarnContext(ctx, "client could not be told of sign-out", "client_id", l.ClientID,
			"tries", l.Tries, "next", next.UTC().Format(time.RFC3339), "error", cause.Error())
		return p.logouts.PostponeLogout(ctx, l, next)
	}
	return p.logouts.DropLogout(ctx, l)
}

// pauseAfter is the wait after so many attempts.
func pauseAfter(tries int) time.Duration {
	pause := logoutPause
	for range tries - 1 {
		if pause *= 2; pause >= logoutLongest {
			return logoutLongest
		}
	}
	return pause
}

// deliverLogout posts a logout token. The error is nil where it was confirmed;
// status is 0 where there was no answer.
func (p *Provider) deliverLogout(ctx context.Context, client *http.Client, c *Client, l Logout) (status int, err error) {
	now := p.now()
	payload, err := json.Marshal(logoutToken{
		Issuer: p.issuer, Subject: l.Subject, Audience: c.ID, IssuedAt: now.Unix(), Expires: now.Add(logoutTokenLife).Unix(),
		ID: newID(), Session: l.SessionID,
	})
	if err != nil {
		return 0, fmt.Errorf("logout token: %w", err)
	}
	token, err := p.sign(c, keys.TypeLogout, payload)
	if err != nil {
		return 0, err
	}
	body := url.Values{"logout_token": {token}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.BackchannelLogoutURI, strings.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("logout request: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	_ = res.Body.Close()                                         // the status says all
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return res.StatusCode, fmt.Errorf("%s answers %d", c.BackchannelLogoutURI, res.StatusCode)
	}
	return res.StatusCode, nil
}
