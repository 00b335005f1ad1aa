package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"idpbridge/dev"
)

// fakeServices are LivePerson's services on one host, as far as the commands need them.
// They record what they receive. Like the real ones, they redeem codes at the provider
// and read its tokens.
type fakeServices struct {
	issuer    string
	server    *httptest.Server
	errorCode string // of authenticate; empty: it succeeds

	mu       sync.Mutex
	requests []string // method and path
	bodies   []string // of these requests
	messages []string // on the socket
	sdes     json.RawMessage
}

const (
	fakePassword    = "good-password"
	fakeBearer      = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	fakeConnectorID = "4056284238"
	fakeAccountPath = "/api/account/12345678"

	fakeUsers        = `[{"id":"7","loginName":"ann","fullName":"Ann Agent","isEnabled":true}]`
	fakeInteractions = `{"conversationHistoryRecords":[{"sdes":{"events":[
		{"sdeType":"CUSTOMER_INFO","customerInfo":{"serverTimeStamp":"1",
			"customerInfo":{"customerType":"vip","balance":"-400.99"}}},
		{"sdeType":"PERSONAL_INFO","personalInfo":{"serverTimeStamp":"1","personalInfo":{"name":"Jane"}}}]}}]}`
)

// startFakeServices starts services whose only connector is of the type: 1 implicit
// flow, 2 code flow.
func startFakeServices(t testing.TB, issuer string, connectorType int) *fakeServices {
	t.Helper()
	s := &fakeServices{issuer: issuer}
	mux := http.NewServeMux()
	s.server = httptest.NewServer(mux)
	t.Cleanup(s.server.Close)
	connectors, err := json.Marshal([]any{map[string]any{
		"id": json.Number(fakeConnectorID), "name": "my idp", "type": connectorType,
		"configuration": map[string]any{
			"issuer": issuer, "clientId": "liveengage", "pkceEnabled": true, "preferred": true,
			"jwtValidationType": "JWKS_ENDPOINT",
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for pattern, body := range map[string]string{
		"GET " + fakeAccountPath + "/service/baseURI.json":                       s.domainList(),
		"GET " + fakeAccountPath + "/configuration/le-connectors/all-connectors": string(connectors),
		"GET " + fakeAccountPath + "/configuration/le-users/users":               fakeUsers,
		"POST " + fakeAccountPath + "/logout":                                    "",
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			s.record(r)
			_, _ = io.WriteString(w, body)
		})
	}
	mux.HandleFunc("POST "+fakeAccountPath+"/login", s.login)
	mux.HandleFunc("POST "+fakeAccountPath+"/app/"+fakeConnectorID+"/authenticate", s.authenticate)
	mux.HandleFunc("GET /ws_api/account/12345678/messaging/consumer", s.serveSocket)
	mux.HandleFunc("POST /messaging_history"+fakeAccountPath+"/conversations/conversation/search", s.searchHistory)
	return s
}

func (s *fakeServices) domainList() string {
	host := strings.TrimPrefix(s.server.URL, "http://")
	names := []string{"idp", "agentVep", "asyncMessagingEnt", "accountConfigReadWrite", "msgHist", "acCdnDomain"}
	domains := make([]string, 0, len(names))
	for _, name := range names {
		domains = append(domains, fmt.Sprintf(`{"service":%q,"account":"12345678","baseURI":%q}`, name, host))
	}
	return `{"baseURIs":[` + strings.Join(domains, ",") + `]}`
}

// record records a request and returns its body.
func (s *fakeServices) record(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	s.bodies = append(s.bodies, string(body))
	return string(body)
}

// lastRequest returns the method and path of the last request.
func (s *fakeServices) lastRequest() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[len(s.requests)-1]
}

func (s *fakeServices) countRequests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// allBodies returns the bodies of the requests so far, one per line.
func (s *fakeServices) allBodies() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.bodies, "\n")
}

// allMessages returns the messages on the socket so far, one per line.
func (s *fakeServices) allMessages() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.messages, "\n")
}

func (s *fakeServices) login(w http.ResponseWriter, r *http.Request) {
	body := s.record(r)
	if !strings.Contains(body, `"`+fakePassword+`"`) && !strings.Contains(body, `"accessTokenSecret":"d"`) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "Session_id", Value: "s"})
	_, _ = io.WriteString(w, `{"csrf":"c","bearer":"`+fakeBearer+`","sessionTTl":"28800000"}`)
}

func (s *fakeServices) searchHistory(w http.ResponseWriter, r *http.Request) {
	s.record(r)
	if r.Header.Get("Authorization") != "Bearer "+fakeBearer {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	_, _ = io.WriteString(w, fakeInteractions)
}

// authenticate is LivePerson's idp service.
func (s *fakeServices) authenticate(w http.ResponseWriter, r *http.Request) {
	var body map[string]string
	_ = json.Unmarshal([]byte(s.record(r)), &body)
	token := body["id_token"]
	if body["code"] != "" {
		token = s.redeemCode(body)
	}
	view, err := parseSDEs(token)
	if err != nil || s.errorCode != "" {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"internalErrorCode":"`+s.errorCode+`"}`)
		return
	}
	s.mu.Lock()
	s.sdes = view.Attributes
	s.mu.Unlock()
	_, _ = io.WriteString(w, `{"token":"lp-token"}`)
}

// redeemCode redeems a code as LivePerson's servers do. It returns the ID token, or ""
// if that fails.
func (s *fakeServices) redeemCode(body map[string]string) string {
	form := url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {body["code"]},
		"redirect_uri":  {body["redirect_uri"]},
		"code_verifier": {body["code_verifier"]},
	}
	r, err := http.NewRequest(http.MethodPost, s.issuer+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		return ""
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("liveengage", dev.LiveEngageSecret)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return ""
	}
	defer func() { _ = res.Body.Close() }()
	var tokens struct {
		IDToken string `json:"id_token"`
	}
	_ = json.NewDecoder(res.Body).Decode(&tokens)
	return tokens.IDToken
}

func (s *fakeServices) serveSocket(w http.ResponseWriter, r *http.Request) {
	socket, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = socket.CloseNow() }()
	trusted := r.Header.Get("Authorization") == "jwt lp-token"
	for {
		_, text, err := socket.Read(r.Context())
		if err != nil {
			return
		}
		trusted = trusted || strings.Contains(string(text), `"jwt":"lp-token"`)
		if !trusted {
			_ = socket.Close(4407, "")
			return
		}
		s.mu.Lock()
		s.messages = append(s.messages, string(text))
		s.mu.Unlock()
		var request struct{ ID string }
		_ = json.Unmarshal(text, &request)
		const response = `{"kind":"resp","reqId":%q,"code":200,"type":"x","body":{"conversationId":"conv-1"}}`
		_ = socket.Write(r.Context(), websocket.MessageText, fmt.Appendf(nil, response, request.ID))
	}
}

// runLiveengage runs a command of idp liveengage to its end.
func runLiveengage(
	t testing.TB, env map[string]string, stdin string, args ...string,
) (code int, stdout, stderr string) {
	t.Helper()
	return runCommandWithEnv(t, env, stdin, append([]string{"liveengage"}, args...)...)
}
