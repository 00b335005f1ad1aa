package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	"idpbridge/conformance"
	"idpbridge/internal/secret"
	"idpbridge/liveengage"
	"idpbridge/liveengage/api"
)

// credentialSource gets credentials from the brand by a person who has signed in there.
type credentialSource struct {
	visitor     *conformance.Visitor
	outages     *outageRecorder
	flow        liveengage.Flow
	pkce        bool
	redirectURI string
	token       string // the last ID token
}

// newCredentialSource is a person at an issuer who has not been there yet.
func newCredentialSource(issuer string, through http.RoundTripper, to conformance.Client, person conformance.Person) (*credentialSource, error) {
	w := &outageRecorder{next: through}
	visitor, err := conformance.NewVisitor(issuer, w, to, person)
	if err != nil {
		return nil, err
	}
	return &credentialSource{visitor: visitor, outages: w, redirectURI: to.RedirectURI}, nil
}

// outageRecorder notes whether the provider was away. A visitor tells faults in words alone.
type outageRecorder struct {
	next        http.RoundTripper
	unavailable atomic.Bool // a request had no answer, or one that may be another later
}

func (w *outageRecorder) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := w.next.RoundTrip(r)
	switch {
	case errors.Is(err, api.ErrHostNotAllowed):
	case err != nil, res.StatusCode >= http.StatusInternalServerError: // 429 is for passwords that were tried too often
		w.unavailable.Store(true)
	}
	return res, err
}

// fetchCredential is an api.CredentialSource. A sign-in takes no longer than a request of any
// service may. A provider that is away is asked again; a wrong password, or a request
// that it refuses, is final: more attempts would lock the person out.
func (s *credentialSource) fetchCredential(ctx context.Context) (api.Credential, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, serviceTimeout, fmt.Errorf("the provider took more than %s", serviceTimeout))
	defer cancel()
	s.outages.unavailable.Store(false)
	k, err := s.signIn(ctx)
	switch {
	case err == nil:
		return k, nil
	case ctx.Err() != nil:
		return k, context.Cause(ctx)
	case s.outages.unavailable.Load(), strings.HasPrefix(err.Error(), "the provider answers temporarily_unavailable"):
		return k, err
	}
	return k, api.Permanent(err)
}

func (s *credentialSource) signIn(ctx context.Context) (api.Credential, error) {
	if s.flow == liveengage.FlowImplicit {
		answer, err := s.visitor.Authorize(ctx, "id_token")
		if err != nil {
			return api.Credential{}, err
		}
		s.token = answer.Get("id_token")
		return api.Credential{IDToken: secret.New(s.token)}, nil
	}
	k := api.Credential{RedirectURI: s.redirectURI}
	var changes []string
	if s.pkce {
		verifier := rand.Text() + rand.Text() // 43 characters or more (RFC 7636 section 4.1)
		k.CodeVerifier = secret.New(verifier)
		sum := sha256.Sum256([]byte(verifier))
		changes = []string{"code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method", "S256"}
	}
	answer, err := s.visitor.Authorize(ctx, "code", changes...)
	if err != nil {
		return api.Credential{}, err
	}
	k.Code = secret.New(answer.Get("code"))
	return k, nil
}

// viewFromToken are those of the brand's token.
func (s *credentialSource) viewFromToken(ctx context.Context) agentView {
	if s.token == "" {
		ctx, cancel := context.WithTimeout(ctx, serviceTimeout)
		defer cancel()
		answer, err := s.visitor.Authorize(ctx, "id_token", "prompt", "none")
		if err != nil {
			return agentView{Why: "the code flow hands the token to LivePerson alone; add --user or --key to see what the agent sees"}
		}
		s.token = answer.Get("id_token")
	}
	out, err := parseSDEs(s.token)
	if err != nil {
		return agentView{Why: err.Error() + "; add --user or --key to see what the agent sees"}
	}
	return out
}

var errEncrypted = errors.New("the token is encrypted for LivePerson")

// decodeClaims are the claims of a token, unverified: whoever verifies it is LivePerson.
func decodeClaims(token string) ([]byte, error) {
	parts := strings.Split(token, ".")
	switch {
	case len(parts) == 5:
		return nil, errEncrypted
	case len(parts) != 3:
		return nil, errors.New("the provider's token is no JWT")
	}
	return base64.RawURLEncoding.DecodeString(cmp.Or(parts[1], "?"))
}
