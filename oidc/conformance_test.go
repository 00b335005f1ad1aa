package oidc_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"idpbridge/conformance"
	"idpbridge/internal/pgtest"
	"idpbridge/server/servertest"
)

// postgres is the private PostgreSQL server of this package's tests.
var postgres *pgtest.Server //nolint:gochecknoglobals // one server for all tests

func TestMain(m *testing.M) {
	server, err := pgtest.Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	postgres = server
	code := m.Run()
	_ = server.Stop()
	os.Exit(code)
}

// TestOIDF runs every module of the OpenID Foundation's suite for static clients, in
// every variant, against the server over https. A warning there is a failure here.
func TestOIDF(t *testing.T) {
	t.Parallel()
	s := servertest.StartConformance(t)
	names, plans := groupByPlan(conformance.All())
	for _, plan := range names {
		if plan == "attack" || plan == "extra" {
			continue
		}
		t.Run(plan, func(t *testing.T) { runChecks(t, s.Target, plans[plan]) })
	}
}

// TestAttack runs the attacks that can be observed from outside against the server over
// https. Those that need a look at configuration, log or database follow. Further ones
// are next to what they test, in a TestAttack of other packages.
func TestAttack(t *testing.T) {
	t.Parallel()
	s := servertest.StartConformance(t)
	_, plans := groupByPlan(conformance.All())
	runChecks(t, s.Target, plans["attack"])
	for _, row := range []struct {
		name string
		test func(*testing.T)
	}{
		{"05-loopback-port", testLoopbackPort},
		{"22-secrets-in-logs", testSecretsInLogs},
		{"28-tokens-at-rest", testTokensAtRest},
		{"44-encryption-fails-closed", testEncryptionFailsClosed},
		{"44-encryption-keys", testEncryptionKeys},
		{"54-grace-of-a-refresh-token", testRefreshGrace},
		{"57-claims-within-scopes", testClaimsWithinScopes},
		{"57-scopes-withdrawn", testScopesWithdrawn},
		{"58-sign-out-after-idling", testSignOutAfterIdling},
		{"58-refresh-token-lifetimes", testRefreshLifetimes},
		{"58-refresh-after-password-change", testPasswordChange},
		{"85-rotation", testKeyRotation},
		{"92-legacy-redirects", testLegacyRedirects},
		{"93-page-endpoint", testPageScriptEndpoints},
	} {
		t.Run(row.name, row.test)
	}
	t.Run("extra", func(t *testing.T) { runChecks(t, s.Target, plans["extra"]) })
}

// groupByPlan groups checks by the part of their name before the slash, in order.
func groupByPlan(checks []conformance.Check) (names []string, plans map[string][]conformance.Check) {
	plans = map[string][]conformance.Check{}
	for _, c := range checks {
		plan, _, _ := strings.Cut(c.Name, "/")
		if plans[plan] == nil {
			names = append(names, plan)
		}
		plans[plan] = append(plans[plan], c)
	}
	return names, plans
}

// runChecks runs checks as subtests: first those that move the clock, one after the
// other, and then the others in parallel.
func runChecks(t *testing.T, target *conformance.Target, checks []conformance.Check) {
	t.Helper()
	for _, serial := range []bool{true, false} {
		for _, check := range checks {
			if check.Serial != serial {
				continue
			}
			_, name, _ := strings.Cut(check.Name, "/")
			t.Run(name, func(t *testing.T) {
				if !serial {
					t.Parallel()
				}
				requirePassed(t, check.Run(t.Context(), target))
			})
		}
	}
}

// requirePassed fails the test unless the check passed. A warning is a failure here, and
// so is a skipped check.
func requirePassed(t *testing.T, r conformance.Result) {
	t.Helper()
	if r.Outcome != conformance.Passed {
		t.Errorf("%s %s\nrequired: %s\n%s%s", r.Outcome, r.Name, r.Requirement, strings.Join(r.Problems, "\n"), r.Reason)
	}
}

// findCheck returns a check by its name.
func findCheck(t *testing.T, name string) conformance.Check {
	t.Helper()
	for _, c := range conformance.All() {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("there is no check %q", name)
	return conformance.Check{}
}
