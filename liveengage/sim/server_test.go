package sim_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

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
		listener := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		go func() { _ = server.Serve(listener) }()
		defer func() { _ = server.Close() }()
		transport := &http.Transport{DialContext: listener.DialContext}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport}

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

// pipeListener accepts connections in memory.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	close(l.closed)
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// DialContext connects to the listener.
func (l *pipeListener) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
