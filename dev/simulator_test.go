package dev_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"idpbridge/dev"
	"idpbridge/internal/chrome"
	"idpbridge/liveengage/setup"
	"idpbridge/liveengage/sim"
	"idpbridge/server"
	"idpbridge/server/servertest"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestChromiumSimulator: Jane signs in on the brand's page and sends a message, and the
// agent sees who she is, with each kind of connector.
func TestChromiumSimulator(t *testing.T) {
	t.Parallel()
	_, simulator := startDevWithSimulator(t, time.Now)
	for _, c := range []struct{ connector, kind string }{
		{"Implicit", "implicit"},
		{"Code", "code"},
		{"Code with PKCE", "code with PKCE"},
		{"Implicit, encrypted", "implicit, encrypted"},
	} {
		id := findConnectorID(t, simulator, c.connector)
		t.Run(c.connector+", embedded", func(t *testing.T) {
			ctx := chrome.Start(t)
			require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900)))
			signInOnBrandPage(ctx, t, simulator, id)
			require.NoError(t, chromedp.Do(ctx, chromedp.Click("#embedded")))
			sendChatLine(ctx, t, "Embedded, "+c.connector)
			requireAgentView(t, simulator, "Embedded, "+c.connector, c.kind)
		})
		t.Run(c.connector+", pop-out window", func(t *testing.T) {
			ctx := chrome.Start(t)
			chrome.Open(ctx, t, simulator+"/brand?connector="+id)
			chrome.WaitForElement(ctx, t, "body[data-ready=yes]") // the layout is final
			attribute, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.getElementById("popout").href`))
			require.NoError(t, err)
			requirePopOutQuery(t, simulator, attribute, c.kind)
			opened := chromedp.WaitNewTarget(ctx, func(info *target.Info) bool { return info.URL != "" })
			require.NoError(t, chromedp.Do(ctx, chromedp.Click("#popout")))
			window := attachToWindow(ctx, t, opened)
			chrome.WaitForElement(window, t, "#login-submit")
			chrome.SignIn(window, t, "jane", "jane-password")
			chrome.WaitForText(window, t, "#state", "Connected as "+servertest.JaneSubject)
			sendChatLine(window, t, "Window, "+c.connector)
			requireAgentView(t, simulator, "Window, "+c.connector, c.kind)
		})
	}
}

// TestChromiumSimulatorLife: a visitor signs in during a conversation, the token expires
// and is renewed unnoticed, and after a sign-out the conversation is hidden.
func TestChromiumSimulatorLife(t *testing.T) {
	t.Parallel()
	clock := &servertest.Clock{}
	issuer, simulator := startDevWithSimulator(t, clock.Now)
	id := findConnectorID(t, simulator, "Code with PKCE")
	ctx := chrome.Start(t)
	chrome.Open(ctx, t, simulator+"/brand?connector="+id)
	chrome.WaitForElement(ctx, t, "body[data-ready=yes]")
	chrome.WaitForText(ctx, t, "#who", "You are not signed in")
	require.NoError(t, chromedp.Do(ctx, chromedp.Click("#embedded")))
	chrome.WaitForText(ctx, t, "#survey", "No user is signed in")
	require.NoError(t, chromedp.Do(ctx, chromedp.Click("#visitor")))
	chrome.WaitForText(ctx, t, "#state", "Connected as a visitor")
	sendChatLine(ctx, t, "Who am I?")
	agent := servertest.NewBrowser(t)
	talk := regexp.MustCompile(`/agent/[0-9a-f-]{36}`).FindString(agent.Get(simulator + "/agent").Body)
	require.Contains(t, agent.Get(simulator+talk).Body, "none: a visitor")

	require.NoError(t, chromedp.Do(ctx, chromedp.Click("#signin")))
	chrome.WaitForElement(ctx, t, "#login-submit")
	chrome.SignIn(ctx, t, "jane", "jane-password")
	chrome.WaitForText(ctx, t, "#lines", "Who am I?")
	chrome.WaitForText(ctx, t, "#state", "Connected as "+servertest.JaneSubject)
	body := agent.Get(simulator + talk).Body
	require.Contains(t, body, `<bdi id="name">Jane Doe</bdi>`)
	require.Contains(t, body, "stepped up")
	require.Contains(t, body, "Access token for bots")

	// Half an hour later, LivePerson's tag asks for the identity, as it does on each page.
	// That keeps the session alive, which would otherwise end together with the token.
	clock.Add(30 * time.Minute)
	chrome.Evaluate[chromedp.Void](ctx, t, `lpTag.identities[0]((who) => { document.body.dataset.who = who.sub; })`)
	chrome.WaitForElement(ctx, t, "body[data-who]")
	sendChatLine(ctx, t, "Still here.")
	clock.Add(31 * time.Minute)
	sendChatLine(ctx, t, "And after the token has expired.")
	p := agent.Post(simulator+talk+"/answer", url.Values{"text": {"Indeed."}})
	require.Contains(t, p.Body, "And after the token has expired.")
	chrome.WaitForText(ctx, t, "#lines", "Indeed.")

	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(issuer+"/end_session"), chromedp.Click("#logout-confirm"),
		chromedp.WaitVisible("#op-logged-out"), chromedp.Navigate(simulator+"/brand?connector="+id)))
	chrome.WaitForText(ctx, t, "#who", "You are not signed in")
	shown, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.getElementById("window").hidden`))
	require.NoError(t, err)
	require.True(t, shown, "the next user must not see the conversation")
}

// TestChromiumSimulatorWindow: the pop-out window says what is wrong with a response,
// and reads responses in the openID dialect.
func TestChromiumSimulatorWindow(t *testing.T) {
	t.Parallel()
	issuer, simulator := startDevWithSimulator(t, time.Now)
	b := servertest.NewBrowser(t)
	id := findConnectorID(t, simulator, "Code")
	ctx := chrome.Start(t)
	opened := func() url.Values {
		chrome.Open(ctx, t, simulator+"/brand?connector="+id)
		chrome.WaitForElement(ctx, t, "#popout[data-ready=yes]")
		address, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.getElementById("popout").href`))
		require.NoError(t, err)
		u, err := url.Parse(address)
		require.NoError(t, err)
		return u.Query()
	}
	window := func(answer, says string) {
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(answer)))
		chrome.WaitForText(ctx, t, "#survey", says)
	}
	q := opened()
	state, at := url.QueryEscape(q.Get("state")), q.Get("redirect_uri")
	window(at+"?error=access_denied&error_description=No&state="+state, "access_denied: No")
	window(at+"#error=login_required&state="+state, "login_required")
	window(at+"?state="+state, "no code")
	window(at+"#code=of-another-client&state="+state, "9011")
	window(at+"?code=x", "state came back changed, or not at all")
	window(at+"?code=x&state="+strings.Replace(state, "en-US+%26+more", "en-US", 1), "byte for byte")
	chrome.WaitForElement(ctx, t, "#survey")

	form := servertest.FormFields(b.Get(simulator + "/connectors/" + id))
	form.Del("rfc") // as a connector that support has not switched yet
	form.Set("type", "2")
	form.Set("from", issuer)
	require.Equal(t, http.StatusOK, b.Post(simulator+"/connectors/"+id, form).Status)
	q = opened()
	require.Empty(t, q.Get("state"))
	require.Contains(t, q.Get("redirect_uri"), at+"?lpUnifiedWindowConfig=")
	window(q.Get("redirect_uri")+"&code=of-another-client", "9011")
}

// TestChromiumSimulatorClosed: a message in a conversation that the agent has closed
// starts a new one, and the window says so.
func TestChromiumSimulatorClosed(t *testing.T) {
	t.Parallel()
	_, simulator := startDevWithSimulator(t, time.Now)
	ctx, b := chrome.Start(t), servertest.NewBrowser(t)
	signInOnBrandPage(ctx, t, simulator, findConnectorID(t, simulator, "Implicit"))
	chrome.Click(ctx, t, "#embedded")
	sendChatLine(ctx, t, "Hello")
	closed := newestConversation(b, simulator)
	b.Post(simulator+closed+"/close", nil)
	sendChatLine(ctx, t, "Are you there?")
	chrome.WaitForText(ctx, t, "#lines", "The earlier conversation was closed.")
	talk := newestConversation(b, simulator)
	require.NotEqual(t, closed, talk)
	require.Contains(t, b.Get(simulator+talk).Body, "Are you there?")
	require.NotContains(t, chrome.Text(ctx, t, "#lines"), "Hello")
	b.Post(simulator+talk+"/answer", url.Values{"text": {"Yes, I am."}})
	chrome.WaitForText(ctx, t, "#lines", "Yes, I am.")
	requireFitsPhone(ctx, t, "sim_closed_360")
}

// TestChromiumSimulatorAnother: after a change of identity, the window shows only the
// conversation of the new identity.
func TestChromiumSimulatorAnother(t *testing.T) {
	t.Parallel()
	_, simulator := startDevWithSimulator(t, time.Now)
	ctx := chrome.Start(t)
	signInOnBrandPage(ctx, t, simulator, findConnectorID(t, simulator, "Implicit"))
	chrome.Click(ctx, t, "#embedded")
	sendChatLine(ctx, t, "My first line")
	sendChatLine(ctx, t, "My second line")
	chrome.Click(ctx, t, "#visitor")
	chrome.WaitForText(ctx, t, "#state", "Connected as a visitor")
	sendChatLine(ctx, t, "A visitor's line")
	lines := chrome.Text(ctx, t, "#lines")
	require.NotContains(t, lines, "My first line")
	require.NotContains(t, lines, "closed", "no conversation was closed")
}

// TestChromiumSimulatorLost: after a lost connection the token is still used. That
// matters most in the pop-out window, which can't get another one.
func TestChromiumSimulatorLost(t *testing.T) {
	t.Parallel()
	clock := &servertest.Clock{}
	_, simulator := startDevWithSimulator(t, clock.Now)
	ctx, b := chrome.Start(t), servertest.NewBrowser(t)
	signInOnBrandPage(ctx, t, simulator, findConnectorID(t, simulator, "Code with PKCE"))
	address := chrome.Evaluate[string](ctx, t, `document.getElementById("popout").href`)
	chrome.Open(ctx, t, address)
	chrome.WaitForText(ctx, t, "#state", "Connected as")
	chrome.Evaluate[chromedp.Void](ctx, t, rememberSocket)
	for _, line := range []string{"Hello", "Still me"} {
		sendChatLine(ctx, t, line)
		chrome.Evaluate[chromedp.Void](ctx, t, closeSocket)
		b.Post(simulator+newestConversation(b, simulator)+"/answer", url.Values{"text": {"I read: " + line}})
		chrome.WaitForText(ctx, t, "#state", "Connected as "+servertest.JaneSubject)
		chrome.WaitForText(ctx, t, "#lines", "I read: "+line)
	}
	require.Equal(t, 1, strings.Count(chrome.Text(ctx, t, "#lines"), "I read: Hello"))
	clock.Add(2 * time.Hour)
	require.NoError(t, chromedp.Do(ctx, chromedp.SendKeys("#line", "After the token has expired\r")))
	chrome.WaitForText(ctx, t, "#survey", "Your sign-in has expired")
	chrome.WaitForElement(ctx, t, "#again")
	requireFitsPhone(ctx, t, "sim_window_360")
}

// TestChromiumSimulatorRestarted: a restarted simulator does not know its earlier
// visitors, and a customer can sign in nevertheless.
func TestChromiumSimulatorRestarted(t *testing.T) {
	t.Parallel()
	_, simulator := startDevWithSimulator(t, time.Now)
	for _, connector := range []string{"Implicit", "Code with PKCE"} {
		t.Run(connector, func(t *testing.T) {
			ctx := chrome.Start(t)
			id := findConnectorID(t, simulator, connector)
			chrome.Open(ctx, t, simulator+"/brand?connector="+id)
			chrome.WaitForElement(ctx, t, "body[data-ready=yes]")
			chrome.Click(ctx, t, "#visitor")
			chrome.WaitForText(ctx, t, "#state", "Connected as a visitor")
			// The keys that signed these tokens are gone.
			chrome.Evaluate[chromedp.Void](ctx, t, `(() => {
				const kept = JSON.parse(sessionStorage.getItem("lp chat"));
				for (const name of ["visitor", "external"]) { kept[name] = kept[name].slice(0, -20) + "A".repeat(20); }
				sessionStorage.setItem("lp chat", JSON.stringify(kept));
			})()`)
			chrome.Click(ctx, t, "#signin")
			chrome.WaitForElement(ctx, t, "#login-submit")
			chrome.SignIn(ctx, t, "jane", "jane-password")
			chrome.WaitForText(ctx, t, "#state", "Connected as "+servertest.JaneSubject)
			require.JSONEq(t, `{"who":"customer"}`, chrome.Evaluate[string](ctx, t, `sessionStorage.getItem("lp chat")`))
		})
	}
}

// TestChromiumSimulatorClicks: of several clicks the last one counts, even if the
// responses to earlier ones arrive later.
func TestChromiumSimulatorClicks(t *testing.T) {
	t.Parallel()
	_, simulator := startDevWithSimulator(t, time.Now)
	ctx := chrome.Start(t)
	signInOnBrandPage(ctx, t, simulator, findConnectorID(t, simulator, "Implicit"))
	chrome.Evaluate[chromedp.Void](ctx, t, `(() => {
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
	chrome.Click(ctx, t, "#embedded")
	chrome.WaitFor(ctx, t, `window.late === true`)
	chrome.Click(ctx, t, "#visitor")
	chrome.WaitForText(ctx, t, "#state", "Connected as a visitor")
	// When the timer fires, everything that the late response starts has run.
	chrome.Evaluate[chromedp.Void](ctx, t, `(async () => {
		window.release();
		await new Promise((done) => { setTimeout(done); });
	})()`)
	chrome.WaitForText(ctx, t, "#state", "Connected as a visitor")
	require.Equal(t, 1, chrome.Evaluate[int](ctx, t, `window.made.length`))
	require.Contains(t, chrome.Evaluate[string](ctx, t, `sessionStorage.getItem("lp chat")`), `"who":"visitor"`)
	sendChatLine(ctx, t, "One window, one socket")

	chrome.Evaluate[chromedp.Void](ctx, t,
		`for (const id of ["embedded", "visitor", "embedded"]) { document.getElementById(id).click(); }`)
	chrome.WaitForText(ctx, t, "#state", "Connected as "+servertest.JaneSubject)
	require.Equal(t, 1, chrome.Evaluate[int](ctx, t,
		`window.made.filter((socket) => socket.readyState < WebSocket.CLOSING).length`))
}

// TestChromiumSimulatorForeign: if the provider has no page script, the brand's page says
// so, and what works without it.
func TestChromiumSimulatorForeign(t *testing.T) {
	t.Parallel()
	_, simulator := startDevWithSimulator(t, time.Now)
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	b, ctx := servertest.NewBrowser(t), chrome.Start(t)
	page := func(issuer string) {
		id := findConnectorID(t, simulator, "Implicit")
		form := servertest.FormFields(b.Get(simulator + "/connectors/" + id))
		form.Set("type", "1")
		form.Set("issuer", issuer)
		require.Equal(t, http.StatusOK, b.Post(simulator+"/connectors/"+id, form).Status)
		chrome.Open(ctx, t, simulator+"/brand?connector="+id)
		chrome.WaitForElement(ctx, t, "body[data-ready=yes]")
	}
	page(other.URL)
	chrome.WaitForText(ctx, t, "#foreign", other.URL+"/liveengage.js?client_id=liveengage did not load")
	chrome.WaitForText(ctx, t, "#foreign", "must define window.lpGetAuthenticationToken itself")
	chrome.WaitForText(ctx, t, "#who", "does not know who you are")
	requireFitsPhone(ctx, t, "sim_foreign_360")
	require.Zero(t, chrome.Evaluate[int](ctx, t,
		`document.querySelectorAll("#signin:not([hidden]), #signout:not([hidden])").length`))
	chrome.WaitForElement(ctx, t, "#popout[data-ready=yes]")
	page("https://id.brand.example")
	chrome.WaitForText(ctx, t, "#foreign", "issuer is not on this machine")
}

// TestChromiumSimulatorLegacy: with a connector without RFC compliance, the pop-out
// window signs in with the openID dialect.
func TestChromiumSimulatorLegacy(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	simulator := "http://" + listener.Addr().String()
	window := simulator + sim.WindowPath
	l := servertest.StartLiveEngage(t, "dialect: legacy",
		"\n    application_type: native\n    redirect_uris: ['"+window+"']")
	startSimulator(t, listener, l.Issuer)
	b, ctx, id := servertest.NewBrowser(t), chrome.Start(t), findConnectorID(t, simulator, "Implicit")
	form := servertest.FormFields(b.Get(simulator + "/connectors/" + id))
	form.Set("type", "1")
	form.Set("validation", "JWKS_ENDPOINT")
	form.Del("rfc")
	require.Equal(t, http.StatusOK, b.Post(simulator+"/connectors/"+id, form).Status)
	chrome.Open(ctx, t, simulator+"/brand?connector="+id)
	chrome.WaitForElement(ctx, t, "#popout[data-ready=yes]")
	address := chrome.Evaluate[string](ctx, t, `document.getElementById("popout").href`)
	u, err := url.Parse(address)
	require.NoError(t, err)
	q := u.Query()
	back := q.Get("redirect_uri")
	require.True(t, strings.HasPrefix(back, window+"?lpUnifiedWindowConfig="), back)
	require.NotEmpty(t, q.Get("nonce"))
	require.Equal(t, url.Values{
		"response_type": {"token"},
		"client_id":     {"liveengage"},
		"redirect_uri":  {back},
		"nonce":         {q.Get("nonce")},
	}, q)
	chrome.Open(ctx, t, address)
	chrome.WaitForElement(ctx, t, "#login-submit")
	chrome.SignIn(ctx, t, "jane", "jane-password")
	chrome.WaitForText(ctx, t, "#state", "Connected as ")
	sendChatLine(ctx, t, "In the openID dialect")
	require.Contains(t, b.Get(simulator+newestConversation(b, simulator)).Body, "In the openID dialect")
}

// TestSimulatePages takes screenshots of the simulator's pages, if they are requested,
// and checks that no page is wider than a phone.
func TestSimulatePages(t *testing.T) {
	t.Parallel()
	_, simulator := startDevWithSimulator(t, time.Now)
	ctx := chrome.Start(t)
	id := findConnectorID(t, simulator, "Code with PKCE")
	signInOnBrandPage(ctx, t, simulator, id)
	require.NoError(t, chromedp.Do(ctx, chromedp.Click("#embedded")))
	sendChatLine(ctx, t, "Hello, my card was declined. Can you look into it?")
	b := servertest.NewBrowser(t)
	talk := regexp.MustCompile(`/agent/[0-9a-f-]{36}`).FindString(b.Get(simulator + "/agent").Body)
	b.Post(simulator+talk+"/answer", url.Values{"text": {"Good morning, Jane. One moment please."}})
	b.Post(simulator+"/keys", url.Values{"name": {"My bot"}})
	require.Equal(t, http.StatusInternalServerError, b.Post(simulator+"/api/account/12345678/authenticate", nil).Status)
	for path, name := range map[string]string{
		"/":                      "home",
		"/brand?connector=" + id: "brand",
		"/connectors":            "connectors",
		"/connectors/" + id:      "connector",
		"/agent":                 "agents",
		talk:                     "agent",
		"/keys":                  "keys",
		"/log":                   "log",
		"/nothing":               "sorry",
	} {
		for _, width := range []int64{360, 1280} {
			require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 800), chromedp.Navigate(simulator+path)), path)
			if name == "brand" {
				chrome.WaitForText(ctx, t, "#lines", "One moment please.")
			}
			chrome.Screenshot(ctx, t, "sim_"+name+"_"+map[int64]string{360: "360", 1280: "1280"}[width])
			wide, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
			require.NoError(t, err)
			require.LessOrEqual(t, wide, width, name)
		}
	}
}

// startSimulator runs a simulator for the client liveengage of a provider until the test
// ends, as idp liveengage simulate does.
func startSimulator(t *testing.T, l net.Listener, issuer string) {
	t.Helper()
	facts := setup.Facts{ClientID: "liveengage"}
	simulator, err := sim.New(sim.Config{
		Account: dev.Account, Address: "http://" + l.Addr().String(), Now: time.Now,
		Log: slog.New(slog.DiscardHandler), Issuer: issuer, Connectors: sim.StarterConnectors(facts, facts, facts),
	})
	require.NoError(t, err)
	require.NoError(t, simulator.FillConnectors(t.Context(), issuer))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.ServeUntilDone(ctx, simulator.NewServer(ctx), l) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
}
