package sim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/oauth1"
)

const searchPath = "/messaging_history/api/account/" + account + "/conversations/search"

// search returns the response of the Messaging Interactions API to the demo agent.
func (b *simulation) search(query string) (int, string) {
	b.t.Helper()
	status, _, text := b.call("POST", searchPath+query, map[string]any{}, "Authorization", b.logIn())
	return status, text
}

func TestInteractions(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	c := b.dialSocket(b.requestToken(authenticatePath(implicitID), goodToken(t, b)))
	c.sendText(c.openConversation(), "Hello")
	_, text := b.search("")
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

// TestMappedClaims: standard claims appear in the fields that LiveEngage maps them to, but
// do not replace values of lp_sdes.
func TestMappedClaims(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	claims := b.idp.claims(map[string]any{
		"gender": "other", "email": "jane@example.com", "lp_sdes": []any{
			map[string]any{"type": "personal", "personal": map[string]any{"contacts": []any{map[string]any{"phone": "+1 212"}}}},
			map[string]any{"type": "ctmrinfo", "info": map[string]any{"imei": "35-209900", "balance": -400.99}},
		},
	})
	jane := b.requestToken(authenticatePath(implicitID), map[string]any{"id_token": signToken(t, claims)})
	b.dialSocket(jane).openConversation()
	b.dialSocket(b.signUpVisitor()).openConversation()
	_, text := b.search("?v=2")
	for _, want := range []string{
		`"gender":"OTHER"`, `"email":"jane@example.com"`, `"phone":"+1 212"`, `"imei":"35-209900"`,
		`"balance":-400.99`, `"unAuthSdes"`,
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "+12125550101")
	_, text = b.search("?v=1")
	require.Contains(t, text, `"balance":"-400.99"`, "version 1 has strings only")
	require.NotContains(t, text, "unAuthSdes", "and only attributes from tokens")
	status, _ := b.search("?v=3")
	require.Equal(t, http.StatusBadRequest, status)
	var out struct {
		Records []json.RawMessage `json:"conversationHistoryRecords"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &out))
	require.Len(t, out.Records, 2)
}

// blockedWriter is a client that does not read until it is released.
type blockedWriter struct {
	*httptest.ResponseRecorder

	reached, released chan struct{}
}

func (w *blockedWriter) Write(raw []byte) (int, error) {
	close(w.reached)
	<-w.released
	return len(raw), nil
}

// TestSlowClients: a client that does not read its response does not block others.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	handler, bearer := b.Handler(), b.logIn()
	for _, c := range []struct{ method, path, bearer string }{
		{http.MethodPost, searchPath, bearer},
		{http.MethodPost, searchPath, "Bearer wrong"},
		{http.MethodGet, "/agent", ""},
		{http.MethodGet, "/keys", ""},
	} {
		w := &blockedWriter{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
		r := httptest.NewRequest(c.method, b.url+c.path, strings.NewReader("{}"))
		r.Header.Set("Authorization", c.bearer)
		done := make(chan struct{})
		go func() { handler.ServeHTTP(w, r); close(done) }()
		<-w.reached
		status, _, _ := b.call("GET", "/connectors", nil)
		require.Equal(t, http.StatusOK, status, c.path)
		close(w.released)
		<-done
	}
}

// TestInteractionsWithAnAPIKey: the Messaging Interactions API accepts signed requests as
// well as bearers.
func TestInteractionsWithAnAPIKey(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	key := b.NewAPIKey("my bot")
	credentials := oauth1.Credentials{
		ConsumerKey: key.AppKey, ConsumerSecret: key.Secret, Token: key.AccessToken, TokenSecret: key.AccessTokenSecret,
	}
	u, err := url.Parse(b.url + searchPath + "?v=2")
	require.NoError(t, err)
	signed := credentials.Authorization(http.MethodPost, u, b.clock(), "nonce-1")
	status, _, text := b.call("POST", searchPath+"?v=2", map[string]any{}, "Authorization", signed)
	require.Equal(t, http.StatusOK, status, text)
	require.Contains(t, text, "conversationHistoryRecords")
	status, _, text = b.call("POST", searchPath+"?v=2", map[string]any{}, "Authorization", signed)
	require.Equal(t, http.StatusUnauthorized, status)
	require.Contains(t, text, "oauth_problem=nonce_used")
}
