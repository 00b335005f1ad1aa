package oidc

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"

	"idpbridge/claims"
)

// ScopeSDEs asks for the claim lp_sdes. LiveEngage itself gets the claim
// without asking.
const ScopeSDEs = "lp_sdes"

// idTokenClaims is the payload of an ID token (OIDC Core section 2), in the
// order in which it is written.
type idTokenClaims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience string   `json:"aud"`
	Expires  int64    `json:"exp"` // seconds
	IssuedAt int64    `json:"iat"` // seconds
	AuthTime int64    `json:"auth_time"`
	Nonce    string   `json:"nonce,omitempty"`
	ACR      string   `json:"acr,omitempty"`
	AMR      []string `json:"amr,omitempty"`
	AtHash   string   `json:"at_hash,omitempty"`
	claims.Standard
	SDEs *claims.SDEs `json:"lp_sdes,omitempty"`
}

// idToken signs an ID token about the person. The claims of the granted scopes
// are in it where no access token could fetch them (alone), or where the client
// wants them there (OIDC Core section 5.4).
func (p *Provider) idToken(c *Client, person claims.Person, g Grant, access string, alone bool) (string, error) {
	now := p.now()
	t := idTokenClaims{
		Issuer: p.issuer, Subject: person.Subject, Audience: c.ID,
		Expires: now.Add(p.lifetimes.IDToken).Unix(), IssuedAt: now.Unix(), AuthTime: g.AuthTime,
		Nonce: g.Nonce, ACR: g.ACR, AMR: g.AMR,
	}
	if access != "" {
		hash, err := zoidc.ClaimHash(access, jose.SignatureAlgorithm(c.Algorithm))
		if err != nil {
			return "", fmt.Errorf("at_hash: %w", err)
		}
		t.AtHash = hash
	}
	if alone || c.ClaimsInIDToken {
		t.Standard = person.Standard.Released(g.Scopes)
	}
	if sdes := person.SDEs(); releasesSDEs(c, g) && !sdes.Empty() {
		t.SDEs = &sdes
	}
	payload, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("id token: %w", err)
	}
	return p.keys.Sign(c.Algorithm, payload)
}

// releasesSDEs says whether the client is told lp_sdes.
func releasesSDEs(c *Client, g Grant) bool {
	return c.AlwaysSDEs || slices.Contains(g.Scopes, ScopeSDEs)
}
