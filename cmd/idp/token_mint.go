package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"idpbridge/claims"
	"idpbridge/oidc"
	"idpbridge/upstream"
)

type tokenMintCommand struct {
	installationFlags
	Person   string        `required:"" help:"Username of the person that the token is about." placeholder:"NAME"`
	Client   string        `default:"liveengage" help:"Client that the token is for." placeholder:"ID"`
	Scopes   []string      `name:"scope" sep:" " help:"Scopes beside openid; LiveEngage itself asks for none."`
	Lifetime time.Duration `help:"How long it is valid; as configured unless given."`
	Issuer   string        `default:"http://127.0.0.1:8080" help:"Issuer of the development mode; a configuration file has its own." placeholder:"URL"`
	Allowed  bool          `name:"insecure-sign-for-somebody-who-has-not-signed-in" help:"Needed with --config: the token is as good as a real one."`
}

// Help is shown below the flags.
func (tokenMintCommand) Help() string {
	return `For example:

    idp token mint --person jane | idp token inspect

Makes the ID token that the client would get for the person, without a browser.
With a configuration file it is signed by the key that LiveEngage trusts: whoever
has it is that customer. Everybody who can read the data folder could make one.`
}

// Run prints one ID token.
func (m tokenMintCommand) Run(ctx context.Context, p *process) error {
	if m.Config != "" && !m.Allowed {
		return errors.New("token mint: with --config the token is one that LiveEngage takes for the real customer; " +
			"if you mean it, say --insecure-sign-for-somebody-who-has-not-signed-in")
	}
	o, err := m.open(ctx, p, m.Issuer)
	if err != nil {
		return err
	}
	return errors.Join(m.issueToken(ctx, p, o), o.Close())
}

func (m tokenMintCommand) issueToken(ctx context.Context, p *process, o *installation) error {
	i := slices.IndexFunc(o.clients, func(c oidc.Client) bool { return c.ID == m.Client })
	if i < 0 {
		return fmt.Errorf("token mint: there is no client %q", m.Client)
	}
	account, err := o.Store.AccountByUsername(ctx, strings.ToLower(m.Person))
	if errors.Is(err, upstream.ErrNotFound) {
		return fmt.Errorf("token mint: there is nobody called %q; the people file is read when the server starts", m.Person)
	}
	if err != nil {
		return err
	}
	lifetime := m.Lifetime
	if lifetime == 0 {
		lifetime = o.settings.Lifetimes.IDToken
	}
	if lifetime < time.Second || lifetime > 24*time.Hour {
		return &usageError{"token mint: --lifetime is from 1s to 24h"}
	}
	token, err := oidc.Mint{
		Issuer: o.settings.Issuer, Client: o.clients[i], Person: account.Person, Scopes: m.Scopes,
		Keys: o.Keys, Lifetime: lifetime, Now: p.now,
	}.Token()
	if err != nil {
		return fmt.Errorf("token mint: %w", err)
	}
	if what := claims.WhyGuessable(account.Person.Subject); what != "" {
		if _, err := fmt.Fprintln(p.stderr, "idp: sub is "+what+", which others can guess; give this person another one."); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintln(p.stderr, "idp: this token is for "+account.Username+" at the client "+m.Client+"; nobody signed in for it. Keep it like a password."); err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, token)
	return err
}
