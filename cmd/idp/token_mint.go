package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"idpbridge/claims"
	"idpbridge/internal/normalize"
	"idpbridge/oidc"
	"idpbridge/upstream"
)

type tokenMintCommand struct {
	installationFlags
	Person   string        `required:"" help:"Username of the person that the token is about." placeholder:"NAME"`
	Client   string        `default:"liveengage" help:"Client that the token is for (${default})." placeholder:"ID"`
	Scopes   []string      `name:"scope" sep:" " help:"Scopes in addition to openid; LiveEngage requests none."`
	Lifetime time.Duration `help:"Lifetime of the token, 1s to 24h; by default the configured one."`
	Issuer   string        `default:"http://127.0.0.1:8080" help:"Issuer of idp dev (${default})." placeholder:"URL"`

	Allowed bool `name:"insecure-sign-for-somebody-who-has-not-signed-in" help:"Required with --config; see above."`
}

// Help is printed above the flags.
func (tokenMintCommand) Help() string {
	return `For example:

    idp token mint --person jane | idp token inspect

Prints the ID token that the client would get for the person, without a browser.
With --config, the issuer is the configured one, and the key that LiveEngage trusts
signs the token: anyone who has it is that customer. Anyone who can read the data folder can create one.`
}

// Run prints one ID token.
func (m tokenMintCommand) Run(ctx context.Context, p *process) error {
	if m.Config != "" && !m.Allowed {
		return errors.New("token mint: with --config, LiveEngage accepts the token as the real customer's; " +
			"to create it anyway, add --insecure-sign-for-somebody-who-has-not-signed-in")
	}
	local, err := m.open(ctx, p, m.Issuer)
	if err != nil {
		return err
	}
	return errors.Join(m.issueToken(ctx, p, local), local.Close())
}

func (m tokenMintCommand) issueToken(ctx context.Context, p *process, local *installation) error {
	i := slices.IndexFunc(local.clients, func(c oidc.Client) bool { return c.ID == m.Client })
	if i < 0 {
		return fmt.Errorf("token mint: there is no client %q", m.Client)
	}
	account, err := local.Store.AccountByUsername(ctx, normalize.Username(m.Person))
	if errors.Is(err, upstream.ErrNotFound) {
		return fmt.Errorf("token mint: there is no person %q; the server reads the people file when it starts", m.Person)
	}
	if err != nil {
		return err
	}
	lifetime := m.Lifetime
	if lifetime == 0 {
		lifetime = local.settings.Lifetimes.IDToken
	}
	if lifetime < time.Second || lifetime > 24*time.Hour {
		return usageErrorf("token mint: --lifetime must be from 1s to 24h")
	}
	if m.Config != "" && lifetime > local.settings.Lifetimes.IDToken {
		return usageErrorf("token mint: --lifetime is longer than lifetimes.id_token, which is %s: "+
			"idp keys retire would not wait for the token to expire", local.settings.Lifetimes.IDToken)
	}
	token, err := oidc.IssueIDToken(ctx, oidc.IDTokenConfig{
		Issuer:   local.settings.Issuer,
		Client:   local.clients[i],
		Person:   account.Person,
		Scopes:   m.Scopes,
		Keys:     local.Keys,
		Lifetime: lifetime,
		Now:      p.now,
	})
	if err != nil {
		return fmt.Errorf("token mint: %w", err)
	}
	if kind := claims.WhyGuessable(account.Person.Subject); kind != "" {
		_, err := fmt.Fprintf(p.stderr, "idp: sub is %s, which others can guess; give this person another sub.\n", kind)
		if err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(p.stderr, "idp: this token is for %s at the client %s, who did not sign in for it. "+
		"Keep it as secret as a password.\n", account.Username, m.Client)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, token)
	return err
}
