package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// startDevWithSimulator runs idp dev with its simulator and returns their URLs.
func startDevWithSimulator(t *testing.T, now func() time.Time) (issuer, simulator string) {
	t.Helper()
	issuer = startIDP(t, now, "dev", "--simulator", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--operations", "off",
		"--data", t.TempDir())
	link := regexp.MustCompile(`href="(http://127\.0\.0\.1:\d+)/">See what the agent sees`)
	found := link.FindStringSubmatch(newBrowser(t).get(issuer + "/").body)
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
	body := newBrowser(t).get(simulator + "/api/account/12345678/configuration/le-connectors/all-connectors").body
	require.NoError(t, json.Unmarshal([]byte(body), &all))
	for _, c := range all {
		if c.Name == name {
			return c.ID.String()
		}
	}
	t.Fatal("no connector " + name + ": " + body)
	return ""
}

// waitForText waits until the element contains the text.
func waitForText(ctx context.Context, t *testing.T, selector, text string) {
	t.Helper()
	err := pollPage(ctx, `(document.querySelector(`+quoteForScript(selector)+`)?.innerText || "").includes(`+
		quoteForScript(text)+`)`)
	if err != nil {
		page, _ := chromedp.Run(ctx, chromedp.Text("body"))
		require.NoError(t, err, "%s should contain %q; the page is:\n%s", selector, text, page)
	}
}

// waitForElement waits until the element is visible.
func waitForElement(ctx context.Context, t *testing.T, selector string) {
	t.Helper()
	err := pollPage(ctx, `document.querySelector(`+quoteForScript(selector)+`)?.getClientRects().length > 0`)
	require.NoError(t, err, selector)
}

// pollPage waits until the expression is true. If the page navigates meanwhile, it
// continues on the next page.
func pollPage(ctx context.Context, expression string) error {
	for {
		_, err := chromedp.Run(ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(pollTimeout)))
		if _, navigated := errors.AsType[*cdproto.Error](err); !navigated {
			return err
		}
	}
}

// pollTimeout only ends a test that would otherwise end without saying what it waited for.
const pollTimeout = time.Minute

func quoteForScript(text string) string {
	raw, _ := json.Marshal(text)
	return string(raw)
}

// sendChatLine sends a message in LivePerson's window.
func sendChatLine(ctx context.Context, t *testing.T, text string) {
	t.Helper()
	waitForElement(ctx, t, "#say")
	require.NoError(t, chromedp.Do(ctx, chromedp.SendKeys("#line", text+"\r")))
	waitForText(ctx, t, "#lines", text)
}

// signInOnBrandPage opens the brand's page and signs Jane in from there.
func signInOnBrandPage(ctx context.Context, t *testing.T, simulator, connector string) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(simulator+"/brand?connector="+connector)))
	waitForElement(ctx, t, "body[data-ready=yes]")
	waitForText(ctx, t, "#who", "You are not signed in")
	require.NoError(t, chromedp.Do(ctx, chromedp.Click("#signin")))
	waitForElement(ctx, t, "#login-submit")
	submitSignIn(ctx, t, "jane", "jane-password")
	waitForText(ctx, t, "#who", janeSubject)
	waitForElement(ctx, t, "body[data-ready=yes]")
}

// requireAgentView checks the agent's view of the newest conversation.
func requireAgentView(t *testing.T, simulator, message, kind string) {
	t.Helper()
	b := newBrowser(t)
	id := regexp.MustCompile(`/agent/[0-9a-f-]{36}`).FindString(b.get(simulator + "/agent").body)
	require.NotEmpty(t, id)
	body := b.get(simulator + id).body
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

// clickElement clicks without waiting for the result.
func clickElement(ctx context.Context, t *testing.T, selector string) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(selector)))
}

// evaluateScript runs a script in the page. If it returns a promise, it awaits that.
func evaluateScript[T any](ctx context.Context, t *testing.T, script string) T {
	t.Helper()
	await := func(p *runtime.EvaluateParams) { p.AwaitPromise = new(true) }
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, await))
	require.NoError(t, err)
	return out
}

// requireFitsPhone checks that the page is no wider than a phone, and takes a screenshot.
func requireFitsPhone(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(360, 800)))
	takeScreenshot(ctx, t, name)
	require.LessOrEqual(t, evaluateScript[int](ctx, t, `document.documentElement.scrollWidth`), 360, name)
}

// newestConversation returns the path of the agent's view of the newest conversation.
func newestConversation(b *browser, simulator string) string {
	return regexp.MustCompile(`/agent/[0-9a-f-]{36}`).FindString(b.get(simulator + "/agent").body)
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
