package conformance

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"idpbridge/internal/robot"
)

// run is a check while it runs. Its methods end the check by a panic that
// Check.Run recovers, so that a check reads from top to bottom.
type run struct {
	ctx      context.Context //nolint:containedctx // lives as long as the check
	target   *Target
	problems []problem
	known    *metadata
}

type problem struct {
	message string
	fatal   bool
}

type (
	stopped struct{}
	skipped string
)

func (r *run) addProblem(fatal bool, format string, args ...any) {
	r.problems = append(r.problems, problem{fmt.Sprintf(format, args...), fatal})
}

// require ends the check as failed unless ok. The message says what was
// required and what was seen.
func (r *run) require(ok bool, format string, args ...any) {
	if !ok {
		r.addProblem(true, format, args...)
		panic(stopped{})
	}
}

// expect records a failure unless ok, and continues.
func (r *run) expect(ok bool, format string, args ...any) {
	if !ok {
		r.addProblem(true, format, args...)
	}
}

// warnUnless records what the Foundation's suite would warn of, and continues.
func (r *run) warnUnless(ok bool, format string, args ...any) {
	if !ok {
		r.addProblem(false, format, args...)
	}
}

// skipCheck ends the check because it cannot be run against this target.
func (r *run) skipCheck(format string, args ...any) { panic(skipped(fmt.Sprintf(format, args...))) }

// skipWithout skips the check if the target lacks a client or person.
func (r *run) skipWithout(what string, have bool) {
	if !have {
		r.skipCheck("the target has no %s", what)
	}
}

// passTime waits.
func (r *run) passTime(d time.Duration) {
	err := r.target.Wait(r.ctx, d)
	if errors.Is(err, ErrTooLong) {
		r.skipCheck("it takes %s of waiting, more than is allowed", d)
	}
	r.require(err == nil, "waiting was interrupted: %v", err)
}

// runTogether runs a part of the check n times concurrently. Each part has its
// own run; its problems end only that part and are collected when all parts are
// done.
func (r *run) runTogether(n int, do func(r *run, i int)) {
	r.metadata() // fetched once, before the race
	parts := make([]*run, n)
	var group sync.WaitGroup
	begin := make(chan struct{})
	for i := range parts {
		part := &run{ctx: r.ctx, target: r.target, known: r.known}
		parts[i] = part
		group.Go(func() {
			defer func() {
				switch end := recover().(type) {
				case nil, stopped:
				default:
					part.addProblem(true, "a part of the check broke: %v", end)
				}
			}()
			<-begin
			do(part, i)
		})
	}
	close(begin)
	group.Wait()
	for _, part := range parts {
		r.problems = append(r.problems, part.problems...)
	}
}

// metadata is the discovery document. All has every member.
type metadata struct {
	Issuer                 string   `json:"issuer"`
	AuthorizationEndpoint  string   `json:"authorization_endpoint"`
	TokenEndpoint          string   `json:"token_endpoint"`
	UserinfoEndpoint       string   `json:"userinfo_endpoint"`
	JWKSURI                string   `json:"jwks_uri"`
	EndSessionEndpoint     string   `json:"end_session_endpoint"`
	RevocationEndpoint     string   `json:"revocation_endpoint"`
	IntrospectionEndpoint  string   `json:"introspection_endpoint"`
	PAREndpoint            string   `json:"pushed_authorization_request_endpoint"`
	ScopesSupported        []string `json:"scopes_supported"`
	ResponseTypesSupported []string `json:"response_types_supported"`
	ResponseModesSupported []string `json:"response_modes_supported"`
	GrantTypesSupported    []string `json:"grant_types_supported"`
	ACRValuesSupported     []string `json:"acr_values_supported"`
	ClaimsParameter        bool     `json:"claims_parameter_supported"`
	IssParameter           bool     `json:"authorization_response_iss_parameter_supported"`
	BackchannelLogout      bool     `json:"backchannel_logout_supported"`
	FrontchannelLogout     bool     `json:"frontchannel_logout_supported"`

	all map[string]json.RawMessage
}

const pathDiscovery = "/.well-known/openid-configuration"

// metadata returns the provider's discovery document. It is fetched once in a
// check.
func (r *run) metadata() *metadata {
	if r.known != nil {
		return r.known
	}
	res := r.fetch(http.MethodGet, r.target.Issuer+pathDiscovery, nil)
	r.require(res.Status == http.StatusOK,
		"discovery at %s returned %d instead of 200", r.target.Issuer+pathDiscovery, res.Status)
	var m metadata
	r.require(json.Unmarshal([]byte(res.Body), &m) == nil && json.Unmarshal([]byte(res.Body), &m.all) == nil,
		"discovery is not JSON or has wrong types")
	r.require(m.Issuer == r.target.Issuer, "discovery names the issuer %q, not %q", m.Issuer, r.target.Issuer)
	r.require(m.AuthorizationEndpoint != "" && m.TokenEndpoint != "" && m.JWKSURI != "",
		"discovery lacks authorization_endpoint, token_endpoint or jwks_uri")
	r.known = &m
	return r.known
}

// supportsType reports whether discovery lists a response type, in any order of
// its parts.
func (m *metadata) supportsType(responseType string) bool {
	sorted := func(s string) string {
		parts := strings.Fields(s)
		slices.Sort(parts)
		return strings.Join(parts, " ")
	}
	return slices.ContainsFunc(m.ResponseTypesSupported, func(t string) bool { return sorted(t) == sorted(responseType) })
}

// supportedTypes returns those of the response types that the provider
// supports. It skips the check if there are none.
func (r *run) supportedTypes(all ...string) []string {
	supported := slices.DeleteFunc(all, func(t string) bool { return !r.metadata().supportsType(t) })
	if len(supported) == 0 {
		r.skipCheck("the provider supports none of the response types of this check")
	}
	return supported
}

// skipUnsupported skips the check if the provider does not support a variant.
func (r *run) skipUnsupported(v variant) {
	if !r.metadata().supportsType(v.responseType) {
		r.skipCheck("response_types_supported lacks %q", v.responseType)
	}
	if modes := r.metadata().ResponseModesSupported; v.responseMode != "" && modes != nil && !slices.Contains(modes,
		v.responseMode) {
		r.skipCheck("response_modes_supported lacks %q", v.responseMode)
	}
}

// decodeObject requires a JSON object and returns it.
func (r *run) decodeObject(res *robot.Page) map[string]any {
	var v map[string]any
	r.require(json.Unmarshal([]byte(res.Body), &v) == nil,
		"the response (status %d) is not a JSON object: %s", res.Status, robot.Excerpt(res.Body))
	return v
}

// randomString returns n characters of base64url.
func randomString(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(raw)[:n]
}
