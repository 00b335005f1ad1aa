package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/dev"
	"idpbridge/internal/robot"
	"idpbridge/liveengage"
	"idpbridge/liveengage/api"
)

// TestConverseWithAnAbsentIssuer: one that does not answer, or by 503, is asked four
// times in the documented time; one whose words are a refusal, once.
func TestConverseWithAnAbsentIssuer(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		took   time.Duration
		says   string
	}{
		"silent":  {0, 4*10*time.Second + 30*time.Second, "the provider took more than 10s"},
		"busy":    {503, 30 * time.Second, "503"},
		"another": {404, 0, "404"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &memoryNet{ports: map[string]chan net.Conn{"1": make(chan net.Conn), "2": make(chan net.Conn)}, done: make(chan struct{})}
				n.serve(t, "2", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					_, _ = io.WriteString(w, `{"baseURIs":[{"service":"idp","account":"12345678","baseURI":"127.0.0.1:2"},{"service":"asyncMessagingEnt","account":"12345678","baseURI":"127.0.0.1:2"}]}`)
				}))
				var asked atomic.Int32
				n.serve(t, "1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					asked.Add(1)
					if c.status == 0 {
						<-r.Context().Done()
						return
					}
					w.WriteHeader(c.status)
				}))
				through := n.transport()
				t.Cleanup(through.CloseIdleConnections)
				client, err := api.New(api.Config{
					Account: dev.Account, DomainAPI: soakSimulator, HTTP: &http.Client{Transport: through}, Now: time.Now,
					Log: slog.New(slog.DiscardHandler), Retry: api.RetryThreeTimes,
				})
				require.NoError(t, err)
				in := &credentialSource{
					issuer: soakIssuer, browser: robot.New(through), flow: liveengage.FlowCode,
					clientID: "liveengage", redirectURI: fixedURI, person: robot.Credentials{Username: "jane", Password: "p"},
				}
				began := time.Now()
				_, err = converseCommand{Say: "Hello"}.sendMessage(context.WithoutCancel(t.Context()), client, strconv.Itoa(7), in)
				require.ErrorContains(t, err, "get a credential from the brand: ")
				require.ErrorContains(t, err, c.says)
				require.Equal(t, c.took, time.Since(began))
				require.EqualValues(t, map[bool]int{true: 1, false: 4}[c.took == 0], asked.Load())
			})
		})
	}
}
