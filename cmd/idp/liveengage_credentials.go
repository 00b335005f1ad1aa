package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"idpbridge/internal/robot"
	"idpbridge/internal/secret"
	"idpbridge/liveengage"
	"idpbridge/liveengage/api"
)

// credentialSource gets credentials from the brand by signing a person in there. The
// browser keeps its cookies, so that a person who is signed in is not asked again.
type credentialSource struct {
	issuer      string
	browser     *robot.Browser
	clientID    string
	redirectURI string // nothing needs to listen there
	user        robot.Credentials
	flow        liveengage.Flow
	pkce        bool

	endpoint string // the authorization endpoint, once discovered
	token    string // the last ID token
}

// authorizationError is an OAuth error that the provider sent to the client (RFC
// 6749 section 4.1.2.1).
type authorizationError struct{ code, description string }

func (e *authorizationError) Error() string {
	return "the provider answers " + e.code + ": " + robot.Excerpt(e.description)
}

// fetchCredential is an api.CredentialSource. A sign-in may take as long as a request of any
// service. A provider that is down is asked again. A wrong password, or a request
// that the provider rejects, is final: more attempts would lock the person out.
func (s *credentialSource) fetchCredential(ctx context.Context) (api.Credential, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, serviceTimeout, fmt.Errorf("the provider took more than %s", serviceTimeout))
	defer cancel()
	k, err := s.signIn(ctx)
	if err == nil {
		return k, nil
	}
	if ctx.Err() != nil {
		return k, context.Cause(ctx)
	}
	if isTemporary(err) {
		return k, err
	}
	return k, api.Permanent(err)
}

// isTemporary reports whether a sign-in that failed may succeed later: there was no
// response, or a server error. Status 429 is not one; it is for passwords that were
// tried too often.
func isTemporary(err error) bool {
	if errors.Is(err, api.ErrHostNotAllowed) {
		return false
	}
	if rejected, ok := errors.AsType[*authorizationError](err); ok {
		return rejected.code == "temporarily_unavailable"
	}
	if ended, ok := errors.AsType[*robot.PageError](err); ok {
		return ended.Page.Status >= http.StatusInternalServerError
	}
	_, unanswered := errors.AsType[*robot.NoResponseError](err)
	return unanswered
}

func (s *credentialSource) signIn(ctx context.Context) (api.Credential, error) {
	if s.flow == liveengage.FlowImplicit {
		response, err := s.authorize(ctx, "id_token")
		if err != nil {
			return api.Credential{}, err
		}
		s.token = response.Get("id_token")
		return api.Credential{IDToken: secret.New(s.token)}, nil
	}
	k := api.Credential{RedirectURI: s.redirectURI}
	var extra []string
	if s.pkce {
		verifier := rand.Text() + rand.Text() // 43 characters or more (RFC 7636 section 4.1)
		k.CodeVerifier = secret.New(verifier)
		sum := sha256.Sum256([]byte(verifier))
		extra = []string{"code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method", "S256"}
	}
	response, err := s.authorize(ctx, "code", extra...)
	if err != nil {
		return api.Credential{}, err
	}
	k.Code = secret.New(response.Get("code"))
	return k, nil
}

// authorize sends an authorization request, signs the person in if a page asks for
// that, and returns the response. Extra are pairs of a parameter and its value.
func (s *credentialSource) authorize(ctx context.Context, responseType string, extra ...string) (robot.Response, error) {
	endpoint, err := s.discover(ctx)
	if err != nil {
		return robot.Response{}, err
	}
	request := url.Values{
		"client_id": {s.clientID}, "redirect_uri": {s.redirectURI}, "response_type": {responseType},
		"scope": {"openid"}, "state": {rand.Text()}, "nonce": {rand.Text()},
	}
	for i := 0; i+1 < len(extra); i += 2 {
		request.Set(extra[i], extra[i+1])
	}
	if endpoint.RawQuery != "" {
		endpoint.RawQuery += "&"
	}
	endpoint.RawQuery += request.Encode()
	response, err := s.browser.SignIn(ctx, endpoint.String(), s.redirectURI, s.user)
	if err != nil {
		return robot.Response{}, err
	}
	if code := response.Get("error"); code != "" {
		return robot.Response{}, &authorizationError{code, response.Get("error_description")}
	}
	if response.Get("state") != request.Get("state") {
		return robot.Response{}, errors.New("the state of the response is not that of the request")
	}
	return response, nil
}

// discover returns the provider's authorization endpoint (OpenID Connect Discovery
// section 4).
func (s *credentialSource) discover(ctx context.Context) (*url.URL, error) {
	if s.endpoint != "" {
		return url.Parse(s.endpoint)
	}
	request, err := robot.NewRequest(ctx, http.MethodGet, s.issuer+"/.well-known/openid-configuration", nil)
	if err != nil {
		return nil, err
	}
	page, err := s.browser.Send(request)
	if err != nil {
		return nil, err
	}
	if page.Status != http.StatusOK {
		return nil, fmt.Errorf("discovery at %s: %w", page.URL, &robot.PageError{Page: page})
	}
	var metadata struct {
		Issuer   string `json:"issuer"`
		Endpoint string `json:"authorization_endpoint"`
	}
	if err := json.Unmarshal([]byte(page.Body), &metadata); err != nil {
		return nil, fmt.Errorf("discovery at %s is not JSON: %w", page.URL, err)
	}
	if metadata.Issuer != s.issuer {
		return nil, fmt.Errorf("discovery names the issuer %q, not %q", metadata.Issuer, s.issuer)
	}
	endpoint, err := url.Parse(metadata.Endpoint)
	if err != nil || endpoint.Host == "" {
		return nil, fmt.Errorf("discovery has the authorization_endpoint %q, which is not a URL", metadata.Endpoint)
	}
	s.endpoint = metadata.Endpoint
	return endpoint, nil
}

// viewFromToken returns the attributes in the brand's token.
func (s *credentialSource) viewFromToken(ctx context.Context) agentView {
	if s.token == "" {
		ctx, cancel := context.WithTimeout(ctx, serviceTimeout)
		defer cancel()
		response, err := s.authorize(ctx, "id_token", "prompt", "none")
		if err != nil {
			return agentView{Why: "the code flow hands the token to LivePerson alone; add --user or --key to see what the agent sees"}
		}
		s.token = response.Get("id_token")
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
