package dev_test

import (
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"idpbridge/internal/chrome"
	"idpbridge/server/servertest"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// startDevWithSimulator runs idp dev with its simulator and returns their URLs.
func startDevWithSimulator(t *testing.T, now func() time.Time) (issuer, simulator string) {
	t.Helper()
	issuer = startDev(t, now, "127.0.0.1:0")
	link := regexp.MustCompile(`href="(http://127\.0\.0\.1:\d+)/">See what the agent sees`)
	found := link.FindStringSubmatch(servertest.NewBrowser(t).Get(issuer + "/").Body)
	require.Len(t, found, 2, "the home page links to the simulator")
	return issuer, found[1]
}

// findConnectorID returns the ID of the connector with the name.
func findConnectorID(t *testing.T, simulator, name string) string {
	t.Helper()
	var all []struct {
		ID   json.Number `json:"id"`
		Name string      `json:"name"`
	}
	const path = "/api/account/12345678/configuration/le-connectors/all-connectors"
	body := servertest.NewBrowser(t).Get(simulator + path).Body
	require.NoError(t, json.Unmarshal([]byte(body), &all))
	for _, c := range all {
		if c.Name == name {
			return c.ID.String()
		}
	}
	t.Fatal("no connector " + name + ": " + body)
	return ""
}

// sendChatLine sends a message in LivePerson's window.
func sendChatLine(ctx context.Context, t *testing.T, text string) {
	t.Helper()
	chrome.WaitForElement(ctx, t, "#say")
	require.NoError(t, chromedp.Do(ctx, chromedp.SendKeys("#line", text+"\r")))
	chrome.WaitForText(ctx, t, "#lines", text)
}

// signInOnBrandPage opens the brand's page and signs Jane in from there.
func signInOnBrandPage(ctx context.Context, t *testing.T, simulator, connector string) {
	t.Helper()
	chrome.Open(ctx, t, simulator+"/brand?connector="+connector)
	chrome.WaitForElement(ctx, t, "body[data-ready=yes]")
	chrome.WaitForText(ctx, t, "#who", "You are not signed in")
	require.NoError(t, chromedp.Do(ctx, chromedp.Click("#signin")))
	chrome.WaitForElement(ctx, t, "#login-submit")
	chrome.SignIn(ctx, t, "jane", "jane-password")
	chrome.WaitForText(ctx, t, "#who", servertest.JaneSubject)
	chrome.WaitForElement(ctx, t, "body[data-ready=yes]")
}

// requireAgentView checks the agent's view of the newest conversation.
func requireAgentView(t *testing.T, simulator, message, kind string) {
	t.Helper()
	b := servertest.NewBrowser(t)
	id := regexp.MustCompile(`/agent/[0-9a-f-]{36}`).FindString(b.Get(simulator + "/agent").Body)
	require.NotEmpty(t, id)
	body := b.Get(simulator + id).Body
	require.Contains(t, body, `<bdi id="name">Jane Doe</bdi>`)
	require.Contains(t, body, `<b id="type">`+kind+`</b>`)
	for _, want := range []string{message, "active", "1250.75 USD", "gold", "C-100234", "secure"} {
		require.Contains(t, body, want)
	}
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

// requirePopOutQuery checks that the pop-out window sends exactly the request that
// LivePerson's sends.
func requirePopOutQuery(t *testing.T, simulator, address, kind string) {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	q := u.Query()
	want := map[string]string{
		"response_type": "id_token", "scope": "openid", "client_id": q.Get("client_id"),
		"redirect_uri": simulator + "/le_unified_window/index.html", "parentWindowOrigin": simulator, "state": q.Get("state"),
	}
	if strings.HasPrefix(kind, "code") {
		want["response_type"] = "code"
	}
	if strings.HasSuffix(kind, "PKCE") {
		want["code_challenge"], want["code_challenge_method"] = q.Get("code_challenge"), "S256"
		require.Len(t, q.Get("code_challenge"), 43)
	}
	require.Len(t, q, len(want))
	for name, value := range want {
		require.Equal(t, []string{value}, q[name], name)
	}
	require.GreaterOrEqual(t, len(url.QueryEscape(q.Get("state"))), 2048)
	var state struct {
		Config struct {
			AccountID  string `json:"accountId"`
			Engagement struct {
				Connector map[string]any `json:"connector"`
			} `json:"engConf"`
		} `json:"lpUnifiedWindowConfig"`
	}
	require.NoError(t, json.Unmarshal([]byte(q.Get("state")), &state))
	require.Equal(t, "12345678", state.Config.AccountID)
	require.Contains(t, state.Config.Engagement.Connector, "configuration")
}

// requireFitsPhone checks that the page is no wider than a phone, and takes a screenshot.
func requireFitsPhone(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(360, 800)))
	chrome.Screenshot(ctx, t, name)
	require.LessOrEqual(t, chrome.Evaluate[int](ctx, t, `document.documentElement.scrollWidth`), 360, name)
}

// newestConversation returns the path of the agent's view of the newest conversation.
func newestConversation(b *servertest.Browser, simulator string) string {
	return regexp.MustCompile(`/agent/[0-9a-f-]{36}`).FindString(b.Get(simulator + "/agent").Body)
}

// rememberSocket is a script that keeps the socket that was used last in window.last.
const rememberSocket = `(() => {
	const send = WebSocket.prototype.send;
	WebSocket.prototype.send = function (x) { window.last = this; return send.call(this, x); };
})()`

// closeSocket is a script that closes that socket and waits until the page says so.
const closeSocket = `new Promise((done) => {
	const state = document.getElementById("state");
	const observer = new MutationObserver(() => { if (state.textContent.includes("trying again")) { done(); } });
	observer.observe(state, { childList: true });
	window.last.close(3000);
})`
