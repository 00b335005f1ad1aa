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

// form reads the body of a request that a client makes itself. Parameters in
// the address are refused: addresses end up in logs (RFC 6749 section 2.3.1).
func form(c echo.Context) (url.Values, error) {
	r := c.Request()
	if r.URL.RawQuery != "" {
		return nil, refuse(invalidRequest, "Parameters belong into the body, not into the address.")
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, errNotForm()
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, errTooLarge()
	}
	v, repeated, err := parameters(string(body))
	if err != nil {
		return nil, err
	}
	if len(repeated) > 0 {
		return nil, refuse(invalidRequest, "A parameter occurs more than once.")
	}
	return v, nil
}

func errNotForm() error {
	return &fault{
		status: http.StatusUnsupportedMediaType, code: invalidRequest,
		description: "The body must be application/x-www-form-urlencoded.",
	}
}

func errTooLarge() error {
	return &fault{
		status: http.StatusRequestEntityTooLarge, code: invalidRequest,
		description: "The body is too large or broke off.",
	}
}

// clientRequest reads what a client asks of its own accord: who it is first, then
// the parameters.
func (p *Provider) clientRequest(c echo.Context) (*Client, url.Values, error) {
	v, err := form(c)
	if err != nil {
		return nil, nil, err
	}
	client, err := p.authenticate(c, v)
	return client, v, err
}

// authenticate finds out which client makes a request (RFC 6749 section 2.3).
// It comes before anything that the request's content could do or reveal.
// Failures are counted for the client at that address and slow it down.
func (p *Provider) authenticate(c echo.Context, v url.Values) (*Client, error) {
	shown, err := presented(c.Request().Header, v)
	if err != nil {
		return nil, err
	}
	key := "client " + c.RealIP() + " " + shown.id
	if wait := p.throttle.Wait(key); wait > 0 {
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
		return nil, &fault{status: http.StatusTooManyRequests, code: invalidClient, description: "Too many failures. Wait before you try again."}
	}
	client, ok := p.shown(c.Request().Context(), &shown)
	err = &fault{status: http.StatusUnauthorized, code: invalidClient, description: "Client authentication failed."}
	switch {
	case !ok, !slices.Contains(client.AuthMethods, shown.method):
	case shown.method == AuthNone && client.public():
		return client, nil
	case shown.method == AuthKey:
		if err = p.assert(c.Request().Context(), client, shown.secret); err == nil {
			return client, nil
		}
		if asFault(err).code == serverError {
			return nil, err
		}
		p.log.InfoContext(c.Request().Context(), "client refused", "client_id", client.ID, "reason", asFault(err).description)
	case shown.method != AuthNone && client.secretMatches(shown.secret):
		if shown.method == AuthPost && client.allows(SecretEitherWay) {
			p.excepted(c.Request().Context(), client, SecretEitherWay)
		}
		return client, nil
	}
	p.throttle.Fail(key)
	p.events("client_refused", "")
	return nil, err
}

// proof is how a client says who it is: its id, a secret or an assertion, and
// the method.
type proof struct {
	id, secret, method string
	plain              string // what the Basic header holds, before any decoding
}

// shown finds the client that a proof names. In a Basic header LivePerson may send
// id and secret as they are: for its client alone that reading counts too, where
// the other is not right.
func (p *Provider) shown(ctx context.Context, shown *proof) (*Client, bool) {
	client, ok := p.clients[shown.id]
	if shown.method != AuthBasic || ok && client.secretMatches(shown.secret) {
		return client, ok
	}
	id, secret, _ := strings.Cut(shown.plain, ":")
	if other, known := p.clients[id]; known && other.allows(UnencodedBasic) && other.secretMatches(secret) {
		p.excepted(ctx, other, UnencodedBasic)
		shown.id, shown.secret = id, secret
		return other, true
	}
	return client, ok
}

// presented returns how a client authenticates: exactly one way (RFC 6749
// section 2.3). In the Basic header both id and secret are form-encoded (section
// 2.3.1).
func presented(h http.Header, v url.Values) (proof, error) {
	headers := h.Values("Authorization")
	ways := len(headers)
	for _, name := range []string{"client_secret", "client_assertion"} {
		if v.Has(name) {
			ways++
		}
	}
	id := v.Get("client_id")
	shown := proof{id: id, method: AuthNone}
	switch {
	case ways > 1:
		return proof{}, refuse(invalidRequest, "The client authenticates in more than one way.")
	case len(headers) == 1:
		var ok bool
		if shown, ok = basic(headers[0]); !ok {
			return proof{}, &fault{status: http.StatusUnauthorized, code: invalidClient, description: "The Authorization header is not a Basic header."}
		}
	case v.Has("client_assertion"), v.Has("client_assertion_type"):
		if v.Get("client_assertion_type") != assertionType {
			return proof{}, &fault{status: http.StatusUnauthorized, code: invalidClient, description: "client_assertion_type must be " + assertionType + "."}
		}
		assertion := v.Get("client_assertion")
		shown = proof{id: assertedClient(assertion), secret: assertion, method: AuthKey}
	case v.Has("client_secret"):
		shown = proof{id: id, secret: v.Get("client_secret"), method: AuthPost}
	}
	if v.Has("client_id") && id != shown.id {
		return proof{}, refuse(invalidRequest, "client_id differs from the client that authenticates.")
	}
	return shown, nil
}

// basic reads a Basic header strictly: one spelling in base64. Id and secret are
// form-encoded in it (RFC 6749 section 2.3.1); where they are not, they match no
// client.
func basic(header string) (proof, bool) {
	scheme, encoded, found := strings.Cut(header, " ")
	if !found || !strings.EqualFold(scheme, "Basic") {
		return proof{}, false
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || strings.ContainsAny(encoded, "\r\n") {
		return proof{}, false
	}
	plain := string(raw)
	id, secret, found := strings.Cut(plain, ":")
	if !found || id == "" {
		return proof{}, false
	}
	shown := proof{method: AuthBasic, plain: plain}
	var err1, err2 error
	shown.id, err1 = url.QueryUnescape(id)
	shown.secret, err2 = url.QueryUnescape(secret)
	if err1 != nil || err2 != nil {
		shown.id, shown.secret = id, ""
	}
	return shown, true
}
