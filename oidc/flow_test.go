package oidc_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/stretchr/testify/require"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2"

	"idpbridge/dev"
	"idpbridge/internal/pkce"
	"idpbridge/server/servertest"
)

// TestGoOIDC: the client library coreos/go-oidc completes every flow and verifies the
// tokens.
func TestGoOIDC(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, issuer string) {
		ctx := context.Background()
		provider, err := gooidc.NewProvider(ctx, issuer)
		require.NoError(t, err)
		config := oauth2.Config{
			ClientID: "local-web", ClientSecret: dev.LocalWebSecret, RedirectURL: servertest.LocalCallback,
			Endpoint: provider.Endpoint(), Scopes: []string{"openid", "email"},
		}
		verifier := provider.Verifier(&gooidc.Config{ClientID: "local-web"})
		b := servertest.NewBrowser(t)
		verify := func(raw, access string) *gooidc.IDToken {
			token, err := verifier.Verify(ctx, raw)
			require.NoError(t, err)
			require.Equal(t, "nonce", token.Nonce)
			if access != "" {
				require.NoError(t, token.VerifyAccessToken(access))
			}
			return token
		}
		exchange := func(code string, opts ...oauth2.AuthCodeOption) *oauth2.Token {
			token, err := config.Exchange(ctx, code, opts...)
			require.NoError(t, err)
			raw, _ := token.Extra("id_token").(string)
			verify(raw, token.AccessToken)
			return token
		}

		p := b.SignIn(config.AuthCodeURL("s1", gooidc.Nonce("nonce")), "jane", "jane-password")
		v := servertest.Response(t, p)
		require.Equal(t, "s1", v.Get("state"))
		require.Equal(t, issuer, v.Get("iss"))
		token := exchange(v.Get("code"))
		info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
		require.NoError(t, err)
		require.Contains(t, info.Email, "@example.com")

		secret := oauth2.GenerateVerifier()
		v = b.Authorize(config.AuthCodeURL("s2", gooidc.Nonce("nonce"), oauth2.S256ChallengeOption(secret)))
		exchange(v.Get("code"), oauth2.VerifierOption(secret))

		v = b.Authorize(servertest.AuthorizeURL(issuer, "response_type", "id_token"))
		verify(v.Get("id_token"), "")
		v = b.Authorize(servertest.AuthorizeURL(issuer, "response_type", "token id_token"))
		verify(v.Get("id_token"), v.Get("access_token"))

		posted := b.Get(servertest.AuthorizeURL(issuer, "response_type", "id_token", "response_mode", "form_post"))
		require.Equal(t, http.StatusOK, posted.Status)
		verify(servertest.FormFields(posted).Get("id_token"), "")
	})
}

// TestZitadelClient: the client library of zitadel/oidc completes the flows.
func TestZitadelClient(t *testing.T) {
	t.Parallel()
	issuer, _ := start(t)
	ctx := context.Background()
	party, err := rp.NewRelyingPartyOIDC(ctx, issuer, "local-web", dev.LocalWebSecret, servertest.LocalCallback,
		[]string{"openid", "profile"})
	require.NoError(t, err)
	b := servertest.NewBrowser(t)
	v := servertest.Response(t, b.SignIn(rp.AuthURL("s", party), "jane", "jane-password"))
	tokens, err := rp.CodeExchange[*zoidc.IDTokenClaims](ctx, v.Get("code"), party)
	require.NoError(t, err)
	require.NotEmpty(t, tokens.IDTokenClaims.Subject)
	info, err := rp.Userinfo[*zoidc.UserInfo](ctx, tokens.AccessToken, "Bearer", tokens.IDTokenClaims.Subject, party)
	require.NoError(t, err)
	require.NotEmpty(t, info.Name)

	verifier := oauth2.GenerateVerifier()
	v = b.Authorize(rp.AuthURL("s", party, rp.WithCodeChallenge(pkce.Challenge(verifier))))
	tokens, err = rp.CodeExchange[*zoidc.IDTokenClaims](ctx, v.Get("code"), party, rp.WithCodeVerifier(verifier))
	require.NoError(t, err)
	require.NotEmpty(t, tokens.IDToken)

	for _, kind := range []string{"id_token", "id_token token"} {
		v = b.Authorize(servertest.AuthorizeURL(issuer, "response_type", kind, "nonce", "n"))
		nonced := rp.NewIDTokenVerifier(issuer, "local-web", rp.NewRemoteKeySet(http.DefaultClient, issuer+"/jwks"),
			rp.WithNonce(func(context.Context) string { return "n" }))
		claims, err := rp.VerifyIDToken[*zoidc.IDTokenClaims](ctx, v.Get("id_token"), nonced)
		require.NoError(t, err)
		require.NotEmpty(t, claims.Subject)
	}
}

// TestCodeIsRedeemedOnce: the second use of a code revokes what the first one issued,
// and of parallel requests one succeeds.
func TestCodeIsRedeemedOnce(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, issuer string) {
		b := servertest.NewBrowser(t)
		code := servertest.Response(t, b.SignIn(servertest.AuthorizeURL(issuer), "jane", "jane-password")).Get("code")
		status, body := servertest.RequestTokens(t, issuer, code)
		require.Equal(t, 200, status)
		access, _ := body["access_token"].(string)
		require.Equal(t, 200, userinfoStatus(t, issuer, access))

		status, body = servertest.RequestTokens(t, issuer, code)
		require.Equal(t, 400, status)
		require.Equal(t, "invalid_grant", body["error"])
		require.Equal(t, 401, userinfoStatus(t, issuer, access), "what the code issued must be revoked")

		code = b.Authorize(servertest.AuthorizeURL(issuer)).Get("code")
		var wg sync.WaitGroup
		var mu sync.Mutex
		succeeded := 0
		for range 20 {
			wg.Go(func() {
				if status, _ := servertest.RequestTokens(t, issuer, code); status == 200 {
					mu.Lock()
					succeeded++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		require.Equal(t, 1, succeeded)
	})
}

// TestFailedRedemptionRevokesCode: a code that its client redeems with wrong parameters
// is worth nothing afterwards. Without the client's secret, it stays valid.
func TestFailedRedemptionRevokesCode(t *testing.T) {
	t.Parallel()
	issuer, _ := start(t)
	b := servertest.NewBrowser(t)
	verifier := strings.Repeat("v", 43)
	b.SignIn(servertest.AuthorizeURL(issuer), "jane", "jane-password")
	for name, change := range map[string][]string{
		"other redirect URI": {"redirect_uri", "http://127.0.0.1:7778/cb"},
		"no redirect URI":    {"redirect_uri", ""},
		"wrong verifier":     {"code_verifier", strings.Repeat("w", 43)},
		"short verifier":     {"code_verifier", "short"},
		"no verifier":        {"code_verifier", ""},
		"another client": {
			"client_id", "liveengage", "client_secret", dev.LiveEngageSecret, "code_verifier", verifier,
		},
		"public client, no secret": {"client_id", "local-app", "client_secret", "", "code_verifier", verifier},
	} {
		authorize := servertest.AuthorizeURL(issuer,
			"code_challenge", pkce.Challenge(verifier), "code_challenge_method", "S256")
		code := b.Authorize(authorize).Get("code")
		status, body := servertest.RequestTokens(t, issuer, code, change...)
		require.Equal(t, 400, status, name)
		require.Equal(t, "invalid_grant", body["error"], name)
		status, _ = servertest.RequestTokens(t, issuer, code, "code_verifier", verifier)
		require.Equal(t, 400, status, "%s: the code must not work any more", name)
	}
	code := b.Authorize(servertest.AuthorizeURL(issuer)).Get("code")
	status, body := servertest.RequestTokens(t, issuer, code, "client_secret", "wrong")
	require.Equal(t, 401, status)
	require.Equal(t, "invalid_client", body["error"])
	status, _ = servertest.RequestTokens(t, issuer, code)
	require.Equal(t, 200, status, "a caller without the secret must not revoke a code")
	code = b.Authorize(servertest.AuthorizeURL(issuer)).Get("code")
	status, _ = servertest.RequestTokens(t, issuer, code, "code_verifier", verifier)
	require.Equal(t, 400, status, "verifier without challenge")
}
