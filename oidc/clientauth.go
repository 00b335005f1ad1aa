package oidc

import (
	"context"
	"encoding/base64"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

// readForm reads the body of a request that a client makes itself. Parameters in
// the address are refused: addresses end up in logs (RFC 6749 section 2.3.1).
func readForm(c echo.Context) (url.Values, error) {
	r := c.Request()
	if r.URL.RawQuery != "" {
		return nil, newOAuthError(invalidRequest, "Parameters belong into the body, not into the address.")
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, errNotForm()
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, errTooLarge()
	}
	params, repeated, err := parseParameters(string(body))
	if err != nil {
		return nil, err
	}
	if len(repeated) > 0 {
		return nil, newOAuthError(invalidRequest, "A parameter occurs more than once.")
	}
	return params, nil
}

func errNotForm() error {
	return &oauthError{
		status: http.StatusUnsupportedMediaType, code: invalidRequest,
		description: "The body must be application/x-www-form-urlencoded.",
	}
}

func errTooLarge() error {
	return &oauthError{
		status: http.StatusRequestEntityTooLarge, code: invalidRequest,
		description: "The body is too large or broke off.",
	}
}

// readClientRequest reads what a client asks of its own accord: who it is first, then
// the parameters.
func (p *Provider) readClientRequest(c echo.Context) (*Client, url.Values, error) {
	params, err := readForm(c)
	if err != nil {
		return nil, nil, err
	}
	client, err := p.authenticateClient(c, params)
	return client, params, err
}

// authenticateClient finds out which client makes a request (RFC 6749 section 2.3).
// It comes before anything that the request's content could do or reveal.
// Failures are counted for the client at that address and slow it down.
func (p *Provider) authenticateClient(c echo.Context, params url.Values) (*Client, error) {
	credentials, err := readCredentials(c.Request().Header, params)
	if err != nil {
		return nil, err
	}
	key := "client " + c.RealIP() + " " + credentials.id
	if wait := p.throttle.Wait(key); wait > 0 {
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
		return nil, &oauthError{status: http.StatusTooManyRequests, code: invalidClient, description: "Too many failures. Wait before you try again."}
	}
	client, ok := p.clientByCredentials(c.Request().Context(), &credentials)
	err = &oauthError{status: http.StatusUnauthorized, code: invalidClient, description: "Client authentication failed."}
	switch {
	case !ok, !slices.Contains(client.AuthMethods, credentials.method):
	case credentials.method == AuthNone && client.isPublic():
		return client, nil
	case credentials.method == AuthKey:
		if err = p.verifyClientAssertion(c.Request().Context(), client, credentials.secret); err == nil {
			return client, nil
		}
		if toOAuthError(err).code == serverError {
			return nil, err
		}
		p.log.InfoContext(c.Request().Context(), "client refused", "client_id", client.ID, "reason", toOAuthError(err).description)
	case credentials.method != AuthNone && client.matchesSecret(credentials.secret):
		if credentials.method == AuthPost && client.allowsDeviation(SecretEitherWay) {
			p.recordDeviation(c.Request().Context(), client, SecretEitherWay)
		}
		return client, nil
	}
	p.throttle.Fail(key)
	p.events("client_refused", "")
	return nil, err
}

// clientCredentials is how a client says who it is: its id, a secret or an assertion, and
// the method.
type clientCredentials struct {
	id, secret, method string
	decodedHeader      string // what the Basic header holds, before any decoding
}

// clientByCredentials finds the client that a proof names. In a Basic header LivePerson may send
// id and secret as they are: for its client alone that reading counts too, where
// the other is not right.
func (p *Provider) clientByCredentials(ctx context.Context, credentials *clientCredentials) (*Client, bool) {
	client, ok := p.clients[credentials.id]
	if credentials.method != AuthBasic || ok && client.matchesSecret(credentials.secret) {
		return client, ok
	}
	id, secret, _ := strings.Cut(credentials.decodedHeader, ":")
	if other, known := p.clients[id]; known && other.allowsDeviation(UnencodedBasic) && other.matchesSecret(secret) {
		p.recordDeviation(ctx, other, UnencodedBasic)
		credentials.id, credentials.secret = id, secret
		return other, true
	}
	return client, ok
}

// readCredentials returns how a client authenticates: exactly one way (RFC 6749
// section 2.3). In the Basic header both id and secret are form-encoded (section
// 2.3.1).
func readCredentials(h http.Header, params url.Values) (clientCredentials, error) {
	headers := h.Values("Authorization")
	ways := len(headers)
	for _, name := range []string{"client_secret", "client_assertion"} {
		if params.Has(name) {
			ways++
		}
	}
	id := params.Get("client_id")
	credentials := clientCredentials{id: id, method: AuthNone}
	switch {
	case ways > 1:
		return clientCredentials{}, newOAuthError(invalidRequest, "The client authenticates in more than one way.")
	case len(headers) == 1:
		var ok bool
		if credentials, ok = parseBasicHeader(headers[0]); !ok {
			return clientCredentials{}, &oauthError{status: http.StatusUnauthorized, code: invalidClient, description: "The Authorization header is not a Basic header."}
		}
	case params.Has("client_assertion"), params.Has("client_assertion_type"):
		if params.Get("client_assertion_type") != assertionType {
			return clientCredentials{}, &oauthError{status: http.StatusUnauthorized, code: invalidClient, description: "client_assertion_type must be " + assertionType + "."}
		}
		assertion := params.Get("client_assertion")
		credentials = clientCredentials{id: assertedClient(assertion), secret: assertion, method: AuthKey}
	case params.Has("client_secret"):
		credentials = clientCredentials{id: id, secret: params.Get("client_secret"), method: AuthPost}
	}
	if params.Has("client_id") && id != credentials.id {
		return clientCredentials{}, newOAuthError(invalidRequest, "client_id differs from the client that authenticates.")
	}
	return credentials, nil
}

// parseBasicHeader reads a Basic header strictly: one spelling in base64. Id and secret are
// form-encoded in it (RFC 6749 section 2.3.1); where they are not, they match no
// client.
func parseBasicHeader(header string) (clientCredentials, bool) {
	scheme, encoded, found := strings.Cut(header, " ")
	if !found || !strings.EqualFold(scheme, "Basic") {
		return clientCredentials{}, false
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || strings.ContainsAny(encoded, "\r\n") {
		return clientCredentials{}, false
	}
	plain := string(raw)
	id, secret, found := strings.Cut(plain, ":")
	if !found || id == "" {
		return clientCredentials{}, false
	}
	credentials := clientCredentials{method: AuthBasic, decodedHeader: plain}
	var err1, err2 error
	credentials.id, err1 = url.QueryUnescape(id)
	credentials.secret, err2 = url.QueryUnescape(secret)
	if err1 != nil || err2 != nil {
		credentials.id, credentials.secret = id, ""
	}
	return credentials, true
}
