package main

import (
	"testing"

	"idpbridge/conformance"
)

// TestAttack runs every row of the attack table that can be seen from outside,
// and our own additions, against the real server over https. The rows that take
// a look at configuration, logs or database follow, under the same name.
func TestAttack(t *testing.T) {
	t.Parallel()
	s := startConformance(t)
	_, plans := plansOf(conformance.All())
	runChecks(t, s.target, plans["attack"])
	for _, row := range inside() {
		t.Run(row.name, row.run)
	}
	t.Run("extra", func(t *testing.T) { runChecks(t, s.target, plans["extra"]) })
}

// insideRow is a row of the attack table, or a part of one, that takes more than
// a look from outside.
type insideRow struct {
	name string
	run  func(t *testing.T)
}

func inside() []insideRow {
	return []insideRow{
		{"05-loopback-port", loopbackPort},
		{"06-registered-redirects", registeredRedirects},
		{"20-plain-http", notBehindThatProxy},
		{"20-old-tls", tlsFromFiles},
		{"21-proxy-headers", behindAProxy},
		{"22-secrets-in-logs", secretsInLogs},
		{"28-tokens-at-rest", tokensAtRest},
		{"40-registered-algorithms", registeredAlgorithms},
		{"43-subjects-in-the-people-file", subjectsInThePeopleFile},
		{"44-encryption-fails-closed", encryptionFailsClosed},
		{"44-encryption-keys", encryptionKeysRefused},
		{"54-grace-of-a-refresh-token", graceOfARefreshToken},
		{"57-claims-within-scopes", claimsWithinScopes},
		{"57-scopes-withdrawn", refreshAfterScopesAreWithdrawn},
		{"58-sign-out-after-idling", signOutAfterIdling},
		{"58-refresh-token-lifetimes", refreshTokenLifetimes},
		{"58-refresh-after-password-change", refreshAfterPasswordChange},
		{"85-rotation", rotation},
		{"90-storage-flood", storageFlood},
		{"92-legacy-redirects", legacyRedirects},
		{"93-page-endpoint", pageEndpoint},
		{"91-development-mode-in-production", developmentInProduction},
	}
}
