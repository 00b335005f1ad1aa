package oidc

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
)

// exchangeRefreshToken exchanges a refresh token for tokens and a new refresh token
// (RFC 6749 section 6, OIDC Core section 12, RFC 9700 section 4.14.2).
func (p *Provider) exchangeRefreshToken(
	ctx context.Context, client *Client, params url.Values,
) (*tokenResponse, error) {
	if params.Get("refresh_token") == "" {
		return nil, newOAuthError(invalidRequest, "refresh_token is missing.")
	}
	if !client.allowsRefresh() {
		p.events("refresh_rejected", client.ID)
		return nil, errBadGrant("refresh token", errors.New("the client is no longer configured for refresh tokens"))
	}
	id, number, ok := openRefreshToken(p.tokenKey, params.Get("refresh_token"))
	if !ok {
		p.events("refresh_rejected", client.ID)
		return nil, errBadGrant("refresh token", nil)
	}
	dropped, err := p.parseNarrowedScope(ctx, client, id, params)
	if err != nil {
		return nil, err
	}
	l := p.lifetimes
	signin, person, err := p.signins.RotateRefreshToken(ctx, Rotation{
		ID: id, ClientID: client.ID, Number: number, At: p.now(),
		Idle: l.RefreshIdle, Access: l.AccessToken, Grace: l.RefreshGrace,
	})
	log := p.log.With("reference", signin.Reference, "client_id", client.ID)
	if errors.Is(err, ErrReplayed) {
		p.events("refresh_replayed", client.ID)
		log.WarnContext(ctx, "refresh token used twice; sign-in closed")
		return nil, errBadGrant("refresh token", err)
	}
	if errors.Is(err, ErrNotFound) {
		p.events("refresh_rejected", client.ID)
		return nil, errBadGrant("refresh token", err)
	}
	if err != nil {
		return nil, err
	}
	p.warnGuessableSubject(ctx, client, person.Subject, signin.Reference)
	p.events("token_refreshed", client.ID)
	log.InfoContext(ctx, "tokens refreshed")
	return p.issueTokens(ctx, client, person, signin, dropped, idTokenOptions{refreshed: true})
}

// allowsRefresh reports whether the client may have refresh tokens: by the scope
// offline_access, or by LiveEngage's consumer delegation.
func (c *Client) allowsRefresh() bool {
	return slices.Contains(c.Scopes, zoidc.ScopeOfflineAccess) || c.allowsDeviation(RefreshWithoutScope)
}

// parseNarrowedScope reads the scope parameter of a refresh and returns the dropped
// scopes as bits: narrower is allowed, wider is not (RFC 6749 section 6). It is checked
// before the token is redeemed, so that a mistake does not cost the token.
func (p *Provider) parseNarrowedScope(
	ctx context.Context, client *Client, id string, params url.Values,
) (uint16, error) {
	if !params.Has("scope") {
		return 0, nil
	}
	signin, _, err := p.signins.FindSignin(ctx, id, p.now())
	if errors.Is(err, ErrNotFound) || err == nil && signin.ClientID != client.ID {
		p.events("refresh_rejected", client.ID)
		return 0, errBadGrant("refresh token", err)
	}
	if err != nil {
		return 0, err
	}
	asked := strings.Fields(params.Get("scope"))
	for _, s := range asked {
		if !slices.Contains(signin.Grant.Scopes, s) {
			return 0, newOAuthError(invalidScope, "scope asks for more than was granted.")
		}
	}
	if len(asked) == 0 {
		return 0, newOAuthError(invalidScope, "scope is empty; omit it to keep what was granted.")
	}
	dropped := uint16(0)
	for i, s := range signin.Grant.Scopes {
		if !slices.Contains(asked, s) {
			dropped |= 1 << i
		}
	}
	return dropped, nil
}

// dropScopes returns the grant without the scopes whose bit is set. It also drops claims
// asked for by name, unless only offline_access is dropped, which releases no claim. A
// sign-in has fewer scopes than there are bits, because unknown ones are never granted.
func (grant Grant) dropScopes(bits uint16) Grant {
	if bits == 0 {
		return grant
	}
	var kept []string
	fewer := false
	for i, s := range grant.Scopes {
		if bits&(1<<i) == 0 {
			kept = append(kept, s)
			continue
		}
		fewer = fewer || s != zoidc.ScopeOfflineAccess
	}
	grant.Scopes = kept
	if fewer {
		grant.UserinfoClaims, grant.IDTokenClaims = nil, nil
	}
	return grant
}

// allowedTo returns the part of the grant that the client may still have: its scopes may
// have been withdrawn since, and with them the claims that they release.
func (grant Grant) allowedTo(client *Client) Grant {
	isWithdrawn := func(scope string) bool {
		return scope != zoidc.ScopeOpenID && !slices.Contains(client.Scopes, scope)
	}
	isClaimWithdrawn := func(claim string) bool { return isWithdrawn(releasingScope(claim)) }
	grant.Scopes = slices.DeleteFunc(slices.Clone(grant.Scopes), isWithdrawn)
	grant.UserinfoClaims = slices.DeleteFunc(slices.Clone(grant.UserinfoClaims), isClaimWithdrawn)
	grant.IDTokenClaims = slices.DeleteFunc(slices.Clone(grant.IDTokenClaims), isClaimWithdrawn)
	return grant
}
