package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"idpbridge/internal/secret"
)

// refreshInterval is how often a session is refreshed: the Login Service says every
// three to five minutes.
const refreshInterval = 5 * time.Minute

// sessionCookie is the cookie that a session is known by.
const sessionCookie = "Session_id"

// Session is a login of the Login Service. It is safe for concurrent use.
type Session struct {
	client      *Client
	credentials credentials

	mu     sync.Mutex
	bearer secret.Value
	csrf   secret.Value
	cookie secret.Value // the value of sessionCookie
	ttl    time.Duration
}

// credentials log in: either as a user with a password, or as an application with
// a key.
type credentials struct {
	username string
	password secret.Value
	key      Key
}

// request is the body of the login request.
func (c credentials) request() loginRequest {
	return loginRequest{
		Username: c.username, Password: c.password.Reveal(),
		AppKey: c.key.AppKey.Reveal(), Secret: c.key.Secret.Reveal(),
		AccessToken: c.key.AccessToken.Reveal(), AccessTokenSecret: c.key.AccessTokenSecret.Reveal(),
	}
}

// loginRequest is the body of a login: as a user or as an application.
type loginRequest struct {
	Username          string `json:"username,omitempty"`
	Password          string `json:"password,omitempty"`
	AppKey            string `json:"appKey,omitempty"`
	Secret            string `json:"secret,omitempty"`
	AccessToken       string `json:"accessToken,omitempty"`
	AccessTokenSecret string `json:"accessTokenSecret,omitempty"`
}

// Login logs in as a user. Refused credentials are ErrCredentials and are not tried
// again; a service that cannot answer is tried again as the client's persistence
// says.
func (c *Client) Login(ctx context.Context, username, password string) (*Session, error) {
	return c.logIn(ctx, credentials{username: username, password: secret.New(password)})
}

// LoginApplication logs in as an application: a bot user and an API key. The four
// values go in the body; the header of OAuth 1.0 is for calls without a login.
func (c *Client) LoginApplication(ctx context.Context, username string, k Key) (*Session, error) {
	return c.logIn(ctx, credentials{username: username, key: k})
}

func (c *Client) logIn(ctx context.Context, k credentials) (*Session, error) {
	s := &Session{client: c, credentials: k}
	return s, s.logIn(ctx)
}

func (s *Session) logIn(ctx context.Context) error {
	var got struct {
		Bearer string          `json:"bearer"`
		CSRF   string          `json:"csrf"`
		TTL    json.RawMessage `json:"sessionTTl"` // milliseconds, as text
	}
	a, err := s.client.callService(ctx, serviceCall{
		service: serviceLogin, method: http.MethodPost, path: s.client.accountPath("/login"), query: url.Values{"v": {"1.3"}},
		makeBody:     func(context.Context) (any, error) { return s.credentials.request(), nil },
		retryForever: true,
	}, &got)
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	if got.Bearer == "" {
		return errors.New("log in: the answer has no bearer")
	}
	milliseconds, _ := strconv.ParseInt(unquoteJSON(got.TTL), 10, 64) // 0 where it is not told
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bearer, s.csrf = secret.New(got.Bearer), secret.New(got.CSRF)
	s.ttl = time.Duration(milliseconds) * time.Millisecond
	s.keepCookie(a.cookies)
	return nil
}

// keepCookie remembers the session's cookie where an answer sets it.
func (s *Session) keepCookie(cookies []*http.Cookie) {
	for _, c := range cookies {
		if c.Name == sessionCookie && c.Value != "" {
			s.cookie = secret.New(c.Value)
		}
	}
}

// Bearer is the token for calls of other services. It changes when the session has
// to log in again.
func (s *Session) Bearer() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bearer.Reveal()
}

// TTL is how long the session lives unless it is refreshed; 0 if nobody said.
func (s *Session) TTL() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ttl
}

// AuthorizationHeader is the header with the bearer.
func (s *Session) AuthorizationHeader(_, _ string) string { return "Bearer " + s.Bearer() }

// KeepAlive refreshes the session every five minutes until the context ends, which
// is no error. A session that is gone is replaced by a new login. It returns an
// error when the service refuses for good, or when the client's persistence is
// spent.
func (s *Session) KeepAlive(ctx context.Context) error {
	for {
		if sleepContext(ctx, refreshInterval) != nil {
			return nil //nolint:nilerr // the context has ended, which is no error here
		}
		err := s.Refresh(ctx)
		if errors.Is(err, ErrBadCredentials) || errors.Is(err, ErrCSRF) {
			s.client.cfg.Log.InfoContext(ctx, "liveengage_session_gone", "account", s.client.cfg.Account, "service", serviceLogin)
			err = s.logIn(ctx)
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the context has ended, which is no error here
		}
		if err != nil {
			return err
		}
		s.client.cfg.Log.InfoContext(ctx, "liveengage_session_alive", "account", s.client.cfg.Account, "service", serviceLogin)
	}
}

// Refresh tells the service that the session is in use. One that is gone is
// ErrCredentials or ErrCSRF.
func (s *Session) Refresh(ctx context.Context) error {
	if err := s.postCSRF(ctx, "/refresh", true); err != nil {
		return fmt.Errorf("refresh the session: %w", err)
	}
	return nil
}

// Logout ends the session.
func (s *Session) Logout(ctx context.Context) error {
	if err := s.postCSRF(ctx, "/logout", false); err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	return nil
}

func (s *Session) postCSRF(ctx context.Context, path string, growing bool) error {
	s.mu.Lock()
	body := map[string]string{"csrf": s.csrf.Reveal()}
	call := serviceCall{service: serviceLogin, method: http.MethodPost, path: s.client.accountPath(path), makeBody: fixedBody(body), retryForever: growing}
	if s.cookie.IsSet() {
		call.cookies = []*http.Cookie{{Name: sessionCookie, Value: s.cookie.Reveal()}} //nolint:gosec // a request's cookie has no attributes
	}
	s.mu.Unlock()
	a, err := s.client.callService(ctx, call, nil)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keepCookie(a.cookies)
	return nil
}
