package oidc

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
)

// spendRefreshToken exchanges a refresh token for tokens and its successor
// (RFC 6749 section 6, OIDC Core section 12, RFC 9700 section 4.14.2).
func (p *Provider) spendRefreshToken(ctx context.Context, client *Client, v url.Values) (*tokenAnswer, error) {
	if v.Get("refresh_token") == "" {
		return nil, refuse(invalidRequest, "refresh_token is missing.")
	}
	if !client.mayRefresh() {
		p.events("refresh_refused", client.ID)
		return nil, errBadGrant("refresh token", errors.New("the client is no longer configured for refresh tokens"))
	}
	id, number, ok := openRefresh(p.tokenKey, v.Get("refresh_token"))
	if !ok {
		p.events("refresh_refused", client.ID)
		return nil, errBadGrant("refresh token", nil)
	}
	without, err := p.narrowing(ctx, client, id, v)
	if err != nil {
		return nil, err
	}
	l := p.lifetimes
	in, person, err := p.signins.Rotate(ctx, Rotation{
		ID: id, ClientID: client.ID, Number: number, At: p.now(), Idle: l.RefreshIdle, Access: l.AccessToken, Grace: l.RefreshGrace,
	})
	switch {
	case errors.Is(err, ErrReplayed):
		p.events("refresh_replayed", client.ID)
		p.log.WarnContext(ctx, "spent refresh token came back; sign-in closed", "reference", in.Reference, "client_id", client.ID)
		return nil, errBadGrant("refresh token", err)
	case errors.Is(err, ErrNotFound):
		p.events("refresh_refused", client.ID)
		return nil, errBadGrant("refresh token", err)
	case err != nil:
		return nil, err
	}
	p.warnOfSubject(ctx, client, person.Subject, in.Reference)
	p.events("refreshed", client.ID)
	p.log.InfoContext(ctx, "tokens refreshed", "reference", in.Reference, "client_id", client.ID)
	return p.tokens(client, person, in, without, issue{refreshed: true})
}

// mayRefresh says whether the configuration lets the client have refresh tokens: by
// the scope offline_access, or by LiveEngage's delegation.
func (c *Client) mayRefresh() bool {
	return slices.Contains(c.Scopes, zoidc.ScopeOfflineAccess) || c.allows(RefreshUnasked)
}

// narrowing reads the scope parameter of a refresh: narrower is allowed, wider is
// not (RFC 6749 section 6). It comes before the token is spent, so that a mistake
// does not cost it.
func (p *Provider) narrowing(ctx context.Context, client *Client, id string, v url.Values) (uint16, error) {
	if !v.Has("scope") {
		return 0, nil
	}
	in, _, err := p.signins.Find(ctx, id, p.now())
	switch {
	case errors.Is(err, ErrNotFound), err == nil && in.ClientID != client.ID:
		p.events("refresh_refused", client.ID)
		return 0, errBadGrant("refresh token", err)
	case err != nil:
		return 0, err
	}
	asked := strings.Fields(v.Get("scope"))
	for _, s := range asked {
		if !slices.Contains(in.Grant.Scopes, s) {
			return 0, refuse(invalidScope, "scope asks for more than was granted.")
		}
	}
	if len(asked) == 0 {
		return 0, refuse(invalidScope, "scope is empty; leave it out to keep what was granted.")
	}
	without := uint16(0)
	for i, s := range in.Grant.Scopes {
		if !slices.Contains(asked, s) {
			without |= 1 << i
		}
	}
	return without, nil
}

// narrowed is the grant without the scopes whose bit is set, and then without
// claims asked for by name as well; to do without offline_access alone tells
// nobody less. A sign-in has fewer scopes than there are bits: unknown ones are
// never granted.
func (g Grant) narrowed(without uint16) Grant {
	if without == 0 {
		return g
	}
	var kept []string
	fewer := false
	for i, s := range g.Scopes {
		if without&(1<<i) == 0 {
			kept = append(kept, s)
			continue
		}
		fewer = fewer || s != zoidc.ScopeOfflineAccess
	}
	g.Scopes = kept
	if fewer {
		g.UserinfoClaims, g.IDTokenClaims = nil, nil
	}
	return g
}

// allowedTo is the part of the grant that the configuration still lets the client
// have: scopes may have been withdrawn since, and with them the claims that they
// would release.
func (g Grant) allowedTo(c *Client) Grant {
	refused := func(scope string) bool { return scope != zoidc.ScopeOpenID && !slices.Contains(c.Scopes, scope) }
	kept := func(all []string, scope func(string) string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return refused(scope(s)) })
	}
	itself := func(s string) string { return s }
	g.Scopes = kept(g.Scopes, itself)
	g.UserinfoClaims, g.IDTokenClaims = kept(g.UserinfoClaims, scopeOf), kept(g.IDTokenClaims, scopeOf)
	return g
}
