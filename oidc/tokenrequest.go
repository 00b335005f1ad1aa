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

// tokenRequest is clientRequest for the token endpoint, where LivePerson's client
// may send JSON. It returns the client also beside a body that cannot be read.
func (p *Provider) tokenRequest(c echo.Context) (*Client, url.Values, error) {
	kind, _, err := mime.ParseMediaType(c.Request().Header.Get("Content-Type"))
	if err != nil || kind != echo.MIMEApplicationJSON || c.Request().URL.RawQuery != "" {
		return p.clientRequest(c)
	}
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return nil, nil, errTooLarge()
	}
	v, unread := members(body)
	if !p.mayBeJSON(c.Request().Header, v) {
		return nil, nil, errNotForm()
	}
	client, err := p.authenticate(c, v)
	switch {
	case err != nil:
		return nil, nil, err
	case !client.allows(JSONTokenRequest):
		return nil, nil, errNotForm()
	case unread != nil:
		return client, nil, &fault{code: jsonParseError, description: "The body is not one JSON object of strings, each named once.", cause: unread}
	}
	p.excepted(c.Request().Context(), client, JSONTokenRequest)
	return client, v, nil
}

// mayBeJSON says whether a request names a client that may send JSON, before it
// has authenticated: nobody else's JSON is looked at.
func (p *Provider) mayBeJSON(h http.Header, v url.Values) bool {
	shown, err := presented(h, v)
	if err != nil {
		return false
	}
	client, ok := p.clients[shown.id]
	return ok && client.allows(JSONTokenRequest)
}

// members reads a JSON object of strings. Names that occur twice are refused, as
// parameters are (RFC 6749 section 3.2).
func members(body []byte) (url.Values, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	v := url.Values{}
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return v, errors.Join(errors.New("not an object"), err)
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return v, err
		}
		value, err := dec.Token()
		if err != nil {
			return v, err
		}
		key, _ := name.(string)
		text, ok := value.(string)
		if !ok || v.Has(key) {
			return v, errors.New("a member is no string, or is named twice")
		}
		v.Set(key, text)
	}
	if _, err := dec.Token(); err != nil {
		return v, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return v, errors.New("text after the object")
	}
	return v, nil
}

// The names that LivePerson documents for the token endpoint's refusals.
const (
	jsonParseError = "json_parse_error"
	invalidCode    = "invalid_code"
)

// renamed is a refusal as LivePerson's services know it, for the client that may
// have it so; for everybody else it is the error as it was. What a client may not
// do is unauthorized_client there; our own faults and a wrong secret keep name and
// status.
func (p *Provider) renamed(ctx context.Context, client *Client, err error) error {
	f := asFault(err)
	if client == nil || !client.allows(LivePersonErrors) {
		if f.code == jsonParseError {
			return refuse(invalidRequest, f.description)
		}
		return err
	}
	name := f.code
	switch f.code {
	case invalidGrant:
		name = invalidCode
	case unsupportedGrantType, invalidScope:
		name = unauthorizedClient
	}
	if name != f.code || name == jsonParseError {
		p.excepted(ctx, client, LivePersonErrors)
	}
	return &fault{status: f.status, code: name, description: f.description, cause: f.cause}
}
