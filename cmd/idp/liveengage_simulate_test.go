package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// startDevWithSimulator runs idp dev with its simulator and returns both addresses.
func startDevWithSimulator(t *testing.T, now func() time.Time) (issuer, simulator string) {
	t.Helper()
	issuer = startIDP(t, now, "dev", "--simulator", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--operations", "off", "--data", t.TempDir())
	found := regexp.MustCompile(`href="(http://127\.0\.0\.1:\d+)/">See what the agent sees`).FindStringSubmatch(newBrowser(t).get(issuer + "/").body)
	require.Len(t, found, 2, "the home page links to the simulator")
	return issuer, found[1]
}

// findConnectorID is the number of a connector.
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

// waitForText waits until the page says so.
func waitForText(ctx context.Context, t *testing.T, selector, says string) {
	t.Helper()
	looks := chromedp.Poll[bool](`(document.querySelector(`+quoteForScript(selector)+`)?.innerText || "").includes(`+quoteForScript(says)+`)`, chromedp.WithPollingTimeout(20*time.Second))
	_, err := chromedp.Run(ctx, looks)
	for again := 0; again < 50 && err != nil && isNavigationError(err); again++ {
		_, err = chromedp.Run(ctx, looks)
	}
	if err != nil {
		page, _ := chromedp.Run(ctx, chromedp.Text("body"))
		require.NoError(t, err, "%s should say %q; the page is:\n%s", selector, says, page)
	}
}

// waitForElement waits until an element can be seen.
func waitForElement(ctx context.Context, t *testing.T, selector string) {
	t.Helper()
	seen := chromedp.Poll[bool](`document.querySelector(`+quoteForScript(selector)+`)?.getClientRects().length > 0`, chromedp.WithPollingTimeout(20*time.Second))
	_, err := chromedp.Run(ctx, seen)
	for again := 0; again < 50 && err != nil && isNavigationError(err); again++ {
		_, err = chromedp.Run(ctx, seen)
	}
	require.NoError(t, err, selector)
}

// isNavigationError says whether a page went on to the next one and took the question with it.
func isNavigationError(err error) bool {
	return strings.Contains(err.Error(), "navigated") || strings.Contains(err.Error(), "Cannot find context")
}

func quoteForScript(text string) string {
	raw, _ := json.Marshal(text)
	return string(raw)
}

// sendChatLine writes a line into LivePerson's window.
func sendChatLine(ctx context.Context, t *testing.T, text string) {
	t.Helper()
	waitForElement(ctx, t, "#say")
	require.NoError(t, chromedp.Do(ctx, chromedp.SendKeys("#line", text+"\r")))
	waitForText(ctx, t, "#lines", text)
}

// signInOnBrandPage opens the brand's page and signs jane in from there.
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
func requireAgentView(t *testing.T, simulator, says, kind string) {
	t.Helper()
	b := newBrowser(t)
	id := regexp.MustCompile(`/agent/[0-9a-f-]{36}`).FindString(b.get(simulator + "/agent").body)
	require.NotEmpty(t, id)
	body := b.get(simulator + id).body
	require.Contains(t, body, `<bdi id="name">Jane Doe</bdi>`)
	require.Contains(t, body, `<b id="type">`+kind+`</b>`)
	for _, want := range []string{says, "active", "1250.75 USD", "gold", "C-100234", "secure"} {
		require.Contains(t, body, want)
	}
}

// TestChromiumSimulator: a person signs in on the brand's page as jane, writes a
// line, and the agent sees who she is, whichever way LivePerson obtains the token.
func TestChromiumSimulator(t *testing.T) {
	t.Parallel()
	_, simulator := startDevWithSimulator(t, time.Now)
	for _, c := range []struct{ connector, kind string }{
		{"Implicit", "implicit"}, {"Code", "code"}, {"Code with PKCE", "code with PKCE"}, {"Implicit, encrypted", "implicit, encrypted"},
	} {
		id := findConnectorID(t, simulator, c.connector)
		t.Run(c.connector+", embedded", func(t *testing.T) {
			ctx := startChromium(t)
			require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900)))
			signInOnBrandPage(ctx, t, simulator, id)
			require.NoError(t, chromedp.Do(ctx, chromedp.Click("#embedded")))
			sendChatLine(ctx, t, "Embedded, "+c.connector)
			requireAgentView(t, simulator, "Embedded, "+c.connector, c.kind)
		})
		t.Run(c.connector+", in a window of its own", func(t *testing.T) {
			ctx := startChromium(t)
			require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(simulator+"/brand?connector="+id)))
			waitForElement(ctx, t, "body[data-ready=yes]") // nothing on the page moves any more
			attribute, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.getElementById("popout").href`))
			require.NoError(t, err)
			requirePopOutQuery(t, simulator, attribute, c.kind)
			opened := chromedp.WaitNewTarget(ctx, func(info *target.Info) bool { return info.URL != "" })
			require.NoError(t, chromedp.Do(ctx, chromedp.Click("#popout")))
			window := attachToWindow(ctx, t, opened)
			waitForElement(window, t, "#login-submit")
			submitSignIn(window, t, "jane", "jane-password")
			waitForText(window, t, "#state", "Connected as "+janeSubject)
			sendChatLine(window, t, "Window, "+c.connector)
			requireAgentView(t, simulator, "Window, "+c.connector, c.kind)
		})
	}
}

// attachToWindow is the window that a click has opened.
func attachToWindow(ctx context.Context, t *testing.T, opened <-chan target.ID) context.Context {
	t.Helper()
	select {
	case id := <-opened:
		window, cancel := chromedp.NewContext(ctx, chromedp.WithTargetID(id))
		t.Cleanup(cancel)
		return window
	case <-ctx.Done():
		require.FailNow(t, "no window was opened")
		return nil
	}
}

// requirePopOutQuery checks that the window of its own asks exactly as LivePerson's does.
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

// TestChromiumSimulatorLife: a visitor steps up in the middle of a conversation, the
// token expires and is renewed without the consumer noticing, and who signs out is
// sent to the offline survey.
func TestChromiumSimulatorLife(t *testing.T) {
	t.Parallel()
	var c clock
	issuer, simulator := startDevWithSimulator(t, c.now)
	id := findConnectorID(t, simulator, "Code with PKCE")
	ctx := startChromium(t)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(simulator+"/brand?connector="+id)))
	waitForElement(ctx, t, "body[data-ready=yes]")
	waitForText(ctx, t, "#who", "You are not signed in")
	require.NoError(t, chromedp.Do(ctx, chromedp.Click("#embedded")))
	waitForText(ctx, t, "#survey", "No user is signed in")
	require.NoError(t, chromedp.Do(ctx, chromedp.Click("#visitor")))
	waitForText(ctx, t, "#state", "Connected as a visitor")
	sendChatLine(ctx, t, "Who am I?")
	agent := newBrowser(t)
	talk := regexp.MustCompile(`/agent/[0-9a-f-]{36}`).FindString(agent.get(simulator + "/agent").body)
	require.Contains(t, agent.get(simulator+talk).body, "none: a visitor")

	require.NoError(t, chromedp.Do(ctx, chromedp.Click("#signin")))
	waitForElement(ctx, t, "#login-submit")
	submitSignIn(ctx, t, "jane", "jane-password")
	waitForText(ctx, t, "#lines", "Who am I?")
	waitForText(ctx, t, "#state", "Connected as "+janeSubject)
	body := agent.get(simulator + talk).body
	require.Contains(t, body, `<bdi id="name">Jane Doe</bdi>`)
	require.Contains(t, body, "stepped up")
	require.Contains(t, body, "Access token for bots")

	// Half an hour later LivePerson's tag asks who is there, as it does on each page:
	// that keeps the session alive, which would end at the same time as the token.
	c.add(30 * time.Minute)
	require.NoError(t, chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](`lpTag.identities[0]((who) => { document.body.dataset.who = who.sub; })`)))
	waitForElement(ctx, t, "body[data-who]")
	sendChatLine(ctx, t, "Still here.")
	c.add(31 * time.Minute)
	sendChatLine(ctx, t, "And after the token has expired.")
	p := agent.post(simulator+talk+"/answer", url.Values{"text": {"Indeed."}})
	require.Contains(t, p.body, "And after the token has expired.")
	waitForText(ctx, t, "#lines", "Indeed.")

	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(issuer+"/end_session"), chromedp.Click("#logout-confirm"), chromedp.WaitVisible("#op-logged-out"),
		chromedp.Navigate(simulator+"/brand?connector="+id)))
	waitForText(ctx, t, "#who", "You are not signed in")
	shown, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.getElementById("window").hidden`))
	require.NoError(t, err)
	require.True(t, shown, "whoever comes next does not see the conversation")
}

// TestChromiumSimulatorWindow: the window of its own says what is wrong with an
// answer, and reads the openID dialect's.
func TestChromiumSimulatorWindow(t *testing.T) {
	t.Parallel()
	issuer, simulator := startDevWithSimulator(t, time.Now)
	b := newBrowser(t)
	id := findConnectorID(t, simulator, "Code")
	ctx := startChromium(t)
	opened := func() url.Values {
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(simulator+"/brand?connector="+id)))
		waitForElement(ctx, t, "#popout[data-ready=yes]")
		address, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.getElementById("popout").href`))
		require.NoError(t, err)
		u, err := url.Parse(address)
		require.NoError(t, err)
		return u.Query()
	}
	window := func(answer, says string) {
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(answer)))
		waitForText(ctx, t, "#survey", says)
	}
	q := opened()
	state, at := url.QueryEscape(q.Get("state")), q.Get("redirect_uri")
	window(at+"?error=access_denied&error_description=No&state="+state, "access_denied: No")
	window(at+"#error=login_required&state="+state, "login_required")
	window(at+"?state="+state, "no code")
	window(at+"#code=of-somebody-else&state="+state, "9011")
	window(at+"?code=x", "state came back changed, or not at all")
	window(at+"?code=x&state="+strings.Replace(state, "en-US+%26+more", "en-US", 1), "byte for byte")
	waitForElement(ctx, t, "#survey")

	form := b.get(simulator + "/connectors/" + id).fields(t)
	form.Del("rfc") // as a connector that support has not switched yet
	form.Set("type", "2")
	form.Set("from", issuer)
	require.Equal(t, http.StatusOK, b.post(simulator+"/connectors/"+id, form).status)
	q = opened()
	require.Empty(t, q.Get("state"))
	require.Contains(t, q.Get("redirect_uri"), at+"?lpUnifiedWindowConfig=")
	window(q.Get("redirect_uri")+"&code=of-somebody-else", "9011")
}

// clickElement clicks, and nothing is waited for.
func clickElement(ctx context.Context, t *testing.T, selector string) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(selector)))
}

// evaluateScript runs a script in the page until its promise, if it makes one, is kept.
func evaluateScript[T any](ctx context.Context, t *testing.T, script string) T {
	t.Helper()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, func(p *runtime.EvaluateParams) { p.AwaitPromise = new(true) }))
	require.NoError(t, err)
	return out
}

// requireFitsPhone takes a picture as wide as a phone, and looks that nothing is wider.
func requireFitsPhone(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(360, 800)))
	takeScreenshot(ctx, t, name)
	require.LessOrEqual(t, evaluateScript[int](ctx, t, `document.documentElement.scrollWidth`), 360, name)
}

// newestConversation is the path of the agent's view of the newest conversation.
func newestConversation(b *browser, simulator string) string {
	return regexp.MustCompile(`/agent/[0-9a-f-]{36}`).FindString(b.get(simulator + "/agent").body)
}

// rememberSocket has the page remember the socket that it last used, as window.last.
const rememberSocket = `(() => { const send = WebSocket.prototype.send; WebSocket.prototype.send = function (x) { window.last = this; return send.call(this, x); }; })()`

// closeSocket closes that socket and waits until the page says that it has noticed.
const closeSocket = `new Promise((done) => {
	const state = document.getElementById("state");
	new MutationObserver(() => { if (state.textContent.includes("trying again")) { done(); } }).observe(state, { childList: true });
	window.last.close(3000);
})`

// TestChromiumSimulatorClosed: what is said in a conversation that the agent has
// closed starts a new one, and the consumer is told.
func TestChromiumSimulatorClosed(t *testing.T) {
	t.Parallel()
	_, simulator := startDevWithSimulator(t, time.Now)
	ctx, b := startChromium(t), newBrowser(t)
	signInOnBrandPage(ctx, t, simulator, findConnectorID(t, simulator, "Implicit"))
	clickElement(ctx, t, "#embedded")
	sendChatLine(ctx, t, "Hello")
	closed := newestConversation(b, simulator)
	b.post(simulator+closed+"/close", nil)
	sendChatLine(ctx, t, "Are you there?")
	waitForText(ctx, t, "#lines", "The earlier conversation was closed.")
	talk := newestConversation(b, simulator)
	require.NotEqual(t, closed, talk)
	require.Contains(t, b.get(simulator+talk).body, "Are you there?")
	require.NotContains(t, visibleText(ctx, t, "#lines"), "Hello")
	b.post(simulator+talk+"/answer", url.Values{"text": {"Yes, I am."}})
	waitForText(ctx, t, "#lines", "Yes, I am.")
	requireFitsPhone(ctx, t, "sim_closed_360")
}

// TestChromiumSimulatorAnother: whoever chats as somebody else sees that
// conversation and no other.
func TestChromiumSimulatorAnother(t *testing.T) {
	t.Parallel()
	_, simulator := startDevWithSimulator(t, time.Now)
	ctx := startChromium(t)
	signInOnBrandPage(ctx, t, simulator, findConnectorID(t, simulator, "Implicit"))
	clickElement(ctx, t, "#embedded")
	sendChatLine(ctx, t, "My first line")
	sendChatLine(ctx, t, "My second line")
	clickElement(ctx, t, "#visitor")
	waitForText(ctx, t, "#state", "Connected as a visitor")
	sendChatLine(ctx, t, "A visitor's line")
	lines := visibleText(ctx, t, "#lines")
	require.NotContains(t, lines, "My first line")
	require.NotContains(t, lines, "closed", "nobody closed anything")
}

// TestChromiumSimulatorLost: a lost connection is not a lost token, in the window of
// its own least of all, which cannot get another one.
func TestChromiumSimulatorLost(t *testing.T) {
	t.Parallel()
	var c clock
	_, simulator := startDevWithSimulator(t, c.now)
	ctx, b := startChromium(t), newBrowser(t)
	signInOnBrandPage(ctx, t, simulator, findConnectorID(t, simulator, "Code with PKCE"))
	address := evaluateScript[string](ctx, t, `document.getElementById("popout").href`)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(address)))
	waitForText(ctx, t, "#state", "Connected as")
	evaluateScript[chromedp.Void](ctx, t, rememberSocket)
	for _, line := range []string{"Hello", "Still me"} {
		sendChatLine(ctx, t, line)
		evaluateScript[chromedp.Void](ctx, t, closeSocket)
		b.post(simulator+newestConversation(b, simulator)+"/answer", url.Values{"text": {"I read: " + line}})
		waitForText(ctx, t, "#state", "Connected as "+janeSubject)
		waitForText(ctx, t, "#lines", "I read: "+line)
	}
	require.Equal(t, 1, strings.Count(visibleText(ctx, t, "#lines"), "I read: Hello"))
	c.add(2 * time.Hour)
	require.NoError(t, chromedp.Do(ctx, chromedp.SendKeys("#line", "After the token has expired\r")))
	waitForText(ctx, t, "#survey", "Your sign-in has expired")
	waitForElement(ctx, t, "#again")
	requireFitsPhone(ctx, t, "sim_window_360")
}

// TestChromiumSimulatorRestarted: a simulator that was started anew does not know
// the visitor of before; the customer comes in nonetheless.
func TestChromiumSimulatorRestarted(t *testing.T) {
	t.Parallel()
	_, simulator := startDevWithSimulator(t, time.Now)
	for _, connector := range []string{"Implicit", "Code with PKCE"} {
		t.Run(connector, func(t *testing.T) {
			ctx := startChromium(t)
			require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(simulator+"/brand?connector="+findConnectorID(t, simulator, connector))))
			waitForElement(ctx, t, "body[data-ready=yes]")
			clickElement(ctx, t, "#visitor")
			waitForText(ctx, t, "#state", "Connected as a visitor")
			// The signatures are by keys that are gone.
			evaluateScript[chromedp.Void](ctx, t, `(() => {
				const kept = JSON.parse(sessionStorage.getItem("lp chat"));
				for (const name of ["visitor", "external"]) { kept[name] = kept[name].slice(0, -20) + "A".repeat(20); }
				sessionStorage.setItem("lp chat", JSON.stringify(kept));
			})()`)
			clickElement(ctx, t, "#signin")
			waitForElement(ctx, t, "#login-submit")
			submitSignIn(ctx, t, "jane", "jane-password")
			waitForText(ctx, t, "#state", "Connected as "+janeSubject)
			require.JSONEq(t, `{"who":"customer"}`, evaluateScript[string](ctx, t, `sessionStorage.getItem("lp chat")`))
		})
	}
}

// TestChromiumSimulatorClicks: of several clicks the last one counts, however late
// the answers to the earlier ones come.
func TestChromiumSimulatorClicks(t *testing.T) {
	t.Parallel()
	_, simulator := startDevWithSimulator(t, time.Now)
	ctx := startChromium(t)
	signInOnBrandPage(ctx, t, simulator, findConnectorID(t, simulator, "Implicit"))
	evaluateScript[chromedp.Void](ctx, t, `(() => {
		const Real = WebSocket, fetched = fetch;
		window.made = [];
		window.WebSocket = class extends Real { constructor(...a) { super(...a); window.made.push(this); } };
		window.held = new Promise((release) => { window.release = release; });
		window.fetch = async (address, ...rest) => {
			const answer = await fetched(address, ...rest);
			if (!String(address).includes("/authenticate") || window.late) { return answer; }
			const said = await answer.json();
			window.late = true;
			await window.held;
			return { ok: answer.ok, json: async () => said };
		};
	})()`)
	clickElement(ctx, t, "#embedded")
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](`window.late === true`, chromedp.WithPollingTimeout(20*time.Second)))
	require.NoError(t, err)
	clickElement(ctx, t, "#visitor")
	waitForText(ctx, t, "#state", "Connected as a visitor")
	// Everything that the late answer sets off at once is over when the timer fires.
	evaluateScript[chromedp.Void](ctx, t, `(async () => { window.release(); await new Promise((done) => { setTimeout(done); }); })()`)
	waitForText(ctx, t, "#state", "Connected as a visitor")
	require.Equal(t, 1, evaluateScript[int](ctx, t, `window.made.length`))
	require.Contains(t, evaluateScript[string](ctx, t, `sessionStorage.getItem("lp chat")`), `"who":"visitor"`)
	sendChatLine(ctx, t, "One window, one socket")

	evaluateScript[chromedp.Void](ctx, t, `for (const id of ["embedded", "visitor", "embedded"]) { document.getElementById(id).click(); }`)
	waitForText(ctx, t, "#state", "Connected as "+janeSubject)
	require.Equal(t, 1, evaluateScript[int](ctx, t, `window.made.filter((socket) => socket.readyState < WebSocket.CLOSING).length`))
}

// TestChromiumSimulatorForeign: with a provider that has no page script the brand's
// page says so, and what works all the same.
func TestChromiumSimulatorForeign(t *testing.T) {
	t.Parallel()
	_, simulator := startDevWithSimulator(t, time.Now)
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	b, ctx := newBrowser(t), startChromium(t)
	page := func(issuer string) {
		id := findConnectorID(t, simulator, "Implicit")
		form := b.get(simulator + "/connectors/" + id).fields(t)
		form.Set("type", "1")
		form.Set("issuer", issuer)
		require.Equal(t, http.StatusOK, b.post(simulator+"/connectors/"+id, form).status)
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(simulator+"/brand?connector="+id)))
		waitForElement(ctx, t, "body[data-ready=yes]")
	}
	page(other.URL)
	waitForText(ctx, t, "#foreign", other.URL+"/liveengage.js?client_id=liveengage did not load")
	waitForText(ctx, t, "#foreign", "must define window.lpGetAuthenticationToken itself")
	waitForText(ctx, t, "#who", "does not know who you are")
	requireFitsPhone(ctx, t, "sim_foreign_360")
	require.Zero(t, evaluateScript[int](ctx, t, `document.querySelectorAll("#signin:not([hidden]), #signout:not([hidden])").length`))
	waitForElement(ctx, t, "#popout[data-ready=yes]")
	page("https://id.brand.example")
	waitForText(ctx, t, "#foreign", "issuer is not on this machine")
}

// TestChromiumSimulatorLegacy: the window of its own signs in with a connector
// without RFC compliance, in the openID dialect.
func TestChromiumSimulatorLegacy(t *testing.T) {
	t.Parallel()
	listen := freeAddress(t)
	window := "http://" + listen + "/le_unified_window/index.html"
	l := withLivePerson(t, "dialect: legacy", "\n    application_type: native\n    redirect_uris: ['"+window+"']")
	simulator := startIDP(t, time.Now, "liveengage", "simulate", "--listen", listen, "--issuer", l.issuer, "--client", "liveengage")
	b, ctx, id := newBrowser(t), startChromium(t), findConnectorID(t, simulator, "Implicit")
	form := b.get(simulator + "/connectors/" + id).fields(t)
	form.Set("type", "1")
	form.Set("validation", "JWKS_ENDPOINT")
	form.Del("rfc")
	require.Equal(t, http.StatusOK, b.post(simulator+"/connectors/"+id, form).status)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(simulator+"/brand?connector="+id)))
	waitForElement(ctx, t, "#popout[data-ready=yes]")
	address := evaluateScript[string](ctx, t, `document.getElementById("popout").href`)
	u, err := url.Parse(address)
	require.NoError(t, err)
	q := u.Query()
	back := q.Get("redirect_uri")
	require.True(t, strings.HasPrefix(back, window+"?lpUnifiedWindowConfig="), back)
	require.NotEmpty(t, q.Get("nonce"))
	require.Equal(t, url.Values{"response_type": {"token"}, "client_id": {"liveengage"}, "redirect_uri": {back}, "nonce": {q.Get("nonce")}}, q)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(address)))
	waitForElement(ctx, t, "#login-submit")
	submitSignIn(ctx, t, "jane", "jane-password")
	waitForText(ctx, t, "#state", "Connected as ")
	sendChatLine(ctx, t, "In the openID dialect")
	require.Contains(t, b.get(simulator+newestConversation(b, simulator)).body, "In the openID dialect")
}

// TestSimulatePages takes pictures of the simulator's pages, where they are wanted,
// and looks that none is wider than a phone.
func TestSimulatePages(t *testing.T) {
	t.Parallel()
	_, simulator := startDevWithSimulator(t, time.Now)
	ctx := startChromium(t)
	id := findConnectorID(t, simulator, "Code with PKCE")
	signInOnBrandPage(ctx, t, simulator, id)
	require.NoError(t, chromedp.Do(ctx, chromedp.Click("#embedded")))
	sendChatLine(ctx, t, "Hello, my card was declined. Can you look into it?")
	b := newBrowser(t)
	talk := regexp.MustCompile(`/agent/[0-9a-f-]{36}`).FindString(b.get(simulator + "/agent").body)
	b.post(simulator+talk+"/answer", url.Values{"text": {"Good morning, Jane. One moment please."}})
	b.post(simulator+"/keys", url.Values{"name": {"My bot"}})
	require.Equal(t, http.StatusInternalServerError, b.post(simulator+"/api/account/12345678/authenticate", nil).status)
	for path, name := range map[string]string{
		"/": "home", "/brand?connector=" + id: "brand", "/connectors": "connectors", "/connectors/" + id: "connector", "/agent": "agents", talk: "agent",
		"/keys": "keys", "/log": "log", "/nothing": "sorry",
	} {
		for _, width := range []int64{360, 1280} {
			require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 800), chromedp.Navigate(simulator+path)), path)
			if name == "brand" {
				waitForText(ctx, t, "#lines", "One moment please.")
			}
			takeScreenshot(ctx, t, "sim_"+name+"_"+map[int64]string{360: "360", 1280: "1280"}[width])
			wide, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
			require.NoError(t, err)
			require.LessOrEqual(t, wide, width, name)
		}
	}
}
