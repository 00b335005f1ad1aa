package oidc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"
)

// readTokenRequest is readClientRequest for the token endpoint, where LivePerson's client
// may send JSON. It returns the client even if the body cannot be read.
func (p *Provider) readTokenRequest(c echo.Context) (*Client, url.Values, error) {
	kind, _, err := mime.ParseMediaType(c.Request().Header.Get("Content-Type"))
	if err != nil || kind != echo.MIMEApplicationJSON {
		return p.readClientRequest(c)
	}
	if err := p.rejectKnownInQuery(c.Path(), c.Request().URL.RawQuery); err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return nil, nil, errTooLarge()
	}
	params, parseErr := parseStringObject(body)
	if !p.acceptsJSON(c.Request().Header, params) {
		return nil, nil, errNotForm()
	}
	client, err := p.authenticateClient(c, params)
	if err != nil {
		return nil, nil, err
	}
	if !client.allowsDeviation(JSONTokenRequest) {
		return nil, nil, errNotForm()
	}
	if parseErr != nil {
		return client, nil, &oauthError{
			code: jsonParseError, cause: parseErr,
			description: "The body must be one JSON object of strings, with unique names.",
		}
	}
	p.recordDeviation(c.Request().Context(), client, JSONTokenRequest)
	return client, params, nil
}

// acceptsJSON reports whether a request names a client that may send JSON, before the client
// has authenticated: no other client's JSON is accepted.
func (p *Provider) acceptsJSON(h http.Header, params url.Values) bool {
	credentials, err := readCredentials(h, params)
	if err != nil {
		return false
	}
	client, ok := p.clients[credentials.id]
	return ok && client.allowsDeviation(JSONTokenRequest)
}

// parseStringObject parses a JSON object of strings. Names must be unique, like parameters
// (RFC 6749 section 3.2).
func parseStringObject(body []byte) (url.Values, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	params := url.Values{}
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return params, errors.Join(errors.New("not an object"), err)
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return params, err
		}
		value, err := dec.Token()
		if err != nil {
			return params, err
		}
		key, _ := name.(string)
		text, ok := value.(string)
		if !ok || params.Has(key) {
			return params, errors.New("a member is not a string, or its name occurs twice")
		}
		params.Set(key, text)
	}
	for name, values := range params {
		if values[0] == "" { // as in a form
			params.Del(name)
		}
	}
	if _, err := dec.Token(); err != nil {
		return params, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return params, errors.New("text after the object")
	}
	return params, nil
}

// The error codes that LivePerson documents for the token endpoint.
const (
	jsonParseError = "json_parse_error"
	invalidCode    = "invalid_code"
)

// renameForLivePerson returns an error with LivePerson's error codes if the client is
// configured for them. Anything that a client may not do is unauthorized_client there.
// Server errors and wrong secrets keep code and status.
func (p *Provider) renameForLivePerson(ctx context.Context, client *Client, err error) error {
	oauthErr := toOAuthError(err)
	if client == nil || !client.allowsDeviation(LivePersonErrors) {
		if oauthErr.code == jsonParseError {
			return newOAuthError(invalidRequest, oauthErr.description)
		}
		return err
	}
	name := oauthErr.code
	switch oauthErr.code {
	case invalidGrant:
		name = invalidCode
	case unsupportedGrantType, invalidScope:
		name = unauthorizedClient
	}
	if name != oauthErr.code || name == jsonParseError {
		p.recordDeviation(ctx, client, LivePersonErrors)
	}
	return &oauthError{status: oauthErr.status, code: name, description: oauthErr.description, cause: oauthErr.cause}
}
