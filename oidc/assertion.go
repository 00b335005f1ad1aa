package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idpbridge/internal/jwtclaims"
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

// assertedClient is the client that an assertion names, unverified.
func assertedClient(assertion string) string {
	jws, err := jose.ParseSignedCompact(assertion, assertionAlgorithms())
	if err != nil {
		return ""
	}
	claims, err := jwtclaims.Parse(jws.UnsafePayloadWithoutVerification())
	if err != nil {
		return ""
	}
	subject, _ := claims.ReadString("sub")
	return subject
}

// verifyClientAssertion verifies a client assertion: signed by one of the client's keys,
// made only for this issuer, short-lived, and never used before (RFC 7523 section 3, OIDC
// Core section 9). An error that is not an *oauthError means that it could not be checked.
func (p *Provider) verifyClientAssertion(ctx context.Context, client *Client, assertion string) error {
	payload, err := verifyAssertionSignature(client, assertion)
	if err != nil {
		return err
	}
	claims, err := jwtclaims.Parse(payload)
	if err != nil {
		return errAssertion("its claims are not one JSON object with unique names")
	}
	audiences := []string{p.issuer}
	if client.TokenEndpointAudience {
		audiences = append(audiences, p.issuer+PathToken)
	}
	if problem := findAssertionProblem(claims, client.ID, audiences, p.now()); problem != "" {
		return errAssertion(problem)
	}
	id, _ := claims.ReadString("jti")
	expires, _ := claims.ReadTime("exp") // findAssertionProblem has checked both
	first, err := p.assertions.RecordAssertion(ctx, client.ID, hashString(id), expires)
	if err != nil {
		return fmt.Errorf("record client assertion: %w", err)
	}
	if !first {
		return errAssertion("its jti was used before")
	}
	return nil
}

// findAssertionProblem returns what is wrong with the claims of an assertion (RFC 7523
// section 3), or "". The audience must be one string: a list could name another server too,
// which would then hold an assertion that is valid here.
func findAssertionProblem(claims jwtclaims.Claims, clientID string, audiences []string, now time.Time) string {
	issuer, _ := claims.ReadString("iss")
	subject, _ := claims.ReadString("sub")
	if issuer != clientID || subject != clientID {
		return "iss and sub must both be the client_id"
	}
	if audience, ok := claims.ReadString("aud"); !ok || !slices.Contains(audiences, audience) {
		return "aud must be the issuer and nothing else, as one string"
	}
	if id, _ := claims.ReadString("jti"); id == "" || len(id) > 512 {
		return "jti must have 1 to 512 bytes"
	}
	expires, err := claims.ReadTime("exp")
	if err != nil || !expires.After(now) {
		return "exp is missing, past, or not a number of seconds"
	}
	if expires.After(now.Add(maxAssertionLifetime + clockSkew)) {
		return "exp is more than 10 minutes ahead"
	}
	for _, name := range []string{"nbf", "iat"} {
		if t, err := claims.ReadTime(name); err != nil || t.After(now.Add(clockSkew)) {
			return name + " is in the future, or not a number of seconds"
		}
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
