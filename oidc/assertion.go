package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	// maxAssertionLifetime is how far ahead an assertion may expire, so that what is
	// remembered of it is bounded.
	maxAssertionLifetime = 10 * time.Minute
	// clockSkew is how far a client's clock may be ahead of ours.
	clockSkew = time.Minute
)

// assertionAlgorithms are those that a client may sign with; none and the
// symmetric ones are not among them (RFC 8725 section 3.1).
func assertionAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256}
}

// assertionClaims are the claims of a client assertion (RFC 7523 section 3). The
// audience must be one text: a list could name somebody else as well, who would
// then hold an assertion that is good here.
type assertionClaims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  string   `json:"aud"`
	ID        string   `json:"jti"`
	Expires   *float64 `json:"exp"` // seconds
	IssuedAt  *float64 `json:"iat"`
	NotBefore *float64 `json:"nbf"`
}

// assertedClient is the client that an assertion says it is from, unverified.
func assertedClient(assertion string) string {
	jws, err := jose.ParseSignedCompact(assertion, assertionAlgorithms())
	if err != nil {
		return ""
	}
	var c struct { // the rest is judged later, by name
		Subject string `json:"sub"`
	}
	if json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &c) != nil {
		return ""
	}
	return c.Subject
}

// verifyClientAssertion verifies a client assertion: signed by one of the client's keys, made
// for this issuer and nobody else, short-lived, and never seen before (RFC 7523
// section 3, OIDC Core section 9). An error that is no *fault means that nobody
// could tell.
func (p *Provider) verifyClientAssertion(ctx context.Context, client *Client, assertion string) error {
	payload, err := verifyAssertionSignature(client, assertion)
	if err != nil {
		return err
	}
	var a assertionClaims
	if err := json.Unmarshal(payload, &a); err != nil {
		return badAssertion("its claims are not of the right types; aud must be one text")
	}
	now := p.now()
	at := func(seconds *float64) time.Time { return time.Unix(int64(*seconds), 0) }
	switch {
	case a.Issuer != client.ID || a.Subject != client.ID:
		return badAssertion("iss and sub must both be the client_id")
	case a.Audience != p.issuer:
		return badAssertion("aud must be the issuer and nothing else")
	case a.ID == "" || len(a.ID) > 512:
		return badAssertion("jti must have 1 to 512 bytes")
	case a.Expires == nil || !at(a.Expires).After(now):
		return badAssertion("exp is missing or past")
	case at(a.Expires).After(now.Add(maxAssertionLifetime + clockSkew)):
		return badAssertion("exp is more than 10 minutes ahead")
	case a.NotBefore != nil && at(a.NotBefore).After(now.Add(clockSkew)):
		return badAssertion("nbf is in the future")
	case a.IssuedAt != nil && at(a.IssuedAt).After(now.Add(clockSkew)):
		return badAssertion("iat is in the future")
	}
	first, err := p.assertions.RecordAssertion(ctx, client.ID, hashString(a.ID), at(a.Expires))
	if err != nil {
		return fmt.Errorf("spend client assertion: %w", err)
	}
	if !first {
		return badAssertion("its jti was used before")
	}
	return nil
}

// verifyAssertionSignature checks the signature by the client's keys alone: what keys the
// header brings along is not looked at (RFC 8725 section 3.10).
func verifyAssertionSignature(client *Client, assertion string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(assertion, assertionAlgorithms())
	if err != nil {
		return nil, badAssertion("it is not a JWT signed with RS256, PS256 or ES256")
	}
	header := jws.Signatures[0].Header
	for _, k := range client.Keys {
		if header.KeyID != "" && k.ID != "" && header.KeyID != k.ID || k.Algorithm != header.Algorithm {
			continue
		}
		if payload, err := jws.Verify(k.Key); err == nil {
			return payload, nil
		}
	}
	return nil, badAssertion("none of the client's registered keys verifies its signature")
}

// badAssertion says to the client alone, which is the one who can mend it, what
// is wrong: none of it helps to forge one.
func badAssertion(what string) error {
	return &oauthError{
		status: http.StatusUnauthorized, code: invalidClient, cause: errors.New(what),
		description: "The client assertion is refused: " + what + ".",
	}
}
