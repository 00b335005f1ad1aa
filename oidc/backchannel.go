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
	// LogoutTokenLifetime is short: every attempt gets a new token.
	LogoutTokenLifetime = 2 * time.Minute
	// logoutLease is how long one attempt may take, including the response.
	logoutLease = time.Minute
	// logoutBatch is how many logouts are taken from the queue at once.
	logoutBatch = 256
	// logoutTurn is how long one client is notified before the rest of its logouts is
	// postponed; well below the lease.
	logoutTurn = 30 * time.Second
	// logoutSilence is how long a client that did not respond gets no logouts.
	logoutSilence = time.Minute
	// logoutFirstPause is the wait after the first failure. It doubles up to
	// logoutMaxPause, and after logoutGiveUp the logout is abandoned.
	logoutFirstPause = 5 * time.Second
	logoutMaxPause   = time.Hour
	logoutGiveUp     = 24 * time.Hour
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

// NotifyClients sends the logout tokens that are due (OpenID Connect Back-Channel
// Logout 1.0) and returns when none is left. Call it repeatedly. httpClient should
// follow no redirects and have a timeout well below a minute.
//
// A client that responds with 5xx or not at all is notified again after pauses from
// five seconds to an hour; after a day the logout is abandoned. If a client rejects the
// token, the logout is abandoned at once. Both are logged as errors. A client that does not
// respond gets no logouts for a minute, so that the others wait for at most one of its
// timeouts a minute.
// NotifyClients is not safe for concurrent use.
func (p *Provider) NotifyClients(ctx context.Context, httpClient *http.Client) error {
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
		before := maps.Clone(p.silentUntil)
		for id, logouts := range byClient {
			silentUntil := before[id]
			group.Go(func() {
				until, err := p.sendLogouts(ctx, httpClient, logouts, silentUntil)
				mu.Lock()
				defer mu.Unlock()
				p.silentUntil[id] = until
				errs = append(errs, err)
			})
		}
		group.Wait()
		if err := errors.Join(errs...); err != nil || len(due) < logoutBatch {
			return err
		}
	}
}

var errSilent = errors.New("it did not respond a moment ago and was not asked again")

// sendLogouts sends one client its logouts, one after the other. It returns the time until
// which to send the client nothing more. The error is one of the store.
func (p *Provider) sendLogouts(
	ctx context.Context, httpClient *http.Client, logouts []Logout, silentUntil time.Time,
) (time.Time, error) {
	start := p.now()
	for _, l := range logouts {
		if ctx.Err() != nil {
			return silentUntil, nil //nolint:nilerr // the lease runs out, and the next start tries again
		}
		var err error
		if now := p.now(); now.Before(silentUntil) {
			err = p.recordDelivery(ctx, l, true, errSilent)
		} else if now.Sub(start) > logoutTurn {
			err = p.logouts.PostponeLogout(ctx, l, now)
		} else {
			var silent bool
			if silent, err = p.sendLogout(ctx, httpClient, l); silent {
				silentUntil = p.now().Add(logoutSilence)
			}
		}
		if err != nil {
			return silentUntil, err
		}
	}
	return silentUntil, nil
}

// sendLogout makes one attempt and records its outcome. It reports whether the client
// stayed silent. The error is one of the store, never of the client.
func (p *Provider) sendLogout(ctx context.Context, httpClient *http.Client, l Logout) (silent bool, err error) {
	client := p.clients[l.ClientID]
	if client == nil || client.BackchannelLogoutURI == "" {
		return false, p.logouts.DropLogout(ctx, l)
	}
	status, cause := p.postLogoutToken(ctx, httpClient, client, l)
	if ctx.Err() != nil {
		return false, nil //nolint:nilerr // as in sendLogouts
	}
	retry := status >= 500 || status < 400 || status == http.StatusRequestTimeout || status == http.StatusTooManyRequests
	return status == 0, p.recordDelivery(ctx, l, retry, cause)
}

// recordDelivery drops a logout that was delivered (cause is nil) or is abandoned, and
// postpones any other.
func (p *Provider) recordDelivery(ctx context.Context, l Logout, retry bool, cause error) error {
	log := p.log.With("client_id", l.ClientID, "tries", l.Tries)
	if cause == nil {
		p.events("logout_delivered", l.ClientID)
		log.InfoContext(ctx, "logout delivered")
		return p.logouts.DropLogout(ctx, l)
	}
	now := p.now()
	if !retry || now.Sub(l.Created) >= logoutGiveUp {
		p.events("logout_abandoned", l.ClientID)
		log.ErrorContext(ctx, "logout abandoned", "error", cause.Error())
		return p.logouts.DropLogout(ctx, l)
	}
	next := now.Add(pauseAfter(l.Tries))
	p.events("logout_postponed", l.ClientID)
	log.WarnContext(ctx, "logout postponed", "next", next.UTC().Format(time.RFC3339), "error", cause.Error())
	return p.logouts.PostponeLogout(ctx, l, next)
}

// pauseAfter is the wait after that many attempts.
func pauseAfter(tries int) time.Duration {
	pause := logoutFirstPause
	for range tries - 1 {
		if pause *= 2; pause >= logoutMaxPause {
			return logoutMaxPause
		}
	}
	return pause
}

// postLogoutToken posts a logout token. The error is nil if the client confirmed it;
// status is 0 if there was no response.
func (p *Provider) postLogoutToken(
	ctx context.Context, httpClient *http.Client, client *Client, l Logout,
) (status int, err error) {
	now := p.now()
	payload, err := json.Marshal(logoutToken{
		Issuer: p.issuer, Subject: l.Subject, Audience: client.ID, IssuedAt: now.Unix(),
		Expires: now.Add(LogoutTokenLifetime).Unix(), ID: newID(), Session: l.SessionID,
	})
	if err != nil {
		return 0, fmt.Errorf("logout token: %w", err)
	}
	token, err := p.tokens.signToken(ctx, client, keys.TypeLogout, payload)
	if err != nil {
		return 0, err
	}
	body := url.Values{"logout_token": {token}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, client.BackchannelLogoutURI, strings.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("logout request: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := httpClient.Do(r)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be reused
	_ = res.Body.Close()
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return res.StatusCode, fmt.Errorf("%s returned status %d", client.BackchannelLogoutURI, res.StatusCode)
	}
	return res.StatusCode, nil
}
