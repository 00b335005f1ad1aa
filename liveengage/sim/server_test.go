package sim_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"idpbridge/internal/memnet"
	"idpbridge/liveengage/sim"
)

// TestSocketOutlivesWriteTimeout: the server's write timeout does not end a socket.
func TestSocketOutlivesWriteTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const address = "http://127.0.0.1:1"
		simulator, err := sim.New(sim.Config{Address: address, Now: time.Now})
		require.NoError(t, err)
		server := simulator.NewServer(t.Context())
		require.Positive(t, server.WriteTimeout)
		network := memnet.New(t)
		network.Start(t, "127.0.0.1:1", server)
		client := network.Client()

		res, err := client.Post(address+"/api/account/12345678/signup", "application/json", nil)
		require.NoError(t, err)
		var signedUp struct{ JWT string }
		require.NoError(t, json.NewDecoder(res.Body).Decode(&signedUp))
		require.NoError(t, res.Body.Close())
		socket, _, err := websocket.Dial(t.Context(), "ws://127.0.0.1:1/ws_api/account/12345678/messaging/consumer?v=3",
			&websocket.DialOptions{HTTPClient: client, HTTPHeader: http.Header{"Authorization": {"jwt " + signedUp.JWT}}})
		require.NoError(t, err)
		defer func() { _ = socket.CloseNow() }()
		opened := time.Now()
		for time.Since(opened) < 2*server.WriteTimeout {
			time.Sleep(server.WriteTimeout / 4) // of the bubble's clock
			request := []byte(`{"kind":"req","id":1,"type":"GetClock"}`)
			require.NoError(t, socket.Write(t.Context(), websocket.MessageText, request))
			_, raw, err := socket.Read(t.Context())
			require.NoError(t, err)
			require.Contains(t, string(raw), "currentTime")
		}
	})
}
