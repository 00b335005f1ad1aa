package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"idpbridge/dev"
	"idpbridge/server/servertest"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// party is a relying party that is told of sign-outs, and may be unwell.
type party struct {
	address string

	mu     sync.Mutex
	status int
	got    []url.Values
	frames []url.Values
}

func newParty(t *testing.T) *party {
	t.Helper()
	p := &party{status: http.StatusOK}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch r.URL.Path {
		case "/out":
			if r.ParseForm() == nil {
				p.got = append(p.got, r.PostForm)
			}
			w.WriteHeader(p.status)
		case "/frame":
			p.frames = append(p.frames, r.URL.Query())
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<!doctype html><title>out</title>"))
		case "/cb":
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(`<!doctype html><title>client</title><h1 id="client">back at the client</h1>`))
		}
	}))
	t.Cleanup(s.Close)
	p.address = s.URL
	return p
}

func (p *party) answer(status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = status
}

// told is how often the party was told, and of what last.
func (p *party) told() (n int, last url.Values) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.got) > 0 {
		last = p.got[len(p.got)-1]
	}
	return len(p.got), last
}

func (p *party) framed() []url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.frames
}

// withParties writes a configuration whose clients are local-web and a second
// one, told at the given parties, and returns its folder and issuer.
func withParties(t *testing.T, operations string, parties ...*party) (folder, issuer string) {
	t.Helper()
	folder = t.TempDir()
	address := freeAddress(t)
	var clients strings.Builder
	for i, p := range parties {
		id := []string{"local-web", "second", "third"}[i]
		u, err := url.Parse(p.address)
		require.NoError(t, err)
		_, port, err := net.SplitHostPort(u.Host)
		require.NoError(t, err)
		clients.WriteString(`
  - id: ` + id + `
    secret: ` + dev.LocalWebSecret + `
    token_endpoint_auth_method: client_secret_post
    application_type: native
    redirect_uris: ["http://127.0.0.1/cb"]
    post_logout_redirect_uris: ["http://127.0.0.1:` + port + `/cb"]
    response_types: [code, id_token]
    backchannel_logout_uri: ` + p.address + `/out
    frontchannel_logout_uri: ` + p.address + `/frame?keep=1`)
	}
	require.NoError(t, os.WriteFile(filepath.Join(folder, "idp.yaml"), []byte("issuer: http://"+address+"\nlisten: "+address+
		"\noperations: "+operations+"\ndata: data\npeople: people.yaml\nbrand: {name: Brand}\nclients:"+clients.String()+"\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "people.yaml"), servertest.PeopleFile(), 0o600))
	return folder, "http://" + address
}

// implicitOf asks for an ID token as a client: a sign-in that leaves no row.
func implicitOf(issuer, client string) string {
	return webRequest(issuer, "client_id", client, "response_type", "id_token")
}

// signOut signs out with a hint.
func signOut(b *browser, issuer, hint string) {
	b.get(issuer + "/end_session?id_token_hint=" + hint)
}

// TestEveryClientOfTheSessionIsTold: all that were answered from it, also those
// that got a bare ID token, and nobody else.
func TestEveryClientOfTheSessionIsTold(t *testing.T) {
	t.Parallel()
	first, second, third := newParty(t), newParty(t), newParty(t)
	folder, issuer := withParties(t, "off", first, second, third)
	serveConfig(t, time.Now, folder)
	b := newBrowser(t)
	hint := b.signIn(issuer, implicitOf(issuer, "local-web"), "jane", "jane-password").answer(t).Get("id_token")
	b.get(implicitOf(issuer, "second"))
	b.get(implicitOf(issuer, "second")) // twice is once
	other := newBrowser(t).signIn(issuer, implicitOf(issuer, "third"), "victor", "victor-password").answer(t).Get("id_token")
	signOut(b, issuer, hint)
	for _, p := range []*party{first, second} {
		require.Eventually(t, func() bool { n, _ := p.told(); return n == 1 }, 10*time.Second, 10*time.Millisecond)
		_, form := p.told()
		require.Equal(t, decoded(t, hint)["sid"], decoded(t, form.Get("logout_token"))["sid"])
	}
	require.NotEqual(t, decoded(t, hint)["sid"], decoded(t, other)["sid"])
	n, _ := third.told()
	require.Zero(t, n, "another session's client")
	n, _ = first.told()
	require.Equal(t, 1, n)

	// Somebody else in the same browser ends the session of the first.
	hint = b.signIn(issuer, implicitOf(issuer, "second"), "jane", "jane-password").answer(t).Get("id_token")
	b.signIn(issuer, implicitOf(issuer, "third")+"&prompt=login", "victor", "victor-password")
	require.Eventually(t, func() bool { n, _ := second.told(); return n == 2 }, 10*time.Second, 10*time.Millisecond)
	_, form := second.told()
	require.Equal(t, decoded(t, hint)["sid"], decoded(t, form.Get("logout_token"))["sid"])
}

// TestFramesInSpiteOfABadAddress: a post-logout address that is not registered is
// not gone to, and takes no client's frame away.
func TestFramesInSpiteOfABadAddress(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	folder, issuer := withParties(t, "off", p)
	serveConfig(t, time.Now, folder)
	b := newBrowser(t)
	hint := b.signIn(issuer, implicitOf(issuer, "local-web"), "jane", "jane-password").answer(t).Get("id_token")
	page := b.get(issuer + "/end_session?post_logout_redirect_uri=https%3A%2F%2Fevil.example&id_token_hint=" + hint)
	require.Equal(t, http.StatusOK, page.status)
	require.Contains(t, page.body, "<iframe src=\""+p.address+"/frame?")
	require.NotContains(t, page.body, "evil.example")
}

// TestLogoutsSurviveARestart: what a client could not be told before the end of
// the process it is told after the next start.
func TestLogoutsSurviveARestart(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	p.answer(http.StatusServiceUnavailable)
	folder, issuer := withParties(t, "off", p)
	var c clock
	var hint string
	t.Run("before", func(t *testing.T) {
		log := serveConfig(t, c.now, folder)
		b := newBrowser(t)
		hint = b.signIn(issuer, implicitOf(issuer, "local-web"), "jane", "jane-password").answer(t).Get("id_token")
		signOut(b, issuer, hint)
		require.Eventually(t, func() bool { return strings.Contains(log.String(), "logout postponed") }, 10*time.Second, 10*time.Millisecond)
	})
	p.answer(http.StatusOK)
	c.add(time.Minute)
	t.Run("after", func(t *testing.T) {
		log := serveConfig(t, c.now, folder)
		require.Eventually(t, func() bool { return strings.Contains(log.String(), "logout delivered") }, 10*time.Second, 10*time.Millisecond)
		_, form := p.told()
		require.Equal(t, decoded(t, hint)["sid"], decoded(t, form.Get("logout_token"))["sid"])
	})
}

// TestLogoutsAreRepeatedAndGivenUp: 5xx is tried again after 5, 10, 20 … seconds
// and given up after a day, 4xx at once; both visibly.
func TestLogoutsAreRepeatedAndGivenUp(t *testing.T) {
	t.Parallel()
	unwell, unwilling := newParty(t), newParty(t)
	unwell.answer(http.StatusBadGateway)
	unwilling.answer(http.StatusBadRequest)
	operations := freeAddress(t)
	folder, issuer := withParties(t, operations, unwell, unwilling)
	var c clock
	log := serveConfig(t, c.now, folder)
	b := newBrowser(t)
	hint := b.signIn(issuer, implicitOf(issuer, "local-web"), "jane", "jane-password").answer(t).Get("id_token")
	b.get(implicitOf(issuer, "second"))
	signOut(b, issuer, hint)

	metric := func(line string) bool {
		return strings.Contains(newBrowser(t).get("http://"+operations+"/metrics").body, line)
	}
	lines := func(text string) int { return strings.Count(log.String(), text) }
	const given, again = "logout abandoned", "logout postponed"
	require.Eventually(t, func() bool { return lines(given) == 1 }, 10*time.Second, 10*time.Millisecond, "4xx is given up at once")
	require.True(t, metric(`idp_events_total{client="second",event="logout_abandoned"} 1`))
	require.True(t, metric("idp_logouts_pending 1"))
	tokens := map[string]bool{}
	for try, pause := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second} {
		require.Eventually(t, func() bool { return lines(again) == try+1 }, 10*time.Second, 10*time.Millisecond, "try %d", try+1)
		next := c.now().Add(pause).UTC().Truncate(time.Second)
		require.True(t, strings.Contains(log.String(), next.Format(time.RFC3339)) || strings.Contains(log.String(), next.Add(-time.Second).Format(time.RFC3339)) ||
			strings.Contains(log.String(), next.Add(-2*time.Second).Format(time.RFC3339)), "after try %d a pause of %s", try+1, pause)
		_, form := unwell.told()
		tokens[form.Get("logout_token")] = true
		c.add(pause)
	}
	require.Len(t, tokens, 4, "every attempt has a token of its own")
	c.add(24 * time.Hour)
	require.Eventually(t, func() bool { return lines(given) == 2 }, 10*time.Second, 10*time.Millisecond, "given up after a day")
	require.True(t, metric("idp_logouts_pending 0"))
}

// TestChromiumFrontChannel: a real browser loads every client's frame, under the
// page's policy, and only then goes on to the client.
func TestChromiumFrontChannel(t *testing.T) {
	t.Parallel()
	first, second := newParty(t), newParty(t)
	folder, issuer := withParties(t, "off", first, second)
	serveConfig(t, time.Now, folder)
	ctx := startChromium(t)
	u, err := url.Parse(first.address)
	require.NoError(t, err)
	request := webRequest(issuer, "redirect_uri", "http://"+u.Host+"/cb", "response_type", "id_token", "response_mode", "fragment")
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(request)))
	submitSignIn(ctx, t, "jane", "jane-password")
	visibleText(ctx, t, "#client")
	address, err := chromedp.Run(ctx, chromedp.Location())
	require.NoError(t, err)
	_, fragment, _ := strings.Cut(address, "#")
	answer, err := url.ParseQuery(fragment)
	require.NoError(t, err)
	other := webRequest(issuer, "client_id", "second", "response_type", "id_token", "redirect_uri", second.address+"/cb")
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(other), chromedp.WaitVisible("#client")))

	leave := issuer + "/end_session?state=s&id_token_hint=" + answer.Get("id_token") + "&post_logout_redirect_uri=" + url.QueryEscape(first.address+"/cb")
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(leave)))
	require.Equal(t, "back at the client", visibleText(ctx, t, "#client"))
	address, err = chromedp.Run(ctx, chromedp.Location())
	require.NoError(t, err)
	require.Equal(t, first.address+"/cb?state=s", address)
	var claims struct{ Sid string }
	require.NoError(t, json.Unmarshal([]byte(part(answer.Get("id_token"), 1)), &claims))
	for _, p := range []*party{first, second} {
		require.Equal(t, []url.Values{{"keep": {"1"}, "iss": {issuer}, "sid": {claims.Sid}}}, p.framed())
	}
}
