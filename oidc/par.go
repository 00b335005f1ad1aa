package oidc

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// pushedPrefix begins every request_uri of ours (RFC 9126 section 2.2).
	pushedPrefix = "urn:ietf:params:oauth:request_uri:"
	// pushedLifetime is how long a pushed request can be used.
	pushedLifetime = 90 * time.Second
	// maxPushedLength keeps the URL with the request within what servers accept.
	maxPushedLength = 24 << 10
)

// pushedRequest is an authorization request that its client has pushed. It travels sealed
// in the request_uri, so a push stores nothing. Its response does.
type pushedRequest struct {
	Query    string `json:"q"`
	ClientID string `json:"c"`
	Expires  int64  `json:"e"` // seconds
}

type pushedResponse struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int64  `json:"expires_in"` // seconds
}

// handlePAR serves POST /par (RFC 9126 section 2): it authenticates the client, then
// validates the request as the authorization endpoint would.
func (p *Provider) handlePAR(c echo.Context) error {
	response, err := p.pushRequest(c)
	if err != nil {
		return p.writeError(c, err)
	}
	setNoStore(c)
	return c.JSON(http.StatusCreated, response)
}

func (p *Provider) pushRequest(c echo.Context) (*pushedResponse, error) {
	client, params, err := p.readClientRequest(c)
	if err != nil {
		return nil, err
	}
	if params.Has("request_uri") {
		return nil, newOAuthError(invalidRequest, "A pushed request must not have a request_uri.")
	}
	for _, name := range []string{"client_secret", "client_assertion", "client_assertion_type"} {
		params.Del(name)
	}
	params.Set("client_id", client.ID)
	query := params.Encode()
	if _, err := p.validateRequest(c.Request().Context(), query, true); err != nil {
		if _, ok := errors.AsType[*pageError](err); ok {
			return nil, newOAuthError(invalidRequest, "redirect_uri is missing or not registered for this client.")
		}
		return nil, err
	}
	sealed, err := p.pushSealer.Seal(pushedRequest{
		Query: query, ClientID: client.ID, Expires: p.now().Add(pushedLifetime).Unix(),
	})
	if err != nil {
		return nil, err
	}
	if len(sealed) > maxPushedLength {
		return nil, &oauthError{
			status: http.StatusRequestEntityTooLarge, code: invalidRequest, description: "The request is too large.",
		}
	}
	p.events("request_pushed", client.ID)
	return &pushedResponse{RequestURI: pushedPrefix + sealed, ExpiresIn: int64(pushedLifetime / time.Second)}, nil
}

// loadPushed replaces a request that refers to a pushed one by that. Parameters other than
// request_uri and client_id are ignored (RFC 9126 section 4, RFC 9101 section 5).
func (p *Provider) loadPushed(saved *savedRequest) *pageError {
	params, _, err := parseParameters(saved.Query)
	if err != nil || len(params["request_uri"]) != 1 || len(params["client_id"]) > 1 || params.Has("request") {
		return nil //nolint:nilerr // an ordinary request, or one that validateRequest rejects
	}
	sealed, ok := strings.CutPrefix(params.Get("request_uri"), pushedPrefix)
	if !ok {
		return nil
	}
	var pushed pushedRequest
	if err := p.pushSealer.Open(sealed, &pushed); err != nil || pushed.ClientID != params.Get("client_id") {
		return &pageError{
			message: "The link that brought you here refers to a request that its app did not make.",
			remedy:  "Go back to where you came from and try again.", client: p.clients[params.Get("client_id")],
		}
	}
	if p.now().Unix() >= pushed.Expires {
		return &pageError{
			message: "The link that brought you here has expired.",
			remedy:  "Go back to where you came from and try again.", client: p.clients[pushed.ClientID],
		}
	}
	saved.Query, saved.Pushed, saved.PushedHash = pushed.Query, true, hashString(sealed)
	return nil
}

// usePushed records that a pushed request is about to get its response, so that its
// request_uri gets no other (RFC 9126 section 7.3). It reports whether this is the first. An
// error does not count: it is sent before any user has signed in, and then nothing is stored.
func (p *Provider) usePushed(ctx context.Context, client *Client, saved savedRequest) (bool, error) {
	if saved.PushedHash == "" {
		return true, nil
	}
	end := saved.startedAt().Add(3*p.lifetimes.Request + pushedLifetime) // of every copy of it, see RestartRequest
	return p.assertions.RecordAssertion(ctx, client.ID, "pushed "+saved.PushedHash, end)
}
