package sim

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"idpbridge/liveengage"
	"idpbridge/liveengage/setup"
)

// writeTimeout is how long a response may take, from the request on. It is longer
// than a sign-in that asks a slow identity provider twice. Sockets are hijacked and
// have deadlines of their own.
const writeTimeout = time.Minute

// NewHTTPServer returns a server for the simulator. Its sockets end with the context.
func NewHTTPServer(ctx context.Context, s *Simulator) *http.Server {
	return &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: writeTimeout, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(slog.DiscardHandler, slog.LevelWarn),
	}
}

// StarterConnectors are one connector for each kind of sign-in. The one for encrypted
// tokens is left out if its client is that of the implicit flow.
func StarterConnectors(implicit, code, encrypted setup.Facts) []Connector {
	newConnector := func(
		name string, f setup.Facts, flow liveengage.Flow, key liveengage.KeyType, pkce bool,
	) Connector {
		f.DisplayName = name
		c := Connector{Connector: setup.NewConnector(f, flow, key), ClientSecret: f.ClientSecret}
		c.Configuration.PKCEEnabled, c.Configuration.Preferred = pkce, false
		return c
	}
	out := []Connector{
		newConnector("Implicit", implicit, liveengage.FlowImplicit, liveengage.KeyTypePasted, false),
		newConnector("Code", code, liveengage.FlowCode, liveengage.KeyTypePasted, false),
		newConnector("Code with PKCE", code, liveengage.FlowCode, liveengage.KeyTypeJWKS, true),
	}
	out[0].Configuration.Preferred = true
	if encrypted.ClientID != implicit.ClientID {
		out = append(out, newConnector(
			"Implicit, encrypted", encrypted, liveengage.FlowImplicit, liveengage.KeyTypeJWKS, false))
	}
	return append(out, newConnector("Delegation", code, liveengage.FlowDelegation, liveengage.KeyTypePasted, false))
}
