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
	"time"

	"github.com/labstack/echo/v4"
)

// readForm reads the form body of a client's own request. Its parameters are rejected in the
// URL.
func (p *Provider) readForm(c echo.Context) (url.Values, error) {
	r := c.Request()
	if err := p.rejectKnownInQuery(c.Path(), r.URL.RawQuery); err != nil {
		return nil, err
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
		description: "The body is too large or incomplete.",
	}
}

func errClientAuth(description string) error {
	return &oauthError{status: http.StatusUnauthorized, code: invalidClient, description: description}
}

// readClientRequest reads a client's own request: it authenticates the client first,
// then returns the parameters.
func (p *Provider) readClientRequest(c echo.Context) (*Client, url.Values, error) {
	params, err := p.readForm(c)
	if err != nil {
		return nil, nil, err
	}
	client, err := p.authenticateClient(c, params)
	return client, params, err
}

// authenticateClient authenticates the client that makes a request (RFC 6749 section
// 2.3), before the request's content can do or reveal anything. Failures are counted for
// the client at that IP address and slow it down. If the address is unknown, they are
// not: one caller's failures would lock the client out for everyone.
func (p *Provider) authenticateClient(c echo.Context, params url.Values) (*Client, error) {
	ctx := c.Request().Context()
	log := p.log.With("address", c.RealIP(), "path", c.Path())
	credentials, err := readCredentials(c.Request().Header, params)
	if err != nil {
		log.InfoContext(ctx, "client authentication failed",
			"client_id", p.logClientID(params.Get("client_id")), "reason", toOAuthError(err).description)
		return nil, err
	}
	log = log.With("client_id", p.logClientID(credentials.id), "method", credentials.method)
	key := "client " + c.RealIP() + " " + credentials.id
	throttled := c.RealIP() != ""
	if wait := p.throttle.Wait(key); throttled && wait > 0 {
		log.InfoContext(ctx, "client authentication throttled", "wait", wait.Round(time.Second).String())
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
		return nil, &oauthError{
			status: http.StatusTooManyRequests, code: invalidClient,
			description: "Too many failures. Wait before you try again.",
		}
	}
	client, known := p.clientByCredentials(ctx, &credentials)
	err = errClientAuth("Client authentication failed.")
	reason := "The client is unknown."
	if known {
		reason = "The client may not use this method, but " + strings.Join(client.AuthMethods, " or ") + "."
	}
	if known && slices.Contains(client.AuthMethods, credentials.method) {
		err, reason = p.verifyCredentials(ctx, client, credentials), ""
	}
	if err == nil {
		return client, nil
	}
	oauthErr := toOAuthError(err)
	if oauthErr.isServerError() {
		return nil, err
	}
	if reason == "" {
		reason = oauthErr.description
		if credentials.method != AuthKey {
			reason = "The secret is wrong."
		}
	}
	log.InfoContext(ctx, "client authentication failed", "reason", reason)
	if throttled {
		p.throttle.Fail(key)
	}
	p.events("client_auth_failed", "")
	return nil, err
}

// verifyCredentials checks the credentials of a client that may use their method.
func (p *Provider) verifyCredentials(ctx context.Context, client *Client, credentials clientCredentials) error {
	if credentials.method == AuthNone && client.isPublic() {
		return nil
	}
	if credentials.method == AuthKey {
		return p.verifyClientAssertion(ctx, client, credentials.secret)
	}
	if credentials.method == AuthNone || !client.matchesSecret(credentials.secret) {
		return errClientAuth("Client authentication failed.")
	}
	if credentials.method == AuthPost && client.allowsDeviation(SecretInHeaderOrBody) {
		p.recordDeviation(ctx, client, SecretInHeaderOrBody)
	}
	return nil
}

// clientCredentials are a client's id, its secret or assertion, and the method.
type clientCredentials struct {
	id, secret, method string
	decodedHeader      string // content of the Basic header, before form decoding
}

// clientByCredentials finds the client that credentials name. LivePerson may send id and
// secret in a Basic header without form encoding. For its client, that reading counts
// too, if the other one does not match.
func (p *Provider) clientByCredentials(ctx context.Context, credentials *clientCredentials) (*Client, bool) {
	client, ok := p.clients[credentials.id]
	if credentials.method != AuthBasic || ok && client.matchesSecret(credentials.secret) {
		return client, ok
	}
	id, secret, _ := strings.Cut(credentials.decodedHeader, ":")
	other, known := p.clients[id]
	if known && other.allowsDeviation(UnencodedBasic) && other.matchesSecret(secret) {
		p.recordDeviation(ctx, other, UnencodedBasic)
		credentials.id, credentials.secret = id, secret
		return other, true
	}
	return client, ok
}

// readCredentials reads how a client authenticates: in exactly one way (RFC 6749 section
// 2.3).
func readCredentials(h http.Header, params url.Values) (clientCredentials, error) {
	headers := h.Values("Authorization")
	methods := len(headers)
	for _, name := range []string{"client_secret", "client_assertion"} {
		if params.Has(name) {
			methods++
		}
	}
	if methods > 1 {
		return clientCredentials{}, newOAuthError(invalidRequest, "The client authenticates in more than one way.")
	}
	id := params.Get("client_id")
	credentials := clientCredentials{id: id, method: AuthNone}
	if len(headers) == 1 {
		var ok bool
		if credentials, ok = parseBasicHeader(headers[0]); !ok {
			return clientCredentials{}, errClientAuth("The Authorization header is not a Basic header.")
		}
	} else if params.Has("client_assertion") || params.Has("client_assertion_type") {
		if params.Get("client_assertion_type") != assertionType {
			return clientCredentials{}, errClientAuth("client_assertion_type must be " + assertionType + ".")
		}
		assertion := params.Get("client_assertion")
		credentials = clientCredentials{id: assertedClient(assertion), secret: assertion, method: AuthKey}
	} else if params.Has("client_secret") {
		credentials = clientCredentials{id: id, secret: params.Get("client_secret"), method: AuthPost}
	}
	if params.Has("client_id") && id != credentials.id {
		return clientCredentials{}, newOAuthError(invalidRequest, "client_id is not the client that authenticates.")
	}
	return credentials, nil
}

// parseBasicHeader parses a Basic header strictly: base64 has one spelling. Id and secret
// are form-encoded in it (RFC 6749 section 2.3.1); if they are not, they match no client.
func parseBasicHeader(header string) (clientCredentials, bool) {
	scheme, encoded, found := strings.Cut(header, " ")
	if !found || !strings.EqualFold(scheme, "Basic") {
		return clientCredentials{}, false
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || strings.ContainsAny(encoded, "\r\n") {
		return clientCredentials{}, false
	}
	id, secret, found := strings.Cut(string(raw), ":")
	if !found || id == "" {
		return clientCredentials{}, false
	}
	credentials := clientCredentials{method: AuthBasic, decodedHeader: string(raw)}
	var err1, err2 error
	credentials.id, err1 = url.QueryUnescape(id)
	credentials.secret, err2 = url.QueryUnescape(secret)
	if err1 != nil || err2 != nil {
		credentials.id, credentials.secret = id, ""
	}
	if secret == "" {
		credentials.method = AuthNone // an empty secret is an omitted one
	}
	return credentials, true
}
