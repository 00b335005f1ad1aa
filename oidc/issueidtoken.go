package oidc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"idpbridge/claims"
	"idpbridge/keys"
	"idpbridge/session"
)

// IDTokenConfig describes an ID token that is issued without a sign-in. Every field
// except Scopes is required.
type IDTokenConfig struct {
	Issuer   string
	Client   Client
	Person   claims.Person
	Scopes   []string // in addition to openid; the client must be allowed to have them
	Keys     *keys.Ring
	Lifetime time.Duration
	Now      func() time.Time
}

// IssueIDToken returns the ID token that the client would get for the person at the
// authorization endpoint: signed, and if the client has Encryption, encrypted. It has
// neither sid nor amr, because no user has signed in. It stores nothing, and it does not
// check that the caller may do this.
func IssueIDToken(ctx context.Context, cfg IDTokenConfig) (string, error) {
	if cfg.Lifetime <= 0 {
		return "", errors.New("the lifetime of the token is missing")
	}
	for _, scope := range cfg.Scopes {
		if scope != "openid" && !slices.Contains(cfg.Client.Scopes, scope) {
			return "", fmt.Errorf("client %q may not have the scope %q", cfg.Client.ID, scope)
		}
	}
	issuer := tokenIssuer{issuer: cfg.Issuer, keys: cfg.Keys, now: cfg.Now, lifetime: cfg.Lifetime}
	signin := Signin{Grant: Grant{
		Scopes: append([]string{"openid"}, cfg.Scopes...), AuthTime: cfg.Now().Unix(), ACR: session.ACRPassword,
	}}
	return issuer.newIDToken(ctx, cfg.Client.withDefaults(), cfg.Person, signin, idTokenOptions{standalone: true})
}
