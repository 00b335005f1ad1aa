package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"idpbridge/internal/pkce"
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
	account     string // in the state, as LivePerson's window sends it
	person      robot.Credentials
	flow        liveengage.Flow
	pkce        bool

	endpoint string // the authorization endpoint, once discovered
	idToken  string // the last ID token
}

// authorizationError is an OAuth error that the provider sent to the client (RFC
// 6749 section 4.1.2.1).
type authorizationError struct{ code, description string }

func (e *authorizationError) Error() string {
	return "the provider returned " + e.code + ": " + robot.Excerpt(e.description)
}

// fetchCredential is an api.CredentialSource. A sign-in has as much time as a request
// to any service. An unavailable provider may be retried. A wrong password or a
// rejected request is permanent: more attempts would lock the person out.
func (s *credentialSource) fetchCredential(ctx context.Context) (api.Credential, error) {
	errTimeout := fmt.Errorf("the provider took more than %s", serviceTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, serviceTimeout, errTimeout)
	defer cancel()
	credential, err := s.signIn(ctx)
	if err == nil {
		return credential, nil
	}
	if ctx.Err() != nil {
		return credential, context.Cause(ctx)
	}
	if isTemporary(err) {
		return credential, err
	}
	return credential, api.Permanent(err)
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
		s.idToken = response.Get("id_token")
		return api.Credential{IDToken: secret.New(s.idToken)}, nil
	}
	credential := api.Credential{RedirectURI: s.redirectURI}
	var extra []string
	if s.pkce {
		verifier := pkce.NewVerifier()
		credential.CodeVerifier = secret.New(verifier)
		extra = []string{"code_challenge", pkce.Challenge(verifier), "code_challenge_method", pkce.Method}
	}
	response, err := s.authorize(ctx, "code", extra...)
	if err != nil {
		return api.Credential{}, err
	}
	credential.Code = secret.New(response.Get("code"))
	return credential, nil
}

// authorize sends an authorization request, signs the person in if a page asks for
// that, and returns the response. Extra are pairs of a parameter and its value.
func (s *credentialSource) authorize(
	ctx context.Context, responseType string, extra ...string,
) (robot.Response, error) {
	endpoint, err := s.discover(ctx)
	if err != nil {
		return robot.Response{}, err
	}
	request := url.Values{
		"client_id":     {s.clientID},
		"redirect_uri":  {s.redirectURI},
		"response_type": {responseType},
		"scope":         {"openid"},
		"state":         {s.newState()},
		"nonce":         {rand.Text()},
	}
	for i := 0; i+1 < len(extra); i += 2 {
		request.Set(extra[i], extra[i+1])
	}
	if endpoint.RawQuery != "" {
		endpoint.RawQuery += "&"
	}
	endpoint.RawQuery += request.Encode()
	response, err := s.browser.SignIn(ctx, endpoint.String(), s.redirectURI, s.person)
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

// newState returns a random state, in the form that LivePerson's window sends it: the
// provider may check the account.
func (s *credentialSource) newState() string {
	if !liveengage.IsWindowURI(s.redirectURI) {
		return rand.Text()
	}
	return liveengage.WindowState(s.account, rand.Text())
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

// viewFromToken returns what the agent sees according to the brand's ID token. In the
// code flow, only LivePerson gets that token, so this fetches another one.
func (s *credentialSource) viewFromToken(ctx context.Context) agentView {
	const hint = "; add --user or --key to see what the agent sees"
	if s.idToken == "" {
		ctx, cancel := context.WithTimeout(ctx, serviceTimeout)
		defer cancel()
		response, err := s.authorize(ctx, "id_token", "prompt", "none")
		if err != nil {
			return agentView{Why: "in the code flow, only LivePerson gets the token" + hint}
		}
		s.idToken = response.Get("id_token")
	}
	view, err := parseSDEs(s.idToken)
	if err != nil {
		return agentView{Why: err.Error() + hint}
	}
	return view
}
