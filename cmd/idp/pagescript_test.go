package main

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
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"idpbridge/internal/pkce"
	"idpbridge/keys"
)

// brand is a brand's site: /chat loads the page script, and so does every address
// below it. The site is reached by two names, of which one is another site than
// the identity provider's.
type brand struct {
	t       *testing.T
	server  *httptest.Server
	script  string // attributes of the script element
	near    string // origin on the provider's site
	far     string // origin on another site
	context string // js_context
}

func newBrand(t *testing.T) *brand {
	t.Helper()
	b := &brand{t: t, context: "window"}
	b.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><title>Brand</title><script ` + b.script + `></script><p id="ready">ready</p>`))
	}))
	t.Cleanup(b.server.Close)
	b.near = b.server.URL
	b.far = strings.Replace(b.server.URL, "127.0.0.1", "localhost", 1)
	return b
}

// page are the settings of the client whose pages these are.
func (b *brand) page(handsOut, more string) string {
	return "page: {origins: ['" + b.near + "', '" + b.far + "'], hands_out: " + handsOut + more + "}"
}

// loads says which script the pages load, with what other attributes.
func (b *brand) loads(issuer, attributes string) {
	b.script = `src="` + issuer + `/liveengage.js?client_id=liveengage" ` + attributes
}

// registered are the redirect URIs of a client whose sign-in may end on the site.
func (b *brand) registered(more string) string {
	return "\n    application_type: native\n    redirect_uris: ['" + fixedURI + "', '" + b.near + "/cb'" + more + "]"
}

// signIn signs jane in, in the browser.
func (b *brand) signIn(ctx context.Context, l *liveperson) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(ctx, chromedp.Navigate(l.popOut("redirect_uri", b.near+"/cb", "state", "s"))))
	submitSignIn(ctx, b.t, "jane", "jane-password")
	require.NoError(b.t, chromedp.Do(ctx, chromedp.WaitVisible("#ready")))
}

// visit opens a page of the brand.
func (b *brand) visit(ctx context.Context, address string) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(ctx, chromedp.Navigate(address), chromedp.WaitVisible("#ready")))
}

// method calls the function as LivePerson's window does and returns what it calls
// back with: the token, code or object, and the error.
func (b *brand) method(ctx context.Context, challenge string, how ...chromedp.EvaluateOption) (value any, failure string) {
	b.t.Helper()
	call := `new Promise((done) => ` + b.context + `.lpGetAuthenticationToken((value, failure) =>
		done(JSON.stringify([value, failure === undefined || failure === null ? "" : String(failure)]))`
	if challenge != "" {
		call += `, "` + challenge + `"`
	}
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](call+`))`, append(how, chromedp.EvalAwaitPromise)...))
	require.NoError(b.t, err)
	var both []any
	require.NoError(b.t, json.Unmarshal([]byte(text), &both))
	return both[0], both[1].(string)
}

// clicked is method while the customer is clicking.
func (b *brand) clicked(ctx context.Context, challenge string) (value any, failure string) {
	b.t.Helper()
	yes := true
	return b.method(ctx, challenge, func(p *runtime.EvaluateParams) { p.UserGesture = &yes })
}

// identity is what LiveEngage's tag learns from the page.
func (b *brand) identity(ctx context.Context) map[string]any {
	b.t.Helper()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`new Promise((done) => lpTag.identities[0]((who) => done(JSON.stringify(who))))`, chromedp.EvalAwaitPromise))
	require.NoError(b.t, err)
	var who map[string]any
	require.NoError(b.t, json.Unmarshal([]byte(text), &who))
	return who
}

// TestPageScript runs the script in a real browser, on a page of another origin.
func TestPageScript(t *testing.T) {
	t.Parallel()
	t.Run("implicit", func(t *testing.T) {
		t.Parallel()
		b := newBrand(t)
		l := withLivePerson(t, b.page("id_token", ""), b.registered(""))
		b.loads(l.issuer, "")
		ctx := startChromium(t)
		b.visit(ctx, b.near+"/chat")
		require.Nil(t, b.identity(ctx), "a visitor has no identity")
		value, failure := b.method(ctx, "")
		require.Empty(t, value)
		require.Equal(t, "No user is signed in.", failure)

		b.signIn(ctx, l)
		b.visit(ctx, b.near+"/chat")
		require.Equal(t, map[string]any{"iss": l.issuer, "sub": janeSubject, "acr": "loa1"}, b.identity(ctx))
		value, failure = b.method(ctx, "")
		require.Empty(t, failure)
		l.janes(l.verify(value.(string)))
		require.Equal(t, "2", l.counted("nonce_optional", "liveengage"), "the sign-in's and the page's")
	})
	t.Run("code with PKCE, in a context of its own", func(t *testing.T) {
		t.Parallel()
		b := newBrand(t)
		b.context = "lpMethods.auth"
		l := withLivePerson(t, "js_context: lpMethods.auth, "+b.page("code", ""), b.registered(""))
		b.loads(l.issuer, "")
		ctx := startChromium(t)
		b.signIn(ctx, l)
		b.visit(ctx, b.near+"/chat")
		verifier := pkce.NewVerifier()
		for _, challenge := range []string{pkce.Challenge(verifier), ""} {
			value, failure := b.method(ctx, challenge)
			require.Empty(t, failure)
			answer, ok := value.(map[string]any)
			require.True(t, ok, value)
			require.Equal(t, fixedURI, answer["redirect_uri"])
			more := []string{"code_verifier", verifier}
			if challenge == "" {
				more = nil
			}
			status, tokens := l.redeem("liveengage", answer["ssoKey"].(string), fixedURI, more...)
			require.Equal(t, http.StatusOK, status, tokens)
			l.janes(l.verify(tokens["id_token"].(string)))
		}
	})
	for _, handsOut := range []string{"id_token", "code"} {
		t.Run("cookies kept from the page, "+handsOut, func(t *testing.T) {
			t.Parallel()
			cookiesKept(t, handsOut, "", func(token string) string { return token })
		})
	}
	t.Run("cookies kept from the page, encrypted", func(t *testing.T) {
		t.Parallel()
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		require.NoError(t, err)
		cookiesKept(t, "id_token", "\n    id_token_encryption: {keys: [{kid: k, key: '"+keys.PublicKey{Key: key.Public()}.Base64()+"'}]}",
			func(token string) string { return openedJWE(t, token, key, "k", "A128CBC-HS256") })
	})
	t.Run("a page that is not listed", func(t *testing.T) {
		t.Parallel()
		b := newBrand(t)
		l := withLivePerson(t, "page: {origins: ['https://www.brand.example'], hands_out: id_token}", b.registered(""))
		b.loads(l.issuer, "data-signed-in")
		ctx := startChromium(t)
		b.signIn(ctx, l)
		b.visit(ctx, b.near+"/chat")
		value, failure := b.method(ctx, "")
		require.Empty(t, value)
		require.Contains(t, failure, "Is the page's origin listed there?")
		require.Nil(t, b.identity(ctx))
	})
}

// cookiesKept: on another site the browser sends no cookie along. The page goes by
// the provider and comes back, once, to where it was; a stranger's page stays.
func cookiesKept(t *testing.T, handsOut, more string, decrypt func(string) string) {
	b := newBrand(t)
	l := withLivePerson(t, b.page(handsOut, ", return_uri: '"+b.far+"/chat'"), b.registered(", '"+b.far+"/chat'")+more)
	b.loads(l.issuer, "data-signed-in")
	ctx := startChromium(t)
	b.signIn(ctx, l)
	b.visit(ctx, b.far+"/shop?item=1")
	_, failure := b.method(ctx, "")
	require.Equal(t, "No user is signed in.", failure, "a page that does not name its customer is not left")

	// The way by the provider: while a page loads for a token, at a click for a code.
	back := func() {
		t.Helper()
		require.Eventually(t, func() bool { // the page goes and comes meanwhile, so that some looks at it fail
			back, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(sessionStorage.getItem("idp liveengage") || "").includes('"answer":{') && location.pathname === "/shop" && document.querySelector("#ready") !== null`))
			return err == nil && back
		}, 20*time.Second, 20*time.Millisecond)
		address, err := chromedp.Run(ctx, chromedp.Location())
		require.NoError(t, err)
		require.Equal(t, b.far+"/shop?item=1", address, "back where it was, and nothing left in the address")
	}
	b.loads(l.issuer, `data-signed-in="`+janeSubject+`"`)
	verifier := pkce.NewVerifier()
	challenge := pkce.Challenge(verifier)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(b.far+"/shop?item=1")))
	if handsOut == "code" {
		visibleText(ctx, t, "#ready")
		_, failure = b.method(ctx, challenge)
		require.Equal(t, "No user is signed in.", failure, "without a click the page stays")
		_, failure = b.clicked(ctx, challenge)
		require.Contains(t, failure, "comes back")
	}
	back()
	require.Equal(t, janeSubject, b.identity(ctx)["sub"])
	value, failure := b.method(ctx, challenge)
	require.Empty(t, failure)
	if handsOut == "code" {
		answer := value.(map[string]any)
		status, tokens := l.redeem("liveengage", answer["ssoKey"].(string), answer["redirect_uri"].(string), "code_verifier", verifier)
		require.Equal(t, http.StatusOK, status, tokens)
		value = tokens["id_token"]
	}
	l.janes(l.verify(decrypt(value.(string))))
	_, failure = b.clicked(ctx, challenge)
	require.NotEmpty(t, failure, "what was brought back is handed out once, and the page is not left twice in a minute")
}

// TestPageScriptOfAnotherCustomer: a page that names its customer is given nothing
// of anybody else's, on the same site, by the detour, and of what was kept.
func TestPageScriptOfAnotherCustomer(t *testing.T) {
	t.Parallel()
	const somebodyElse = `data-signed-in="somebody-else-0123456789"`
	for _, handsOut := range []string{"id_token", "code"} {
		b := newBrand(t)
		l := withLivePerson(t, b.page(handsOut, ", return_uri: '"+b.far+"/chat'"), b.registered(", '"+b.far+"/chat'"))
		b.loads(l.issuer, somebodyElse)
		ctx := startChromium(t)
		b.signIn(ctx, l) // jane
		b.visit(ctx, b.near+"/shop")
		_, failure := b.method(ctx, "")
		require.Equal(t, "The signed-in user is not the one that the page names.", failure)
		require.Nil(t, b.identity(ctx), "nor her identity, nor the other's")

		b.visit(ctx, b.far+"/shop")
		_, failure = b.clicked(ctx, "")
		require.NotEmpty(t, failure)
		require.Eventually(t, func() bool {
			left, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`JSON.parse(sessionStorage.getItem("idp liveengage") || "{}").answer === null && document.querySelector("#ready") !== null`))
			return err == nil && left
		}, 20*time.Second, 20*time.Millisecond, "the provider answers for nobody else")
		_, failure = b.method(ctx, "")
		require.NotEmpty(t, failure)

		// What was kept for jane is not for the next customer in the same tab.
		require.NoError(t, chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](`sessionStorage.setItem("idp liveengage", JSON.stringify({left: Date.now(), answer:
			{id_token: "jane's", code: "jane's", sub: "`+janeSubject+`", ends: Date.now()}}))`)))
		value, failure := b.method(ctx, "")
		require.NotEmpty(t, failure)
		require.NotContains(t, fmt.Sprint(value), "jane's")
		kept, err := chromedp.Run(ctx, chromedp.Evaluate[string](`sessionStorage.getItem("idp liveengage")`))
		require.NoError(t, err)
		require.NotContains(t, kept, "jane's", "and it is dropped")
	}
}

// TestPageScriptElsewhere: a page of another origin than the return address's is
// not left, and an answer that nobody asked for does not stay in the address.
func TestPageScriptElsewhere(t *testing.T) {
	t.Parallel()
	b, other := newBrand(t), newBrand(t)
	l := withLivePerson(t, "page: {origins: ['"+b.far+"', '"+other.far+"'], hands_out: id_token, return_uri: '"+b.far+"/chat'}", b.registered(", '"+b.far+"/chat'"))
	b.loads(l.issuer, `data-signed-in="`+janeSubject+`"`)
	other.loads(l.issuer, `data-signed-in="`+janeSubject+`"`)
	ctx := startChromium(t)
	b.signIn(ctx, l)
	other.visit(ctx, other.far+"/basket")
	_, failure := other.method(ctx, "")
	require.Equal(t, "No user is signed in.", failure)
	address, err := chromedp.Run(ctx, chromedp.Location())
	require.NoError(t, err)
	require.Equal(t, other.far+"/basket", address)
	other.visit(ctx, other.far+"/other#id_token=planted&state=s&iss="+url.QueryEscape(l.issuer))
	address, err = chromedp.Run(ctx, chromedp.Location())
	require.NoError(t, err)
	require.Equal(t, other.far+"/other", address)
	value, _ := other.method(ctx, "")
	require.Empty(t, value, "and is not handed on")
}

// TestPageScriptAcrossSites: where the configuration allows it and the browser does
// not keep third-party cookies away, a page on another site needs no detour.
func TestPageScriptAcrossSites(t *testing.T) {
	t.Parallel()
	for _, allowed := range []bool{true, false} {
		b := newBrand(t)
		l := withLivePersonTLS(t, b, allowed)
		ctx := startChromium(t, chromedp.Flag("ignore-certificate-errors", true), chromedp.UserDataDir(thirdPartyCookies(t)))
		b.signIn(ctx, l)
		b.visit(ctx, b.far+"/chat")
		value, failure := b.method(ctx, "")
		if !allowed {
			require.Equal(t, "No user is signed in.", failure)
			continue
		}
		require.Empty(t, failure)
		require.Equal(t, janeSubject, decoded(t, value.(string))["sub"])
	}
}

// TestAcrossSitesIsEachClientsOwn: the second cookie counts for the client that has
// the setting and for no other.
func TestAcrossSitesIsEachClientsOwn(t *testing.T) {
	t.Parallel()
	b := newBrand(t)
	l := withLivePersonTLS(t, b, true)
	jar := newBrowser(t)
	jar.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	jar.signIn(l.issuer, l.popOut("redirect_uri", b.near+"/cb"), "jane", "jane-password")
	issuer, err := url.Parse(l.issuer)
	require.NoError(t, err)
	session := ""
	for _, c := range jar.client.Jar.Cookies(issuer) {
		if c.Name == "__Host-idp_page_session" {
			session = c.Value
		}
	}
	require.NotEmpty(t, session)
	for client, token := range map[string]bool{"liveengage": true, "strict": false} {
		r, err := http.NewRequest(http.MethodPost, l.issuer+"/liveengage/token", strings.NewReader("client_id="+client))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.far)
		r.AddCookie(&http.Cookie{Name: "__Host-idp_page_session", Value: session})
		bare := newBrowser(t)
		bare.client.Transport = jar.client.Transport
		p := bare.do(r)
		require.Equal(t, token, strings.Contains(p.body, "id_token"), client+": "+p.body)
		require.Equal(t, !token, strings.Contains(p.body, "No user is signed in."), client+": "+p.body)
	}
}

// thirdPartyCookies is the folder of a browser profile that allows them; this
// browser's own setting is to keep them away.
func thirdPartyCookies(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "Default"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "Default", "Preferences"),
		[]byte(`{"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": false}}`), 0o600))
	return folder
}

// withLivePersonTLS is withLivePerson over https.
func withLivePersonTLS(t *testing.T, b *brand, across bool) *liveperson {
	t.Helper()
	lender := httptest.NewTLSServer(http.NotFoundHandler())
	defer lender.Close()
	certificate, key := pemOf(t, lender.TLS.Certificates[0])
	address := freeAddress(t)
	l := &liveperson{t: t, folder: t.TempDir(), clock: &clock{}, operations: "off", issuer: "https://" + address}
	more := ""
	if across {
		more = ", across_sites: true"
	}
	l.configure(b.page("id_token", more), b.registered(""))
	file := filepath.Join(l.folder, "idp.yaml")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	text = append([]byte("tls: {certificate: cert.pem, key: key.pem}\n"), text...)
	text = append(text, "  - {id: strict, profile: liveengage, redirect_uris: ['"+windowURI+"'], response_types: [id_token], liveengage: {"+b.page("id_token", "")+"}}\n"...)
	for name, content := range map[string][]byte{"idp.yaml": text, "cert.pem": certificate, "key.pem": key} {
		require.NoError(t, os.WriteFile(filepath.Join(l.folder, name), content, 0o600))
	}
	l.log = serveConfig(t, l.clock.now, l.folder)
	b.loads(l.issuer, "")
	return l
}

// pageEndpoint is row 93 of the attack table: the endpoint of the page script gives
// nothing to pages that are not listed, nor without a session.
func pageEndpoint(t *testing.T) {
	t.Parallel()
	const origin = "https://www.brand.example"
	l := withLivePerson(t, "page: {origins: ['"+origin+"'], hands_out: id_token}", "")
	signedIn, form := l.signedIn(), url.Values{"client_id": {"liveengage"}}
	for _, path := range []string{"/liveengage/token", "/liveengage/identity"} {
		for _, foreign := range []string{"", "null", "https://evil.example", "http://www.brand.example", origin + ".evil.example", origin + ":8443", "https://WWW.brand.example", l.issuer} {
			status, answer, header := l.ask(signedIn, foreign, path, form)
			require.Equal(t, http.StatusForbidden, status, foreign)
			require.Empty(t, header.Get("Access-Control-Allow-Origin"), foreign)
			require.Empty(t, header.Get("Access-Control-Allow-Credentials"), foreign)
			require.NotContains(t, answer, "id_token")
			require.NotContains(t, answer, "sub")
		}
		for _, client := range []string{"plain", "nobody", ""} {
			status, _, header := l.ask(signedIn, origin, path, url.Values{"client_id": {client}})
			require.Equal(t, http.StatusForbidden, status, client)
			require.Empty(t, header.Get("Access-Control-Allow-Origin"), client)
		}
		status, answer, header := l.ask(newBrowser(t), origin, path, form)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, origin, header.Get("Access-Control-Allow-Origin"), "a listed page may know that nobody is signed in")
		require.NotContains(t, answer, "id_token")
		require.NotContains(t, answer, "sub")
		require.Equal(t, "Origin", header.Get("Vary"))
		status, _, _ = l.ask(signedIn, origin, path+"?client_id=liveengage", form)
		require.Equal(t, http.StatusBadRequest, status, "parameters in the address")
		require.Equal(t, http.StatusMethodNotAllowed, signedIn.get(l.issuer+path+"").status)
	}
	_, answer, _ := l.ask(signedIn, origin, "/liveengage/token", form)
	require.NotEmpty(t, answer["id_token"])
}
