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

// TestErrorsContainNoSecrets: if a service repeats what it was sent, in any encoding,
// neither the error nor the log shows it.
func TestErrorsContainNoSecrets(t *testing.T) {
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
			rejectWith := func(secrets ...string) []reply {
				var text strings.Builder
				for _, one := range secrets {
					text.WriteString("<" + echo(one) + ">")
				}
				quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
				body := `{"error":{"message":"cannot read ` + quote.Replace(text.String()) + ` here","internalCode":"` +
					quote.Replace(echo(secrets[0])) + `"}}`
				return []reply{{status: http.StatusBadRequest, body: body}}
			}
			requireNoSecrets := func(err error, secrets ...string) {
				require.ErrorContains(t, err, "cannot read <redacted>")
				for _, one := range secrets {
					require.NotContains(t, err.Error()+s.log.String(), one)
					require.NotContains(t, err.Error()+s.log.String(), echo(one))
				}
			}
			s.replies["POST /login"] = rejectWith(password)
			_, err := c.Login(t.Context(), "ann", password)
			requireNoSecrets(err, password)
			ofKey := []string{key.AppKey.Reveal(), key.Secret.Reveal(), key.AccessToken.Reveal(), key.AccessTokenSecret.Reveal()}
			s.replies["POST /login"] = rejectWith(ofKey...)
			_, err = c.LoginApplication(t.Context(), "bot", key)
			requireNoSecrets(err, ofKey...)

			s.replies["POST /login"] = []reply{{
				status: 200,
				body:   `{"csrf":"csrf-5","bearer":"bearer-6"}`,
				header: http.Header{"Set-Cookie": {"Session_id=cookie-7"}},
			}}
			session, err := c.Login(t.Context(), "ann", password)
			require.NoError(t, err)
			s.replies["POST /refresh"] = rejectWith("csrf-5", "cookie-7")
			requireNoSecrets(session.Refresh(t.Context()), "csrf-5", "cookie-7")
			s.replies["GET /configuration/le-users/users"] = rejectWith("bearer-6")
			_, err = c.Users(t.Context(), session.AuthorizationHeader)
			requireNoSecrets(err, "bearer-6")
			s.replies["GET /configuration/le-users/users"] = rejectWith(key.AppKey.Reveal(), key.AccessToken.Reveal())
			_, err = c.Users(t.Context(), c.KeyAuthorizer(key))
			requireNoSecrets(err, key.AppKey.Reveal(), key.AccessToken.Reveal())

			s.replies["POST /app/default/authenticate"] = rejectWith("code-8", "verifier-9")
			_, err = c.Authenticate(t.Context(), api.Authentication{Source: func(context.Context) (api.Credential, error) {
				return api.Credential{Code: secret.New("code-8"), CodeVerifier: secret.New("verifier-9")}, nil
			}})
			requireNoSecrets(err, "code-8", "verifier-9")
			s.replies["POST /app/default/authenticate"] = rejectWith("id.token.0")
			_, err = c.Authenticate(t.Context(), api.Authentication{Source: func(context.Context) (api.Credential, error) {
				return api.Credential{IDToken: secret.New("id.token.0")}, nil
			}})
			requireNoSecrets(err, "id.token.0")
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		s.replies["POST /login"] = []reply{
			{status: http.StatusBadRequest, body: `{"error":{"message":"cannot read \"pw\"","internalCode":4}}`},
		}
		_, err := s.client().Login(t.Context(), "ann", "pw")
		require.EqualError(t, err, "log in: agentVep returned 400 Bad Request, code 4: redacted",
			"the gaps would give a short secret away")
		s.sockets = []func(*fakeServices, *websocket.Conn){
			func(_ *fakeServices, conn *websocket.Conn) { _ = conn.Close(4407, "bad token lp-token-1\x1b[2J") },
		}
		err = s.client(func(cfg *api.Config) { cfg.Retry = api.NoRetry }).
			Socket(api.SocketConfig{GetToken: func(context.Context) (string, error) { return "lp-token-1", nil }}).
			Run(t.Context())
		require.ErrorContains(t, err, "4407")
		require.NotContains(t, err.Error()+s.log.String(), "lp-token-1")
		require.NotContains(t, err.Error()+s.log.String(), "\x1b")
	})
}

// TestErrorsContainNoControlCharacters: they could manipulate a terminal.
func TestErrorsContainNoControlCharacters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		s.replies["POST /login"] = []reply{{
			status: http.StatusBadRequest,
			body:   `{"error":{"message":"a\u001b[2J\u009b1mb\u0007","internalCode":"4\u001b[2J"}}`,
		}}
		_, err := s.client().Login(t.Context(), "ann", "password")
		require.EqualError(t, err, "log in: agentVep returned 400 Bad Request, code 4\uFFFD[2J: a\uFFFD[2J\uFFFD1mb\uFFFD")
		source := func(context.Context) (api.Credential, error) {
			return api.Credential{}, api.Permanent(errors.New("the page says \x1b[2J"))
		}
		_, err = s.client().Authenticate(t.Context(), api.Authentication{Source: source})
		require.NotContains(t, err.Error()+s.log.String(), "\x1b")
	})
}

// TestErrorsNameTheService: if the Domain API rejects the lookup, the call itself was
// never made, and the error and the log name the Domain API.
func TestErrorsNameTheService(t *testing.T) {
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

// TestSourceErrors: if the brand's provider is down when a token expires, the client
// retries. Errors that the source marks as permanent are not retried.
func TestSourceErrors(t *testing.T) {
	t.Parallel()
	run := func(
		t *testing.T, policy api.RetryPolicy, failures int, failure error,
	) (*fakeServices, int, time.Duration, error) {
		t.Helper()
		s := startServices(t)
		s.replies["POST /app/default/authenticate"] = []reply{okReply(`{"token":"lp"}`)}
		s.sockets = []func(*fakeServices, *websocket.Conn){serveSocket(time.Hour, 4407)}
		c := s.client(func(cfg *api.Config) { cfg.Retry = policy })
		calls := 0
		socket := c.Socket(api.SocketConfig{GetToken: func(ctx context.Context) (string, error) {
			return c.Authenticate(ctx, api.Authentication{Source: func(context.Context) (api.Credential, error) {
				if calls++; calls > 1 && calls <= 1+failures {
					return api.Credential{}, failure
				}
				return api.Credential{IDToken: secret.New("t")}, nil
			}})
		}})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Hour+time.Minute)
		defer cancel()
		began := time.Now()
		err := socket.Run(ctx)
		return s, calls, time.Since(began), err
	}
	unavailable := errors.New("Get http://idp: connection refused")
	synctest.Test(t, func(t *testing.T) {
		s, calls, took, err := run(t, api.RetryForever, 6, unavailable)
		require.NoError(t, err)
		require.Equal(t, 10*time.Hour+time.Minute, took, "it keeps retrying")
		require.Equal(t, 6+10, calls)
		require.Contains(t, s.log.String(), `service=brand request="get a credential" attempt=1 `+
			`error="get a credential from the brand: Get http://idp: connection refused" next_try_in=5s`)
	})
	synctest.Test(t, func(t *testing.T) {
		_, calls, took, err := run(t, api.RetryThreeTimes, 100, unavailable)
		require.ErrorIs(t, err, unavailable)
		require.Equal(t, 1+4, calls)
		require.Equal(t, time.Hour+30*time.Second, took.Truncate(time.Second))
	})
	synctest.Test(t, func(t *testing.T) {
		_, calls, took, err := run(t, api.RetryForever, 100, api.Permanent(unavailable))
		require.ErrorIs(t, err, unavailable)
		require.Equal(t, 1+1, calls)
		require.Equal(t, time.Hour, took.Truncate(time.Minute))
	})
	require.NoError(t, api.Permanent(nil))
}

// TestRejectionCodes end a request at once although their status is 500. Other codes
// are retried.
func TestRejectionCodes(t *testing.T) {
	t.Parallel()
	for code, attempts := range map[string]int{
		"9007": 1, "9009": 1, "9012": 1, "9015": 1, "1001": 1, "1008": 1, "1012": 1, "1024": 1, "1042": 1,
		"9000": 4, "9001": 4, "9010": 4, "9011": 4, "9013": 4, "9014": 4, "1022": 4, "1038": 4, "1041": 4, "1044": 4,
		"": 4, "9999": 4,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := startServices(t)
			s.replies["POST /app/default/authenticate"] = []reply{{status: 500, body: `{"internalErrorCode":"` + code + `"}`}}
			calls := 0
			source := func(context.Context) (api.Credential, error) {
				calls++
				return api.Credential{IDToken: secret.New("t")}, nil
			}
			_, err := s.client().Authenticate(t.Context(), api.Authentication{Source: source})
			require.Error(t, err)
			require.Equal(t, attempts, calls, code)
			require.Equal(t, attempts == 1, errors.Is(err, api.ErrTokenRejected), code)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		s.replies["POST /login"] = []reply{{status: 500, body: `{"internalErrorCode":"9007"}`}, okReply(loginBody)}
		_, err := s.client().Login(t.Context(), "ann", "secret")
		require.NoError(t, err, "only the idp service uses these codes")
	})
}

// TestErrorsShowWhatServicesSay, in every form in which they say it. Words are not taken
// for secrets.
func TestErrorsShowWhatServicesSay(t *testing.T) {
	t.Parallel()
	const problem = "oauth_problem=consumer_key_unknown&oauth_problem_advice=The%20consumer%20key%20was%20refused"
	random := strings.Repeat("a1B2c3D4", 5)
	for body, want := range map[string]string{
		`{"error":{"message":"Bad authorization request. ` + problem + `","internalCode":5}}`: "401 Unauthorized, code 5: " +
			"Bad authorization request. " + problem,
		`{"error":{"message":"Bad captcha","internalCode":10}}`: "401 Unauthorized, code 10: Bad captcha",
		`{"error":"LeLogin1 failed - invalid url received from app server"}`: "401 Unauthorized: " +
			"LeLogin1 failed - invalid url received from app server",
		`{"error":"invalid_client","error_description":"unknown client"}`: "401 Unauthorized: invalid_client: unknown client",
		`{"message":"no such user"}`:                                      "401 Unauthorized: no such user",
		problem:                                                           "401 Unauthorized: " + problem,
		`"` + problem + `"`:                                               "401 Unauthorized: " + problem,
		`{"error":"` + random + `"}`:                                      "401 Unauthorized: redacted",
		"<html>not for a terminal":                                        "401 Unauthorized: the credentials were rejected",
		"":                                                                "401 Unauthorized: the credentials were rejected",
		`{"error":["unknown form"]}`:                                      "401 Unauthorized: the credentials were rejected",
	} {
		synctest.Test(t, func(t *testing.T) {
			s := startServices(t)
			s.replies["POST /login"] = []reply{{status: http.StatusUnauthorized, body: body}}
			_, err := s.client().Login(t.Context(), "ann", "password")
			require.EqualError(t, err, "log in: agentVep returned "+want, body)
			require.ErrorIs(t, err, api.ErrBadCredentials, "only a csrf message means ErrCSRF")
		})
	}
}

// TestSocketWithoutMessaging: a response 503 to the handshake often means that.
func TestSocketWithoutMessaging(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"":                "503 Service Unavailable: Messaging may be off for this account",
		"no such account": "503 Service Unavailable: no such account; Messaging may be off for this account",
	} {
		synctest.Test(t, func(t *testing.T) {
			s := startServices(t)
			s.replies["GET /ws_api/account/"+account+"/messaging/consumer"] = []reply{{status: 503, body: body}}
			c := s.client(func(cfg *api.Config) { cfg.Retry = api.NoRetry })
			err := c.Socket(api.SocketConfig{GetToken: func(context.Context) (string, error) { return "lp-token", nil }}).
				Run(t.Context())
			require.ErrorContains(t, err, want)
		})
	}
}
