package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/conformance"
)

// brokenCopy is our own server with one of its checks taken out: a text of its
// source is replaced while it is built (go build -overlay), so that the program
// itself has no switch for it. Finds is the check of the self-test that must
// notice.
type brokenCopy struct {
	name     string
	file     string // from the module's root
	old, new string
	finds    string
}

func brokenCopies() []brokenCopy {
	const check, token, session = "oidc/check.go", "oidc/token.go", "oidc/endsession.go"
	return []brokenCopy{
		{"nonce", check, `r.wantsIDToken() && r.Nonce == ""`, `false`, "attack/36-nonce-missing"},
		{"nonce echo", "oidc/idtoken.go", `Nonce: g.Nonce,`, `Nonce: "n",`, "basic/oidcc-server"},
		{"single use", "store/signin.go", `WHERE id = $1 AND state = 1 AND`, `WHERE id = $1 AND state < 3 AND`, "attack/23-code-replay"},
		{"single use in a race", "store/signin.go", `WHERE id = $1 AND state = 1 AND`, `WHERE id = $1 AND state < 3 AND`, "attack/24-parallel-code-redemption"},
		{"replay ends tokens", "store/signin.go", `SET state = 3 WHERE id = $1 AND state = 2 AND code_expires > 0`, `SET state = 2 WHERE id = $1 AND state = 2 AND code_expires > 0`, "attack/23-code-replay"},
		{"redirect comparison", "oidc/client.go", `slices.Contains(c.RedirectURIs, uri)`, `slices.Contains(c.RedirectURIs, strings.ToLower(uri))`, "attack/01-redirect-uri-variants"},
		{"redirect by prefix", "oidc/client.go", `slices.Contains(c.RedirectURIs, uri)`, `slices.ContainsFunc(c.RedirectURIs, func(known string) bool { return strings.HasPrefix(uri, known) })`, "basic/oidcc-ensure-registered-redirect-uri"},
		{"redirect unescaped", "oidc/check.go", `uri := v.Get("redirect_uri")`, `uri, _ := url.QueryUnescape(v.Get("redirect_uri"))`, "attack/02-redirect-uri-encoded-again"},
		{"unknown client", check, `client, ok := p.clients[v.Get("client_id")]`, "client, ok := p.clients[v.Get(\"client_id\")]\n\tif !ok {\n\t\tclient, ok = p.clients[\"web\"], true\n\t}", "attack/03-unknown-client"},
		{"redirect URI at the token endpoint", token, `v.Get("redirect_uri") != in.Grant.RedirectURI && !client`, `false && !client`, "attack/27-other-redirect-uri-at-token"},
		{"code of another client", token, `in.ClientID != client.ID`, `false`, "attack/26-code-of-another-client"},
		{"PKCE", token, `!proves(verifier, in.Grant.CodeChallenge)`, `false`, "attack/32-wrong-verifier"},
		{"PKCE form", token, `!wellFormedPKCE(verifier)`, `false`, "attack/31-pkce-form"},
		{"PKCE when the verifier is missing", token, "case in.Grant.CodeChallenge != \"\" && !wellFormedPKCE(verifier):\n\t\treturn \"code_verifier missing or malformed\"\n\tcase in.Grant.CodeChallenge != \"\" &&", `case verifier != "" &&`, "attack/34-verifier-missing"},
		{"PKCE of public clients", check, `r.wantsCode() && r.client.public()`, `false`, "attack/29-public-client-without-pkce"},
		{"PKCE plain", check, `r.CodeChallengeMethod != zoidc.CodeChallengeMethodS256`, `r.CodeChallengeMethod == "x"`, "attack/30-pkce-method"},
		{"verifier without challenge", token, `in.Grant.CodeChallenge == "" && verifier != ""`, `false`, "attack/33-pkce-stripped"},
		{"browser binding", "oidc/sealed.go", `secret == "" || subtle.ConstantTimeCompare([]byte(hashed(secret)), []byte(req.Browser)) != 1`, `subtle.ConstantTimeCompare([]byte(hashed(secret)), []byte(req.Browser)) > 1`, "attack/69-session-fixation"},
		{"state echo", "oidc/answer.go", `params = append(params, Param{"state", r.State})`, `params = append(params, Param{"state", strings.ToLower(r.State)})`, "basic/oidcc-server"},
		{"state in fragments", "oidc/answer.go", `b.WriteString(url.QueryEscape(param.Value))`, `b.WriteString(url.PathEscape(param.Value))`, "attack/13-hostile-state"},
		{"issuer in answers", "oidc/answer.go", `params = append(params, Param{"iss", p.issuer})`, `_ = p.issuer`, "attack/14-issuer-in-answers"},
		{"fragment", "oidc/request.go", "case front:\n\t\treturn zoidc.ResponseModeFragment", "case front:\n\t\treturn zoidc.ResponseModeQuery", "implicit/oidcc-server[id_token]"},
		{"token in a query", check, "\t\tif front {", "\t\tif false && front {", "attack/10-token-in-query"},
		{"repeated parameters", "oidc/request.go", `len(values) > 1`, `len(values) > 9`, "attack/08-repeated-parameters"},
		{"scope openid", check, `!slices.Contains(r.Scopes, zoidc.ScopeOpenID)`, `false`, "attack/39-no-openid"},
		{"ID token without openid", token, `!slices.Contains(scopes, zoidc.ScopeOpenID)`, `!slices.Contains(scopes, zoidc.ScopeOpenID) && len(scopes) == 0`, "extra/access-token-narrowed"},
		{"request object", check, `v.Has("request"):`, `v.Get("request") == "x":`, "attack/87-request-object"},
		{"at_hash", "oidc/idtoken.go", `{with.access, &t.AtHash}`, `{with.access + "x", &t.AtHash}`, "implicit/oidcc-server[id_token token]"},
		{"c_hash", "oidc/idtoken.go", `{with.code, &t.CHash}`, `{"", &t.CHash}`, "hybrid/oidcc-server[code id_token]"},
		{"audience", "oidc/idtoken.go", `Audience: c.ID,`, `Audience: "everybody",`, "basic/oidcc-server"},
		{"prompt=none", "oidc/authorize.go", `silent := r.prompts(zoidc.PromptNone)`, `silent := false`, "attack/70-prompt-none-shows-nothing"},
		{"prompt=login", "oidc/authorize.go", `r.prompts(zoidc.PromptLogin) || `, ``, "basic/oidcc-prompt-login"},
		{"hint of somebody else", check, `(r.hint == "" || r.hint == subject)`, `true`, "attack/73-hint-of-somebody-else"},
		{"hint of another client", check, `!slices.Contains(hint.Audience, r.client.ID)`, `false`, "attack/41-token-of-another-client"},
		{"logout token as hint", "oidc/hint.go", `kind != "JWT"`, `kind == "none"`, "extra/logout-token-is-no-hint"},
		{"client secret", "oidc/client.go", `subtle.ConstantTimeCompare(got[:], c.secretHash[:]) == 1`, `subtle.ConstantTimeCompare(got[:], c.secretHash[:]) >= 0`, "attack/60-wrong-secret"},
		{"client authentication method", "oidc/clientauth.go", `!slices.Contains(client.AuthMethods, shown.method)`, `!slices.Contains(client.AuthMethods, shown.method) && shown.id == ""`, "attack/62-method-not-registered"},
		{"two ways to authenticate", "oidc/clientauth.go", `ways > 1`, `false`, "attack/61-two-authentication-methods"},
		{"assertion used twice", "oidc/assertion.go", `if !first {`, `if false && !first {`, "attack/65-client-assertion"},
		{"assertion for somebody else", "oidc/assertion.go", `a.Audience != p.issuer`, `false`, "attack/65-client-assertion"},
		{"no-store", "oidc/errors.go", `h.Set("Cache-Control", "no-store")`, `h.Set("Cache-Control", "private")`, "attack/46-caching"},
		{"access token in an address", "oidc/userinfo.go", "r.URL.Query().Has(\"access_token\") {\n\t\treturn \"\", refuse(invalidRequest, \"An access token does not belong into an address.\")", "r.URL.Query().Has(\"access_token\") {\n\t\treturn r.URL.Query().Get(\"access_token\"), nil", "attack/47-access-token-in-url"},
		{"kinds of token", "oidc/credential.go", "\t_, _ = h.Write([]byte{kind})\n", "", "attack/49-bad-token-at-userinfo"},
		{"introspection by strangers", "oidc/introspect.go", ` || err == nil && t.signin.ClientID != client.ID`, ``, "attack/50-token-at-another-audience"},
		{"revocation by strangers", "oidc/revoke.go", `in.ClientID != client.ID`, `false`, "attack/52-revoking-anothers-token"},
		{"spent refresh token", "store/refresh.go", `OR refresh_number > $3 AND NOT`, `OR refresh_number > $3 + 1000 AND NOT`, "attack/54-spent-refresh-token"},
		{"refresh token works on", "store/refresh.go", `state = CASE WHEN refresh_number = $3 THEN 2 ELSE 3 END`, `state = CASE WHEN refresh_number = $3 THEN 2 ELSE 2 END`, "attack/54-spent-refresh-token"},
		{"refresh token of another client", "store/refresh.go", "WHERE id = $1 AND client_id = $2 AND state = 2\n", "WHERE id = $1 AND $2 <> '' AND state = 2\n", "attack/56-refresh-token-of-another-client"},
		{"wider scope", "oidc/refresh.go", `!slices.Contains(in.Grant.Scopes, s)`, `!slices.Contains(in.Grant.Scopes, s) && s == ""`, "attack/57-wider-scope-on-refresh"},
		{"narrower scope", "oidc/userinfo.go", `in.Grant.narrowed(b.without()).allowedTo(client)`, `in.Grant.narrowed(b.without() & 0).allowedTo(client)`, "extra/access-token-narrowed"},
		{"sign-out ends tokens", "store/session.go", `"UPDATE signin SET state = 3 WHERE session_id = $1 AND state <> 3"`, `"UPDATE signin SET state = state WHERE session_id = $1 AND state <> 3"`, "attack/58-refresh-after-sign-out"},
		{"login form of another site", "web/site.go", `err := s.forms.Check(c.Request()); err != nil`, `err := s.forms.Check(c.Request()); false && err != nil`, "attack/68-login-csrf"},
		{"session secret", "web/browser.go", `subtle.ConstantTimeCompare([]byte(hashed(secret)), []byte(session.SecretHash)) != 1`, `subtle.ConstantTimeCompare([]byte(hashed(secret)), []byte(session.SecretHash)) > 1`, "attack/69-session-fixation"},
		{"throttle", "internal/limit/limit.go", `over := failures - l.cfg.Free`, `over := -1 - failures - l.cfg.Free`, "attack/74-password-guessing"},
		{"unknown user", "web/signin.go", `page.Message = "That username and password do not match. Check both and try again."`, "page.Message = \"That username and password do not match. Check both and try again.\"\n\t\tif username != \"jane\" {\n\t\t\tpage.Message = \"There is nobody by that name.\"\n\t\t}", "attack/75-unknown-user"},
		{"sign-out without a question", session, `signedIn && (f.client == nil || f.subject != session.Person.Subject)`, `signedIn && f.client == nil && f.subject != ""`, "attack/81-logout-by-image"},
		{"post-logout address", session, `slices.Contains(f.client.PostLogoutRedirectURIs, f.target)`, `slices.Contains(f.client.PostLogoutRedirectURIs, f.target) || f.target != ""`, "attack/82-unregistered-post-logout"},
		{"sign-out by post", "oidc/provider.go", `e.POST(p.base+PathEndSession, p.endSessionPosted)`, `e.POST(p.base+PathEndSession, p.endSession)`, "extra/end-session-by-post"},
		{"fragment in a posted request", "oidc/authorize.go", ` || r == '#'`, ``, "extra/posted-request-makes-no-header"},
		{"redirect URI by default", check, `uri := v.Get("redirect_uri")`, "uri := v.Get(\"redirect_uri\")\n\tif uri == \"\" {\n\t\turi = client.RedirectURIs[0]\n\t\tv.Set(\"redirect_uri\", uri)\n\t}", "attack/04-redirect-uri-missing"},
		{"response types of the client", check, `!slices.Contains(r.client.ResponseTypes, string(r.ResponseType))`, `false`, "attack/37-access-token-in-front-channel"},
		{"error of form_post", "oidc/answer.go", `if r.ResponseMode == zoidc.ResponseModeFormPost {`, `if r.ResponseMode == zoidc.ResponseModeFormPost && params[0].Name != "error" {`, "attack/12-form-post-error"},
		{"password posted on", "web/site.go", `c.Redirect(http.StatusSeeOther, address)`, `c.Redirect(http.StatusTemporaryRedirect, address)`, "attack/18-credentials-posted-on"},
		{"unknown response mode", check, `return refuse(invalidRequest, "This response_mode is not known.")`, `return nil`, "attack/19-no-web-message"},
		{"strict transport", "cmd/idp/transport.go", `c.Response().Header().Set("Strict-Transport-Security", "max-age=31536000")`, ``, "attack/20-strict-transport"},
		{"sub at userinfo", "oidc/userinfo.go", `Subject: person.Subject,`, `Subject: person.Subject + "x",`, "basic/oidcc-userinfo-get"},
		{"token sent in two ways", "oidc/userinfo.go", `if posted != "" {`, `if posted == "x" {`, "attack/48-token-sent-twice"},
		{"introspection by public clients", "oidc/introspect.go", `if client.public() {`, `if false {`, "attack/51-introspection-unauthenticated"},
		{"auth_time of a refresh", "oidc/idtoken.go", `AuthTime: g.AuthTime,`, `AuthTime: now.UnixNano(),`, "attack/59-refreshed-id-token"},
		{"parameters in the address", "oidc/clientauth.go", `return nil, refuse(invalidRequest, "Parameters belong into the body, not into the address.")`, "v, _, err := parameters(r.URL.RawQuery)\n\t\treturn v, err", "attack/63-token-endpoint-by-get"},
		{"form encoding of a Basic header", "oidc/clientauth.go", `shown.secret, err2 = url.QueryUnescape(secret)`, `shown.secret = secret`, "attack/64-basic-encoding"},
		{"content type", "oidc/clientauth.go", `err != nil || kind != "application/x-www-form-urlencoded"`, `err != nil && kind == "x"`, "attack/67-oversized-and-odd-bodies"},
		{"prompt=none with another", check, `len(r.Prompt) > 1`, `len(r.Prompt) > 9`, "attack/71-prompt-none-with-another"},
		{"freshness of a sign-in", "oidc/authorize.go", `fresh := signedIn && req.Browser != "" && req.Before != mark(s, signedIn)`, `fresh := signedIn && (req.Browser == "" || req.Before != "")`, "attack/72-fresh-sign-in-passed-by"},
		{"key of a hint", "oidc/hint.go", "return jws.Verify(key.Key)", "return jws.UnsafePayloadWithoutVerification(), nil", "attack/73-hint-of-somebody-else"},
		{"parameters beside a pushed request", "oidc/par.go", `req.Query, req.Pushed = in.Query, true`, "v.Del(\"request_uri\")\n\treq.Query, req.Pushed = v.Encode(), true", "extra/par"},
		{"refresh token revoked", "oidc/revoke.go", `p.signins.CloseSignin(c.Request().Context(), in.ID)`, `error(nil)`, "extra/refresh-token-revoked"},
		{"spent refresh token introspected", "oidc/introspect.go", `number != in.Refresh.Number || `, `number == 0 || `, "extra/refresh-token-introspected"},
		{"assertion used at once", "store/assertion.go", `err == nil && n == 1`, `err == nil && n <= 1`, "extra/assertion-spent-once"},
		{"cookie for scripts", "internal/cookie/cookie.go", `HttpOnly: true`, `HttpOnly: false`, "extra/session-cookie"},
		{"cookie for other sites", "internal/cookie/cookie.go", `SameSite: http.SameSiteLaxMode`, `SameSite: http.SameSiteNoneMode`, "extra/session-cookie"},
		{"hint for another client", session, `id != "" && id != hint.Audience[0] || `, `id == "x" || `, "extra/sign-out-hint-of-another-client"},
		{"frames", "web/render.go", `frame-ancestors 'none'`, `frame-ancestors *`, "attack/16-framed-page"},
		{"referrer", "web/render.go", `h.Set("Referrer-Policy", "no-referrer")`, `h.Set("Referrer-Policy", "unsafe-url")`, "attack/17-referrer-leak"},
		{"cross-origin authorize", "oidc/provider.go", `e.GET(p.base+PathAuthorize, p.authorize)`, `e.GET(p.base+PathAuthorize, p.authorize, public)`, "attack/15-cross-origin-authorize"},
		{"key set cached for ever", "oidc/metadata.go", `public, max-age=300`, `public, max-age=31536000`, "attack/85-key-set"},
		{"claims of the scope", "claims/standard.go", `r.Email, r.EmailVerified = s.Email, s.EmailVerified`, `r.Email = s.Email`, "basic/oidcc-scope-email"},
		{"claims nobody asked for", "oidc/idtoken.go", `if with.alone || c.ClaimsInIDToken {`, `if true {`, "basic/oidcc-scope-email"},
		{"pushed request of another client", "oidc/par.go", ` || in.ClientID != v.Get("client_id")`, ``, "extra/par-of-another-client"},
		{"pushed requests unchecked", "oidc/par.go", "if _, err := p.check(c.Request().Context(), query, true); err != nil {", "if _, err := p.check(c.Request().Context(), query, true); err != nil && false {", "extra/par-refused"},
		{"logout token without events", "oidc/backchannel.go", `http://schemas.openid.net/event/backchannel-logout`, `http://schemas.openid.net/event/other`, "backchannel-logout/oidcc-backchannel-rp-initiated-logout[code]"},
		{"clients not told", "oidc/answer.go", `if r.client.hearsOfSignOut() {`, `if false {`, "frontchannel-logout/oidcc-frontchannel-rp-initiated-logout[id_token]"},
		{"frame for another session", session, `"sid", sessionID`, `"sid", sessionID+"x"`, "frontchannel-logout/oidcc-frontchannel-rp-initiated-logout[code]"},
		{"state at sign-out", session, `withParam(address, "state", state)`, `address`, "rp-initiated-logout/oidcc-rp-initiated-logout[code]"},
	}
}

// TestEveryBrokenCopyIsFound builds one broken copy of the server after the
// other and demands that the self-test notices. The whole copy passes the same
// checks in TestOIDF and TestAttack.
func TestEveryBrokenCopyIsFound(t *testing.T) {
	t.Parallel()
	known := map[string]conformance.Check{}
	for _, c := range conformance.All() {
		known[c.Name] = c
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	slots := make(chan struct{}, runtime.NumCPU())
	for _, b := range brokenCopies() {
		check, ok := known[b.finds]
		require.True(t, ok, "%s: there is no check %q", b.name, b.finds)
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			result := check.Run(t.Context(), b.start(t, root))
			require.Contains(t, []conformance.Outcome{conformance.Failed, conformance.Warned}, result.Outcome, "%s does not notice that %s is broken", b.finds, b.name)
		})
	}
}

// start builds the broken copy and runs it until the test ends.
func (b brokenCopy) start(t *testing.T, root string) *conformance.Target {
	t.Helper()
	folder := t.TempDir()
	whole := filepath.Join(root, filepath.FromSlash(b.file))
	source, err := os.ReadFile(whole)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(source), b.old), "%s: what is to be broken stands in %s not once: %s", b.name, b.file, b.old)
	broken := filepath.Join(folder, "broken.go")
	require.NoError(t, os.WriteFile(broken, []byte(strings.Replace(string(source), b.old, b.new, 1)), 0o600))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{whole: broken}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "overlay.json"), overlay, 0o600))
	binary := filepath.Join(folder, "idp")
	build := exec.Command("go", "build", "-overlay", filepath.Join(folder, "overlay.json"), "-o", binary, "./cmd/idp")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-vet=off")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	target, _ := writeConformance(t, folder, "lifetimes: {refresh_token_grace: 0s}\n")
	target.Now = time.Now
	target.Wait = func(context.Context, time.Duration) error { return nil } // none of these checks needs time to pass
	log := &lockedBuffer{}
	cmd := exec.Command(binary, "serve", "--config", filepath.Join(folder, "idp.yaml"))
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool { return strings.Contains(log.String(), `"serving"`) }, 30*time.Second, 20*time.Millisecond, log.String())
	return target
}
