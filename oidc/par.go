package oidc

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// pushedPrefix begins every request_uri of ours (RFC 9126 section 2.2).
	pushedPrefix = "urn:ietf:params:oauth:request_uri:"
	// pushedLife is how long a pushed request may be taken up.
	pushedLife = 90 * time.Second
	// longestPushed keeps the address that carries it within what servers accept.
	longestPushed = 24 << 10
)

// pushedRequest is an authorization request that its client has pushed. It
// travels sealed in the request_uri, so a push stores nothing.
type pushedRequest struct {
	Query    string `json:"q"`
	ClientID string `json:"c"`
	Expires  int64  `json:"e"` // seconds
}

type pushedAnswer struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int64  `json:"expires_in"` // seconds
}

// push answers POST /par (RFC 9126 section 2): the client first, then its
// request, checked as the authorization endpoint would.
func (p *Provider) push(c echo.Context) error {
	answer, err := p.pushed(c)
	if err != nil {
		return p.writeFault(c, err)
	}
	noStore(c)
	return c.JSON(http.StatusCreated, answer)
}

func (p *Provider) pushed(c echo.Context) (*pushedAnswer, error) {
	client, v, err := p.clientRequest(c)
	if err != nil {
		return nil, err
	}
	if v.Has("request_uri") {
		return nil, refuse(invalidRequest, "request_uri does not belong into a pushed request.")
	}
	for _, name := range []string{"client_secret", "client_assertion", "client_assertion_type"} {
		v.Del(name)
	}
	v.Set("client_id", client.ID)
	query := v.Encode()
	if _, err := p.check(c.Request().Context(), query, true); err != nil {
		if _, ok := errors.AsType[*doubt](err); ok {
			return nil, refuse(invalidRequest, "redirect_uri is missing or not registered for this client.")
		}
		return nil, err
	}
	sealed, err := p.pushes.seal(pushedRequest{Query: query, ClientID: client.ID, Expires: p.now().Add(pushedLife).Unix()})
	if err != nil {
		return nil, err
	}
	if len(sealed) > longestPushed {
		return nil, &fault{status: http.StatusRequestEntityTooLarge, code: invalidRequest, description: "The request is too large."}
	}
	p.events("pushed", client.ID)
	return &pushedAnswer{RequestURI: pushedPrefix + sealed, ExpiresIn: int64(pushedLife / time.Second)}, nil
}

// unpush puts a pushed request in the place of one that refers to it. What else
// stands beside request_uri and client_id counts for nothing (RFC 9126 section 4,
// RFC 9101 section 5).
func (p *Provider) unpush(req *pending) *doubt {
	v, err := url.ParseQuery(req.Query)
	if err != nil || len(v["request_uri"]) != 1 || len(v["client_id"]) > 1 || v.Has("request") {
		return nil //nolint:nilerr // an ordinary request, or one that check refuses
	}
	sealed, ok := strings.CutPrefix(v.Get("request_uri"), pushedPrefix)
	if !ok {
		return nil
	}
	var in pushedRequest
	if err := p.pushes.open(sealed, &in); err != nil || in.ClientID != v.Get("client_id") {
		return &doubt{
			happened: "The address that led here refers to a request that its application did not make.",
			remedy:   "Go back to where you came from and try again.", client: p.clients[v.Get("client_id")],
		}
	}
	if p.now().Unix() >= in.Expires {
		return &doubt{
			happened: "The request that led here has expired.",
			remedy:   "Go back to where you came from and try again.", client: p.clients[in.ClientID],
		}
	}
	req.Query, req.Pushed = in.Query, true
	return nil
}
