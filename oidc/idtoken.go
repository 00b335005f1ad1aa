package oidc

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"

	"idpbridge/claims"
	"idpbridge/keys"
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
	Session  string   `json:"sid,omitempty"` // OpenID Connect Back-Channel Logout section 2.1
	AtHash   string   `json:"at_hash,omitempty"`
	CHash    string   `json:"c_hash,omitempty"`
	claims.Standard
	SDEs *claims.SDEs `json:"lp_sdes,omitempty"`
}

// issue is what an ID token is issued with.
type issue struct {
	code, access string // hashed into it, where not empty
	alone        bool   // no access token, now or later, could fetch the claims
	refreshed    bool   // by a refresh token: without nonce (OIDC Core section 12.2)
}

// idToken signs an ID token about the person. The claims of the granted scopes
// are in it where no access token could fetch them, or where the client wants
// them there (OIDC Core section 5.4), and those that were asked for by name.
func (p *Provider) idToken(c *Client, person claims.Person, in Signin, with issue) (string, error) {
	now, g := p.now(), in.Grant
	t := idTokenClaims{
		Issuer: p.issuer, Subject: person.Subject, Audience: c.ID,
		Expires: now.Add(p.lifetimes.IDToken).Unix(), IssuedAt: now.Unix(), AuthTime: g.AuthTime,
		Nonce: g.Nonce, ACR: g.ACR, AMR: g.AMR, Session: in.SessionID,
	}
	if with.refreshed {
		t.Nonce = ""
	}
	for _, h := range []struct {
		of string
		to *string
	}{{with.access, &t.AtHash}, {with.code, &t.CHash}} {
		if h.of == "" {
			continue
		}
		hash, err := zoidc.ClaimHash(h.of, jose.SignatureAlgorithm(c.Algorithm))
		if err != nil {
			return "", fmt.Errorf("hash for ID token: %w", err)
		}
		*h.to = hash
	}
	var scopes []string
	if with.alone || c.ClaimsInIDToken {
		scopes = g.Scopes
	}
	t.Standard = person.Standard.Filter(scopes, g.IDTokenClaims)
	if sdes := person.SDEs(); releasesSDEs(c, g, g.IDTokenClaims) && !sdes.Empty() {
		t.SDEs = &sdes
	}
	payload, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("id token: %w", err)
	}
	return p.sign(c, keys.TypeJWT, payload)
}

// warnOfSubject tells the operator of a person whose subject others can guess.
func (p *Provider) warnOfSubject(ctx context.Context, c *Client, subject, reference string) {
	if what := claims.WhyGuessable(subject); what != "" {
		p.events("guessable_subject", c.ID)
		p.log.WarnContext(ctx, "subject can be guessed; give this person another one", "reference", reference, "client_id", c.ID, "subject_is", what)
	}
}

// sign returns a payload as the client gets it: signed by its key and, where it
// has Encryption, then encrypted. Without a key to encrypt to it is an error.
func (p *Provider) sign(c *Client, kind string, payload []byte) (string, error) {
	var token string
	var err error
	if c.PinnedKey != "" {
		token, err = p.keys.SignWithKey(c.PinnedKey, kind, payload)
	} else {
		token, err = p.keys.Sign(c.Algorithm, kind, payload)
	}
	if err != nil || c.Encryption == nil {
		return token, err
	}
	return c.Encryption.Encrypt(p.now(), token)
}

// releasesSDEs says whether the client is told lp_sdes: always, by its scope, or
// by name.
func releasesSDEs(c *Client, g Grant, names []string) bool {
	return c.LiveEngage != nil || slices.Contains(g.Scopes, ScopeSDEs) || slices.Contains(names, ScopeSDEs)
}
