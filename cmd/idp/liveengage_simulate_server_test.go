package main

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/sim"
)

// TestSimulatorServer: an answer has its time, a socket as much as it likes.
func TestSimulatorServer(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := "http://" + listener.Addr().String()
	s, err := sim.New(sim.Config{Address: address, Now: time.Now})
	require.NoError(t, err)
	server := sim.NewHTTPServer(t.Context(), s)
	require.Positive(t, server.WriteTimeout)
	server.WriteTimeout = 300 * time.Millisecond
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })

	res, err := http.Post(address+"/api/account/12345678/signup", "application/json", nil)
	require.NoError(t, err)
	var signedUp struct{ JWT string }
	require.NoError(t, json.NewDecoder(res.Body).Decode(&signedUp))
	require.NoError(t, res.Body.Close())
	conn, _, err := websocket.Dial(t.Context(), strings.Replace(address, "http", "ws", 1)+"/ws_api/account/12345678/messaging/consumer?v=3",
		&websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"jwt " + signedUp.JWT}}})
	require.NoError(t, err)
	defer func() { _ = conn.CloseNow() }()
	for began := time.Now(); time.Since(began) < 2*server.WriteTimeout; {
		require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte(`{"kind":"req","id":1,"type":"GetClock"}`)))
		_, raw, err := conn.Read(t.Context())
		require.NoError(t, err)
		require.Contains(t, string(raw), "currentTime")
	}
}
