package oidc

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"

	"idpbridge/claims"
	"idpbridge/keys"
)

// ScopeSDEs releases the claim lp_sdes. LiveEngage gets the claim without it.
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

// idTokenOptions say what an ID token is issued with.
type idTokenOptions struct {
	code, accessToken string // hashed into it, if not empty
	standalone        bool   // no access token, now or later, can fetch the claims
	refreshed         bool   // by a refresh token: without nonce (OIDC Core section 12.2)
}

// tokenIssuer signs and encrypts ID tokens and logout tokens.
type tokenIssuer struct {
	issuer   string
	keys     *keys.Ring
	now      func() time.Time
	lifetime time.Duration // of ID tokens
}

// newIDToken signs an ID token about the person. It contains claims that were asked for by
// name, and those of the granted scopes if no access token can fetch them or the client
// wants them there (OIDC Core section 5.4).
func (i tokenIssuer) newIDToken(
	ctx context.Context, client *Client, person claims.Person, signin Signin, options idTokenOptions,
) (string, error) {
	now, grant := i.now(), signin.Grant
	token := idTokenClaims{
		Issuer: i.issuer, Subject: person.Subject, Audience: client.ID,
		Expires: now.Add(i.lifetime).Unix(), IssuedAt: now.Unix(), AuthTime: grant.AuthTime,
		Nonce: grant.Nonce, ACR: grant.ACR, AMR: grant.AMR, Session: signin.SessionID,
	}
	if options.refreshed {
		token.Nonce = ""
	}
	for _, h := range []struct {
		of string
		to *string
	}{{options.accessToken, &token.AtHash}, {options.code, &token.CHash}} {
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
	if options.standalone || client.ClaimsInIDToken {
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
	return i.signToken(ctx, client, keys.TypeJWT, payload)
}

// warnGuessableSubject warns the operator of a subject that others can guess.
func (p *Provider) warnGuessableSubject(ctx context.Context, client *Client, subject, reference string) {
	if what := claims.WhyGuessable(subject); what != "" {
		p.events("subject_guessable", client.ID)
		p.log.WarnContext(ctx, "subject can be guessed; give this person another one",
			"reference", reference, "client_id", client.ID, "subject_is", what)
	}
}

// signToken returns a payload as the client gets it: signed, and if the client has
// Encryption, encrypted. Without a valid encryption key it fails.
func (i tokenIssuer) signToken(ctx context.Context, client *Client, kind string, payload []byte) (string, error) {
	var token string
	var err error
	if client.PinnedKey != "" {
		token, err = i.keys.SignWithKey(ctx, client.PinnedKey, kind, payload)
	} else {
		token, err = i.keys.Sign(ctx, client.Algorithm, kind, payload)
	}
	if err != nil || client.Encryption == nil {
		return token, err
	}
	return client.Encryption.Encrypt(i.now(), token)
}

// releasesSDEs reports whether the client gets lp_sdes: by its profile, by scope, or by
// name.
func releasesSDEs(client *Client, grant Grant, names []string) bool {
	return client.LiveEngage != nil || slices.Contains(grant.Scopes, ScopeSDEs) || slices.Contains(names, ScopeSDEs)
}
