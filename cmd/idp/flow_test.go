package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/stretchr/testify/require"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2"

	"idpbridge/dev"
	"idpbridge/internal/pkce"
)

const localCallback = "http://127.0.0.1:7777/cb"

// webRequest is a good request of the client local-web, with changes.
func webRequest(issuer string, changes ...string) string {
	v := url.Values{
		"client_id": {"local-web"}, "redirect_uri": {localCallback}, "response_type": {"code"},
		"scope": {"openid"}, "state": {"state"}, "nonce": {"nonce"},
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if changes[i+1] == "" {
			v.Del(changes[i])
			continue
		}
		v.Set(changes[i], changes[i+1])
	}
	return issuer + "/authorize?" + v.Encode()
}

// TestGoOIDC lets coreos/go-oidc complete every flow and verify the token.
func TestGoOIDC(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, issuer string) {
		ctx := context.Background()
		provider, err := gooidc.NewProvider(ctx, issuer)
		require.NoError(t, err)
		config := oauth2.Config{
			ClientID: "local-web", ClientSecret: dev.LocalWebSecret, RedirectURL: localCallback,
			Endpoint: provider.Endpoint(), Scopes: []string{"openid", "email"},
		}
		verifier := provider.Verifier(&gooidc.Config{ClientID: "local-web"})
		b := newBrowser(t)
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

		p := b.signIn(issuer, config.AuthCodeURL("s1", gooidc.Nonce("nonce")), "jane", "jane-password")
		v := p.answer(t)
		require.Equal(t, "s1", v.Get("state"))
		require.Equal(t, issuer, v.Get("iss"))
		token := exchange(v.Get("code"))
		info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
		require.NoError(t, err)
		require.Contains(t, info.Email, "@example.com")

		pkce := oauth2.GenerateVerifier()
		v = b.get(config.AuthCodeURL("s2", gooidc.Nonce("nonce"), oauth2.S256ChallengeOption(pkce))).answer(t)
		exchange(v.Get("code"), oauth2.VerifierOption(pkce))

		v = b.get(webRequest(issuer, "response_type", "id_token")).answer(t)
		verify(v.Get("id_token"), "")
		v = b.get(webRequest(issuer, "response_type", "token id_token")).answer(t)
		verify(v.Get("id_token"), v.Get("access_token"))

		posted := b.get(webRequest(issuer, "response_type", "id_token", "response_mode", "form_post"))
		require.Equal(t, http.StatusOK, posted.status)
		verify(posted.fields(t).Get("id_token"), "")
	})
}

// TestZitadelClient lets zitadel's own client package complete the flows.
func TestZitadelClient(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	ctx := context.Background()
	party, err := rp.NewRelyingPartyOIDC(ctx, issuer, "local-web", dev.LocalWebSecret, localCallback, []string{"openid", "profile"})
	require.NoError(t, err)
	b := newBrowser(t)
	v := b.signIn(issuer, rp.AuthURL("s", party), "jane", "jane-password").answer(t)
	tokens, err := rp.CodeExchange[*zoidc.IDTokenClaims](ctx, v.Get("code"), party)
	require.NoError(t, err)
	require.NotEmpty(t, tokens.IDTokenClaims.Subject)
	info, err := rp.Userinfo[*zoidc.UserInfo](ctx, tokens.AccessToken, "Bearer", tokens.IDTokenClaims.Subject, party)
	require.NoError(t, err)
	require.NotEmpty(t, info.Name)

	verifier := oauth2.GenerateVerifier()
	v = b.get(rp.AuthURL("s", party, rp.WithCodeChallenge(pkce.Challenge(verifier)))).answer(t)
	tokens, err = rp.CodeExchange[*zoidc.IDTokenClaims](ctx, v.Get("code"), party, rp.WithCodeVerifier(verifier))
	require.NoError(t, err)
	require.NotEmpty(t, tokens.IDToken)

	for _, kind := range []string{"id_token", "id_token token"} {
		v = b.get(webRequest(issuer, "response_type", kind, "nonce", "n")).answer(t)
		nonced := rp.NewIDTokenVerifier(issuer, "local-web", rp.NewRemoteKeySet(http.DefaultClient, issuer+"/jwks"),
			rp.WithNonce(func(context.Context) string { return "n" }))
		claims, err := rp.VerifyIDToken[*zoidc.IDTokenClaims](ctx, v.Get("id_token"), nonced)
		require.NoError(t, err)
		require.NotEmpty(t, claims.Subject)
	}
}

// redeem sends a token request and returns status and body.
func redeem(t testing.TB, issuer, code string, changes ...string) (int, map[string]any) {
	t.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {localCallback},
		"client_id": {"local-web"}, "client_secret": {dev.LocalWebSecret},
	}
	for i := 0; i+1 < len(changes); i += 2 {
		form.Del(changes[i])
		if changes[i+1] != "" {
			form.Set(changes[i], changes[i+1])
		}
	}
	res, err := http.PostForm(issuer+"/token", form)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	var body map[string]any
	require.NoError(t, json.NewDecoder(res.Body).Decode(&body))
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	return res.StatusCode, body
}

func userinfo(t testing.TB, issuer, access string) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, issuer+"/userinfo", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+access)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

func TestCodeIsSpentOnce(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, issuer string) {
		b := newBrowser(t)
		code := b.signIn(issuer, webRequest(issuer), "jane", "jane-password").answer(t).Get("code")
		status, body := redeem(t, issuer, code)
		require.Equal(t, 200, status)
		access, _ := body["access_token"].(string)
		require.Equal(t, 200, userinfo(t, issuer, access))

		status, body = redeem(t, issuer, code)
		require.Equal(t, 400, status)
		require.Equal(t, "invalid_grant", body["error"])
		require.Equal(t, 401, userinfo(t, issuer, access), "what the code issued must be dead")

		code = b.get(webRequest(issuer)).answer(t).Get("code")
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for range 20 {
			wg.Go(func() {
				if status, _ := redeem(t, issuer, code); status == 200 {
					mu.Lock()
					won++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		require.Equal(t, 1, won)
	})
}

func TestWrongPresentationBurnsTheCode(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	b := newBrowser(t)
	verifier := strings.Repeat("v", 43)
	b.signIn(issuer, webRequest(issuer), "jane", "jane-password")
	for name, change := range map[string][]string{
		"other redirect URI":       {"redirect_uri", "http://127.0.0.1:7778/cb"},
		"no redirect URI":          {"redirect_uri", ""},
		"wrong verifier":           {"code_verifier", strings.Repeat("w", 43)},
		"short verifier":           {"code_verifier", "short"},
		"no verifier":              {"code_verifier", ""},
		"another client":           {"client_id", "liveengage", "client_secret", dev.LiveEngageSecret, "code_verifier", verifier},
		"public client, no secret": {"client_id", "local-app", "client_secret", "", "code_verifier", verifier},
	} {
		code := b.get(webRequest(issuer, "code_challenge", pkce.Challenge(verifier), "code_challenge_method", "S256")).answer(t).Get("code")
		status, body := redeem(t, issuer, code, change...)
		require.Equal(t, 400, status, name)
		require.Equal(t, "invalid_grant", body["error"], name)
		status, _ = redeem(t, issuer, code, "code_verifier", verifier)
		require.Equal(t, 400, status, "%s: the code must be burnt", name)
	}
	code := b.get(webRequest(issuer)).answer(t).Get("code")
	status, body := redeem(t, issuer, code, "client_secret", "wrong")
	require.Equal(t, 401, status)
	require.Equal(t, "invalid_client", body["error"])
	status, _ = redeem(t, issuer, code)
	require.Equal(t, 200, status, "a stranger without the secret must not burn a code")
	code = b.get(webRequest(issuer)).answer(t).Get("code")
	status, _ = redeem(t, issuer, code, "code_verifier", verifier)
	require.Equal(t, 400, status, "verifier without challenge")
}
