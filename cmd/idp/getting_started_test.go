package main

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"idpbridge/dev"

	"github.com/stretchr/testify/require"
)

// TestGettingStarted walks through LivePerson's page "Let's get started" with the
// commands, against the simulator: where the services are, a login as a user and as
// an application, a call that is authorized, an authentication server, a
// conversation that is authenticated in every way, an API key.
func TestGettingStarted(t *testing.T) {
	t.Parallel()
	issuer, simulator := startDevWithSimulator(t, time.Now)
	lp := func(env map[string]string, args ...string) string {
		t.Helper()
		code, out, stderr := runCommandWithEnv(t, env, "", append(append([]string{"liveengage"}, args...), "--domains", simulator, "--once")...)
		require.Equal(t, 0, code, stderr)
		return out
	}
	agent := map[string]string{"IDP_LP_PASSWORD": "agent-password"}
	require.Regexp(t, `(?m)^idp +127\.0\.0\.1:`, lp(nil, "domains", dev.Account))
	require.Regexp(t, `logged in as +agent`, lp(agent, "login", "--account", dev.Account, "--user", "agent"))
	require.Contains(t, lp(agent, "users", "--account", dev.Account, "--user", "agent"), "Demo Agent")

	// Step 7: an API key is made on a page; its four values log an application in,
	// and sign a call by themselves.
	b := newBrowser(t)
	page := b.post(simulator+"/keys", url.Values{"name": {"my bot"}})
	values := regexp.MustCompile(`<dt>(App key|Secret|Access token|Access token secret)</dt><dd><code class="pick">([^<]+)</code>`).FindAllStringSubmatch(page.body, -1)
	require.Len(t, values, 4, page.body)
	key, err := json.Marshal(map[string]string{"appKey": values[0][2], "secret": values[1][2], "accessToken": values[2][2], "accessTokenSecret": values[3][2]})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "key.json")
	require.NoError(t, os.WriteFile(file, key, 0o600))
	require.Regexp(t, `logged in as +bot`, lp(nil, "login", "--account", dev.Account, "--user", "bot", "--key", file))
	require.Contains(t, lp(nil, "users", "--account", dev.Account, "--key", file), "Demo Bot")

	// Step 6: every kind of connector.
	list := lp(nil, "connectors", dev.Account)
	for _, name := range []string{"Implicit", "Code", "Code with PKCE", "Implicit, encrypted"} {
		id := findConnectorID(t, simulator, name)
		require.Contains(t, list, id)
		for _, more := range [][]string{nil, {"--in-band"}} {
			out := lp(agent, append([]string{"converse", "--account", dev.Account, "--issuer", issuer, "--connector", id, "--say", "Hello from " + name, "--user", "agent"}, more...)...)
			for _, seen := range []string{`message +Hello from `, `customerType +gold`, `customerStatus +active`, `balance +1250\.75`, `name +Jane`} {
				require.Regexp(t, seen, out, name)
			}
		}
		require.Contains(t, b.get(simulator+"/agent").body, "Jane")
	}
}
