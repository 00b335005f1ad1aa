package sim

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"idpbridge/internal/fetch"
	"idpbridge/liveengage"
)

// tokenResponse is the response of a token endpoint.
type tokenResponse struct {
	IDToken      string `json:"id_token"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    any    `json:"expires_in"`
}

// botTokens are the brand's tokens that LivePerson keeps for bots during a conversation.
type botTokens struct {
	Access, Refresh string
	Expires         time.Time // zero if unknown
	Connector       int64
}

func (t tokenResponse) botTokens(c Connector, now time.Time) botTokens {
	k := botTokens{Access: t.AccessToken, Refresh: t.RefreshToken, Connector: c.ID}
	if seconds, ok := t.ExpiresIn.(float64); ok && seconds > 0 && seconds < 1e9 {
		k.Expires = now.Add(time.Duration(seconds) * time.Second)
	}
	return k
}

// redeemCode exchanges a code at the brand's token endpoint.
func (s *Simulator) redeemCode(
	ctx context.Context, c Connector, code, redirectURI, verifier string,
) (tokenResponse, error) {
	if err := checkInput("code", code); err != nil {
		return tokenResponse{}, err
	}
	fields := map[string]string{
		"grant_type":   "authorization_code",
		"code":         code,
		"redirect_uri": cmp.Or(redirectURI, liveengage.EmbeddedRedirectURI),
	}
	if verifier != "" {
		fields["code_verifier"] = verifier
	}
	return s.requestTokens(ctx, c, "exchange the code", fields)
}

// renewAccessToken gets a new access token for consumer delegation.
func (s *Simulator) renewAccessToken(ctx context.Context, c Connector, refresh string) (tokenResponse, error) {
	fields := map[string]string{"grant_type": "refresh_token", "refresh_token": refresh}
	return s.requestTokens(ctx, c, "renew the access token", fields)
}

// requestTokens calls the brand's token endpoint, in the connector's form.
func (s *Simulator) requestTokens(
	ctx context.Context, c Connector, purpose string, fields map[string]string,
) (tokenResponse, error) {
	if c.Configuration.TokenEndpoint == "" {
		return tokenResponse{}, idpErrorf(liveengage.CodeAuthenticateException, "the connector has no Token Endpoint")
	}
	request, err := c.buildTokenRequest(fields)
	if err != nil {
		return tokenResponse{}, err
	}
	request.purpose = purpose
	response, err := s.idp.do(ctx, request)
	if isTimeout(err) {
		return tokenResponse{}, idpErrorf(liveengage.CodeAuthenticationTimeout,
			"the token endpoint took longer than %s", s.Timeout)
	}
	if err != nil {
		return tokenResponse{}, idpErrorf(liveengage.CodeCustomerAuthFailed,
			"the token endpoint did not respond: %s", redactQuote(err.Error(), request.secrets))
	}
	return parseTokenResponse(response, request.secrets)
}

// buildTokenRequest returns a request to the token endpoint, with the client's
// credentials.
func (c Connector) buildTokenRequest(fields map[string]string) (idpRequest, error) {
	id, plain := c.Configuration.ClientID, c.ClientSecret.Reveal()
	header, basic := http.Header{"Accept": {"application/json"}}, ""
	if c.TokenRequest.Body {
		fields["client_id"], fields["client_secret"] = id, plain
	} else {
		if c.TokenRequest.Encoded {
			id, plain = url.QueryEscape(id), url.QueryEscape(plain)
		}
		basic = base64.StdEncoding.EncodeToString([]byte(id + ":" + plain))
		header.Set("Authorization", "Basic "+basic)
	}
	request := idpRequest{
		method:  http.MethodPost,
		address: c.Configuration.TokenEndpoint,
		header:  header,
		secrets: []string{
			basic, c.ClientSecret.Reveal(), fields["code"], fields["code_verifier"], fields["refresh_token"],
		},
	}
	if c.TokenRequest.JSON {
		raw, err := json.Marshal(fields)
		if err != nil {
			return idpRequest{}, err
		}
		request.body = string(raw)
		header.Set("Content-Type", "application/json")
		return request, nil
	}
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, value)
	}
	request.body = form.Encode()
	header.Set("Content-Type", "application/x-www-form-urlencoded")
	return request, nil
}

// parseTokenResponse reads and checks the response of a token endpoint.
func parseTokenResponse(response *fetch.Response, secrets []string) (tokenResponse, error) {
	quote := func(text string) string { return truncateText(redactQuote(text, secrets)) }
	if response.Status != http.StatusOK {
		var body struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		_ = json.Unmarshal(response.Body, &body) // other forms have no error name
		said := strings.TrimSpace(quote(body.Error) + " " + quote(body.Description))
		if response.Status >= 300 && response.Status < 400 {
			said = "redirects are not followed"
		}
		return tokenResponse{}, idpErrorf(liveengage.CodeCustomerAuthFailed,
			"the token endpoint returned status %d: %s", response.Status, cmp.Or(said, "no error name in JSON"))
	}
	if contentType := response.Header.Get("Content-Type"); !strings.HasPrefix(contentType, "application/json") {
		return tokenResponse{}, idpErrorf(liveengage.CodeCustomerAuthFailed,
			"the token endpoint's response has the content type %q; it must be application/json", quote(contentType))
	}
	var t tokenResponse
	if json.Unmarshal(response.Body, &t) != nil {
		return t, idpErrorf(liveengage.CodeCustomerAuthFailed, "the token endpoint's response is not a valid JSON object")
	}
	return t, nil
}
