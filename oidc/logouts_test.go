package oidc_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"idpbridge/internal/chrome"
	"idpbridge/server/servertest"
)

// logoutClient is a client that is notified of logouts. It responds with a status that
// tests choose.
type logoutClient struct {
	url string

	mu     sync.Mutex
	status int
	posted []url.Values // to the back-channel URI
	loaded []url.Values // from the front-channel URI
}

func startLogoutClient(t *testing.T) *logoutClient {
	t.Helper()
	c := &logoutClient{status: http.StatusOK}
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	c.url = s.URL
	return c
}

func (c *logoutClient) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch r.URL.Path {
	case "/out":
		if r.ParseForm() == nil {
			c.posted = append(c.posted, r.PostForm)
		}
		w.WriteHeader(c.status)
	case "/frame":
		c.loaded = append(c.loaded, r.URL.Query())
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>out</title>"))
	case "/cb":
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><title>client</title><h1 id="client">back at the client</h1>`))
	}
}

// respondWith sets the status of the next responses.
func (c *logoutClient) respondWith(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = status
}

// notifications returns how often the client was notified, and the last logout token.
func (c *logoutClient) notifications() (n int, token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.posted) > 0 {
		token = c.posted[len(c.posted)-1].Get("logout_token")
	}
	return len(c.posted), token
}

// frames returns the parameters of the frames that were loaded.
func (c *logoutClient) frames() []url.Values {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.loaded
}

// requireNotified waits until the client was notified n times, and requires that the
// last time was about the session of the ID token.
func (c *logoutClient) requireNotified(t *testing.T, n int, idToken string) {
	t.Helper()
	eventually(t, func() bool { got, _ := c.notifications(); return got == n })
	_, token := c.notifications()
	require.Equal(t, servertest.DecodeClaims(t, idToken)["sid"], servertest.DecodeClaims(t, token)["sid"])
}

// eventually waits for a condition. The deadline only ends a test that would wait for
// ever.
func eventually(t *testing.T, condition func() bool, message ...any) {
	t.Helper()
	require.Eventually(t, condition, 2*time.Minute, 10*time.Millisecond, message...)
}

// writeLogoutConfig writes a configuration with the clients local-web, second and third,
// as many as given, and returns its file and issuer.
func writeLogoutConfig(t *testing.T, clients ...*logoutClient) (file, issuer string) {
	t.Helper()
	address := servertest.FreeAddress(t)
	var lines strings.Builder
	for i, c := range clients {
		u, err := url.Parse(c.url)
		require.NoError(t, err)
		lines.WriteString(`
  - id: ` + []string{"local-web", "second", "third"}[i] + `
    secret: ` + servertest.FileSecret + `
    token_endpoint_auth_method: client_secret_post
    application_type: native
    redirect_uris: ["http://127.0.0.1/cb"]
    post_logout_redirect_uris: ["http://127.0.0.1:` + u.Port() + `/cb"]
    response_types: [code, id_token]
    backchannel_logout_uri: ` + c.url + `/out
    frontchannel_logout_uri: ` + c.url + `/frame?keep=1`)
	}
	folder := t.TempDir()
	servertest.WriteFiles(t, folder, map[string][]byte{
		"idp.yaml": []byte("issuer: http://" + address + "\nlisten: " + address + "\noperations: off\ndata: data\n" +
			"people: people.yaml\nbrand: {name: Brand}\nclients:" + lines.String() + "\n"),
		"people.yaml": servertest.PeopleFile(),
	})
	return filepath.Join(folder, "idp.yaml"), "http://" + address
}

// implicitURL requests an ID token for a client: a sign-in without a row in the
// database.
func implicitURL(issuer, client string) string {
	return servertest.AuthorizeURL(issuer, "client_id", client, "response_type", "id_token")
}

// signInImplicit signs a demo person in for a client and returns the ID token.
func signInImplicit(t *testing.T, b *servertest.Browser, issuer, client, username string) string {
	t.Helper()
	p := b.SignIn(implicitURL(issuer, client)+"&prompt=login", username, username+"-password")
	return servertest.Response(t, p).Get("id_token")
}

// TestLogoutNotifiesClients: every client that got a response in the session is
// notified, also those that got only an ID token, and no other client.
func TestLogoutNotifiesClients(t *testing.T) {
	t.Parallel()
	first, second, third := startLogoutClient(t), startLogoutClient(t), startLogoutClient(t)
	file, issuer := writeLogoutConfig(t, first, second, third)
	servertest.StartFile(t, file, time.Now)
	b := servertest.NewBrowser(t)
	hint := signInImplicit(t, b, issuer, "local-web", "jane")
	b.Get(implicitURL(issuer, "second"))
	b.Get(implicitURL(issuer, "second")) // notified once all the same
	other := signInImplicit(t, servertest.NewBrowser(t), issuer, "third", "victor")
	b.Get(issuer + "/end_session?id_token_hint=" + hint)
	first.requireNotified(t, 1, hint)
	second.requireNotified(t, 1, hint)
	require.NotEqual(t, servertest.DecodeClaims(t, hint)["sid"], servertest.DecodeClaims(t, other)["sid"])
	n, _ := third.notifications()
	require.Zero(t, n, "a client of another session")
	n, _ = first.notifications()
	require.Equal(t, 1, n)

	// The sign-in of another user in the same browser ends the first session.
	hint = signInImplicit(t, b, issuer, "second", "jane")
	signInImplicit(t, b, issuer, "third", "victor")
	second.requireNotified(t, 2, hint)
}

// TestFramesDespiteInvalidRedirect: the browser is not redirected to a URI that is not
// registered, and the clients' frames are loaded nevertheless.
func TestFramesDespiteInvalidRedirect(t *testing.T) {
	t.Parallel()
	c := startLogoutClient(t)
	file, issuer := writeLogoutConfig(t, c)
	servertest.StartFile(t, file, time.Now)
	b := servertest.NewBrowser(t)
	hint := signInImplicit(t, b, issuer, "local-web", "jane")
	p := b.Get(issuer + "/end_session?post_logout_redirect_uri=https%3A%2F%2Fevil.example&id_token_hint=" + hint)
	require.Equal(t, http.StatusOK, p.Status)
	require.Contains(t, p.Body, "<iframe src=\""+c.url+"/frame?")
	require.NotContains(t, p.Body, "evil.example")
}

// TestLogoutsSurviveRestart: a client that could not be notified before the server
// stopped is notified after it starts again.
func TestLogoutsSurviveRestart(t *testing.T) {
	t.Parallel()
	c := startLogoutClient(t)
	c.respondWith(http.StatusServiceUnavailable)
	file, issuer := writeLogoutConfig(t, c)
	clock := &servertest.Clock{}
	s := servertest.StartFile(t, file, clock.Now)
	b := servertest.NewBrowser(t)
	hint := signInImplicit(t, b, issuer, "local-web", "jane")
	b.Get(issuer + "/end_session?id_token_hint=" + hint)
	eventually(t, func() bool { return strings.Contains(s.Log.String(), "logout postponed") })
	s.Stop()

	c.respondWith(http.StatusOK)
	clock.Add(time.Minute)
	s = servertest.StartFile(t, file, clock.Now)
	eventually(t, func() bool { return strings.Contains(s.Log.String(), "logout delivered") })
	_, token := c.notifications()
	require.Equal(t, servertest.DecodeClaims(t, hint)["sid"], servertest.DecodeClaims(t, token)["sid"])
}

// TestLogoutRetries: after a status 5xx there is another attempt in 5, 10, 20 and more
// seconds, for a day. After 4xx there is none. Log and metrics show both.
func TestLogoutRetries(t *testing.T) {
	t.Parallel()
	unavailable, unwilling := startLogoutClient(t), startLogoutClient(t)
	unavailable.respondWith(http.StatusBadGateway)
	unwilling.respondWith(http.StatusBadRequest)
	file, issuer := writeLogoutConfig(t, unavailable, unwilling)
	clock := &servertest.Clock{}
	s := servertest.StartFile(t, file, clock.Now)
	b := servertest.NewBrowser(t)
	hint := signInImplicit(t, b, issuer, "local-web", "jane")
	b.Get(implicitURL(issuer, "second"))
	b.Get(issuer + "/end_session?id_token_hint=" + hint)

	countLines := func(text string) int { return strings.Count(s.Log.String(), text) }
	const abandoned, postponed = "logout abandoned", "logout postponed"
	eventually(t, func() bool { return countLines(abandoned) == 1 }, "no retry after 4xx")
	metrics := s.GetOperations(t, "/metrics")
	require.Contains(t, metrics, `idp_events_total{client="second",event="logout_abandoned"} 1`)
	require.Contains(t, metrics, "idp_logouts_pending 1")
	tokens := map[string]bool{}
	for i, pause := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second} {
		eventually(t, func() bool { return countLines(postponed) == i+1 }, "attempt %d", i+1)
		require.True(t, logsTime(s.Log.String(), clock.Now().Add(pause)), "after attempt %d a pause of %s", i+1, pause)
		_, token := unavailable.notifications()
		tokens[token] = true
		clock.Add(pause)
	}
	require.Len(t, tokens, 4, "every attempt has a new token")
	clock.Add(24 * time.Hour)
	eventually(t, func() bool { return countLines(abandoned) == 2 }, "abandoned after a day")
	require.Contains(t, s.GetOperations(t, "/metrics"), "idp_logouts_pending 0")
}

// logsTime reports whether a log has the time, to the second, or one of the two seconds
// before it, in which the server may have written the line.
func logsTime(log string, next time.Time) bool {
	next = next.UTC().Truncate(time.Second)
	for ago := range 3 {
		if strings.Contains(log, next.Add(-time.Duration(ago)*time.Second).Format(time.RFC3339)) {
			return true
		}
	}
	return false
}

// TestChromiumFrontChannel: a real browser loads the frames of all clients, under the
// page's policy, before it goes on to the client.
func TestChromiumFrontChannel(t *testing.T) {
	t.Parallel()
	first, second := startLogoutClient(t), startLogoutClient(t)
	file, issuer := writeLogoutConfig(t, first, second)
	servertest.StartFile(t, file, time.Now)
	ctx := chrome.Start(t)
	chrome.Open(ctx, t, servertest.AuthorizeURL(issuer, "redirect_uri", first.url+"/cb",
		"response_type", "id_token", "response_mode", "fragment"))
	chrome.SignIn(ctx, t, "jane", "jane-password")
	chrome.Text(ctx, t, "#client")
	_, fragment, _ := strings.Cut(chrome.Location(ctx, t), "#")
	response, err := url.ParseQuery(fragment)
	require.NoError(t, err)
	idToken := response.Get("id_token")
	chrome.Do(ctx, t,
		chromedp.Navigate(servertest.AuthorizeURL(issuer, "client_id", "second", "response_type", "id_token",
			"redirect_uri", second.url+"/cb")),
		chromedp.WaitVisible("#client"))

	chrome.Open(ctx, t, issuer+"/end_session?state=s&id_token_hint="+idToken+
		"&post_logout_redirect_uri="+url.QueryEscape(first.url+"/cb"))
	require.Equal(t, "back at the client", chrome.Text(ctx, t, "#client"))
	require.Equal(t, first.url+"/cb?state=s", chrome.Location(ctx, t))
	sid, _ := servertest.DecodeClaims(t, idToken)["sid"].(string)
	for _, c := range []*logoutClient{first, second} {
		require.Equal(t, []url.Values{{"keep": {"1"}, "iss": {issuer}, "sid": {sid}}}, c.frames())
	}
}
