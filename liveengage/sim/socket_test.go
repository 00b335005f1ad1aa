package sim_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// consumerSocket is a consumer's socket.
type consumerSocket struct {
	t    *testing.T
	ctx  context.Context //nolint:containedctx // of one test
	conn *websocket.Conn
	notified []string // texts of notifications, with the role before them
}

func (b *simulation) dialSocket(token string) *consumerSocket {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	b.t.Cleanup(cancel)
	options := &websocket.DialOptions{HTTPHeader: http.Header{}}
	if token != "" {
		options.HTTPHeader.Set("Authorization", "jwt "+token)
	}
	conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(b.url, "http")+"/ws_api/account/"+account+"/messaging/consumer?v=3", options)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = conn.CloseNow() })
	return &consumerSocket{t: b.t, ctx: ctx, conn: conn}
}

// readFrame is the next frame.
func (l *consumerSocket) readFrame() map[string]any {
	l.t.Helper()
	_, raw, err := l.conn.Read(l.ctx)
	require.NoError(l.t, err)
	var out map[string]any
	require.NoError(l.t, json.Unmarshal(raw, &out))
	if out["kind"] == "notification" {
		for _, c := range out["body"].(map[string]any)["changes"].([]any) {
			change := c.(map[string]any)
			l.notified = append(l.notified, change["originatorMetadata"].(map[string]any)["role"].(string)+": "+change["event"].(map[string]any)["message"].(string))
		}
	}
	return out
}

// sendRequest sends a request and returns its response.
func (l *consumerSocket) sendRequest(request string) map[string]any {
	l.t.Helper()
	require.NoError(l.t, l.conn.Write(l.ctx, websocket.MessageText, []byte(request)))
	for {
		if out := l.readFrame(); out["kind"] == "resp" {
			return out
		}
	}
}

// closeStatus is the code that the socket is closed with.
func (l *consumerSocket) closeStatus() websocket.StatusCode {
	l.t.Helper()
	for {
		if _, _, err := l.conn.Read(l.ctx); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

func (l *consumerSocket) openConversation() string {
	l.t.Helper()
	out := l.sendRequest(`{"kind":"req","id":1,"type":"cm.ConsumerRequestConversation"}`)
	require.Equal(l.t, "1", out["reqId"])
	require.EqualValues(l.t, 200, out["code"])
	require.Equal(l.t, "cm.RequestConversationResponse", out["type"])
	return out["body"].(map[string]any)["conversationId"].(string)
}

func (l *consumerSocket) sendText(conversation, text string) map[string]any {
	l.t.Helper()
	return l.sendRequest(fmt.Sprintf(`{"kind":"req","id":"7","type":"ms.PublishEvent","body":{"dialogId":%q,"event":{"type":"ContentEvent","contentType":"text/plain","message":%q}}}`, conversation, text))
}

func (b *simulation) postForm(path string, form url.Values) int {
	b.t.Helper()
	status, _, _ := b.call("POST", path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	return status
}

func TestSocket(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	jane := b.requestToken(authenticatePath(implicitID), goodToken(t, b))
	l := b.dialSocket(jane)
	clock := l.sendRequest(`{"kind":"req","id":"0","type":"GetClock"}`)
	require.Equal(t, "GetClockResponse", clock["type"])
	require.EqualValues(t, start.UnixMilli(), clock["body"].(map[string]any)["currentTime"])
	id := l.openConversation()
	require.EqualValues(t, 0, l.sendText(id, "Hello <there>")["body"].(map[string]any)["sequence"])
	require.Equal(t, http.StatusSeeOther, b.postForm("/agent/"+id+"/answer", url.Values{"text": {"How can I help?"}}))
	for len(l.notified) < 2 {
		l.readFrame()
	}
	require.Equal(t, []string{"CONSUMER: Hello <there>", "ASSIGNED_AGENT: How can I help?"}, l.notified)

	// Lost and found: another socket has the same conversation, and what was said.
	other := b.dialSocket("")
	first := other.sendRequest(`{"kind":"req","id":"0","type":"InitConnection","headers":[{"type":".ams.headers.ClientProperties"},{"type":".ams.headers.ConsumerAuthentication","jwt":"` + jane + `"}]}`)
	require.EqualValues(t, 200, first["code"])
	require.Equal(t, id, other.openConversation())
	other.sendRequest(`{"kind":"req","id":2,"type":"ms.SubscribeMessagingEvents","body":{"dialogId":"` + id + `","fromSeq":1}}`)
	for len(other.notified) < 1 {
		other.readFrame()
	}
	require.Equal(t, []string{"ASSIGNED_AGENT: How can I help?"}, other.notified)

	visitor := b.dialSocket(b.requestToken("/api/account/"+account+"/signup", nil))
	require.EqualValues(t, http.StatusBadRequest, visitor.sendText(id, "mine")["code"], "somebody else's conversation")
	require.EqualValues(t, http.StatusNotFound, visitor.sendRequest(`{"kind":"req","id":2,"type":"ms.SubscribeMessagingEvents","body":{"dialogId":"` + id + `"}}`)["code"])
	require.EqualValues(t, http.StatusBadRequest, l.sendText(id, strings.Repeat("x", 9000))["code"])
	require.EqualValues(t, http.StatusNotImplemented, l.sendRequest(`{"kind":"req","id":2,"type":"x.Y"}`)["code"])

	b.advance(time.Hour)
	require.NoError(t, l.conn.Write(l.ctx, websocket.MessageText, []byte(`{"kind":"req","id":"9","type":"GetClock"}`)))
	require.EqualValues(t, 4407, l.closeStatus(), "an expired token")
	for name, bad := range map[string]string{
		"expired": jane, "garbage": "abc", "the brand's own": signToken(t, b.idp.claims(nil)),
		"another simulator's": newSimulation(t, nil).requestToken("/api/account/"+account+"/signup", nil), "a visitor's external one": b.requestToken("/api/account/"+account+"/anonymous/authorize", nil),
	} {
		require.EqualValues(t, 4407, b.dialSocket(bad).closeStatus(), name)
	}
	require.EqualValues(t, 4407, b.dialSocket("").closeStatus(), "who says nothing")
}

func TestAgentsView(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	l := b.dialSocket(b.requestToken(authenticatePath(implicitID), goodToken(t, b)))
	id := l.openConversation()
	l.sendText(id, "<b>Hello</b>")
	_, _, list := b.call("GET", "/agent", nil)
	require.Contains(t, list, "Jane Doe")
	_, _, text := b.call("GET", "/agent/"+id, nil)
	for _, want := range []string{"Jane Doe", "implicit", "gold", "active", "1250.75 USD", "C-1", "jane-sub", "&#43;12125550101", "jane@example.com", "secure", "&lt;b&gt;Hello&lt;/b&gt;", "preferred_username"} {
		require.Contains(t, text, want)
	}
	require.Less(t, strings.Index(text, "IMEI"), strings.Index(text, "&#43;12125550101"), "phone_number is shown as IMEI")

	anonymous := b.requestToken("/api/account/"+account+"/signup", nil)
	v := b.dialSocket(anonymous)
	strange := v.openConversation()
	v.sendText(strange, "Is anybody there?")
	_, _, text = b.call("GET", "/agent/"+strange, nil)
	require.Contains(t, text, "none: a visitor")
	require.NotContains(t, text, "secure</span>")
	victor := signToken(t, b.idp.claims(map[string]any{"sub": "victor-sub", "given_name": "Victor", "lp_sdes": nil}))
	b.requestToken(authenticatePath(implicitID), map[string]any{"id_token": victor, "step_up": anonymous})
	_, _, text = b.call("GET", "/agent/"+strange, nil)
	require.Contains(t, text, "Victor Doe")
	require.Contains(t, text, "stepped up")
	require.Contains(t, text, "Is anybody there?", "the conversation goes on")
	status, out, _ := b.call("POST", authenticatePath(implicitID), map[string]any{"id_token": victor, "step_up": "abc"})
	require.Equal(t, http.StatusInternalServerError, status)
	require.Equal(t, "9008", out["internalErrorCode"])

	require.Equal(t, http.StatusSeeOther, b.postForm("/agent/"+id+"/close", nil))
	require.EqualValues(t, http.StatusBadRequest, l.sendText(id, "late")["code"])
	require.NotEqual(t, id, l.openConversation(), "the next conversation is another one")
}

func TestDelegation(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	v := b.dialSocket(b.requestToken("/api/account/"+account+"/signup", nil))
	id := v.openConversation()
	require.Equal(t, http.StatusSeeOther, b.postForm("/agent/"+id+"/delegate", nil))
	for len(v.notified) < 1 {
		v.readFrame()
	}
	link := v.notified[0][strings.Index(v.notified[0], "http"):]
	u, err := url.Parse(link)
	require.NoError(t, err)
	require.Equal(t, b.url+"/callback/"+account+"/redirectCode", u.Query().Get("redirect_uri"))
	b.idp.token = respondJSON(map[string]any{"access_token": "an-access-token-of-some-length", "expires_in": 60, "refresh_token": "ignored"})
	callback := "/callback/" + account + "/redirectCode?code=c&state=" + u.Query().Get("state")
	status, _, _ := b.call("GET", callback, nil)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, u.Query().Get("redirect_uri"), b.idp.tokenRequests[0]["redirect_uri"])
	_, _, text := b.call("GET", "/agent/"+id, nil)
	require.Contains(t, text, "an-acces…")
	require.Contains(t, text, "none: a visitor", "nobody becomes authenticated by it")
	status, _, _ = b.call("GET", callback, nil)
	require.Equal(t, http.StatusBadRequest, status, "a state works once")

	b.idp.token = respondJSON(map[string]any{
		"access_token": "the-first-access-token-of-jane", "expires_in": 60, "refresh_token": "the-refresh-token", "id_token": signToken(t, b.idp.claims(nil)),
	})
	j := b.dialSocket(b.requestToken(authenticatePath(codeID), map[string]any{"code": "c"}))
	authenticated := j.openConversation()
	b.idp.token = respondJSON(map[string]any{"access_token": "renewed-access-token-of-jane", "expires_in": 60})
	require.Equal(t, http.StatusSeeOther, b.postForm("/agent/"+authenticated+"/renew", nil))
	last := b.idp.tokenRequests[len(b.idp.tokenRequests)-1]
	require.Equal(t, "refresh_token", last["grant_type"])
	require.Equal(t, "the-refresh-token", last["refresh_token"])
	_, _, text = b.call("GET", "/agent/"+authenticated, nil)
	require.Contains(t, text, "renewed-…")
}

func TestLogin(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	base := "/api/account/" + account
	user := map[string]any{"username": "agent", "password": "agent-password"}
	key := b.NewAPIKey("my bot")
	bot := map[string]any{"username": key.Username, "appKey": key.AppKey, "secret": key.Secret, "accessToken": key.AccessToken, "accessTokenSecret": key.AccessTokenSecret}
	for _, in := range []map[string]any{user, bot} {
		status, out, text := b.call("POST", base+"/login?v=1.3", in)
		require.Equal(t, http.StatusOK, status, text)
		require.Regexp(t, "^[0-9a-f]{64}$", out["bearer"])
		require.Equal(t, "28800000", out["sessionTTl"])
		for _, name := range []string{"csrf", "wsuk", "config", "csdsCollectionResponse", "accountData"} {
			require.Contains(t, out, name)
		}
		status, _, list := b.call("GET", base+"/configuration/le-users/users", nil, "Authorization", "Bearer "+out["bearer"].(string))
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, list, `"loginName":"agent"`)
	}
	for name, in := range map[string]any{"no JSON": "x", "no password": map[string]any{"username": "agent"}} {
		status, _, _ := b.call("POST", base+"/login?v=1.3", in)
		require.Equal(t, http.StatusBadRequest, status, name)
	}
	wrong := map[string]any{"username": "agent", "password": "wrong"}
	status, _, _ := b.call("POST", base+"/login?v=1.3", wrong)
	require.Equal(t, http.StatusUnauthorized, status)
	bot["accessTokenSecret"] = ""
	status, _, _ = b.call("POST", base+"/login?v=1.3", bot)
	require.Equal(t, http.StatusUnauthorized, status)

	r, err := http.NewRequest(http.MethodPost, b.url+base+"/login?v=1.3", strings.NewReader(`{"username":"agent","password":"agent-password"}`))
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	var out struct{ CSRF, Bearer string }
	require.NoError(t, json.NewDecoder(res.Body).Decode(&out))
	require.NoError(t, res.Body.Close())
	require.Equal(t, "Session_id", res.Cookies()[0].Name)
	cookie := "Session_id=" + res.Cookies()[0].Value
	search := func(bearer string) (int, string) {
		status, _, text := b.call("POST", "/messaging_history"+base+"/conversations/search", map[string]any{}, "Authorization", "Bearer "+bearer)
		return status, text
	}
	b.advance(7 * time.Hour)
	status, _, _ = b.call("POST", base+"/refresh", map[string]string{"csrf": out.CSRF}, "Cookie", cookie)
	require.Equal(t, http.StatusOK, status)
	b.advance(7 * time.Hour)
	status, _ = search(out.Bearer)
	require.Equal(t, http.StatusOK, status, "kept alive")
	status, _, text := b.call("POST", base+"/refresh", map[string]string{"csrf": "wrong"}, "Cookie", cookie)
	require.Equal(t, http.StatusUnauthorized, status)
	require.Contains(t, text, "CSRF token invalid!")
	require.Contains(t, text, `"internalCode":10,`)
	require.Contains(t, text, `"responseStatus":"UNAUTHORIZED"`)
	status, _, _ = b.call("POST", base+"/logout", map[string]string{"csrf": out.CSRF}, "Cookie", cookie)
	require.Equal(t, http.StatusOK, status)
	status, _ = search(out.Bearer)
	require.Equal(t, http.StatusUnauthorized, status, "logged out")
	status, _, text = b.call("GET", base+"/configuration/le-users/users", nil, "Authorization", "Basic abc")
	require.Equal(t, http.StatusUnauthorized, status)
	require.Contains(t, text, "unknown_authorization_type")
}

func TestInteractions(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	l := b.dialSocket(b.requestToken(authenticatePath(implicitID), goodToken(t, b)))
	l.sendText(l.openConversation(), "Hello")
	_, out, _ := b.call("POST", "/api/account/"+account+"/login?v=1.3", map[string]any{"username": "agent", "password": "agent-password"})
	_, _, text := b.call("POST", "/messaging_history/api/account/"+account+"/conversations/search", map[string]any{}, "Authorization", "Bearer "+out["bearer"].(string))
	var found struct {
		Records []struct {
			SDEs struct {
				Events []struct {
					Type     string `json:"sdeType"`
					Customer struct {
						Info map[string]any `json:"customerInfo"`
					} `json:"customerInfo"`
					Personal struct {
						Info map[string]any `json:"personalInfo"`
					} `json:"personalInfo"`
				} `json:"events"`
			} `json:"sdes"`
		} `json:"conversationHistoryRecords"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &found))
	require.Len(t, found.Records, 1)
	events := found.Records[0].SDEs.Events
	require.Len(t, events, 2)
	require.Equal(t, "CUSTOMER_INFO", events[0].Type)
	require.Equal(t, "gold", events[0].Customer.Info["customerType"])
	require.Equal(t, "+12125550101", events[0].Customer.Info["imei"])
	require.Equal(t, "Jane", events[1].Personal.Info["name"])
	require.Contains(t, text, `"text":"Hello"`)
}

// TestOAuth1 signs by RFC 5849, written here a second time.
func TestOAuth1(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	key := b.NewAPIKey("my bot")
	path, nonces := "/api/account/"+account+"/configuration/le-users/users", 0
	enc := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	header := func(change func(map[string]string)) string {
		nonces++
		p := map[string]string{
			"oauth_consumer_key": key.AppKey, "oauth_token": key.AccessToken, "oauth_nonce": "n" + strconv.Itoa(nonces), "oauth_version": "1.0",
			"oauth_timestamp": strconv.FormatInt(b.clock().Unix(), 10), "oauth_signature_method": "HMAC-SHA1",
		}
		secret := key.Secret
		if change != nil {
			change(p)
		}
		if s, ok := p["secret"]; ok {
			secret = s
			delete(p, "secret")
		}
		pairs := []string{"select=%24all", "v=2%2B%20"}
		for name, value := range p {
			pairs = append(pairs, name+"="+enc(value))
		}
		slices.Sort(pairs)
		mac := hmac.New(sha1.New, []byte(enc(secret)+"&"+enc(key.AccessTokenSecret)))
		mac.Write([]byte("GET&" + enc(b.url+path) + "&" + enc(strings.Join(pairs, "&"))))
		p["oauth_signature"] = base64.StdEncoding.EncodeToString(mac.Sum(nil))
		fields := make([]string, 0, len(p))
		for name, value := range p {
			fields = append(fields, name+`="`+enc(value)+`"`)
		}
		return "OAuth " + strings.Join(fields, ",")
	}
	ask := func(h string) (int, string) {
		status, _, text := b.call("GET", path+"?v=2%2B+&select=$all", nil, "Authorization", h)
		return status, text
	}
	good := header(nil)
	status, text := ask(good)
	require.Equal(t, http.StatusOK, status, text)
	for name, h := range map[string]string{
		"nonce_used":                good,
		"signature_invalid":         header(func(p map[string]string) { p["secret"] = "another" }),
		"timestamp_refused":         header(func(p map[string]string) { p["oauth_timestamp"] = "1261039670" }),
		"consumer_key_unknown":      header(func(p map[string]string) { p["oauth_consumer_key"] = "x" }),
		"token_rejected":            header(func(p map[string]string) { p["oauth_token"] = "x" }),
		"signature_method_rejected": header(func(p map[string]string) { p["oauth_signature_method"] = "PLAINTEXT" }),
		"parameter_absent":          "OAuth oauth_version=\"1.0\"",
	} {
		status, text := ask(h)
		require.Equal(t, http.StatusUnauthorized, status, name)
		require.Contains(t, text, "oauth_problem="+name)
	}
}
