package main

import (
	"context"
	"crypto/rsa"
	"fmt"
	"net"
	"net/http"
	"slices"

	"idpbridge/keys"
	"idpbridge/liveengage"
	"idpbridge/liveengage/sim"
	"idpbridge/oidc"
)

// The clients that LivePerson's side, simulated, is beside liveengage: a page hands
// out tokens or codes, and encrypts or not, by its client.
const (
	codeClient      = "liveengage-code"
	encryptedClient = "liveengage-encrypted"
)

// neighbour is the simulator beside idp dev.
type neighbour struct {
	listener  net.Listener
	address   string
	key       *rsa.PrivateKey
	simulator *sim.Simulator
}

// invite takes the simulator's port and makes it known to the clients, before
// anything is opened. It does nothing where there is no simulator.
func (s *setup) invite(ctx context.Context) (*neighbour, error) {
	if s.simulator == "" || s.simulator == "off" {
		return nil, nil //nolint:nilnil // no neighbour is a fine answer
	}
	listener, err := listen(ctx, "simulator", s.simulator)
	if err != nil {
		return nil, fmt.Errorf("%w Name another address by --simulator, or leave it out by --simulator off", err)
	}
	n := &neighbour{listener: listener, address: "http://" + listener.Addr().String()}
	if n.key, err = sim.NewKey(); err != nil {
		return nil, err
	}
	recipient, err := keys.ParseRecipient(sim.EncryptionKeyID, sim.PublicLine(n.key), false)
	if err != nil {
		return nil, err
	}
	encryption, err := keys.NewEncrypter(keys.ContentEncryptions()[0], []keys.Recipient{recipient})
	if err != nil {
		return nil, err
	}
	first := &s.clients[0]
	window := n.address + sim.PathWindow
	first.RedirectURIs = append(slices.Clone(first.RedirectURIs), window)
	first.LiveEngage.Page.Origins = append(slices.Clone(first.LiveEngage.Page.Origins), n.address)
	code, encrypted := *first, *first
	code.ID, code.Name, code.ResponseTypes = codeClient, first.Name+", code flow", []string{"code"}
	code.RedirectURIs = append(slices.Clone(first.RedirectURIs), n.address+sim.PathDelegation(demoAccount))
	code.LiveEngage = &oidc.LiveEngage{TokenRedirectURI: first.LiveEngage.TokenRedirectURI, JSONRequests: true, Delegation: true, Page: oidc.Page{Origins: []string{n.address}, Code: true}}
	encrypted.ID, encrypted.Name, encrypted.ResponseTypes, encrypted.Encryption = encryptedClient, first.Name+", encrypted", []string{"id_token"}, encryption
	encrypted.LiveEngage = &oidc.LiveEngage{Page: oidc.Page{Origins: []string{n.address}}}
	s.clients = append(s.clients, code, encrypted)
	return n, nil
}

// demoAccount is the account of the simulator.
const demoAccount = "12345678"

// settle makes the simulator, with a connector of each kind, once the keys are open.
func (n *neighbour) settle(in *instance) error {
	facts := func(client string) liveengage.Facts {
		f := sheetFacts(in.config, in.clients, client, in.ring, in.process.now())
		f.ClientSecret = liveengageSecret
		return f
	}
	var err error
	n.simulator, err = sim.New(sim.Config{
		Account: demoAccount, Address: n.address, Now: in.process.now, Log: in.log, Issuer: in.config.Issuer, Key: n.key,
		Connectors: kindsOf(facts("liveengage"), facts(codeClient), facts(encryptedClient)),
	})
	return err
}

// server is the simulator's; its sockets end with the context.
func (n *neighbour) server(ctx context.Context) *http.Server {
	return simulatorServer(ctx, n.simulator)
}
