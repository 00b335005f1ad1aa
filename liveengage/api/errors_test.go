package api_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"idpbridge/internal/secret"
	"idpbridge/liveengage/api"
)

// TestFaultsRepeatNoSecret: a service that sends back what it was sent does not put
// it into an error or the log, in whatever spelling.
func TestFaultsRepeatNoSecret(t *testing.T) {
	t.Parallel()
	const password = `hunter "2"/ä`
	key := api.Key{
		AppKey: secret.New("app-key-1"), Secret: secret.New("key-secret-2"),
		AccessToken: secret.New("access-3"), AccessTokenSecret: secret.New("token-secret-4"),
	}
	for _, echo := range []func(string) string{
		func(s string) string { return s }, url.QueryEscape, url.PathEscape,
		func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		func(s string) string { return strings.ReplaceAll(s, `"`, `\"`) },
	} {
		synctest.Test(t, func(t *testing.T) {
			s := startServices(t)
			c := s.client(func(cfg *api.Config) { cfg.Retry = api.NoRetry })
			refuse := func(secrets ...string) []reply {
				var text strings.Builder
				for _, one := range secrets {
					text.WriteString("<" + echo(one) + ">")
				}
				return []reply{{status: http.StatusBadRequest, body: `{"error":{"message":"cannot read ` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text.String()) + ` here","internalCode":"` +
					strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(echo(secrets[0])) + `"}}`}}
			}
			clean := func(err error, secrets ...string) {
				require.ErrorContains(t, err, "cannot read <redacted>")
				for _, one := range secrets {
					require.NotContains(t, err.Error()+s.log.String(), one)
					require.NotContains(t, err.Error()+s.log.String(), echo(one))
				}
			}
			s.replies["POST /login"] = refuse(password)
			_, err := c.Login(t.Context(), "ann", password)
			clean(err, password)
			ofKey := []string{key.AppKey.Reveal(), key.Secret.Reveal(), key.AccessToken.Reveal(), key.AccessTokenSecret.Reveal()}
			s.replies["POST /login"] = refuse(ofKey...)
			_, err = c.LoginApplication(t.Context(), "bot", key)
			clean(err, ofKey...)

			s.replies["POST /login"] = []reply{{status: 200, body: `{"csrf":"csrf-5","bearer":"bearer-6"}`, header: http.Header{"Set-Cookie": {"Session_id=cookie-7"}}}}
			session, err := c.Login(t.Context(), "ann", password)
			require.NoError(t, err)
			s.replies["POST /refresh"] = refuse("csrf-5", "cookie-7")
			clean(session.Refresh(t.Context()), "csrf-5", "cookie-7")
			s.replies["GET /configuration/le-users/users"] = refuse("bearer-6")
			_, err = c.Users(t.Context(), session.AuthorizationHeader)
			clean(err, "bearer-6")
			s.replies["GET /configuration/le-users/users"] = refuse(key.AppKey.Reveal(), key.AccessToken.Reveal())
			_, err = c.Users(t.Context(), c.KeyAuthorizer(key))
			clean(err, key.AppKey.Reveal(), key.AccessToken.Reveal())

			s.replies["POST /app/default/authenticate"] = refuse("code-8", "verifier-9")
			_, err = c.Authenticate(t.Context(), api.Authentication{Source: func(context.Context) (api.Credential, error) {
				return api.Credential{Code: secret.New("code-8"), CodeVerifier: secret.New("verifier-9")}, nil
			}})
			clean(err, "code-8", "verifier-9")
			s.replies["POST /app/default/authenticate"] = refuse("id.token.0")
			_, err = c.Authenticate(t.Context(), api.Authentication{Source: func(context.Context) (api.Credential, error) {
				return api.Credential{IDToken: secret.New("id.token.0")}, nil
			}})
			clean(err, "id.token.0")
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		s.replies["POST /login"] = []reply{{status: http.StatusBadRequest, body: `{"error":{"message":"cannot read \"pw\"","internalCode":4}}`}}
		_, err := s.client().Login(t.Context(), "ann", "pw")
		require.EqualError(t, err, "log in: agentVep answers 400 Bad Request, code 4: redacted", "a short one would show by its gaps")
		s.sockets = []func(*fakeServices, *websocket.Conn){func(_ *fakeServices, conn *websocket.Conn) { _ = conn.Close(4407, "bad token lp-token-1\x1b[2J") }}
		err = s.client(func(cfg *api.Config) { cfg.Retry = api.NoRetry }).
			Socket(api.SocketConfig{GetToken: func(context.Context) (string, error) { return "lp-token-1", nil }}).Run(t.Context())
		require.ErrorContains(t, err, "4407")
		require.NotContains(t, err.Error()+s.log.String(), "lp-token-1")
		require.NotContains(t, err.Error()+s.log.String(), "\x1b")
	})
}

// TestFaultsSteerNoTerminal: control characters of a service's words are marked.
func TestFaultsSteerNoTerminal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		s.replies["POST /login"] = []reply{{status: http.StatusBadRequest, body: `{"error":{"message":"a\u001b[2J\u009b1mb\u0007","internalCode":"4\u001b[2J"}}`}}
		_, err := s.client().Login(t.Context(), "ann", "password")
		require.EqualError(t, err, "log in: agentVep answers 400 Bad Request, code 4\uFFFD[2J: a\uFFFD[2J\uFFFD1mb\uFFFD")
		_, err = s.client().Authenticate(t.Context(), api.Authentication{Source: func(context.Context) (api.Credential, error) {
			return api.Credential{}, api.Permanent(errors.New("the page says \x1b[2J"))
		}})
		require.NotContains(t, err.Error()+s.log.String(), "\x1b")
	})
}

// TestFaultsNameWhoAnswered: a call that failed because the Domain API refused was
// never made, and the log does not say so.
func TestFaultsNameWhoAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		s.replies["GET /service/baseURI.json"] = []reply{{status: http.StatusUnauthorized}}
		_, err := s.client().Login(t.Context(), "ann", "password")
		e, ok := errors.AsType[*api.Error](err)
		require.True(t, ok)
		require.Equal(t, "domains", e.Service)
		require.Contains(t, s.log.String(), `service=domains request="GET /api/account/12345678/service/baseURI.json"`)
		require.NotContains(t, s.log.String(), "agentVep")
	})
}

// TestSourceMayFailForAMoment: the brand's provider is away when a token has run out.
// That passes; what the source says is final is not tried again.
func TestSourceMayFailForAMoment(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, persistence api.RetryPolicy, failures int, failure error) (*fakeServices, int, time.Duration, error) {
		t.Helper()
		s := startServices(t)
		s.replies["POST /app/default/authenticate"] = []reply{okReply(`{"token":"lp"}`)}
		s.sockets = []func(*fakeServices, *websocket.Conn){serveSocket(time.Hour, 4407)}
		c := s.client(func(cfg *api.Config) { cfg.Retry = persistence })
		asked := 0
		socket := c.Socket(api.SocketConfig{GetToken: func(ctx context.Context) (string, error) {
			return c.Authenticate(ctx, api.Authentication{Source: func(context.Context) (api.Credential, error) {
				if asked++; asked > 1 && asked <= 1+failures {
					return api.Credential{}, failure
				}
				return api.Credential{IDToken: secret.New("t")}, nil
			}})
		}})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Hour+time.Minute)
		defer cancel()
		began := time.Now()
		err := socket.Run(ctx)
		return s, asked, time.Since(began), err
	}
	away := errors.New("Get http://idp: connection refused")
	synctest.Test(t, func(t *testing.T) {
		s, asked, took, err := run(t, api.RetryForever, 6, away)
		require.NoError(t, err)
		require.Equal(t, 10*time.Hour+time.Minute, took, "it goes on to the end")
		require.Equal(t, 6+10, asked)
		require.Contains(t, s.log.String(), `service=brand request="get a credential" attempt=1 error="get a credential from the brand: Get http://idp: connection refused" next_try_in=5s`)
	})
	synctest.Test(t, func(t *testing.T) {
		_, asked, took, err := run(t, api.RetryThreeTimes, 100, away)
		require.ErrorIs(t, err, away)
		require.Equal(t, 1+4, asked)
		require.Equal(t, time.Hour+30*time.Second, took.Truncate(time.Second))
	})
	synctest.Test(t, func(t *testing.T) {
		_, asked, took, err := run(t, api.RetryForever, 100, api.Permanent(away))
		require.ErrorIs(t, err, away)
		require.Equal(t, 1+1, asked)
		require.Equal(t, time.Hour, took.Truncate(time.Minute))
	})
	require.NoError(t, api.Permanent(nil))
}

// TestCodesThatNoRetryMends end a request at once although their status is 500;
// what may pass is tried again.
func TestCodesThatNoRetryMends(t *testing.T) {
	t.Parallel()
	for code, attempts := range map[string]int{
		"9007": 1, "9009": 1, "9012": 1, "9015": 1, "1001": 1, "1008": 1, "1012": 1, "1024": 1, "1042": 1,
		"9000": 4, "9001": 4, "9010": 4, "9011": 4, "9013": 4, "9014": 4, "1022": 4, "1038": 4, "1041": 4, "1044": 4, "": 4, "9999": 4,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := startServices(t)
			s.replies["POST /app/default/authenticate"] = []reply{{status: 500, body: `{"internalErrorCode":"` + code + `"}`}}
			asked := 0
			_, err := s.client().Authenticate(t.Context(), api.Authentication{Source: func(context.Context) (api.Credential, error) {
				asked++
				return api.Credential{IDToken: secret.New("t")}, nil
			}})
			require.Error(t, err)
			require.Equal(t, attempts, asked, code)
			require.Equal(t, attempts == 1, errors.Is(err, api.ErrTokenRejected), code)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		s.replies["POST /login"] = []reply{{status: 500, body: `{"internalErrorCode":"9007"}`}, okReply(loginBody)}
		_, err := s.client().Login(t.Context(), "ann", "secret")
		require.NoError(t, err, "the codes are the idp service's own")
	})
}
