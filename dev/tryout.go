package dev

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"idpbridge/internal/fetch"
	"idpbridge/internal/pkce"
	"idpbridge/oidc"
	"idpbridge/server"
	"idpbridge/web"
)

// tryOut is the client local-app for a developer who only wants to see a token: the
// code flow with PKCE, through the same endpoints as every other client.
type tryOut struct {
	server *server.Server
	client *fetch.Client
}

// tryCookie keeps state and verifier in the browser between the two steps.
const tryCookie = "idp_try"

// startSignIn redirects to the authorization endpoint.
func (t *tryOut) startSignIn(c echo.Context) error {
	verifier := pkce.NewVerifier()
	state := rand.Text()
	t.server.Cookies.Set(c.Response(), t.server.Cookies.Name(tryCookie), state+"."+verifier)
	q := url.Values{
		"client_id": {"local-app"}, "redirect_uri": {t.server.Settings.Issuer + pathTried}, "response_type": {"code"},
		"scope": {"openid profile email address phone " + oidc.ScopeSDEs}, "state": {state}, "nonce": {rand.Text()},
		"code_challenge": {pkce.Challenge(verifier)}, "code_challenge_method": {"S256"},
	}
	return c.Redirect(http.StatusSeeOther, oidc.PathAuthorize+"?"+q.Encode())
}

// showToken redeems the code and shows the ID token.
func (t *tryOut) showToken(c echo.Context) error {
	state, verifier, _ := strings.Cut(t.server.Cookies.Get(c.Request(), t.server.Cookies.Name(tryCookie)), ".")
	if state == "" || c.QueryParam("state") != state || c.QueryParam("code") == "" {
		return t.server.Renderer.ShowError(c, oidc.ErrorPage{
			Title:   "No token",
			Message: "The sign-in returned no code to this page: " + c.QueryParam("error") + ".",
			Remedy:  "Start again from " + t.server.Settings.Issuer + pathTryOut + ".",
		})
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {c.QueryParam("code")}, "client_id": {"local-app"},
		"redirect_uri": {t.server.Settings.Issuer + pathTried}, "code_verifier": {verifier},
	}
	endpoint, body := t.server.Settings.Issuer+oidc.PathToken, strings.NewReader(form.Encode())
	r, err := http.NewRequestWithContext(c.Request().Context(), http.MethodPost, endpoint, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := t.client.Do(r)
	if err != nil {
		return err
	}
	var response struct {
		IDToken string `json:"id_token"`
	}
	if err := res.DecodeJSON(&response); err != nil {
		return err
	}
	if response.IDToken == "" {
		return t.server.Renderer.ShowError(c, oidc.ErrorPage{
			Title:   "No token",
			Message: "The code has expired or was already used. A code works only once.",
			Remedy:  "Start again from " + t.server.Settings.Issuer + pathTryOut + ".",
		})
	}
	return t.server.Renderer.Render(c.Response(), http.StatusOK, "token", web.TokenPage{
		IDToken: response.IDToken, Header: decodePart(response.IDToken, 0), Claims: decodePart(response.IDToken, 1),
		InspectURL: pathInspect,
	}, web.Policy{})
}

// decodePart is one part of a JWT, decoded and indented.
func decodePart(token string, n int) string {
	parts := strings.Split(token, ".")
	if n >= len(parts) {
		return ""
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[n])
	if err != nil {
		return ""
	}
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return ""
	}
	pretty, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return ""
	}
	return string(pretty)
}
