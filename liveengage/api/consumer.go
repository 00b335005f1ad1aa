package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"idpbridge/internal/secret"
	"idpbridge/liveengage"
)

// Credential is what a brand hands LivePerson for a consumer: an ID token, or a code
// with the redirect URI that it was made for.
type Credential struct {
	IDToken      secret.Value
	Code         secret.Value
	RedirectURI  string       // beside a code; empty for https://liveperson.net
	CodeVerifier secret.Value // where the code is bound to one
}

// CredentialSource gets a credential from the brand. It is asked before every attempt,
// because a code works once, and again whenever LivePerson's token has run out. Its
// errors are taken for passing, and it is asked again as the client's persistence
// says, unless Final marks them.
type CredentialSource func(ctx context.Context) (Credential, error)

// Authentication is how a consumer is authenticated.
type Authentication struct {
	// Version is that of the request: 1, 2 or 3. 0 is 3.
	Version int
	// Connector is the connector's id, for version 3; "default" if empty.
	Connector string
	// Source is where credentials come from.
	Source CredentialSource
}

// Signup makes an anonymous consumer and returns LivePerson's token for it.
func (c *Client) Signup(ctx context.Context) (string, error) {
	return c.requestToken(ctx, serviceCall{path: c.accountPath("/signup")})
}

// AnonymousAuthorize gets an external token for an anonymous consumer, or with the
// former one a new one for the same. It is handed in like a brand's ID token, lives
// ten minutes and can be renewed for 730 hours.
func (c *Client) AnonymousAuthorize(ctx context.Context, former string) (string, error) {
	call := serviceCall{path: c.accountPath("/anonymous/authorize")}
	if former != "" {
		call.makeBody = fixedBody(map[string]string{"id_token": former})
	}
	return c.requestToken(ctx, call)
}

// Authenticate hands a brand's credential in and returns LivePerson's own token. An
// answer with an error is an Error with LivePerson's code.
func (c *Client) Authenticate(ctx context.Context, a Authentication) (string, error) {
	call := serviceCall{}
	switch a.Version {
	case 1:
		call.path = c.accountPath("/authenticate")
	case 2:
		call.path, call.query = c.accountPath("/app/default/authenticate"), url.Values{"v": {"2.0"}}
	case 0, 3:
		connector := a.Connector
		if connector == "" {
			connector = "default"
		}
		call.path, call.query = c.accountPath("/app/"+url.PathEscape(connector)+"/authenticate"), url.Values{"v": {"3.0"}}
	default:
		return "", Permanent(errors.New("authenticate: there is no version " + strconv.Itoa(a.Version)))
	}
	call.makeBody = func(ctx context.Context) (any, error) {
		credential, err := a.Source(ctx)
		if err != nil {
			return nil, &stepError{"brand", "get a credential", fmt.Errorf("get a credential from the brand: %w", classifyCallerError(err))}
		}
		return credential.encodeBody(a.Version)
	}
	return c.requestToken(ctx, call)
}

// encodeBody is the credential as each version wants it. That of version 3 with a code is
// a guess: it is documented with an ID token alone.
func (k Credential) encodeBody(version int) (any, error) {
	switch {
	case !k.IDToken.IsSet() && !k.Code.IsSet():
		return nil, Permanent(errors.New("the brand gave neither an ID token nor a code"))
	case version == 1 && k.Code.IsSet():
		return map[string]string{"authCode": k.Code.Reveal()}, nil
	case version == 1:
		return map[string]string{"authCode": k.IDToken.Reveal()}, nil
	case !k.Code.IsSet():
		return map[string]string{"id_token": k.IDToken.Reveal()}, nil
	}
	body := map[string]string{"code": k.Code.Reveal(), "redirect_uri": k.RedirectURI}
	if k.RedirectURI == "" {
		body["redirect_uri"] = liveengage.EmbeddedRedirectURI
	}
	if k.CodeVerifier.IsSet() {
		body["code_verifier"] = k.CodeVerifier.Reveal()
	}
	return body, nil
}

// requestToken makes a call of the idp service and reads the token of its answer, which is
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
	if got.JWT == "" {
		got.JWT = got.Token
	}
	if got.JWT == "" {
		return "", Permanent(errors.New("the idp service answers without a token"))
	}
	return got.JWT, nil
}
