package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"os"

	lesetup "idpbridge/liveengage/setup"
	"idpbridge/liveengage/sim"
	"idpbridge/server"
)

type simulateCommand struct {
	Listen    string   `default:"127.0.0.1:8090" help:"Loopback address to listen on; port 0 picks a free one."`
	Issuer    string   `required:"" help:"The identity provider to test: its issuer." placeholder:"URL"`
	Client    string   `help:"The client that LiveEngage is there." placeholder:"ID"`
	Config    string   `help:"File with connectors as JSON, as the list of connectors prints them, instead of --client." type:"path" placeholder:"FILE"`
	AllowHost []string `help:"A host beside the issuer's, outside this machine, that may be asked; may be repeated." placeholder:"HOST"`
	Account   string   `default:"12345678" help:"Number of the account."`
}

// Help says what the flags cannot.
func (simulateCommand) Help() string {
	return "Example:  IDP_SIMULATE_SECRET=… idp liveengage simulate --issuer https://id.brand.example --client liveengage\n\n" +
		"The client's secret comes from the environment variable IDP_SIMULATE_SECRET. The identity provider must have " +
		"http://127.0.0.1:8090" + sim.PathWindow + " among the client's redirect URIs, for consumer delegation also " +
		"http://127.0.0.1:8090/callback/12345678/redirectCode with the number of --account, and http://127.0.0.1:8090 among the origins of its pages."
}

// Run serves LivePerson's side until the context ends.
func (c simulateCommand) Run(ctx context.Context, p *process) error {
	issuer, err := url.Parse(c.Issuer)
	if err != nil || issuer.Host == "" {
		return &usageError{"--issuer: want an address such as https://id.brand.example"}
	}
	if !isAccountNumber(c.Account) {
		return &usageError{fmt.Sprintf("--account %q: the number of an account has digits only, such as 12345678", c.Account)}
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
	s, err := sim.New(sim.Config{
		Account: c.Account, Address: "http://" + listener.Addr().String(), Hosts: append([]string{issuer.Hostname()}, c.AllowHost...),
		Now: p.now, Log: slog.New(slog.NewTextHandler(p.stderr, nil)), Issuer: c.Issuer, Connectors: connectors,
	})
	if err != nil {
		return err
	}
	if c.Config == "" {
		if err := s.Fill(ctx, c.Issuer); err != nil {
			_, _ = fmt.Fprintf(p.stderr, "idp: the connectors are empty for now: %v; fill them on the page of connectors\n", err)
		}
	}
	_, _ = fmt.Fprintf(p.stdout, "LiveEngage's simulator is ready at %s\n\n  Brand page:  %[1]s/brand\n  Agent:       %[1]s/agent\n  Redirect URI to register:  %s\n  and for delegation:        %s\n\n", s.Address, s.WindowURI(), s.DelegateURI())
	return server.ServeUntilDone(ctx, sim.NewHTTPServer(ctx, s), listener)
}

// loadConnectors are those of the file, or one of each kind for the client.
func (c simulateCommand) loadConnectors(p *process) ([]sim.Connector, error) {
	secret := p.getenv("IDP_SIMULATE_SECRET")
	var all []sim.Connector
	switch {
	case c.Config != "":
		raw, err := os.ReadFile(c.Config)
		if err != nil {
			return nil, fmt.Errorf("connectors: %w", err)
		}
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&all); err != nil {
			return nil, fmt.Errorf("%s: %w; want a JSON array of connectors", c.Config, err)
		}
		if len(all) == 0 {
			return nil, fmt.Errorf("%s: there is no connector in it", c.Config)
		}
	case c.Client == "":
		return nil, &usageError{"name the client with --client, or connectors with --config"}
	default:
		f := lesetup.Facts{ClientID: c.Client}
		all = sim.StarterConnectors(f, f, f)
	}
	for i := range all {
		all[i].ClientSecret = secret
	}
	return all, nil
}
