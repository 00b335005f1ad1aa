package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"

	"idpbridge/internal/secret"
	"idpbridge/liveengage/setup"
	"idpbridge/liveengage/sim"
	"idpbridge/server"
)

type simulateCommand struct {
	Listen    string   `default:"127.0.0.1:8090" help:"Loopback host:port to listen on; port 0 picks a free one."`
	Issuer    string   `required:"" help:"Issuer of the identity provider to test." placeholder:"URL"`
	Client    string   `help:"Client ID registered for LiveEngage." placeholder:"ID"`
	Config    string   `help:"JSON file of connectors instead of --client; see above." type:"path" placeholder:"FILE"`
	AllowHost []string `help:"Allow this host beyond this machine, too; repeatable." placeholder:"HOST"`
	Account   string   `default:"12345678" help:"Number of the account (${default})." placeholder:"ACCOUNT"`
}

// Help is printed above the flags.
func (simulateCommand) Help() string {
	return `For example:

    IDP_SIMULATE_SECRET=… idp liveengage simulate --issuer https://id.brand.example --client liveengage

--config names a file with the connectors that idp liveengage connectors --json prints.

IDP_SIMULATE_SECRET is the client's secret. Register these at the identity provider:

    redirect URI             http://127.0.0.1:8090` + sim.WindowPath + `
    for consumer delegation  http://127.0.0.1:8090` + sim.DelegationPath("12345678") + `
    origin of pages          http://127.0.0.1:8090

In the second URL, 12345678 is the number of --account.`
}

// Run serves the simulator until the context ends.
func (c simulateCommand) Run(ctx context.Context, p *process) error {
	issuer, err := url.Parse(c.Issuer)
	if err != nil || issuer.Host == "" {
		return usageErrorf("--issuer: want a URL such as https://id.brand.example")
	}
	if !isAccountNumber(c.Account) {
		return usageErrorf("--account %q: an account number has digits only, such as 12345678", c.Account)
	}
	if err := checkLoopback("--listen", c.Listen); err != nil {
		return err
	}
	connectors, err := c.loadConnectors(p)
	if err != nil {
		return err
	}
	listener, err := server.ListenOn(ctx, "listen", c.Listen)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	simulator, err := sim.New(sim.Config{
		Account:    c.Account,
		Address:    "http://" + listener.Addr().String(),
		Hosts:      append([]string{issuer.Hostname()}, c.AllowHost...),
		Now:        p.now,
		Log:        slog.New(slog.NewTextHandler(p.stderr, nil)),
		Issuer:     c.Issuer,
		Connectors: connectors,
	})
	if err != nil {
		return err
	}
	return c.serve(ctx, p, simulator, listener)
}

func (c simulateCommand) serve(ctx context.Context, p *process, simulator *sim.Simulator, listener net.Listener) error {
	if c.Config == "" {
		if err := simulator.FillConnectors(ctx, c.Issuer); err != nil {
			_, _ = fmt.Fprintf(p.stderr, "idp: the connectors are incomplete: %v; complete them on the connectors page\n", err)
		}
	}
	_, _ = fmt.Fprintf(p.stdout, "The LivePerson simulator is ready at %s\n\n"+
		"  Brand page:  %[1]s/brand\n  Agent:       %[1]s/agent\n"+
		"  Redirect URI to register:  %s\n  and for delegation:        %s\n\n",
		simulator.Address, simulator.WindowURI(), simulator.DelegationURI())
	return server.ServeUntilDone(ctx, simulator.NewServer(ctx), listener)
}

// loadConnectors reads the connectors of --config, or makes one of each kind for --client.
func (c simulateCommand) loadConnectors(p *process) ([]sim.Connector, error) {
	var connectors []sim.Connector
	if c.Config != "" {
		var err error
		if connectors, err = readConnectors(c.Config); err != nil {
			return nil, err
		}
	} else if c.Client != "" {
		facts := setup.Facts{ClientID: c.Client}
		connectors = sim.StarterConnectors(facts, facts, facts)
	} else {
		return nil, usageErrorf("name the client with --client, or connectors with --config")
	}
	clientSecret := secret.New(p.getenv("IDP_SIMULATE_SECRET"))
	for i := range connectors {
		connectors[i].ClientSecret = clientSecret
	}
	return connectors, nil
}

// readConnectors reads a file with a JSON array of connectors.
func readConnectors(file string) ([]sim.Connector, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read connectors: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	var connectors []sim.Connector
	if err := decoder.Decode(&connectors); err != nil {
		return nil, fmt.Errorf("%s: %w; want a JSON array of connectors", file, err)
	}
	if len(connectors) == 0 {
		return nil, fmt.Errorf("%s contains no connector", file)
	}
	return connectors, nil
}
