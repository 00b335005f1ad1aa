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

// idTokenOptions is what an ID token is issued with.
type idTokenOptions struct {
	code, accessToken string // hashed into it, where not empty
	standalone        bool   // no access token, now or later, could fetch the claims
	refreshed         bool   // by a refresh token: without nonce (OIDC Core section 12.2)
}

// newIDToken signs an ID token about the person. The claims of the granted scopes
// are in it where no access token could fetch them, or where the client wants
// them there (OIDC Core section 5.4), and those that were asked for by name.
func (p *Provider) newIDToken(client *Client, person claims.Person, signin Signin, with idTokenOptions) (string, error) {
	now, grant := p.now(), signin.Grant
	token := idTokenClaims{
		Issuer: p.issuer, Subject: person.Subject, Audience: client.ID,
		Expires: now.Add(p.lifetimes.IDToken).Unix(), IssuedAt: now.Unix(), AuthTime: grant.AuthTime,
		Nonce: grant.Nonce, ACR: grant.ACR, AMR: grant.AMR, Session: signin.SessionID,
	}
	if with.refreshed {
		token.Nonce = ""
	}
	for _, h := range []struct {
		of string
		to *string
	}{{with.accessToken, &token.AtHash}, {with.code, &token.CHash}} {
		if h.of == "" {
			continue
		}
		hash, err := zoidc.ClaimHash(h.of, jose.SignatureAlgorithm(client.Algorithm))
		if err != nil {
			return "", fmt.Errorf("hash for ID token: %w", err)
		}
		*h.to = hash
	}
	var scopes []string
	if with.standalone || client.ClaimsInIDToken {
		scopes = grant.Scopes
	}
	token.Standard = person.Standard.Filter(scopes, grant.IDTokenClaims)
	if sdes := person.SDEs(); releasesSDEs(client, grant, grant.IDTokenClaims) && !sdes.Empty() {
		token.SDEs = &sdes
	}
	payload, err := json.Marshal(token)
	if err != nil {
		return "", fmt.Errorf("id token: %w", err)
	}
	return p.signToken(client, keys.TypeJWT, payload)
}

// warnGuessableSubject tells the operator of a person whose subject others can guess.
func (p *Provider) warnGuessableSubject(ctx context.Context, client *Client, subject, reference string) {
	if what := claims.WhyGuessable(subject); what != "" {
		p.events("guessable_subject", client.ID)
		p.log.WarnContext(ctx, "subject can be guessed; give this person another one", "reference", reference, "client_id", client.ID, "subject_is", what)
	}
}

// signToken returns a payload as the client gets it: signed by its key and, where it
// has Encryption, then encrypted. Without a key to encrypt to it is an error.
func (p *Provider) signToken(client *Client, kind string, payload []byte) (string, error) {
	var token string
	var err error
	if client.PinnedKey != "" {
		token, err = p.keys.SignWithKey(client.PinnedKey, kind, payload)
	} else {
		token, err = p.keys.Sign(client.Algorithm, kind, payload)
	}
	if err != nil || client.Encryption == nil {
		return token, err
	}
	return client.Encryption.Encrypt(p.now(), token)
}

// releasesSDEs says whether the client is told lp_sdes: always, by its scope, or
// by name.
func releasesSDEs(client *Client, grant Grant, names []string) bool {
	return client.LiveEngage != nil || slices.Contains(grant.Scopes, ScopeSDEs) || slices.Contains(names, ScopeSDEs)
}
