package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/dev"
	"idpbridge/internal/memnet"
	"idpbridge/internal/robot"
	"idpbridge/liveengage"
	"idpbridge/liveengage/api"
)

// TestConverseWithUnavailableIssuer: an issuer that does not respond, or with 503, is
// tried four times in the documented time; one that responds with 404, once.
func TestConverseWithUnavailableIssuer(t *testing.T) {
	t.Parallel()
	const (
		issuer    = "http://127.0.0.1:1"
		simulator = "http://127.0.0.1:2"
		domains   = `{"baseURIs":[
			{"service":"idp","account":"12345678","baseURI":"127.0.0.1:2"},
			{"service":"asyncMessagingEnt","account":"12345678","baseURI":"127.0.0.1:2"}
		]}`
	)
	for name, c := range map[string]struct {
		status   int // 0: no response
		took     time.Duration
		requests int32
		message  string
	}{
		"no response": {0, 4*10*time.Second + 30*time.Second, 4, "the provider took more than 10s"},
		"503":         {http.StatusServiceUnavailable, 30 * time.Second, 4, "503"},
		"404":         {http.StatusNotFound, 0, 1, "404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := memnet.New(t)
				network.Serve(t, "127.0.0.1:2", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					_, _ = io.WriteString(w, domains)
				}))
				var requests atomic.Int32
				network.Serve(t, "127.0.0.1:1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					requests.Add(1)
					if c.status == 0 {
						<-r.Context().Done()
						return
					}
					w.WriteHeader(c.status)
				}))
				client, err := api.New(api.Config{
					Account:   dev.Account,
					DomainAPI: simulator,
					HTTP:      &http.Client{Transport: network.Transport()},
					Now:       time.Now,
					Log:       slog.New(slog.DiscardHandler),
					Retry:     api.RetryThreeTimes,
				})
				require.NoError(t, err)
				source := &credentialSource{
					issuer:      issuer,
					browser:     robot.New(network.Transport()),
					clientID:    "liveengage",
					redirectURI: liveengage.WindowURI,
					person:      robot.Credentials{Username: "jane", Password: "p"},
					flow:        liveengage.FlowCode,
				}
				started := time.Now()
				ctx := context.WithoutCancel(t.Context())
				_, err = converseCommand{Say: "Hello"}.sendMessage(ctx, client, "7", source)
				require.ErrorContains(t, err, "get a credential from the brand: ")
				require.ErrorContains(t, err, c.message)
				require.Equal(t, c.took, time.Since(started))
				require.Equal(t, c.requests, requests.Load())
			})
		})
	}
}
