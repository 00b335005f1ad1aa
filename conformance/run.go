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
// Check.Run catches, so that a check reads from top to bottom.
type run struct {
	ctx      context.Context //nolint:containedctx // lives as long as the check
	target   *Target
	problems []problem
	known    *metadata
}

type problem struct {
	text  string
	fatal bool
}

type (
	stopped struct{}
	skipped string
)

func (r *run) note(fatal bool, format string, args ...any) {
	r.problems = append(r.problems, problem{fmt.Sprintf(format, args...), fatal})
}

// must ends the check as failed unless ok. The text says what was demanded and
// what was seen.
func (r *run) must(ok bool, format string, args ...any) {
	if !ok {
		r.note(true, format, args...)
		panic(stopped{})
	}
}

// fail notes a fault and goes on.
func (r *run) fail(ok bool, format string, args ...any) {
	if !ok {
		r.note(true, format, args...)
	}
}

// should notes what the suite would warn of, and goes on.
func (r *run) should(ok bool, format string, args ...any) {
	if !ok {
		r.note(false, format, args...)
	}
}

// skip ends the check: it cannot be run against this target.
func (r *run) skip(format string, args ...any) { panic(skipped(fmt.Sprintf(format, args...))) }

// needs skips the check where a client or person is not lent.
func (r *run) needs(what string, have bool) {
	if !have {
		r.skip("the target has no %s to test with", what)
	}
}

// wait lets time pass.
func (r *run) wait(d time.Duration) {
	err := r.target.Wait(r.ctx, d)
	if errors.Is(err, ErrTooLong) {
		r.skip("it takes %s of waiting, which was not allowed", d)
	}
	r.must(err == nil, "waiting was interrupted: %v", err)
}

// together runs a part of the check n times at once. Each has a run of its own,
// whose faults end it alone and are noted here when all are done.
func (r *run) together(n int, do func(r *run, i int)) {
	r.meta() // fetched once, before the race
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
					part.note(true, "a part of the check broke: %v", end)
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

// metadata is the discovery document, as far as checks read it by name; all has
// every member.
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

// meta is the provider's discovery document, fetched once in a check.
func (r *run) meta() *metadata {
	if r.known != nil {
		return r.known
	}
	res := r.fetch(http.MethodGet, r.target.Issuer+pathDiscovery, nil)
	r.must(res.Status == http.StatusOK, "discovery at %s answers %d instead of 200", r.target.Issuer+pathDiscovery, res.Status)
	var m metadata
	r.must(json.Unmarshal([]byte(res.Body), &m) == nil && json.Unmarshal([]byte(res.Body), &m.all) == nil, "discovery is not JSON of the right types")
	r.must(m.Issuer == r.target.Issuer, "discovery names the issuer %q, not %q", m.Issuer, r.target.Issuer)
	r.must(m.AuthorizationEndpoint != "" && m.TokenEndpoint != "" && m.JWKSURI != "", "discovery lacks authorization_endpoint, token_endpoint or jwks_uri")
	r.known = &m
	return r.known
}

// supports says whether discovery names a response type, whatever its order.
func (m *metadata) supports(responseType string) bool {
	sorted := func(s string) string {
		parts := strings.Fields(s)
		slices.Sort(parts)
		return strings.Join(parts, " ")
	}
	return slices.ContainsFunc(m.ResponseTypesSupported, func(t string) bool { return sorted(t) == sorted(responseType) })
}

// types are those of the response types that the provider supports. The check is
// skipped where it supports none of them.
func (r *run) types(all ...string) []string {
	supported := slices.DeleteFunc(all, func(t string) bool { return !r.meta().supports(t) })
	if len(supported) == 0 {
		r.skip("the provider supports none of the response types in question")
	}
	return supported
}

// in skips the check where the provider does not support a variant at all.
func (r *run) in(v variant) {
	if !r.meta().supports(v.responseType) {
		r.skip("response_types_supported lacks %q", v.responseType)
	}
	if modes := r.meta().ResponseModesSupported; v.responseMode != "" && modes != nil && !slices.Contains(modes, v.responseMode) {
		r.skip("response_modes_supported lacks %q", v.responseMode)
	}
}

// object reads a JSON body, or fails the check.
func (r *run) object(res *robot.Page) map[string]any {
	var v map[string]any
	r.must(json.Unmarshal([]byte(res.Body), &v) == nil, "the answer (status %d) is not a JSON object: %s", res.Status, robot.Excerpt(res.Body))
	return v
}

// random is n characters of base64url.
func random(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(raw)[:n]
}
