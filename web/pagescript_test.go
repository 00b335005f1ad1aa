package web_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"idpbridge/internal/chrome"
	"idpbridge/internal/pkce"
	"idpbridge/internal/robot"
	"idpbridge/keys"
	"idpbridge/server/servertest"
)

// brandSite is a brand's website. Every page loads the page script. The site has two host
// names, of which one is on another site than the identity provider.
type brandSite struct {
	t        *testing.T
	server   *httptest.Server
	script   string // attributes of the script element
	sameSite string // origin on the provider's site
	otherURL string // origin on another site
	context  string // js_context
}

func startBrandSite(t *testing.T) *brandSite {
	t.Helper()
	b := &brandSite{t: t, context: "window"}
	b.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><title>Brand</title>` +
			`<script ` + b.script + `></script><p id="ready">ready</p>`))
	}))
	t.Cleanup(b.server.Close)
	b.sameSite = b.server.URL
	b.otherURL = strings.Replace(b.server.URL, "127.0.0.1", "localhost", 1)
	return b
}

// pageSettings are the settings of a client whose pages these are. Lines begins with a
// comma.
func (b *brandSite) pageSettings(handsOut, lines string) string {
	return "page: {origins: ['" + b.sameSite + "', '" + b.otherURL + "'], hands_out: " + handsOut + lines + "}"
}

// setScript sets the script that the pages load, and further attributes.
func (b *brandSite) setScript(issuer, attributes string) {
	b.script = `src="` + issuer + `/liveengage.js?client_id=liveengage" ` + attributes
}

// redirectURIs registers redirect URIs of a client whose sign-in may end on the site.
func (b *brandSite) redirectURIs(more string) string {
	return "\n    application_type: native" +
		"\n    redirect_uris: ['" + b.sameSite + "/cb'" + more + "]"
}

// signInJane signs jane in, in the browser.
func (b *brandSite) signInJane(ctx context.Context, l *servertest.LiveEngage) {
	b.t.Helper()
	chrome.Open(ctx, b.t, l.AuthorizeURL("redirect_uri", b.sameSite+"/cb", "state", "s"))
	chrome.SignIn(ctx, b.t, "jane", "jane-password")
	chrome.Do(ctx, b.t, chromedp.WaitVisible("#ready"))
}

// open opens a page of the brand.
func (b *brandSite) open(ctx context.Context, pageURL string) {
	b.t.Helper()
	chrome.Do(ctx, b.t, chromedp.Navigate(pageURL), chromedp.WaitVisible("#ready"))
}

// getToken calls the page's function as LivePerson's window does, and returns what its
// callback gets: the token, code or object, and the error.
func (b *brandSite) getToken(
	ctx context.Context, challenge string, options ...chromedp.EvaluateOption,
) (value any, failure string) {
	b.t.Helper()
	call := `new Promise((done) => ` + b.context + `.lpGetAuthenticationToken((value, failure) =>
		done(JSON.stringify([value, failure === undefined || failure === null ? "" : String(failure)]))`
	if challenge != "" {
		call += `, "` + challenge + `"`
	}
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](call+`))`, append(options, chromedp.EvalAwaitPromise)...))
	require.NoError(b.t, err)
	var both []any
	require.NoError(b.t, json.Unmarshal([]byte(text), &both))
	return both[0], both[1].(string)
}

// getTokenByClick is getToken while the customer is clicking.
func (b *brandSite) getTokenByClick(ctx context.Context, challenge string) (value any, failure string) {
	b.t.Helper()
	return b.getToken(ctx, challenge, func(p *runtime.EvaluateParams) { p.UserGesture = new(true) })
}

// getIdentity returns what LiveEngage's tag learns from the page.
func (b *brandSite) getIdentity(ctx context.Context) (identity map[string]any) {
	b.t.Helper()
	text := chrome.Evaluate[string](ctx, b.t,
		`new Promise((done) => lpTag.identities[0]((identity) => done(JSON.stringify(identity))))`)
	require.NoError(b.t, json.Unmarshal([]byte(text), &identity))
	return identity
}

// TestPageScript runs the script in a real browser, on a page of another origin.
func TestPageScript(t *testing.T) {
	t.Parallel()
	t.Run("implicit", func(t *testing.T) {
		t.Parallel()
		b := startBrandSite(t)
		l := servertest.StartLiveEngage(t, b.pageSettings("id_token", ""), b.redirectURIs(""))
		b.setScript(l.Issuer, "")
		ctx := chrome.Start(t)
		b.open(ctx, b.sameSite+"/chat")
		require.Nil(t, b.getIdentity(ctx), "a visitor has no identity")
		value, failure := b.getToken(ctx, "")
		require.Empty(t, value)
		require.Equal(t, "No user is signed in.", failure)

		b.signInJane(ctx, l)
		b.open(ctx, b.sameSite+"/chat")
		require.Equal(t, map[string]any{"iss": l.Issuer, "sub": servertest.JaneSubject, "acr": "loa1"}, b.getIdentity(ctx))
		value, failure = b.getToken(ctx, "")
		require.Empty(t, failure)
		l.RequireJane(value.(string))
		require.Equal(t, "2", l.CountDeviation("nonce_optional", "liveengage"), "the sign-in's and the page's")
	})
	t.Run("code with PKCE, in another context", func(t *testing.T) {
		t.Parallel()
		b := startBrandSite(t)
		b.context = "lpMethods.auth"
		l := servertest.StartLiveEngage(t, "js_context: lpMethods.auth, "+b.pageSettings("code", ""), b.redirectURIs(""))
		b.setScript(l.Issuer, "")
		ctx := chrome.Start(t)
		b.signInJane(ctx, l)
		b.open(ctx, b.sameSite+"/chat")
		verifier := pkce.NewVerifier()
		for _, challenge := range []string{pkce.Challenge(verifier), ""} {
			value, failure := b.getToken(ctx, challenge)
			require.Empty(t, failure)
			code, ok := value.(map[string]any)
			require.True(t, ok, value)
			require.Equal(t, servertest.FixedURI, code["redirect_uri"])
			fields := []string{"code_verifier", verifier}
			if challenge == "" {
				fields = nil
			}
			status, tokens := l.RedeemCode("liveengage", code["ssoKey"].(string), servertest.FixedURI, fields...)
			require.Equal(t, http.StatusOK, status, tokens)
			l.RequireJane(tokens["id_token"].(string))
		}
	})
	for _, handsOut := range []string{"id_token", "code"} {
		t.Run("without third-party cookies, "+handsOut, func(t *testing.T) {
			t.Parallel()
			testNoThirdPartyCookies(t, handsOut, "", func(token string) string { return token })
		})
	}
	t.Run("without third-party cookies, encrypted", func(t *testing.T) {
		t.Parallel()
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		require.NoError(t, err)
		public := keys.PublicKey{Key: key.Public()}.Base64()
		testNoThirdPartyCookies(t, "id_token", "\n    id_token_encryption: {keys: [{kid: k, key: '"+public+"'}]}",
			func(token string) string { return servertest.DecryptToken(t, token, key, "k", "A128CBC-HS256") })
	})
	t.Run("a page that is not listed", func(t *testing.T) {
		t.Parallel()
		b := startBrandSite(t)
		settings := "page: {origins: ['https://www.brand.example'], hands_out: id_token}"
		l := servertest.StartLiveEngage(t, settings, b.redirectURIs(""))
		b.setScript(l.Issuer, "data-signed-in")
		ctx := chrome.Start(t)
		b.signInJane(ctx, l)
		b.open(ctx, b.sameSite+"/chat")
		value, failure := b.getToken(ctx, "")
		require.Empty(t, value)
		require.Contains(t, failure, "Is the page's origin listed there?")
		require.Nil(t, b.getIdentity(ctx))
	})
}

// testNoThirdPartyCookies: on another site the browser sends no cookies. The page then
// goes to the provider and back to the same URL, once. A page that does not name its
// customer stays.
func testNoThirdPartyCookies(t *testing.T, handsOut, lines string, decrypt func(string) string) {
	b := startBrandSite(t)
	l := servertest.StartLiveEngage(t, b.pageSettings(handsOut, ", return_uri: '"+b.otherURL+"/chat'"),
		b.redirectURIs(", '"+b.otherURL+"/chat'")+lines)
	b.setScript(l.Issuer, "data-signed-in")
	ctx := chrome.Start(t)
	b.signInJane(ctx, l)
	b.open(ctx, b.otherURL+"/shop?item=1")
	_, failure := b.getToken(ctx, "")
	require.Equal(t, "No user is signed in.", failure, "a page that does not name its customer stays")

	// The page goes to the provider when it loads, for a token, or at a click, for a code.
	b.setScript(l.Issuer, `data-signed-in="`+servertest.JaneSubject+`"`)
	verifier := pkce.NewVerifier()
	challenge := pkce.Challenge(verifier)
	chrome.Open(ctx, t, b.otherURL+"/shop?item=1")
	if handsOut == "code" {
		chrome.Text(ctx, t, "#ready")
		_, failure = b.getToken(ctx, challenge)
		require.Equal(t, "No user is signed in.", failure, "without a click the page stays")
		_, failure = b.getTokenByClick(ctx, challenge)
		require.Contains(t, failure, "comes back")
	}
	chrome.WaitFor(ctx, t, `(sessionStorage.getItem("idp liveengage") || "").includes('"answer":{') &&
		location.pathname === "/shop" && document.querySelector("#ready") !== null`)
	require.Equal(t, b.otherURL+"/shop?item=1", chrome.Location(ctx, t), "the same URL, and no response in it")
	require.Equal(t, servertest.JaneSubject, b.getIdentity(ctx)["sub"])
	value, failure := b.getToken(ctx, challenge)
	require.Empty(t, failure)
	if handsOut == "code" {
		code := value.(map[string]any)
		status, tokens := l.RedeemCode("liveengage", code["ssoKey"].(string), code["redirect_uri"].(string),
			"code_verifier", verifier)
		require.Equal(t, http.StatusOK, status, tokens)
		value = tokens["id_token"]
	}
	l.RequireJane(decrypt(value.(string)))
	_, failure = b.getTokenByClick(ctx, challenge)
	require.NotEmpty(t, failure, "the response is given once, and the page does not go to the provider twice in a minute")
}

// TestPageScriptOfAnotherCustomer: a page that names its customer gets nothing of another
// user: not on the same site, not from the provider, and not from its own storage.
func TestPageScriptOfAnotherCustomer(t *testing.T) {
	t.Parallel()
	const anotherUser = `data-signed-in="another-user-0123456789"`
	for _, handsOut := range []string{"id_token", "code"} {
		b := startBrandSite(t)
		l := servertest.StartLiveEngage(t, b.pageSettings(handsOut, ", return_uri: '"+b.otherURL+"/chat'"),
			b.redirectURIs(", '"+b.otherURL+"/chat'"))
		b.setScript(l.Issuer, anotherUser)
		ctx := chrome.Start(t)
		b.signInJane(ctx, l) // jane
		b.open(ctx, b.sameSite+"/shop")
		_, failure := b.getToken(ctx, "")
		require.Equal(t, "The signed-in user is not the one that the page names.", failure)
		require.Nil(t, b.getIdentity(ctx), "no identity, neither hers nor the other's")

		b.open(ctx, b.otherURL+"/shop")
		_, failure = b.getTokenByClick(ctx, "")
		require.NotEmpty(t, failure)
		// The provider has no response for another user.
		chrome.WaitFor(ctx, t, `JSON.parse(sessionStorage.getItem("idp liveengage") || "{}").answer === null &&
			document.querySelector("#ready") !== null`)
		_, failure = b.getToken(ctx, "")
		require.NotEmpty(t, failure)

		// A response for jane in the storage is not given to the next customer in the tab.
		chrome.Evaluate[chromedp.Void](ctx, t, `sessionStorage.setItem("idp liveengage",
			JSON.stringify({left: Date.now(), answer:
			{id_token: "jane's", code: "jane's", sub: "`+servertest.JaneSubject+`", ends: Date.now()}}))`)
		value, failure := b.getToken(ctx, "")
		require.NotEmpty(t, failure)
		require.NotContains(t, fmt.Sprint(value), "jane's")
		stored := chrome.Evaluate[string](ctx, t, `sessionStorage.getItem("idp liveengage")`)
		require.NotContains(t, stored, "jane's", "it is deleted")
	}
}

// TestPageScriptOnAnotherOrigin: a page whose origin is not that of the return URI does
// not go to the provider. A response that it did not request is removed from its URL and
// not used.
func TestPageScriptOnAnotherOrigin(t *testing.T) {
	t.Parallel()
	b, other := startBrandSite(t), startBrandSite(t)
	settings := "page: {origins: ['" + b.otherURL + "', '" + other.otherURL + "'], hands_out: id_token, " +
		"return_uri: '" + b.otherURL + "/chat'}"
	l := servertest.StartLiveEngage(t, settings, b.redirectURIs(", '"+b.otherURL+"/chat'"))
	b.setScript(l.Issuer, `data-signed-in="`+servertest.JaneSubject+`"`)
	other.setScript(l.Issuer, `data-signed-in="`+servertest.JaneSubject+`"`)
	ctx := chrome.Start(t)
	b.signInJane(ctx, l)
	other.open(ctx, other.otherURL+"/basket")
	_, failure := other.getToken(ctx, "")
	require.Equal(t, "No user is signed in.", failure)
	require.Equal(t, other.otherURL+"/basket", chrome.Location(ctx, t))
	other.open(ctx, other.otherURL+"/other#id_token=planted&state=s&iss="+url.QueryEscape(l.Issuer))
	require.Equal(t, other.otherURL+"/other", chrome.Location(ctx, t))
	value, _ := other.getToken(ctx, "")
	require.Empty(t, value, "and is not used")
}

// TestPageScriptAcrossSites: if the configuration and the browser allow third-party
// cookies, a page on another site need not go to the provider.
func TestPageScriptAcrossSites(t *testing.T) {
	t.Parallel()
	for _, allowed := range []bool{true, false} {
		b := startBrandSite(t)
		l := startAcrossSites(t, b, allowed)
		ctx := chrome.Start(t, chromedp.Flag("ignore-certificate-errors", true),
			chromedp.UserDataDir(createProfileWithCookies(t)))
		b.signInJane(ctx, l)
		b.open(ctx, b.otherURL+"/chat")
		value, failure := b.getToken(ctx, "")
		if !allowed {
			require.Equal(t, "No user is signed in.", failure)
			continue
		}
		require.Empty(t, failure)
		require.Equal(t, servertest.JaneSubject, servertest.DecodeClaims(t, value.(string))["sub"])
	}
}

// TestAcrossSitesIsPerClient: the second cookie counts only for clients that have the
// setting.
func TestAcrossSitesIsPerClient(t *testing.T) {
	t.Parallel()
	b := startBrandSite(t)
	l := startAcrossSites(t, b, true)
	trusting := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	signedIn := servertest.NewBrowser(t)
	signedIn.Transport = trusting
	signedIn.SignIn(l.AuthorizeURL("redirect_uri", b.sameSite+"/cb"), "jane", "jane-password")
	issuer, err := url.Parse(l.Issuer)
	require.NoError(t, err)
	var session *http.Cookie
	for _, c := range signedIn.Jar.Cookies(issuer) {
		if strings.HasPrefix(c.Name, "__Host-idp_page_session_") {
			session = c
		}
	}
	require.NotNil(t, session)
	for client, token := range map[string]bool{"liveengage": true, "strict": false} {
		form := url.Values{"client_id": {client}}
		r, err := robot.NewRequest(t.Context(), http.MethodPost, l.Issuer+"/liveengage/token", form)
		require.NoError(t, err)
		r.Header.Set("Origin", b.otherURL)
		r.AddCookie(&http.Cookie{Name: session.Name, Value: session.Value})
		withoutCookies := servertest.NewBrowser(t)
		withoutCookies.Transport = trusting
		p := withoutCookies.Do(r)
		require.Equal(t, token, strings.Contains(p.Body, "id_token"), client+": "+p.Body)
		require.Equal(t, !token, strings.Contains(p.Body, "No user is signed in."), client+": "+p.Body)
	}
}

// createProfileWithCookies returns the folder of a browser profile that allows
// third-party cookies. The default is to block them.
func createProfileWithCookies(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "Default"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "Default", "Preferences"),
		[]byte(`{"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": false}}`), 0o600))
	return folder
}

// startAcrossSites runs a server over https. Only the client liveengage may have the
// setting across_sites; the client strict never has it.
func startAcrossSites(t *testing.T, b *brandSite, across bool) *servertest.LiveEngage {
	t.Helper()
	lines := ""
	if across {
		lines = ", across_sites: true"
	}
	l := servertest.WriteLiveEngage(t, b.pageSettings("id_token", lines), b.redirectURIs(""))
	l.Issuer = strings.Replace(l.Issuer, "http://", "https://", 1)
	l.EditConfig(func(text string) string {
		return "tls: {certificate: cert.pem, key: key.pem}\n" +
			strings.Replace(text, "issuer: http://", "issuer: https://", 1) +
			"  - {id: strict, profile: liveengage, redirect_uris: ['" + servertest.WindowURI + "'], " +
			"response_types: [id_token], liveengage: {" + b.pageSettings("id_token", "") + "}}\n"
	})
	certificate, key, _ := servertest.NewCertificate(t)
	servertest.WriteFiles(t, l.Folder, map[string][]byte{"cert.pem": certificate, "key.pem": key})
	l.Start()
	b.setScript(l.Issuer, "")
	return l
}
