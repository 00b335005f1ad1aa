package main

import (
	"testing"

	"idpbridge/selftest"
)

// TestAttack runs every row of the attack table that can be seen from outside,
// and our own additions, against the real server over https. The rows that take
// a look at configuration, logs or database follow, under the same name.
func TestAttack(t *testing.T) {
	t.Parallel()
	s := startConformance(t, "")
	_, plans := plansOf(selftest.All())
	runChecks(t, s.target, plans["attack"])
	t.Run("extra", func(t *testing.T) { runChecks(t, s.target, plans["extra"]) })
}
