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

// refreshInterval is how often a session is refreshed. The Login Service asks for
// every three to five minutes.
const refreshInterval = 5 * time.Minute

// sessionCookie is the name of the cookie that identifies a session.
const sessionCookie = "Session_id"

// Session is a login at the Login Service. It is safe for concurrent use.
type Session struct {
	client      *Client
	credentials credentials

	mu     sync.Mutex
	bearer secret.Value
	csrf   secret.Value
	cookie secret.Value // the value of sessionCookie
	ttl    time.Duration
}

// credentials are either a user with a password, or an application with a key.
type credentials struct {
	username string
	password secret.Value
	key      Key
}

// loginRequest returns the body of the request.
func (c credentials) loginRequest() loginRequest {
	return loginRequest{
		Username:          c.username,
		Password:          c.password.Reveal(),
		AppKey:            c.key.AppKey.Reveal(),
		Secret:            c.key.Secret.Reveal(),
		AccessToken:       c.key.AccessToken.Reveal(),
		AccessTokenSecret: c.key.AccessTokenSecret.Reveal(),
	}
}

// loginRequest is the body of a login, as a user or as an application.
type loginRequest struct {
	Username          string `json:"username,omitempty"`
	Password          string `json:"password,omitempty"`
	AppKey            string `json:"appKey,omitempty"`
	Secret            string `json:"secret,omitempty"`
	AccessToken       string `json:"accessToken,omitempty"`
	AccessTokenSecret string `json:"accessTokenSecret,omitempty"`
}

// Login logs in as a user. Rejected credentials are ErrBadCredentials and are not
// retried. If the service is unavailable, Login retries according to Config.Retry.
func (c *Client) Login(ctx context.Context, username, password string) (*Session, error) {
	return c.logIn(ctx, credentials{username: username, password: secret.New(password)})
}

// LoginApplication logs in as an application: a bot user with an API key. The four
// values go in the body; the OAuth 1.0 header is for calls without a login.
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
		TTL    json.RawMessage `json:"sessionTTl"` // milliseconds, as a string
	}
	response, err := s.client.callService(ctx, serviceCall{
		service:      serviceLogin,
		method:       http.MethodPost,
		path:         s.client.accountPath("/login"),
		query:        url.Values{"v": {"1.3"}},
		makeBody:     func(context.Context) (any, error) { return s.credentials.loginRequest(), nil },
		retryForever: true,
	}, &got)
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	if got.Bearer == "" {
		return errors.New("log in: the response has no bearer")
	}
	milliseconds, _ := strconv.ParseInt(unquoteJSON(got.TTL), 10, 64) // 0 if missing
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bearer, s.csrf = secret.New(got.Bearer), secret.New(got.CSRF)
	s.ttl = time.Duration(milliseconds) * time.Millisecond
	s.keepCookie(response.cookies)
	return nil
}

// keepCookie remembers the session's cookie if the response sets it. The caller holds
// the mutex.
func (s *Session) keepCookie(cookies []*http.Cookie) {
	for _, c := range cookies {
		if c.Name == sessionCookie && c.Value != "" {
			s.cookie = secret.New(c.Value)
		}
	}
}

// Bearer returns the token for calls of other services. It changes when KeepAlive has
// to log in again.
func (s *Session) Bearer() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bearer.Reveal()
}

// TTL is how long the session lasts without a refresh. Zero means unknown.
func (s *Session) TTL() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ttl
}

// AuthorizationHeader returns the header with the bearer. It is an Authorizer.
func (s *Session) AuthorizationHeader(_, _ string) string { return "Bearer " + s.Bearer() }

// KeepAlive refreshes the session every five minutes. If the session has expired, it
// logs in again. It returns nil when the context ends, and an error when the service
// rejects the login or Config.Retry is exhausted.
func (s *Session) KeepAlive(ctx context.Context) error {
	log := s.client.cfg.Log.With("account", s.client.cfg.Account, "service", serviceLogin)
	for {
		if sleepContext(ctx, refreshInterval) != nil {
			return nil //nolint:nilerr // the end of the context is not an error here
		}
		err := s.Refresh(ctx)
		if errors.Is(err, ErrBadCredentials) || errors.Is(err, ErrCSRF) {
			log.InfoContext(ctx, "liveengage_session_expired")
			err = s.logIn(ctx)
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the end of the context is not an error here
		}
		if err != nil {
			return err
		}
		log.InfoContext(ctx, "liveengage_session_refreshed")
	}
}

// Refresh extends the session. If it has expired, the error is ErrBadCredentials or
// ErrCSRF.
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

func (s *Session) postCSRF(ctx context.Context, path string, retryForever bool) error {
	s.mu.Lock()
	call := serviceCall{
		service:      serviceLogin,
		method:       http.MethodPost,
		path:         s.client.accountPath(path),
		makeBody:     fixedBody(map[string]string{"csrf": s.csrf.Reveal()}),
		retryForever: retryForever,
	}
	if s.cookie.IsSet() {
		//nolint:gosec // a request's cookie has no attributes
		call.cookies = []*http.Cookie{{Name: sessionCookie, Value: s.cookie.Reveal()}}
	}
	s.mu.Unlock()
	response, err := s.client.callService(ctx, call, nil)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keepCookie(response.cookies)
	return nil
}
