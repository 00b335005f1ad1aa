package sim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const searches = "/messaging_history/api/account/" + account + "/conversations/search"

// logIn signs the demo agent in.
func (b *simulation) logIn() string {
	b.t.Helper()
	_, out, text := b.call("POST", "/api/account/"+account+"/login?v=1.3", map[string]any{"username": "agent", "password": "agent-password"})
	bearer, ok := out["bearer"].(string)
	require.True(b.t, ok, text)
	return "Bearer " + bearer
}

// TestMappedClaims: standard claims come where LiveEngage has them, and take nothing
// from lp_sdes.
func TestMappedClaims(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	b.dialSocket(b.requestToken(authenticatePath(implicitID), map[string]any{"id_token": signToken(t, b.idp.claims(map[string]any{
		"gender": "other", "email": "jane@example.com", "lp_sdes": []any{
			map[string]any{"type": "personal", "personal": map[string]any{"contacts": []any{map[string]any{"phone": "+1 212"}}}},
			map[string]any{"type": "ctmrinfo", "info": map[string]any{"imei": "35-209900", "balance": -400.99}},
		},
	}))})).openConversation()
	visitor := b.dialSocket(b.requestToken("/api/account/"+account+"/signup", nil))
	visitor.openConversation()
	_, _, text := b.call("POST", searches+"?v=2", map[string]any{}, "Authorization", b.logIn())
	for _, want := range []string{`"gender":"OTHER"`, `"email":"jane@example.com"`, `"phone":"+1 212"`, `"imei":"35-209900"`, `"balance":-400.99`, `"unAuthSdes"`} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "+12125550101")
	_, _, text = b.call("POST", searches+"?v=1", map[string]any{}, "Authorization", b.logIn())
	require.Contains(t, text, `"balance":"-400.99"`, "version 1 has text alone")
	require.NotContains(t, text, "unAuthSdes", "and what came with a token alone")
	status, _, _ := b.call("POST", searches+"?v=3", map[string]any{}, "Authorization", b.logIn())
	require.Equal(t, http.StatusBadRequest, status)
	var out struct {
		Records []json.RawMessage `json:"conversationHistoryRecords"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &out))
	require.Len(t, out.Records, 2)
}

// blockedWriter is a client that reads nothing until it is let go.
type blockedWriter struct {
	*httptest.ResponseRecorder

	reached, let chan struct{}
}

func (s *blockedWriter) Write(raw []byte) (int, error) {
	close(s.reached)
	<-s.let
	return len(raw), nil
}

// TestSlowReaders: whoever does not read an answer holds nobody else up.
func TestSlowReaders(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	handler, good := b.Handler(), b.logIn()
	for _, c := range []struct{ method, path, bearer string }{
		{http.MethodPost, searches, good}, {http.MethodPost, searches, "Bearer wrong"}, {http.MethodGet, "/agent", ""}, {http.MethodGet, "/keys", ""},
	} {
		w := &blockedWriter{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
		r := httptest.NewRequest(c.method, b.url+c.path, strings.NewReader("{}"))
		r.Header.Set("Authorization", c.bearer)
		done := make(chan struct{})
		go func() { handler.ServeHTTP(w, r); close(done) }()
		<-w.reached
		client := http.Client{Timeout: 2 * time.Second}
		res, err := client.Get(b.url + "/connectors")
		close(w.let)
		<-done
		require.NoError(t, err, c.path)
		require.NoError(t, res.Body.Close())
	}
}

// TestInUse: who comes again and again is not forgotten for strangers' sake.
func TestInUse(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	jane := goodToken(t, b)
	l := b.dialSocket(b.requestToken(authenticatePath(implicitID), jane))
	id, bearer := l.openConversation(), b.logIn()
	for round := range 3 {
		for range 260 {
			b.requestToken("/api/account/"+account+"/signup", nil)
		}
		for range 60 {
			b.logIn()
		}
		if round == 0 {
			b.requestToken(authenticatePath(implicitID), jane)
		} else {
			l.sendText(id, "Still here.")
		}
		status, _, _ := b.call("POST", searches, map[string]any{}, "Authorization", bearer)
		require.Equal(t, http.StatusOK, status, round)
	}
	_, _, text := b.call("GET", "/agent/"+id, nil)
	require.Contains(t, text, "Jane Doe")
}
