package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	// logoutBatch is how many clients are told at once.
	logoutBatch = 16
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

// TellClients tells the clients whose time has come that a session has ended
// (OpenID Connect Back-Channel Logout 1.0), and returns when none is left. The
// client should follow no redirects and have a time limit well below a minute.
// Whoever runs the provider calls it again and again; a client that answers 5xx
// or not at all is told again after pauses that grow from five seconds to an
// hour, and given up after a day. One that refuses is given up at once. Both are
// logged as errors.
func (p *Provider) TellClients(ctx context.Context, client *http.Client) error {
	for {
		now := p.now()
		due, err := p.logouts.TakeLogouts(ctx, now, now.Add(logoutLease), logoutBatch)
		if err != nil {
			return fmt.Errorf("take logouts: %w", err)
		}
		errs := make([]error, len(due))
		var group sync.WaitGroup
		for i, l := range due {
			group.Go(func() { errs[i] = p.tell(ctx, client, l) })
		}
		group.Wait()
		if err := errors.Join(errs...); err != nil || len(due) < logoutBatch {
			return err
		}
	}
}

// tell makes one attempt and settles what becomes of the logout. The error is one
// of the store: what the client does is no error here.
func (p *Provider) tell(ctx context.Context, client *http.Client, l Logout) error {
	c := p.clients[l.ClientID]
	if c == nil || c.BackchannelLogoutURI == "" {
		return p.logouts.DropLogout(ctx, l)
	}
	again, cause := p.deliverLogout(ctx, client, c, l)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the lease runs out, and another attempt is made after the next start
	}
	now := p.now()
	switch {
	case cause == nil:
		p.events("logout_delivered", c.ID)
		p.log.InfoContext(ctx, "client told of sign-out", "client_id", c.ID, "tries", l.Tries)
	case !again, now.Sub(l.Created) >= logoutGiveUp:
		p.events("logout_given_up", c.ID)
		p.log.ErrorContext(ctx, "client could not be told of sign-out; given up", "client_id", c.ID,
			"backchannel_logout_uri", c.BackchannelLogoutURI, "tries", l.Tries, "error", cause.Error())
	default:
		next := now.Add(pauseAfter(l.Tries))
		p.events("logout_postponed", c.ID)
		p.log.WarnContext(ctx, "client could not be told of sign-out", "client_id", c.ID,
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

// deliverLogout posts a logout token. Again says whether another attempt may do better.
func (p *Provider) deliverLogout(ctx context.Context, client *http.Client, c *Client, l Logout) (again bool, err error) {
	now := p.now()
	payload, err := json.Marshal(logoutToken{
		Issuer: p.issuer, Subject: l.Subject, Audience: c.ID, IssuedAt: now.Unix(), Expires: now.Add(logoutTokenLife).Unix(),
		ID: newID(), Session: l.SessionID,
	})
	if err != nil {
		return false, fmt.Errorf("logout token: %w", err)
	}
	token, err := p.keys.Sign(c.Algorithm, keys.TypeLogout, payload)
	if err != nil {
		return true, err
	}
	body := url.Values{"logout_token": {token}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.BackchannelLogoutURI, strings.NewReader(body))
	if err != nil {
		return false, fmt.Errorf("logout request: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := client.Do(req)
	if err != nil {
		return true, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	if err := res.Body.Close(); err != nil {
		return true, err
	}
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		return false, nil
	case res.StatusCode >= 400 && res.StatusCode < 500 && res.StatusCode != http.StatusRequestTimeout && res.StatusCode != http.StatusTooManyRequests:
		return false, fmt.Errorf("it answers %d", res.StatusCode)
	}
	return true, fmt.Errorf("it answers %d", res.StatusCode)
}
