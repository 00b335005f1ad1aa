package sim_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/memnet"
	"idpbridge/internal/secret"
	"idpbridge/liveengage"
	"idpbridge/liveengage/setup"
	"idpbridge/liveengage/sim"
)

const account = "12345678"

// Addresses of the tests' network.
const (
	simAddress      = "127.0.0.1:1"
	providerAddress = "127.0.0.1:2"
	otherAddress    = "127.0.0.1:3"
)

// Connectors of a simulation.
const (
	implicitID = 1
	codeID     = 2
	pkceID     = 3
	keySetID   = 4
	botID      = 5
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

// simulation is a simulator with a fake identity provider, on a network in memory.
type simulation struct {
	*sim.Simulator

	t       *testing.T
	network *memnet.Network
	idp     *fakeProvider
	url     string

	mu  sync.Mutex
	now time.Time
}

// newSimulation starts a simulator whose clock stands still. Its timeouts are so long
// that no test reaches them by accident. A test of timeouts sets its own, and runs in a
// bubble of testing/synctest.
func newSimulation(t *testing.T, change func(*sim.Config)) *simulation {
	t.Helper()
	network := memnet.New(t)
	b := &simulation{
		t: t, network: network, idp: newFakeProvider(t, network, providerAddress), url: "http://" + simAddress, now: start,
	}
	facts := b.idp.facts()
	connector := func(id int64, flow liveengage.Flow, key liveengage.KeyType, pkce bool) sim.Connector {
		c := sim.Connector{ID: id, Connector: setup.NewConnector(facts, flow, key)}
		c.ClientSecret = secret.New("the secret: 50%25 +")
		c.Configuration.PKCEEnabled = pkce
		c.Configuration.Preferred = id == implicitID
		return c
	}
	cfg := sim.Config{
		Address:       b.url,
		HTTP:          network.Client(),
		Now:           b.clock,
		Key:           simKey(),
		Issuer:        b.idp.URL,
		Timeout:       time.Hour,
		SocketTimeout: time.Hour,
		Connectors: []sim.Connector{
			connector(implicitID, liveengage.FlowImplicit, liveengage.KeyTypePasted, false),
			connector(codeID, liveengage.FlowCode, liveengage.KeyTypePasted, false),
			connector(pkceID, liveengage.FlowCode, liveengage.KeyTypeJWKS, true),
			connector(keySetID, liveengage.FlowImplicit, liveengage.KeyTypeJWKS, false),
			connector(botID, liveengage.FlowDelegation, liveengage.KeyTypePasted, false),
		},
	}
	cfg.SetSigningKey(ownKey())
	if change != nil {
		change(&cfg)
	}
	var err error
	b.Simulator, err = sim.New(cfg)
	require.NoError(t, err)
	network.Serve(t, simAddress, b.Handler())
	return b
}

func (b *simulation) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// advance moves the simulator's clock.
func (b *simulation) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// call makes a request. It returns the status and the body, decoded if it is a JSON
// object.
func (b *simulation) call(method, path string, body any, headers ...string) (int, map[string]any, string) {
	b.t.Helper()
	var content io.Reader
	if text, ok := body.(string); ok {
		content = strings.NewReader(text)
	} else if body != nil {
		raw, err := json.Marshal(body)
		require.NoError(b.t, err)
		content = bytes.NewReader(raw)
	}
	r, err := http.NewRequest(method, b.url+path, content)
	require.NoError(b.t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := b.network.Client().Do(r)
	require.NoError(b.t, err)
	raw, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	require.NoError(b.t, res.Body.Close())
	var out map[string]any
	_ = json.Unmarshal(raw, &out) // pages and lists are read as text
	return res.StatusCode, out, string(raw)
}

// postForm submits a form and returns the status and the page.
func (b *simulation) postForm(path string, form url.Values) (int, string) {
	b.t.Helper()
	status, _, page := b.call("POST", path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	return status, page
}

// submitForm submits a form that redirects to another page.
func (b *simulation) submitForm(path string, form url.Values) {
	b.t.Helper()
	status, page := b.postForm(path, form)
	require.Equal(b.t, http.StatusSeeOther, status, page)
}

// requestToken requests LivePerson's token.
func (b *simulation) requestToken(path string, body any) string {
	b.t.Helper()
	status, out, text := b.call("POST", path, body)
	require.Equal(b.t, 200, status, text)
	for _, name := range []string{"token", "jwt"} {
		if token, ok := out[name].(string); ok {
			return token
		}
	}
	b.t.Fatal("no token: " + text)
	return ""
}

// signUpVisitor returns the token of a new visitor.
func (b *simulation) signUpVisitor() string {
	b.t.Helper()
	return b.requestToken(accountPath+"/signup", nil)
}

// decodePayload returns the claims of a token without verifying it.
func decodePayload(t testing.TB, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	var out map[string]any
	require.NoError(t, json.Unmarshal(body, &out))
	return out
}
