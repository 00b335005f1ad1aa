package interop_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"idpbridge/internal/chrome"
	"idpbridge/oidc"
	"idpbridge/server/servertest"
)

// servePage runs a website at another origin than the issuer's: one page, in which APP and
// ISSUER are replaced, at every path but those of the npm packages.
func servePage(t *testing.T, page string) (app string, setIssuer func(issuer string)) {
	t.Helper()
	modules := http.StripPrefix("/npm/", http.FileServer(http.Dir("browser/node_modules")))
	issuer := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/npm/") {
			modules.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, strings.NewReplacer("APP", "http://"+r.Host, "ISSUER", issuer).Replace(page))
	}))
	t.Cleanup(server.Close)
	return server.URL, func(to string) { issuer = to }
}

// publicClient is a client in a browser, without a secret.
func publicClient(redirectURIs ...string) oidc.Client {
	return oidc.Client{
		ID: "spa", RedirectURIs: redirectURIs, Scopes: []string{"openid", "profile", "email", "offline_access"},
		PostLogoutRedirectURIs: redirectURIs,
	}
}

const oidcClientPage = `<!doctype html><title>oidc-client-ts</title>
<button id=login>login</button> <button id=renew>renew</button> <button id=logout>logout</button>
<pre id=state>starting</pre>
<script src="/npm/oidc-client-ts/dist/browser/oidc-client-ts.min.js"></script>
<script>
const show = text => { document.getElementById("state").textContent = text }
const settings = { authority: "ISSUER", client_id: "spa", redirect_uri: "APP/", post_logout_redirect_uri: "APP/",
  silent_redirect_uri: "APP/silent", scope: "openid profile email", loadUserInfo: true }
const manager = new oidc.UserManager(settings)
const describe = user => "signed in as " + user.profile.name + ", " + user.profile.email
const button = (id, act) => { document.getElementById(id).onclick = () => act().catch(e => show("failed: " + e)) }
button("login", () => manager.signinRedirect())
button("renew", async () => { show("renewed: " + describe(await manager.signinSilent())) })
button("logout", () => manager.signoutRedirect())
if (location.pathname === "/silent") manager.signinSilentCallback()
else if (!new URLSearchParams(location.search).has("code")) show("ready")
else manager.signinCallback().then(user => show(describe(user)), e => show("failed: " + e))
</script>`

// TestOIDCClientTS: oidc-client-ts in a page of another origin: sign-in, userinfo, silent
// renewal in a frame, sign-out.
func TestOIDCClientTS(t *testing.T) {
	app, setIssuer := servePage(t, oidcClientPage)
	setIssuer(startIDP(t, publicClient(app+"/", app+"/silent")))
	ctx := chrome.Start(t)
	chrome.Open(ctx, t, app+"/")
	chrome.WaitForText(ctx, t, "#state", "ready")
	chrome.Click(ctx, t, "#login")
	chrome.SignIn(ctx, t, "jane", "jane-password")
	chrome.WaitForText(ctx, t, "#state", "signed in as Jane Alice Doe, jane@example.com")
	chrome.Click(ctx, t, "#renew")
	chrome.WaitForText(ctx, t, "#state", "renewed: signed in as Jane Alice Doe")
	chrome.Click(ctx, t, "#logout")
	chrome.WaitForText(ctx, t, "#state", "ready")
	require.Equal(t, app+"/", chrome.Location(ctx, t))
	chrome.Click(ctx, t, "#login")
	chrome.WaitForElement(ctx, t, "#login-submit")
}

const msalPage = `<!doctype html><title>MSAL.js</title>
<button id=login>login</button> <button id=renew>renew</button><pre id=state>starting</pre>
<script src="/npm/@azure/msal-browser/lib/msal-browser.min.js"></script>
<script>
const show = text => { document.getElementById("state").textContent = text }
const app = new msal.PublicClientApplication({
  auth: { clientId: "spa", authority: "ISSUER", knownAuthorities: ["ISSUER"], redirectUri: "APP/" },
  system: { protocolMode: "OIDC" },
})
const scopes = ["openid", "profile", "email", "offline_access"]
const button = (id, act) => { document.getElementById(id).onclick = () => act().catch(e => show("failed: " + e)) }
button("login", () => app.loginRedirect({ scopes }))
button("renew", async () => {
  const result = await app.acquireTokenSilent({ scopes, account: app.getAllAccounts()[0], forceRefresh: true })
  show("renewed: " + result.idTokenClaims.sub)
})
app.initialize().then(() => app.handleRedirectPromise()).then(
  result => show(result ? "signed in as " + result.idTokenClaims.sub : "ready"), e => show("failed: " + e))
</script>`

// TestMSAL: Microsoft's MSAL.js, which needs an issuer with https, adds a parameter to the
// query of the token endpoint, and renews by a refresh token.
func TestMSAL(t *testing.T) {
	app, setIssuer := servePage(t, msalPage)
	address := servertest.FreeAddress(t)
	folder := t.TempDir()
	certificate, key, _ := servertest.NewCertificate(t)
	servertest.WriteFiles(t, folder, map[string][]byte{
		"cert.pem": certificate, "key.pem": key, "people.yaml": servertest.PeopleFile(),
		"idp.yaml": []byte("issuer: https://" + address + "\nlisten: " + address + "\noperations: off\ndata: data\n" +
			"people: people.yaml\nbrand: {name: Brand}\ntls: {certificate: cert.pem, key: key.pem}\nclients:\n" +
			"  - {id: spa, application_type: native, redirect_uris: [\"" + app + "/\"], " +
			"scopes: [openid, profile, email, offline_access]}\n"),
	})
	servertest.StartFile(t, filepath.Join(folder, "idp.yaml"), time.Now)
	setIssuer("https://" + address)
	ctx := chrome.Start(t, chromedp.Flag("ignore-certificate-errors", true))
	chrome.Open(ctx, t, app+"/")
	chrome.WaitForText(ctx, t, "#state", "ready")
	chrome.Click(ctx, t, "#login")
	chrome.SignIn(ctx, t, "jane", "jane-password")
	chrome.WaitForText(ctx, t, "#state", "signed in as "+servertest.JaneSubject)
	chrome.Click(ctx, t, "#renew")
	chrome.WaitForText(ctx, t, "#state", "renewed: "+servertest.JaneSubject)
}

const swaggerPage = `<!doctype html><title>Swagger UI</title>
<link rel="stylesheet" href="/npm/swagger-ui-dist/swagger-ui.css"><div id="ui"></div>
<script src="/npm/swagger-ui-dist/swagger-ui-bundle.js"></script>
<script>
const ui = SwaggerUIBundle({
  dom_id: "#ui", oauth2RedirectUrl: "APP/npm/swagger-ui-dist/oauth2-redirect.html",
  spec: { openapi: "3.0.3", info: { title: "API", version: "1" }, security: [{ login: ["openid"] }],
    servers: [{ url: "ISSUER" }],
    paths: { "/userinfo": { get: { operationId: "userinfo", responses: { 200: { description: "claims" } } } } },
    components: { securitySchemes: { login: { type: "oauth2", flows: { authorizationCode: {
      authorizationUrl: "ISSUER/authorize", tokenUrl: "ISSUER/token",
      scopes: { openid: "sign in", email: "email" } } } } } } },
})
ui.initOAuth({ clientId: "spa", scopes: "openid email", usePkceWithAuthorizationCodeGrant: true })
</script>`

// TestSwaggerUI: Swagger UI in a page of another origin signs in in a window and calls
// userinfo.
func TestSwaggerUI(t *testing.T) {
	app, setIssuer := servePage(t, swaggerPage)
	setIssuer(startIDP(t, publicClient(app+"/npm/swagger-ui-dist/oauth2-redirect.html")))
	ctx := chrome.Start(t)
	chrome.Do(ctx, t, chromedp.EmulateViewport(1280, 1000))
	chrome.Open(ctx, t, app+"/")
	chrome.WaitForElement(ctx, t, "button.authorize")
	chrome.Click(ctx, t, "button.authorize")
	chrome.WaitForElement(ctx, t, ".auth-container")
	opened := chromedp.WaitNewTarget(ctx, func(info *target.Info) bool { return info.URL != "" })
	chrome.Click(ctx, t, ".auth-btn-wrapper button.authorize")
	window := attachToWindow(ctx, t, opened)
	chrome.WaitForElement(window, t, "#login-submit")
	chrome.SignIn(window, t, "jane", "jane-password")
	chrome.WaitForText(ctx, t, ".auth-container", "Authorized")
	chrome.Click(ctx, t, ".modal-ux .btn-done")
	chrome.Click(ctx, t, ".opblock-summary-control")
	chrome.WaitForElement(ctx, t, ".try-out__btn")
	chrome.Click(ctx, t, ".try-out__btn")
	chrome.WaitForElement(ctx, t, ".execute")
	chrome.Click(ctx, t, ".execute")
	chrome.WaitForText(ctx, t, ".live-responses-table", "jane@example.com")
}

// attachToWindow returns the window that a click has opened.
func attachToWindow(ctx context.Context, t *testing.T, opened <-chan target.ID) context.Context {
	t.Helper()
	select {
	case id := <-opened:
		window, cancel := chromedp.NewContext(ctx, chromedp.WithTargetID(id))
		t.Cleanup(cancel)
		return window
	case <-ctx.Done():
		require.FailNow(t, "no window opened")
		return nil
	}
}
