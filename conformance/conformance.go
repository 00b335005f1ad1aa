// Package conformance drives an OpenID provider from outside, over HTTP, as the
// conformance suite of the OpenID Foundation and an attacker would: each check
// is one module of that suite in one variant, or one row of an attack table. It
// knows nothing of the provider but what discovery and the pages say, so it can
// be pointed at any provider; the command idp conformance and this project's own
// tests run the same checks.
//
// Read this file first, then run.go, which every check is written with. The
// plans are in plan_*.go, the attacks in attack_*.go.
//
// Passing them is not a certificate: that takes the Foundation's own suite.
package conformance

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"time"

	"idpbridge/internal/robot"
)

// Target is a provider and what its operator lends for testing it. Issuer, HTTP,
// Web, Person, Now and Wait are required; a check that needs something else is
// skipped where it is missing, and says so.
type Target struct {
	// Issuer is the provider's issuer, without a slash at its end.
	Issuer string
	// HTTP carries every request; no redirect is followed by itself.
	HTTP *http.Transport

	Web    Client // confidential, may use every response type under test
	Other  Client // another confidential client
	Post   Client // authenticates by client_secret_post
	Public Client // has no secret
	Keyed  Client // authenticates by private_key_jwt

	Person      Person // has every standard claim
	OtherPerson Person // somebody else

	// Logouts receives back-channel logout tokens of Web and Other; nil where the
	// provider cannot reach this machine.
	Logouts *Receiver

	// Now is the time by which tokens are judged.
	Now func() time.Time
	// Wait lets time pass for the provider and for Now, or returns ErrTooLong.
	Wait func(ctx context.Context, d time.Duration) error
}

// Client is a relying party that is registered at the provider. Its zero value
// is none.
type Client struct {
	ID                    string
	Secret                string        // empty for a public or a keyed client
	Key                   crypto.Signer // of a keyed client: RSA-2048 or P-256
	KeyID                 string        // kid of Key, may be empty
	RedirectURI           string        // nothing need listen there
	PostLogoutRedirectURI string        // where it has one
	FrontchannelLogoutURI string        // where it has one
	BackchannelLogoutURI  string        // where it has one: served by Target.Logouts
	ClaimsInIDToken       bool          // it is told claims in the ID token always
}

// Person is a user who can sign in. The zero value is none.
type Person = robot.Credentials

// ErrTooLong is what Target.Wait returns for a wait that is longer than the
// caller allows: the check is skipped.
var ErrTooLong = errors.New("the wait is longer than allowed")

// Outcome is how a check ended.
type Outcome string

// The outcomes.
const (
	Passed  Outcome = "passed"
	Warned  Outcome = "warned" // the suite would warn
	Failed  Outcome = "failed"
	Skipped Outcome = "skipped"
)

// Result is a check that has run. Problems are sentences about what was
// demanded and what was seen; Reason says why a check was skipped.
type Result struct {
	Name        string   `json:"name"`
	Requirement string   `json:"says"`
	Outcome     Outcome  `json:"outcome"`
	Problems    []string `json:"problems,omitempty"`
	Reason      string   `json:"reason,omitempty"`
}

// Check is one demand on a provider. Name is plan/module with the variant in
// brackets, such as "hybrid/oidcc-server[code id_token]", or
// "attack/24-parallel-code-redemption". Says is the demand in a sentence.
type Check struct {
	Name        string
	Requirement string
	// Serial is true where the check lets so much time pass that others at the
	// same provider would notice, if time is simulated.
	Serial bool

	do func(r *run)
}

// All returns every check, in the order of the report.
func All() []Check {
	var all []Check
	for _, part := range [][]Check{planChecks(), attackChecks()} {
		all = append(all, part...)
	}
	return all
}

// Run runs the check in full and returns what came of it. A target that lacks
// what it must have is a failure of the check, like any other fault.
func (c Check) Run(ctx context.Context, target *Target) (result Result) {
	result = Result{Name: c.Name, Requirement: c.Requirement, Outcome: Passed}
	r := &run{ctx: ctx, target: target}
	defer func() {
		switch end := recover().(type) {
		case nil, stopped:
		case skipped:
			result.Outcome, result.Reason = Skipped, string(end)
			if len(r.problems) == 0 {
				return
			}
		default:
			r.addProblem(true, "the check itself broke: %v", end)
		}
		for _, p := range r.problems {
			result.Problems = append(result.Problems, p.text)
			if p.fatal {
				result.Outcome = Failed
			} else if result.Outcome != Failed {
				result.Outcome = Warned
			}
		}
	}()
	if target.HTTP == nil || target.Now == nil || target.Wait == nil {
		r.addProblem(true, "the target has no transport or no clock")
		return result
	}
	c.do(r)
	return result
}

// variant is how a module of the suite is run.
type variant struct {
	responseType string
	responseMode string // empty for the response type's own
}

func (v variant) String() string {
	if v.responseMode == "" {
		return v.responseType
	}
	return fmt.Sprintf("%s, %s", v.responseType, v.responseMode)
}
