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

// withSimulator runs idp dev with its simulator and returns both addresses.
func withSimulator(t *testing.T, now func() time.Time) (issuer, simulator string) {
	t.Helper()
	issuer = startIDP(t, now, "dev", "--simulator", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--operations", "off", "--data", t.TempDir())
	found := regexp.MustCompile(`href="(http://127\.0\.0\.1:\d+)/">See what the agent sees`).FindStringSubmatch(newBrowser(t).get(issuer + "/").body)
	require.Len(t, found, 2, "the home page links to the simulator")
	return issuer, found[1]
}

// connectorNamed is the number of a connector.
func connectorNamed(t *testing.T, simulator, name string) string {
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

// told waits until the page says so.
func told(ctx context.Context, t *testing.T, selector, says string) {
	t.Helper()
	looks := chromedp.Poll[bool](`(document.querySelector(`+quoted(selector)+`)?.innerText || "").includes(`+quoted(says)+`)`, chromedp.WithPollingTimeout(20*time.Second))
	_, err := chromedp.Run(ctx, looks)
	for again := 0; again < 50 && err != nil && gone(err); again++ {
		_, err = chromedp.Run(ctx, looks)
	}
	if err != nil {
		page, _ := chromedp.Run(ctx, chromedp.Text("body"))
		require.NoError(t, err, "%s should say %q; the page is:\n%s", selector, says, page)
	}
}

// there waits until an element can be seen.
func there(ctx context.Context, t *testing.T, selector string) {
	t.Helper()
	seen := chromedp.Poll[bool](`document.querySelector(`+quoted(selector)+`)?.getClientRects().length > 0`, chromedp.WithPollingTimeout(20*time.Second))
	_, err := chromedp.Run(ctx, seen)
	for again := 0; again < 50 && err != nil && gone(err); again++ {
		_, err = chromedp.Run(ctx, seen)
	}
	require.NoError(t, err, selector)
}

// gone says whether a page went on to the next one and took the question with it.
func gone(err error) bool {
	return strings.Contains(err.Error(), "navigated") || strings.Contains(err.Error(), "Cannot find context")
}

func quoted(text string) string {
	raw, _ := json.Marshal(text)
	return string(raw)
}

// say writes a line into LivePerson's window.
func say(ctx context.Context, t *testing.T, text string) {
	t.Helper()
	there(ctx, t, "#say")
	require.NoError(t, chromedp.Do(ctx, chromedp.SendKeys("#line", text+"\r")))
	told(ctx, t, "#lines", text)
}

// signInOnBrandPage opens the brand's page and signs jane in from there.
func signInOnBrandPage(ctx context.Context, t *testing.T, simulator, connector string) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(simulator+"/brand?connector="+connector)))
	there(ctx, t, "body[data-ready=yes]")
	told(ctx, t, "#who", "You are not signed in")
	require.NoError(t, chromedp.Do(ctx, chromedp.Click("#signin")))
	there(ctx, t, "#login-submit")
	fill(ctx, t, "jane", "jane-password")
	told(ctx, t, "#who", janeSubject)
	there(ctx, t, "body[data-ready=yes]")
}

// agentSees checks the agent's view of the newest conversation.
func agentSees(t *testing.T, simulator, says, kind string) {
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
	_, simulator := withSimulator(t, time.Now)
	for _, c := range []struct{ connector, kind string }{
		{"Implicit", "implicit"}, {"Code", "code"}, {"Code with PKCE", "code with PKCE"}, {"Implicit, encrypted", "implicit, encrypted"},
	} {
		id := connectorNamed(t, simulator, c.connector)
		t.Run(c.connector+", embedded", func(t *testing.T) {
			ctx := chromium(t)
			require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900)))
			signInOnBrandPage(ctx, t, simulator, id)
			require.NoError(t, chromedp.Do(ctx, chromedp.Click("#embedded")))
			say(ctx, t, "Embedded, "+c.connector)
			agentSees(t, simulator, "Embedded, "+c.connector, c.kind)
		})
		t.Run(c.connector+", in a window of its own", func(t *testing.T) {
			ctx := chromium(t)
			require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(simulator+"/brand?connector="+id)))
			there(ctx, t, "body[data-ready=yes]") // nothing on the page moves any more
			attribute, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.getElementById("popout").href`))
			require.NoError(t, err)
			popOutQuery(t, simulator, attribute, c.kind)
			opened := chromedp.WaitNewTarget(ctx, func(info *target.Info) bool { return info.URL != "" })
			require.NoError(t, chromedp.Do(ctx, chromedp.Click("#popout")))
			window := openedWindow(ctx, t, opened)
			there(window, t, "#login-submit")
			fill(window, t, "jane", "jane-password")
			told(window, t, "#state", "Connected as "+janeSubject)
			say(window, t, "Window, "+c.connector)
			agentSees(t, simulator, "Window, "+c.connector, c.kind)
		})
	}
}

// openedWindow is the window that a click has opened.
func openedWindow(ctx context.Context, t *testing.T, opened <-chan target.ID) context.Context {
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

// popOutQuery checks that the window of its own asks exactly as LivePerson's does.
func popOutQuery(t *testing.T, simulator, address, kind string) {
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
	issuer, simulator := withSimulator(t, c.now)
	id := connectorNamed(t, simulator, "Code with PKCE")
	ctx := chromium(t)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(simulator+"/brand?connector="+id)))
	there(ctx, t, "body[data-ready=yes]")
	told(ctx, t, "#who", "You are not signed in")
	require.NoError(t, chromedp.Do(ctx, chromedp.Click("#embedded")))
	told(ctx, t, "#survey", "Nobody is signed in")
	require.NoError(t, chromedp.Do(ctx, chromedp.Click("#visitor")))
	told(ctx, t, "#state", "Connected as a visitor")
	say(ctx, t, "Who am I?")
	agent := newBrowser(t)
	talk := regexp.MustCompile(`/agent/[0-9a-f-]{36}`).FindString(agent.get(simulator + "/agent").body)
	require.Contains(t, agent.get(simulator+talk).body, "none: a visitor")

	require.NoError(t, chromedp.Do(ctx, chromedp.Click("#signin")))
	there(ctx, t, "#login-submit")
	fill(ctx, t, "jane", "jane-password")
	told(ctx, t, "#lines", "Who am I?")
	told(ctx, t, "#state", "Connected as "+janeSubject)
	body := agent.get(simulator + talk).body
	require.Contains(t, body, `<bdi id="name">Jane Doe</bdi>`)
	require.Contains(t, body, "stepped up")
	require.Contains(t, body, "Access token for bots")

	// Half an hour later LivePerson's tag asks who is there, as it does on each page:
	// that keeps the session alive, which would end at the same time as the token.
	c.add(30 * time.Minute)
	require.NoError(t, chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](`lpTag.identities[0]((who) => { document.body.dataset.who = who.sub; })`)))
	there(ctx, t, "body[data-who]")
	say(ctx, t, "Still here.")
	c.add(31 * time.Minute)
	say(ctx, t, "And after the token has expired.")
	p := agent.post(simulator+talk+"/answer", url.Values{"text": {"Indeed."}})
	require.Contains(t, p.body, "And after the token has expired.")
	told(ctx, t, "#lines", "Indeed.")

	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(issuer+"/end_session"), chromedp.Click("#logout-confirm"), chromedp.WaitVisible("#op-logged-out"),
		chromedp.Navigate(simulator+"/brand?connector="+id)))
	told(ctx, t, "#who", "You are not signed in")
	shown, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.getElementById("window").hidden`))
	require.NoError(t, err)
	require.True(t, shown, "whoever comes next does not see the conversation")
}

// TestChromiumSimulatorWindow: the window of its own says what is wrong with an
// answer, and reads the openID dialect's.
func TestChromiumSimulatorWindow(t *testing.T) {
	t.Parallel()
	issuer, simulator := withSimulator(t, time.Now)
	b := newBrowser(t)
	id := connectorNamed(t, simulator, "Code")
	ctx := chromium(t)
	opened := func() url.Values {
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(simulator+"/brand?connector="+id)))
		there(ctx, t, "#popout[data-ready=yes]")
		address, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.getElementById("popout").href`))
		require.NoError(t, err)
		u, err := url.Parse(address)
		require.NoError(t, err)
		return u.Query()
	}
	window := func(answer, says string) {
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(answer)))
		told(ctx, t, "#survey", says)
	}
	q := opened()
	state, at := url.QueryEscape(q.Get("state")), q.Get("redirect_uri")
	window(at+"?error=access_denied&error_description=No&state="+state, "access_denied: No")
	window(at+"#error=login_required&state="+state, "login_required")
	window(at+"?state="+state, "no code")
	window(at+"#code=of-somebody-else&state="+state, "9011")
	window(at+"?code=x", "state came back changed, or not at all")
	window(at+"?code=x&state="+strings.Replace(state, "en-US+%26+more", "en-US", 1), "byte for byte")
	there(ctx, t, "#survey")

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

// click clicks, and nothing is waited for.
func click(ctx context.Context, t *testing.T, selector string) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(selector)))
}

// evaluate runs a script in the page until its promise, if it makes one, is kept.
func evaluate[T any](ctx context.Context, t *testing.T, script string) T {
	t.Helper()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, func(p *runtime.EvaluateParams) { p.AwaitPromise = new(true) }))
	require.NoError(t, err)
	return out
}

// onPhone takes a picture as wide as a phone, and looks that nothing is wider.
func onPhone(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(360, 800)))
	shoot(ctx, t, name)
	require.LessOrEqual(t, evaluate[int](ctx, t, `document.documentElement.scrollWidth`), 360, name)
}

// newestTalk is the path of the agent's view of the newest conversation.
func newestTalk(b *browser, simulator string) string {
	return regexp.MustCompile(`/agent/[0-9a-f-]{36}`).FindString(b.get(simulator + "/agent").body)
}

// catchSockets has the page remember the socket that it last used, as window.last.
const catchSockets = `(() => { const send = WebSocket.prototype.send; WebSocket.prototype.send = function (x) { window.last = this; return send.call(this, x); }; })()`

// loseSocket closes that socket and waits until the page says that it has noticed.
const loseSocket = `new Promise((done) => {
	const state = document.getElementById("state");
	new MutationObserver(() => { if (state.textContent.includes("trying again")) { done(); } }).observe(state, { childList: true });
	window.last.close(3000);
})`

// TestChromiumSimulatorClosed: what is said in a conversation that the agent has
// closed starts a new one, and the consumer is told.
func TestChromiumSimulatorClosed(t *testing.T) {
	t.Parallel()
	_, simulator := withSimulator(t, time.Now)
	ctx, b := chromium(t), newBrowser(t)
	signInOnBrandPage(ctx, t, simulator, connectorNamed(t, simulator, "Implicit"))
	click(ctx, t, "#embedded")
	say(ctx, t, "Hello")
	closed := newestTalk(b, simulator)
	b.post(simulator+closed+"/close", nil)
	say(ctx, t, "Are you there?")
	told(ctx, t, "#lines", "The earlier conversation was closed.")
	talk := newestTalk(b, simulator)
	require.NotEqual(t, closed, talk)
	require.Contains(t, b.get(simulator+talk).body, "Are you there?")
	require.NotContains(t, text(ctx, t, "#lines"), "Hello")
	b.post(simulator+talk+"/answer", url.Values{"text": {"Yes, I am."}})
	told(ctx, t, "#lines", "Yes, I am.")
	onPhone(ctx, t, "sim_closed_360")
}

// TestChromiumSimulatorAnother: whoever chats as somebody else sees that
// conversation and no other.
func TestChromiumSimulatorAnother(t *testing.T) {
	t.Parallel()
	_, simulator := withSimulator(t, time.Now)
	ctx := chromium(t)
	signInOnBrandPage(ctx, t, simulator, connectorNamed(t, simulator, "Implicit"))
	click(ctx, t, "#embedded")
	say(ctx, t, "My first line")
	say(ctx, t, "My second line")
	click(ctx, t, "#visitor")
	told(ctx, t, "#state", "Connected as a visitor")
	say(ctx, t, "A visitor's line")
	lines := text(ctx, t, "#lines")
	require.NotContains(t, lines, "My first line")
	require.NotContains(t, lines, "closed", "nobody closed anything")
}

// TestChromiumSimulatorLost: a lost connection is not a lost token, in the window of
// its own least of all, which cannot get another one.
func TestChromiumSimulatorLost(t *testing.T) {
	t.Parallel()
	var c clock
	_, simulator := withSimulator(t, c.now)
	ctx, b := chromium(t), newBrowser(t)
	signInOnBrandPage(ctx, t, simulator, connectorNamed(t, simulator, "Code with PKCE"))
	address := evaluate[string](ctx, t, `document.getElementById("popout").href`)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(address)))
	told(ctx, t, "#state", "Connected as")
	evaluate[chromedp.Void](ctx, t, catchSockets)
	for _, line := range []string{"Hello", "Still me"} {
		say(ctx, t, line)
		evaluate[chromedp.Void](ctx, t, loseSocket)
		b.post(simulator+newestTalk(b, simulator)+"/answer", url.Values{"text": {"I read: " + line}})
		told(ctx, t, "#state", "Connected as "+janeSubject)
		told(ctx, t, "#lines", "I read: "+line)
	}
	require.Equal(t, 1, strings.Count(text(ctx, t, "#lines"), "I read: Hello"))
	c.add(2 * time.Hour)
	require.NoError(t, chromedp.Do(ctx, chromedp.SendKeys("#line", "After the token has expired\r")))
	told(ctx, t, "#survey", "Your sign-in has expired")
	there(ctx, t, "#again")
	onPhone(ctx, t, "sim_window_360")
}

// TestChromiumSimulatorRestarted: a simulator that was started anew does not know
// the visitor of before; the customer comes in nonetheless.
func TestChromiumSimulatorRestarted(t *testing.T) {
	t.Parallel()
	_, simulator := withSimulator(t, time.Now)
	for _, connector := range []string{"Implicit", "Code with PKCE"} {
		t.Run(connector, func(t *testing.T) {
			ctx := chromium(t)
			require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(simulator+"/brand?connector="+connectorNamed(t, simulator, connector))))
			there(ctx, t, "body[data-ready=yes]")
			click(ctx, t, "#visitor")
			told(ctx, t, "#state", "Connected as a visitor")
			// The signatures are by keys that are gone.
			evaluate[chromedp.Void](ctx, t, `(() => {
				const kept = JSON.parse(sessionStorage.getItem("lp chat"));
				for (const name of ["visitor", "external"]) { kept[name] = kept[name].slice(0, -20) + "A".repeat(20); }
				sessionStorage.setItem("lp chat", JSON.stringify(kept));
			})()`)
			click(ctx, t, "#signin")
			there(ctx, t, "#login-submit")
			fill(ctx, t, "jane", "jane-password")
			told(ctx, t, "#state", "Connected as "+janeSubject)
			require.JSONEq(t, `{"who":"customer"}`, evaluate[string](ctx, t, `sessionStorage.getItem("lp chat")`))
		})
	}
}

// TestChromiumSimulatorClicks: of several clicks the last one counts, however late
// the answers to the earlier ones come.
func TestChromiumSimulatorClicks(t *testing.T) {
	t.Parallel()
	_, simulator := withSimulator(t, time.Now)
	ctx := chromium(t)
	signInOnBrandPage(ctx, t, simulator, connectorNamed(t, simulator, "Implicit"))
	evaluate[chromedp.Void](ctx, t, `(() => {
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
	click(ctx, t, "#embedded")
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](`window.late === true`, chromedp.WithPollingTimeout(20*time.Second)))
	require.NoError(t, err)
	click(ctx, t, "#visitor")
	told(ctx, t, "#state", "Connected as a visitor")
	// Everything that the late answer sets off at once is over when the timer fires.
	evaluate[chromedp.Void](ctx, t, `(async () => { window.release(); await new Promise((done) => { setTimeout(done); }); })()`)
	told(ctx, t, "#state", "Connected as a visitor")
	require.Equal(t, 1, evaluate[int](ctx, t, `window.made.length`))
	require.Contains(t, evaluate[string](ctx, t, `sessionStorage.getItem("lp chat")`), `"who":"visitor"`)
	say(ctx, t, "One window, one socket")

	evaluate[chromedp.Void](ctx, t, `for (const id of ["embedded", "visitor", "embedded"]) { document.getElementById(id).click(); }`)
	told(ctx, t, "#state", "Connected as "+janeSubject)
	require.Equal(t, 1, evaluate[int](ctx, t, `window.made.filter((socket) => socket.readyState < WebSocket.CLOSING).length`))
}

// TestChromiumSimulatorForeign: with a provider that has no page script the brand's
// page says so, and what works all the same.
func TestChromiumSimulatorForeign(t *testing.T) {
	t.Parallel()
	_, simulator := withSimulator(t, time.Now)
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	b, ctx := newBrowser(t), chromium(t)
	page := func(issuer string) {
		id := connectorNamed(t, simulator, "Implicit")
		form := b.get(simulator + "/connectors/" + id).fields(t)
		form.Set("type", "1")
		form.Set("issuer", issuer)
		require.Equal(t, http.StatusOK, b.post(simulator+"/connectors/"+id, form).status)
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(simulator+"/brand?connector="+id)))
		there(ctx, t, "body[data-ready=yes]")
	}
	page(other.URL)
	told(ctx, t, "#foreign", other.URL+"/liveengage.js?client_id=liveengage did not load")
	told(ctx, t, "#foreign", "must define window.lpGetAuthenticationToken itself")
	told(ctx, t, "#who", "does not know who you are")
	onPhone(ctx, t, "sim_foreign_360")
	require.Zero(t, evaluate[int](ctx, t, `document.querySelectorAll("#signin:not([hidden]), #signout:not([hidden])").length`))
	there(ctx, t, "#popout[data-ready=yes]")
	page("https://id.brand.example")
	told(ctx, t, "#foreign", "issuer is not on this machine")
}

// TestChromiumSimulatorLegacy: the window of its own signs in with a connector
// without RFC compliance, in the openID dialect.
func TestChromiumSimulatorLegacy(t *testing.T) {
	t.Parallel()
	listen := freeAddress(t)
	window := "http://" + listen + "/le_unified_window/index.html"
	l := withLivePerson(t, "dialect: legacy", "\n    application_type: native\n    redirect_uris: ['"+window+"']")
	simulator := startIDP(t, time.Now, "liveengage", "simulate", "--listen", listen, "--issuer", l.issuer, "--client", "liveengage")
	b, ctx, id := newBrowser(t), chromium(t), connectorNamed(t, simulator, "Implicit")
	form := b.get(simulator + "/connectors/" + id).fields(t)
	form.Set("type", "1")
	form.Set("validation", "JWKS_ENDPOINT")
	form.Del("rfc")
	require.Equal(t, http.StatusOK, b.post(simulator+"/connectors/"+id, form).status)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(simulator+"/brand?connector="+id)))
	there(ctx, t, "#popout[data-ready=yes]")
	address := evaluate[string](ctx, t, `document.getElementById("popout").href`)
	u, err := url.Parse(address)
	require.NoError(t, err)
	q := u.Query()
	back := q.Get("redirect_uri")
	require.True(t, strings.HasPrefix(back, window+"?lpUnifiedWindowConfig="), back)
	require.NotEmpty(t, q.Get("nonce"))
	require.Equal(t, url.Values{"response_type": {"token"}, "client_id": {"liveengage"}, "redirect_uri": {back}, "nonce": {q.Get("nonce")}}, q)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(address)))
	there(ctx, t, "#login-submit")
	fill(ctx, t, "jane", "jane-password")
	told(ctx, t, "#state", "Connected as ")
	say(ctx, t, "In the openID dialect")
	require.Contains(t, b.get(simulator+newestTalk(b, simulator)).body, "In the openID dialect")
}

// TestSimulatePages takes pictures of the simulator's pages, where they are wanted,
// and looks that none is wider than a phone.
func TestSimulatePages(t *testing.T) {
	t.Parallel()
	_, simulator := withSimulator(t, time.Now)
	ctx := chromium(t)
	id := connectorNamed(t, simulator, "Code with PKCE")
	signInOnBrandPage(ctx, t, simulator, id)
	require.NoError(t, chromedp.Do(ctx, chromedp.Click("#embedded")))
	say(ctx, t, "Hello, my card was declined. Can you look into it?")
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
				told(ctx, t, "#lines", "One moment please.")
			}
			shoot(ctx, t, "sim_"+name+"_"+map[int64]string{360: "360", 1280: "1280"}[width])
			wide, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
			require.NoError(t, err)
			require.LessOrEqual(t, wide, width, name)
		}
	}
}
