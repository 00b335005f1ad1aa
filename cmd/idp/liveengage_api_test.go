package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
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

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// lpServices plays LivePerson's services at one address, as far as the commands need
// them: it redeems codes at the provider and reads its tokens.
type lpServices struct {
	t      testing.TB
	issuer string
	server *httptest.Server
	flow   int // type of the connector
	refuse string

	mu     sync.Mutex
	asked  []string
	bodies []string
	said   []string
	sdes   json.RawMessage
}

const lpBearer = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func startServices(t testing.TB, issuer string, flow int) *lpServices {
	t.Helper()
	s := &lpServices{t: t, issuer: issuer, flow: flow}
	mux := http.NewServeMux()
	const account = "/api/account/12345678"
	answer := func(pattern, body string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.note(r); _, _ = io.WriteString(w, body) })
	}
	s.server = httptest.NewServer(mux)
	t.Cleanup(s.server.Close)
	host := strings.TrimPrefix(s.server.URL, "http://")
	var domains []string
	for _, name := range []string{"idp", "agentVep", "asyncMessagingEnt", "accountConfigReadWrite", "msgHist", "acCdnDomain"} {
		domains = append(domains, `{"service":"`+name+`","account":"12345678","baseURI":"`+host+`"}`)
	}
	answer("GET "+account+"/service/baseURI.json", `{"baseURIs":[`+strings.Join(domains, ",")+`]}`)
	answer("GET "+account+"/service/idp/baseURI.json", domains[0])
	mux.HandleFunc("GET "+account+"/configuration/le-connectors/all-connectors", func(w http.ResponseWriter, r *http.Request) {
		s.note(r)
		_ = json.NewEncoder(w).Encode([]any{map[string]any{"id": 4056284238, "name": "my idp", "type": s.flow, "configuration": map[string]any{
			"issuer": issuer, "clientId": "liveengage", "pkceEnabled": true, "preferred": true, "jwtValidationType": "JWKS_ENDPOINT",
		}}})
	})
	answer("GET "+account+"/configuration/le-users/users", `[{"id":"7","loginName":"ann","fullName":"Ann Agent","isEnabled":true}]`)
	mux.HandleFunc("POST "+account+"/login", func(w http.ResponseWriter, r *http.Request) {
		if body := s.note(r); !strings.Contains(body, `"good-password"`) && !strings.Contains(body, `"accessTokenSecret":"d"`) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "Session_id", Value: "s"})
		_, _ = io.WriteString(w, `{"csrf":"c","bearer":"`+lpBearer+`","sessionTTl":"28800000"}`)
	})
	answer("POST "+account+"/logout", "")
	mux.HandleFunc("POST "+account+"/app/4056284238/authenticate", s.authenticate)
	mux.HandleFunc("GET /ws_api/account/12345678/messaging/consumer", s.messaging)
	mux.HandleFunc("POST /messaging_history"+account+"/conversations/conversation/search", func(w http.ResponseWriter, r *http.Request) {
		s.note(r)
		if r.Header.Get("Authorization") != "Bearer "+lpBearer {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{"conversationHistoryRecords":[{"sdes":{"events":[
			{"sdeType":"CUSTOMER_INFO","customerInfo":{"serverTimeStamp":"1","customerInfo":{"customerType":"vip","balance":"-400.99"}}},
			{"sdeType":"PERSONAL_INFO","personalInfo":{"serverTimeStamp":"1","personalInfo":{"name":"Jane"}}}]}}]}`)
	})
	return s
}

func (s *lpServices) note(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	s.bodies = append(s.bodies, string(body))
	return string(body)
}

// authenticate is the idp service: a code is redeemed as LivePerson's servers do.
func (s *lpServices) authenticate(w http.ResponseWriter, r *http.Request) {
	var body map[string]string
	_ = json.Unmarshal([]byte(s.note(r)), &body)
	token := body["id_token"]
	if body["code"] != "" {
		form := url.Values{"grant_type": {"authorization_code"}, "code": {body["code"]}, "redirect_uri": {body["redirect_uri"]}, "code_verifier": {body["code_verifier"]}}
		req, err := http.NewRequest(http.MethodPost, s.issuer+"/token", strings.NewReader(form.Encode()))
		if err == nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.SetBasicAuth("liveengage", dev.LiveEngageSecret)
			if res, err := http.DefaultClient.Do(req); err == nil {
				var got struct {
					IDToken string `json:"id_token"`
				}
				_ = json.NewDecoder(res.Body).Decode(&got)
				_ = res.Body.Close()
				token = got.IDToken
			}
		}
	}
	seen, err := parseSDEs(token)
	if err != nil || s.refuse != "" {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"internalErrorCode":"`+s.refuse+`"}`)
		return
	}
	s.mu.Lock()
	s.sdes = seen.Attributes
	s.mu.Unlock()
	_, _ = io.WriteString(w, `{"token":"lp-token"}`)
}

func (s *lpServices) messaging(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = conn.CloseNow() }()
	trusted := r.Header.Get("Authorization") == "jwt lp-token"
	for {
		_, text, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		trusted = trusted || strings.Contains(string(text), `"jwt":"lp-token"`)
		if !trusted {
			_ = conn.Close(4407, "")
			return
		}
		s.mu.Lock()
		s.said = append(s.said, string(text))
		s.mu.Unlock()
		var m struct{ ID, Type string }
		_ = json.Unmarshal(text, &m)
		_ = conn.Write(r.Context(), websocket.MessageText, []byte(`{"kind":"resp","reqId":"`+m.ID+`","code":200,"type":"x","body":{"conversationId":"conv-1"}}`))
	}
}

// interrupting interrupts a command when it prints a text.
type interrupting struct {
	bytes.Buffer

	at        string
	interrupt func()
}

func (i *interrupting) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(i.at)) {
		i.interrupt()
	}
	return i.Buffer.Write(p)
}

// liveengageOf runs idp liveengage with an environment of its own.
func liveengageOf(ctx context.Context, env map[string]string, stdin string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(ctx, &process{
		stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs, now: time.Now, getenv: func(name string) string { return env[name] },
	}, append([]string{"liveengage"}, args...))
	return code, out.String(), errs.String()
}

// TestLiveengageAPITables have nothing that steers a terminal.
func TestLiveengageAPITables(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, printTable(&out, [][]string{{"a\x1b[2J", ""}}))
	require.Equal(t, "a\uFFFD[2J  -\n", out.String())
}

func TestLiveengageDomainsAndConnectors(t *testing.T) {
	t.Parallel()
	s := startServices(t, "https://id.brand.example", 2)
	at := "--domains=" + s.server.URL
	code, stdout, stderr := liveengageOf(t.Context(), nil, "", "domains", "12345678", at)
	require.Equal(t, 0, code, stderr)
	require.Equal(t, "acCdnDomain             "+strings.TrimPrefix(s.server.URL, "http://"), strings.Split(stdout, "\n")[0])
	require.Len(t, strings.Split(strings.TrimSpace(stdout), "\n"), 6)
	code, stdout, stderr = liveengageOf(t.Context(), nil, "", "domains", "12345678", at, "--service", "idp", "--json")
	require.Equal(t, 0, code, stderr)
	var all []map[string]string
	require.NoError(t, json.Unmarshal([]byte(stdout), &all))
	require.Equal(t, "idp", all[0]["service"])
	code, _, stderr = liveengageOf(t.Context(), nil, "", "domains", "87654321", at)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "domains returned 404")

	code, stdout, stderr = liveengageOf(t.Context(), nil, "", "connectors", "12345678", at)
	require.Equal(t, 0, code, stderr)
	require.Regexp(t, `(?m)^4056284238 +my idp +code +yes +https://id\.brand\.example +liveengage +JWKS_ENDPOINT +preferred$`, stdout)
	code, stdout, _ = liveengageOf(t.Context(), nil, "", "connectors", "12345678", at, "--json")
	require.Equal(t, 0, code)
	require.Contains(t, stdout, `"id": 4056284238`)
}

// TestLiveengageAPINeedsLive: nobody beyond this machine is contacted by mistake.
func TestLiveengageAPINeedsLive(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"domains", "12345678"},
		{"connectors", "12345678", "--domains", "https://api.example"},
		{"users", "--account", "12345678", "--user", "ann"},
		{"converse", "--account", "12345678", "--domains", "http://127.0.0.1:1", "--issuer", "https://id.brand.example"},
	} {
		code, _, stderr := liveengageOf(t.Context(), map[string]string{"IDP_LP_PASSWORD": "p"}, "", args...)
		require.Equal(t, 2, code, stderr)
		require.Contains(t, stderr, "is not on this machine; add --live")
	}
	for says, args := range map[string][]string{
		"without https":            {"domains", "12345678", "--live", "--domains", "http://api.example"},
		"is not an account number": {"domains", "1/2", "--domains", "http://127.0.0.1:1"},
		"is not a URL":             {"domains", "12345678", "--domains", "127.0.0.1:1"},
		"--user NAME or --key":     {"users", "--account", "1", "--domains", "http://127.0.0.1:1"},
		"name who logs in":         {"login", "--account", "1", "--domains", "http://127.0.0.1:1"},
		"IDP_LP_PASSWORD":          {"login", "--account", "1", "--domains", "http://127.0.0.1:1", "--user", "ann"},
		"missing flags":            {"converse"},
	} {
		code, _, stderr := liveengageOf(t.Context(), nil, "", args...)
		require.Equal(t, 2, code, stderr)
		require.Contains(t, stderr, says)
	}
}

func TestLiveengageLoginAndUsers(t *testing.T) {
	t.Parallel()
	s := startServices(t, "", 1)
	at := []string{"--domains", s.server.URL, "--account", "12345678"}
	login := func(more ...string) []string { return append(append([]string{"login"}, at...), more...) }
	password := map[string]string{"IDP_LP_PASSWORD": "good-password"}

	code, stdout, stderr := liveengageOf(t.Context(), password, "", login("--user", "ann")...)
	require.Equal(t, 0, code, stderr)
	require.Contains(t, stdout, "480 minutes")
	require.NotContains(t, stdout+stderr, lpBearer)
	require.Equal(t, "POST /api/account/12345678/logout", s.asked[len(s.asked)-1])
	require.JSONEq(t, `{"csrf":"c"}`, s.bodies[len(s.bodies)-1])

	code, stdout, _ = liveengageOf(t.Context(), nil, "good-password\n", login("--user", "ann", "--show-bearer", "--json")...)
	require.Equal(t, 0, code)
	require.Contains(t, stdout, lpBearer)
	require.Equal(t, "POST /api/account/12345678/login", s.asked[len(s.asked)-1], "it stays open")

	n := len(s.asked)
	code, _, stderr = liveengageOf(t.Context(), map[string]string{"IDP_LP_PASSWORD": "not-that"}, "", login("--user", "ann")...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "check the user name and password")
	require.NotContains(t, stderr, "not-that")
	require.Len(t, s.asked, n+2, "domains and one login: it is not tried again")

	key := filepath.Join(t.TempDir(), "key.json")
	require.NoError(t, os.WriteFile(key, []byte(`{"appKey":"a","secret":"b","accessToken":"c","accessTokenSecret":"d"}`), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &interrupting{at: "bot", interrupt: cancel}
	code = run(ctx, &process{stdin: strings.NewReader(""), stdout: out, stderr: io.Discard, now: time.Now, getenv: func(string) string { return "" }},
		append([]string{"liveengage"}, login("--user", "bot", "--key", key, "--keep-alive")...))
	require.Equal(t, 0, code)
	require.Contains(t, out.String(), "480 minutes")
	require.Equal(t, "POST /api/account/12345678/logout", s.asked[len(s.asked)-1], "logged out when interrupted")

	code, stdout, stderr = liveengageOf(t.Context(), password, "", append([]string{"users", "--user", "ann"}, at...)...)
	require.Equal(t, 0, code, stderr)
	require.Regexp(t, `7 +ann +Ann Agent`, stdout)
	code, stdout, stderr = liveengageOf(t.Context(), nil, "", append([]string{"users", "--key", key, "--json"}, at...)...)
	require.Equal(t, 0, code, stderr)
	require.Contains(t, stdout, `"loginName": "ann"`)
	require.Equal(t, "GET /api/account/12345678/configuration/le-users/users", s.asked[len(s.asked)-1], "a key needs no login")
}

// TestLiveengageLoginNamesWhoRefused: the Domain API does not know the account, so
// nobody has looked at a password.
func TestLiveengageLoginNamesWhoRefused(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":{"message":"There is no such account."}}`)
	}))
	defer server.Close()
	for _, command := range []string{"login", "users"} {
		code, _, stderr := liveengageOf(t.Context(), map[string]string{"IDP_LP_PASSWORD": "p"}, "", command, "--domains", server.URL, "--account", "99", "--user", "ann")
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "There is no such account; the Domain API rejected the request before the login; check --account and --domains")
		require.Contains(t, stderr, `service=domains request="GET /api/account/99/service/baseURI.json"`)
		require.NotContains(t, stderr, "name and password")
		require.NotContains(t, stderr, "agentVep")
	}
}

// TestLiveengageConverse: jane signs in at a real provider, writes a line, and the
// agent sees her, in each flow, with and without a login.
func TestLiveengageConverse(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	for _, flow := range []int{1, 2} {
		s := startServices(t, issuer, flow)
		args := []string{"converse", "--domains", s.server.URL, "--account", "12345678", "--issuer", issuer, "--say", "Where is my parcel?"}
		code, stdout, stderr := liveengageOf(t.Context(), nil, "", args...)
		require.Equal(t, 0, code, stderr)
		require.Contains(t, stdout, "jane at "+issuer)
		require.Contains(t, stdout, "conv-1")
		require.Contains(t, stdout, "according to the brand's token")
		require.Regexp(t, `(?m)^ +firstname +Jane$`, stdout)
		require.Regexp(t, `(?m)^ +balance +`, stdout)
		require.Contains(t, strings.Join(s.said, "\n"), `"message":"Where is my parcel?"`)
		require.NotEmpty(t, s.sdes)
		all := strings.Join(s.bodies, "\n")
		require.Equal(t, flow == 2, strings.Contains(all, `"code_verifier"`), all)
		require.Equal(t, flow == 1, strings.Contains(all, `"id_token"`))

		password := map[string]string{"IDP_LP_PASSWORD": "good-password"}
		code, stdout, stderr = liveengageOf(t.Context(), password, "", append(args, "--user", "ann", "--in-band", "--person", "victor")...)
		require.Equal(t, 0, code, stderr)
		require.Contains(t, stdout, "according to the Messaging Interactions API")
		require.Regexp(t, `(?m)^ +customerType +vip$`, stdout)
		require.Contains(t, strings.Join(s.said, "\n"), "InitConnection")
		code, stdout, _ = liveengageOf(t.Context(), password, "", append(args, "--user", "ann", "--json")...)
		require.Equal(t, 0, code)
		var report conversation
		require.NoError(t, json.Unmarshal([]byte(stdout), &report))
		require.Equal(t, "interactions", report.Sees.From)
		require.Equal(t, "4056284238", report.Connector)
	}
}

// TestLiveengageConverseFails with LivePerson's code, or the provider's words.
func TestLiveengageConverseFails(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	s := startServices(t, issuer, 1)
	s.refuse = "9007"
	args := []string{"converse", "--once", "--domains", s.server.URL, "--account", "12345678", "--issuer", issuer}
	code, _, stderr := liveengageOf(t.Context(), nil, "", args...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "idp returned 500 Internal Server Error, code 9007")
	require.Contains(t, stderr, "next_try=never")

	code, _, stderr = liveengageOf(t.Context(), map[string]string{"IDP_PERSON_PASSWORD": "wrong"}, "", args...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "get a credential from the brand")
	began := time.Now()
	code, _, stderr = liveengageOf(t.Context(), map[string]string{"IDP_PERSON_PASSWORD": "wrong"}, "", append(args[:1:1], args[2:]...)...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "next_try=never", "a wrong password is not tried again, also without --once")
	require.Less(t, time.Since(began), 5*time.Second)

	code, _, stderr = liveengageOf(t.Context(), nil, "", append(args, "--client", "other")...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "no connector with exactly the issuer "+issuer+" and the client other; see idp liveengage connectors 12345678 --domains "+s.server.URL)
	code, _, stderr = liveengageOf(t.Context(), nil, "", append(args, "--connector", "1")...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "has no connector 1; see idp liveengage connectors 12345678 --domains "+s.server.URL)
	require.Equal(t, "idp liveengage x --live", serviceFlags{Domains: "https://api.liveperson.net", Live: true}.commandLine("x"))
}
