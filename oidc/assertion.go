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
	// maxAssertionLifetime bounds how long a used assertion is remembered.
	maxAssertionLifetime = 10 * time.Minute
	// clockSkew is how far a client's clock may be ahead of ours.
	clockSkew = time.Minute
)

// assertionAlgorithms are the algorithms that a client may sign with: neither none nor
// symmetric ones (RFC 8725 section 3.1).
func assertionAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256}
}

// assertionClaims are the claims of a client assertion (RFC 7523 section 3). The audience
// must be one string: a list could name another server too, which would then hold an
// assertion that is valid here.
type assertionClaims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  string   `json:"aud"`
	ID        string   `json:"jti"`
	Expires   *float64 `json:"exp"` // seconds
	IssuedAt  *float64 `json:"iat"`
	NotBefore *float64 `json:"nbf"`
}

// assertedClient is the client that an assertion names, unverified.
func assertedClient(assertion string) string {
	jws, err := jose.ParseSignedCompact(assertion, assertionAlgorithms())
	if err != nil {
		return ""
	}
	var c struct { // the other claims are checked later
		Subject string `json:"sub"`
	}
	if json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &c) != nil {
		return ""
	}
	return c.Subject
}

// verifyClientAssertion verifies a client assertion: signed by one of the client's keys,
// made only for this issuer, short-lived, and never used before (RFC 7523 section 3, OIDC
// Core section 9). An error that is not an *oauthError means that it could not be checked.
func (p *Provider) verifyClientAssertion(ctx context.Context, client *Client, assertion string) error {
	payload, err := verifyAssertionSignature(client, assertion)
	if err != nil {
		return err
	}
	var a assertionClaims
	if err := json.Unmarshal(payload, &a); err != nil {
		return errAssertion("its claims have wrong types; aud must be one string")
	}
	if problem := findAssertionProblem(a, client.ID, p.issuer, p.now()); problem != "" {
		return errAssertion(problem)
	}
	first, err := p.assertions.RecordAssertion(ctx, client.ID, hashString(a.ID), time.Unix(int64(*a.Expires), 0))
	if err != nil {
		return fmt.Errorf("record client assertion: %w", err)
	}
	if !first {
		return errAssertion("its jti was used before")
	}
	return nil
}

// findAssertionProblem returns what is wrong with the claims of an assertion, or "".
func findAssertionProblem(a assertionClaims, clientID, issuer string, now time.Time) string {
	after := func(seconds *float64, t time.Time) bool {
		return seconds != nil && time.Unix(int64(*seconds), 0).After(t)
	}
	if a.Issuer != clientID || a.Subject != clientID {
		return "iss and sub must both be the client_id"
	}
	if a.Audience != issuer {
		return "aud must be the issuer and nothing else"
	}
	if a.ID == "" || len(a.ID) > 512 {
		return "jti must have 1 to 512 bytes"
	}
	if !after(a.Expires, now) {
		return "exp is missing or past"
	}
	if after(a.Expires, now.Add(maxAssertionLifetime+clockSkew)) {
		return "exp is more than 10 minutes ahead"
	}
	if after(a.NotBefore, now.Add(clockSkew)) {
		return "nbf is in the future"
	}
	if after(a.IssuedAt, now.Add(clockSkew)) {
		return "iat is in the future"
	}
	return ""
}

// verifyAssertionSignature checks the signature with the client's registered keys. Keys in
// the header are ignored (RFC 8725 section 3.10).
func verifyAssertionSignature(client *Client, assertion string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(assertion, assertionAlgorithms())
	if err != nil {
		return nil, errAssertion("it is not a JWT signed with RS256, PS256 or ES256")
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
	return nil, errAssertion("none of the client's registered keys verifies its signature")
}

// errAssertion tells the client what is wrong, so that its developer can fix it. None of
// it helps to forge an assertion.
func errAssertion(what string) error {
	return &oauthError{
		status: http.StatusUnauthorized, code: invalidClient, cause: errors.New(what),
		description: "The client assertion is invalid: " + what + ".",
	}
}
