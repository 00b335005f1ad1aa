package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"idpbridge/internal/secret"
	"idpbridge/liveengage"
)

// Credential is what a brand gives LivePerson for a consumer: an ID token, or an
// authorization code with the redirect URI it was issued for.
type Credential struct {
	IDToken      secret.Value
	Code         secret.Value
	RedirectURI  string       // of the code; empty means https://liveperson.net
	CodeVerifier secret.Value // for a code with PKCE
}

// CredentialSource gets a credential from the brand. It is called before every
// attempt, because a code works only once, and again when LivePerson's token has
// expired. Its errors count as temporary and are retried, unless they are marked
// with Permanent.
type CredentialSource func(ctx context.Context) (Credential, error)

// Authentication says how to authenticate a consumer.
type Authentication struct {
	// Version of the request: 1, 2 or 3. Zero means 3.
	Version int
	// Connector is the connector's ID, for version 3. Empty means "default".
	Connector string
	// Source provides the credentials.
	Source CredentialSource
}

// Authenticate hands a brand's credential to the idp service and returns
// LivePerson's own token. If the service rejects it, the error is an *Error with
// LivePerson's code.
func (c *Client) Authenticate(ctx context.Context, a Authentication) (string, error) {
	call := serviceCall{}
	switch a.Version {
	case 1:
		call.path = c.accountPath("/authenticate")
	case 2:
		call.path, call.query = c.accountPath("/app/default/authenticate"), url.Values{"v": {"2.0"}}
	case 0, 3:
		connector := url.PathEscape(cmp.Or(a.Connector, "default"))
		call.path, call.query = c.accountPath("/app/"+connector+"/authenticate"), url.Values{"v": {"3.0"}}
	default:
		return "", Permanent(fmt.Errorf("authenticate: version %d does not exist; use 1, 2 or 3", a.Version))
	}
	call.makeBody = func(ctx context.Context) (any, error) {
		credential, err := a.Source(ctx)
		if err != nil {
			err = fmt.Errorf("get a credential from the brand: %w", classifyCallerError(err))
			return nil, &stepError{"brand", "get a credential", err}
		}
		return credential.encodeBody(a.Version)
	}
	return c.requestToken(ctx, call)
}

// encodeBody returns the request body for a version. The body of version 3 with a
// code is a guess: LivePerson documents only the one with an ID token.
func (k Credential) encodeBody(version int) (any, error) {
	idToken, code := k.IDToken.Reveal(), k.Code.Reveal()
	if idToken == "" && code == "" {
		return nil, Permanent(errors.New("the brand returned neither an ID token nor a code"))
	}
	if version == 1 {
		return map[string]string{"authCode": cmp.Or(code, idToken)}, nil
	}
	if code == "" {
		return map[string]string{"id_token": idToken}, nil
	}
	body := map[string]string{"code": code, "redirect_uri": cmp.Or(k.RedirectURI, liveengage.EmbeddedRedirectURI)}
	if k.CodeVerifier.IsSet() {
		body["code_verifier"] = k.CodeVerifier.Reveal()
	}
	return body, nil
}

// requestToken calls the idp service and returns the token in its response, which is
// named jwt or token.
func (c *Client) requestToken(ctx context.Context, call serviceCall) (string, error) {
	call.service, call.method = serviceIDP, http.MethodPost
	var got struct {
		JWT   string `json:"jwt"`
		Token string `json:"token"`
	}
	if _, err := c.callService(ctx, call, &got); err != nil {
		return "", err
	}
	token := cmp.Or(got.JWT, got.Token)
	if token == "" {
		return "", Permanent(errors.New("the response of the idp service has no token"))
	}
	return token, nil
}
