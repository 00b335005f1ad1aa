package oidc

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"idpbridge/claims"
	"idpbridge/keys"
	"idpbridge/session"
)

// Mint says what an ID token is made of that nobody has signed in for.
type Mint struct {
	Issuer   string
	Client   Client
	Person   claims.Person
	Scopes   []string // beside openid; those that the client may not have are an error
	Keys     *keys.Ring
	Lifetime time.Duration
	Now      func() time.Time
}

// Token returns the ID token that the client would get for the person at the
// authorization endpoint, signed and, where the client has Encryption, encrypted.
// It has neither sid nor amr: no session and no proof stands behind it. It keeps
// nothing and asks nobody; whoever calls it must have leave to.
func (m Mint) Token() (string, error) {
	if m.Lifetime <= 0 {
		return "", errors.New("the token has no lifetime")
	}
	for _, s := range m.Scopes {
		if s != "openid" && !slices.Contains(m.Client.Scopes, s) {
			return "", fmt.Errorf("the client %q may not have the scope %q", m.Client.ID, s)
		}
	}
	p := &Provider{issuer: m.Issuer, keys: m.Keys, now: m.Now, lifetimes: Lifetimes{IDToken: m.Lifetime}}
	signin := Signin{Grant: Grant{Scopes: append([]string{"openid"}, m.Scopes...), AuthTime: m.Now().Unix(), ACR: session.ACRPassword}}
	return p.newIDToken(m.Client.withDefaults(), m.Person, signin, idTokenOptions{standalone: true})
}
