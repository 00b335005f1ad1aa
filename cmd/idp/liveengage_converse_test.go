package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/dev"
	"idpbridge/server/servertest"
)

// TestLiveengageConverse: Jane signs in at a real provider and sends a message, and the
// agent sees her: in each flow, with and without a login.
func TestLiveengageConverse(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	for name, connectorType := range map[string]int{"implicit": 1, "code": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startFakeServices(t, issuer, connectorType)
			converse := []string{
				"converse", "--domains", s.server.URL, "--account", "12345678", "--issuer", issuer,
				"--say", "Where is my parcel?",
			}
			code, stdout, stderr := runLiveengage(t, nil, "", converse...)
			require.Equal(t, 0, code, stderr)
			require.Contains(t, stdout, "jane at "+issuer)
			require.Contains(t, stdout, "conv-1")
			require.Contains(t, stdout, "according to the brand's token")
			require.Regexp(t, `(?m)^ +firstname +Jane$`, stdout)
			require.Regexp(t, `(?m)^ +balance +`, stdout)
			require.Contains(t, s.allMessages(), `"message":"Where is my parcel?"`)
			require.NotEmpty(t, s.sdes)
			bodies := s.allBodies()
			require.Equal(t, name == "code", strings.Contains(bodies, `"code_verifier"`), bodies)
			require.Equal(t, name == "implicit", strings.Contains(bodies, `"id_token"`), bodies)

			password := map[string]string{"IDP_LP_PASSWORD": fakePassword}
			code, stdout, stderr = runLiveengage(t, password, "",
				append(converse, "--user", "ann", "--in-band", "--person", "victor")...)
			require.Equal(t, 0, code, stderr)
			require.Contains(t, stdout, "according to the Messaging Interactions API")
			require.Regexp(t, `(?m)^ +customerType +vip$`, stdout)
			require.Contains(t, s.allMessages(), "InitConnection")
			code, stdout, stderr = runLiveengage(t, password, "", append(converse, "--user", "ann", "--json")...)
			require.Equal(t, 0, code, stderr)
			var report conversation
			require.NoError(t, json.Unmarshal([]byte(stdout), &report))
			require.Equal(t, viewFromInteractions, report.Sees.From)
			require.Equal(t, fakeConnectorID, report.Connector)
		})
	}
}

// TestConverseWithEveryConnector: LivePerson's services see Jane with each connector of
// the simulator, with the token in a header and in the first message.
func TestConverseWithEveryConnector(t *testing.T) {
	t.Parallel()
	issuer, simulator := startDevWithSimulator(t)
	agent := map[string]string{"IDP_LP_PASSWORD": "agent-password"}
	for _, name := range []string{"Implicit", "Code", "Code with PKCE", "Implicit, encrypted"} {
		for _, inBand := range []string{"--in-band=false", "--in-band"} {
			code, stdout, stderr := runLiveengage(t, agent, "",
				"converse", "--domains", simulator, "--once", "--account", dev.Account, "--issuer", issuer,
				"--connector", findConnectorID(t, simulator, name), "--say", "Hello from "+name, "--user", "agent", inBand)
			require.Equal(t, 0, code, stderr)
			for _, seen := range []string{
				"message +Hello from " + name, "customerType +gold", "customerStatus +active", `balance +1250\.75`, "name +Jane",
			} {
				require.Regexp(t, seen, stdout, name)
			}
		}
		require.Contains(t, servertest.NewBrowser(t).Get(simulator+"/agent").Body, "Jane")
	}
}

// TestLiveengageConverseFails: the message has LivePerson's error code or what the
// provider says, and nothing that can't succeed is retried.
func TestLiveengageConverseFails(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	s := startFakeServices(t, issuer, 1)
	s.errorCode = "9007"
	converse := []string{"converse", "--domains", s.server.URL, "--account", "12345678", "--issuer", issuer}
	code, _, stderr := runLiveengage(t, nil, "", append(converse, "--once")...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "idp returned 500 Internal Server Error, code 9007")
	require.Contains(t, stderr, "next_try=never")

	wrong := map[string]string{"IDP_PERSON_PASSWORD": "wrong"}
	for _, args := range [][]string{append(converse, "--once"), converse} {
		code, _, stderr = runLiveengage(t, wrong, "", args...)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "get a credential from the brand")
		require.Contains(t, stderr, "attempt=1")
		require.Contains(t, stderr, "next_try=never")
		require.NotContains(t, stderr, "attempt=2", "a wrong password is not retried")
	}
}

// TestCommandLine: a command that is suggested calls the same services.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	flags := serviceFlags{Domains: "https://api.liveperson.net", Live: true}
	require.Equal(t, "idp liveengage x --live", flags.commandLine("x"))
	flags = serviceFlags{Domains: "http://127.0.0.1:8090"}
	require.Equal(t, "idp liveengage x --domains http://127.0.0.1:8090", flags.commandLine("x"))
}

// startDevWithSimulator runs idp dev with its simulator and returns their URLs.
func startDevWithSimulator(t *testing.T) (issuer, simulator string) {
	t.Helper()
	simulator = "http://" + servertest.FreeAddress(t)
	issuer = startDev(t, time.Now, "--simulator", strings.TrimPrefix(simulator, "http://"))
	return issuer, simulator
}

// findConnectorID returns the ID of the connector with the name.
func findConnectorID(t *testing.T, simulator, name string) string {
	t.Helper()
	var connectors []struct {
		ID   json.Number `json:"id"`
		Name string      `json:"name"`
	}
	const path = "/api/account/12345678/configuration/le-connectors/all-connectors"
	body := servertest.NewBrowser(t).Get(simulator + path).Body
	require.NoError(t, json.Unmarshal([]byte(body), &connectors))
	for _, c := range connectors {
		if c.Name == name {
			return c.ID.String()
		}
	}
	t.Fatal("no connector " + name + ": " + body)
	return ""
}
