package dev

import (
	"context"
	"crypto/rsa"
	"fmt"
	"net"
	"slices"

	"idpbridge/keys"
	"idpbridge/liveengage/setup"
	"idpbridge/liveengage/sim"
	"idpbridge/oidc"
	"idpbridge/server"
)

const (
	// Account is the number of the simulated LivePerson account.
	Account = "12345678"

	// A client's pages get either tokens or codes, and its tokens are either encrypted or
	// not. So the simulator needs two clients in addition to liveengage.
	codeClient      = "liveengage-code"
	encryptedClient = "liveengage-encrypted"
)

// simulator is the LivePerson simulator of idp dev.
type simulator struct {
	listener net.Listener
	url      string
	key      *rsa.PrivateKey // decrypts ID tokens
}

// listenForSimulator takes the simulator's port. It returns the clients with the
// simulator's URLs registered, and with the simulator's two clients added.
func listenForSimulator(
	ctx context.Context, address string, clients []oidc.Client,
) (*simulator, []oidc.Client, error) {
	listener, err := server.ListenOn(ctx, "simulator", address)
	if err != nil {
		return nil, nil, fmt.Errorf("%w Choose another address with --simulator, or turn it off with --simulator off", err)
	}
	s := &simulator{listener: listener, url: "http://" + listener.Addr().String()}
	if s.key, err = sim.NewKey(); err != nil {
		return nil, nil, err
	}
	recipient, err := keys.ParseRecipient(sim.EncryptionKeyID, sim.PublicKeyLine(s.key), false)
	if err != nil {
		return nil, nil, err
	}
	encryption, err := keys.NewEncrypter(keys.ContentEncryptions()[0], []keys.Recipient{recipient})
	if err != nil {
		return nil, nil, err
	}
	first := &clients[0]
	first.RedirectURIs = append(slices.Clone(first.RedirectURIs), s.url+sim.WindowPath)
	first.LiveEngage.Page.Origins = append(slices.Clone(first.LiveEngage.Page.Origins), s.url)

	code := *first
	code.ID, code.Name, code.ResponseTypes = codeClient, first.Name+", code flow", []string{"code"}
	code.RedirectURIs = append(slices.Clone(first.RedirectURIs), s.url+sim.DelegationPath(Account))
	code.LiveEngage = &oidc.LiveEngage{
		Account:          Account,
		TokenRedirectURI: first.LiveEngage.TokenRedirectURI, JSONRequests: true, Delegation: true,
		Page: oidc.Page{Origins: []string{s.url}, Code: true},
	}
	encrypted := *first
	encrypted.ID, encrypted.Name, encrypted.ResponseTypes = encryptedClient, first.Name+", encrypted", []string{"id_token"}
	encrypted.Encryption = encryption
	encrypted.LiveEngage = &oidc.LiveEngage{Account: Account, Page: oidc.Page{Origins: []string{s.url}}}
	return s, append(clients, code, encrypted), nil
}

// addTo starts the simulator with the server, with a connector for each kind of sign-in.
func (s *simulator) addTo(host *server.Server) error {
	facts := func(client string) setup.Facts {
		f := server.SetupFacts(host.Settings, host.Clients, client, host.Keys, host.Now())
		f.ClientSecret = LiveEngageSecret
		return f
	}
	simulated, err := sim.New(sim.Config{
		Account: Account, Address: s.url, Now: host.Now, Log: host.Log, Issuer: host.Settings.Issuer, Key: s.key,
		Connectors: sim.StarterConnectors(facts("liveengage"), facts(codeClient), facts(encryptedClient)),
	})
	if err != nil {
		return err
	}
	host.AddServer(s.listener, simulated.NewServer)
	return nil
}
