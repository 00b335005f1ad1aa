// Package conformance tests an OpenID provider from outside, over HTTP, as the
// conformance suite of the OpenID Foundation and an attacker would. Each check
// is one module of that suite in one variant, or one row of an attack table.
// The package relies only on discovery and on the HTML of the pages, so it can
// test any provider. The command idp conformance and this project's own tests
// run the same checks.
//
// Read this file first, then run.go, which every check uses. The plans are in
// module_*.go, the attacks in attack_*.go.
//
// Passing these checks is not a certification; that requires the Foundation's
// own suite.
package conformance

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"idpbridge/internal/robot"
)

// Target is a provider and the accounts and clients to test it with. Issuer,
// HTTP, Web, Person, Now and Wait are required. A check that needs another
// field is skipped if the field is missing, and says so.
type Target struct {
	// Issuer is the provider's issuer, without a trailing slash.
	Issuer string
	// HTTP carries every request.
	HTTP *http.Transport

	Web    Client // confidential; may use every response type under test
	Other  Client // another confidential client
	Post   Client // authenticates by client_secret_post
	Public Client // has no secret
	Keyed  Client // authenticates by private_key_jwt
	// Chat is a client whose redirect URI is LivePerson's window, and that is only for the
	// account ChatAccount.
	Chat        Client
	ChatAccount string

	Person      Person // has every standard claim
	OtherPerson Person // another user

	// Logouts receives back-channel logout tokens of Web and Other. It is nil
	// if the provider cannot reach this machine.
	Logouts *Receiver

	// Now is the time that tokens are checked against.
	Now func() time.Time
	// Wait lets time pass for the provider and for Now, or returns ErrTooLong.
	Wait func(ctx context.Context, d time.Duration) error

	logins sync.Map // *firstLogin by Person
}

// Client is a relying party that is registered at the provider. The zero value
// is no client.
type Client struct {
	ID                    string
	Secret                string        // empty for a public client and one with a key
	Key                   crypto.Signer // for private_key_jwt: RSA-2048 or P-256
	KeyID                 string        // kid of Key; may be empty
	RedirectURI           string        // nothing needs to listen there
	PostLogoutRedirectURI string        // if it has one
	FrontchannelLogoutURI string        // if it has one
	BackchannelLogoutURI  string        // if it has one; served by Target.Logouts
	ClaimsInIDToken       bool          // its ID tokens always contain the claims of its scopes
}

// Person is a user who can sign in. The zero value is no user.
type Person = robot.Credentials

// ErrTooLong is what Target.Wait returns for a wait that is longer than the
// caller allows. The check is skipped.
var ErrTooLong = errors.New("the wait is longer than allowed")

// Outcome is how a check ended.
type Outcome string

// The outcomes.
const (
	Passed  Outcome = "passed"
	Warned  Outcome = "warned" // the Foundation's suite would warn
	Failed  Outcome = "failed"
	Skipped Outcome = "skipped"
)

// Result is the result of a check. Problems are sentences that say what was
// required and what was seen. Reason says why a check was skipped.
type Result struct {
	Name        string   `json:"name"`
	Requirement string   `json:"says"`
	Outcome     Outcome  `json:"outcome"`
	Problems    []string `json:"problems,omitempty"`
	Reason      string   `json:"reason,omitempty"`
}

// Check is one requirement for a provider. Name is plan/module with the variant
// in brackets, such as "hybrid/oidcc-server[code id_token]", or
// "attack/24-parallel-code-redemption". Requirement is one sentence.
type Check struct {
	Name        string
	Requirement string
	// Serial is true if the check moves a simulated clock so far that checks
	// running at the same time would notice.
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

// Run runs the check and returns its result. If the target lacks a required
// field, the check fails.
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
			r.addProblem(true, "the check itself failed: %v", end)
		}
		for _, p := range r.problems {
			result.Problems = append(result.Problems, p.message)
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

// variant is the response type and mode that a module is run with.
type variant struct {
	responseType string
	responseMode string // empty for the default of the response type
}

func (v variant) String() string {
	if v.responseMode == "" {
		return v.responseType
	}
	return fmt.Sprintf("%s, %s", v.responseType, v.responseMode)
}
