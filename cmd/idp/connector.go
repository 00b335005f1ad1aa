package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"idpbridge/config"
	"idpbridge/keys"
	"idpbridge/liveengage"
	"idpbridge/oidc"
	"idpbridge/web"
)

// sheetFacts are what LiveEngage's form is filled from: the client of that id, or
// the first that is LiveEngage. Its secret is not among them.
func sheetFacts(cfg config.Config, clients []oidc.Client, id string, ring *keys.Ring, now time.Time) liveengage.Facts {
	issuer, active := cfg.Issuer, ring.ActiveKey("RS256")
	f := liveengage.Facts{
		Issuer: issuer, AuthorizationEndpoint: issuer + oidc.PathAuthorize, TokenEndpoint: issuer + oidc.PathToken,
		JWKSEndpoint: issuer + oidc.PathJWKS, DisplayName: cfg.Brand.Name, Now: now,
	}
	key := active
	if client, ok := liveengageClient(clients, id); ok {
		l := client.LiveEngage
		f.ClientID, f.JSMethod, f.JSContext = client.ID, l.Method(), l.Context()
		f.Legacy, f.TokenRedirectURI, f.Delegation, f.RedirectURIs = l.Legacy, l.TokenRedirectURI, l.Delegation, client.RedirectURIs
		if len(l.Page.Origins) > 0 {
			script := issuer + web.PathPageScript + "?client_id=" + url.QueryEscape(client.ID)
			f.Page = liveengage.Page{Script: script, Origins: l.Page.Origins, Code: l.Page.Code, ReturnURI: l.Page.ReturnURI}
		}
		if pinned, ok := ring.Key(client.PinnedKey); ok {
			key = pinned
			f.Key.Pinned, f.Key.Retired = true, key.ID != active.ID
		}
		if e := client.Encryption; e != nil {
			f.ContentEncoding = e.ContentEncryption()
			for _, r := range e.Recipients() {
				f.Encryption = append(f.Encryption, liveengage.EncryptionKey{ID: r.ID, Fingerprint: r.Fingerprint(), NotBefore: r.NotBefore, NotAfter: r.NotAfter})
			}
		}
		for _, e := range client.Exceptions() {
			f.Exceptions = append(f.Exceptions, liveengage.Exception{Name: string(e), Sentence: e.String()})
		}
	}
	f.Key.Line, f.Key.ID, f.Key.Fingerprint, f.Key.Created = key.Base64(), key.ID, key.Fingerprint(), key.Created
	return f
}

// liveengageClient is the client of that id, or the first, that is LiveEngage.
func liveengageClient(clients []oidc.Client, id string) (oidc.Client, bool) {
	for _, c := range clients {
		if c.LiveEngage != nil && (id == "" || id == c.ID) {
			return c, true
		}
	}
	return oidc.Client{}, false
}

type connectorCommand struct {
	source
	Client string `help:"The client that LiveEngage is, where there are several." placeholder:"ID"`
	Flow   string `enum:"implicit,code,delegation" default:"code" help:"implicit, code or delegation."`
	Key    string `enum:"pasted,jwks" default:"pasted" help:"How LivePerson gets the key: pasted or jwks."`
	Issuer string `default:"http://127.0.0.1:8080" help:"Issuer of the development mode; a configuration file has its own." placeholder:"URL"`
}

// Run prints the connector in LivePerson's own keys.
func (c connectorCommand) Run(ctx context.Context, p *process) error {
	o, err := c.open(ctx, p, c.Issuer)
	if err != nil {
		return err
	}
	facts := sheetFacts(o.config, o.clients, c.Client, o.ring, p.now())
	if facts.ClientID == "" {
		return errors.Join(fmt.Errorf("no client %swith profile: liveengage; add one to the configuration", named(c.Client)), o.store.Close())
	}
	key := liveengage.PastedKey
	if c.Key == "jwks" {
		key = liveengage.KeySet
	}
	return errors.Join(printJSON(p.stdout, liveengage.NewConnector(facts, liveengage.Flow(c.Flow), key)), o.store.Close())
}

func named(id string) string {
	if id == "" {
		return ""
	}
	return fmt.Sprintf("%q ", id)
}
