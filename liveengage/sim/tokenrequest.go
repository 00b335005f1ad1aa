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

	"idpbridge/liveengage"
)

// tokenResponse is the answer of a token endpoint.
type tokenResponse struct {
	IDToken      string `json:"id_token"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    any    `json:"expires_in"`
}

// botTokens are the brand's tokens that LivePerson keeps for bots, while a conversation
// lasts.
type botTokens struct {
	Access, Refresh string
	Expires         time.Time // zero: unknown
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
func (s *Simulator) redeemCode(ctx context.Context, c Connector, code, redirectURI, verifier string) (tokenResponse, error) {
	if err := checkInput("code", code); err != nil {
		return tokenResponse{}, err
	}
	fields := map[string]string{"grant_type": "authorization_code", "code": code, "redirect_uri": cmp.Or(redirectURI, liveengage.EmbeddedRedirectURI)}
	if verifier != "" {
		fields["code_verifier"] = verifier
	}
	return s.requestTokens(ctx, c, "exchange the code", fields)
}

// renewAccessToken asks for a new access token, for consumer delegation.
func (s *Simulator) renewAccessToken(ctx context.Context, c Connector, refresh string) (tokenResponse, error) {
	return s.requestTokens(ctx, c, "renew the access token", map[string]string{"grant_type": "refresh_token", "refresh_token": refresh})
}

// requestTokens makes the one request from LivePerson's servers to the brand's, in the
// form that the connector is set to.
func (s *Simulator) requestTokens(ctx context.Context, c Connector, purpose string, fields map[string]string) (tokenResponse, error) {
	var t tokenResponse
	f := c.Configuration
	if f.TokenEndpoint == "" {
		return t, idpErrorf(liveengage.CodeAuthenticateException, "the connector has no Token Endpoint")
	}
	header := http.Header{"Accept": {"application/json"}}
	switch id, plain := f.ClientID, c.ClientSecret.Reveal(); {
	case c.TokenRequest.Body:
		fields["client_id"], fields["client_secret"] = id, plain
	case c.TokenRequest.Encoded:
		id, plain = url.QueryEscape(id), url.QueryEscape(plain)
		fallthrough
	default:
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(id+":"+plain)))
	}
	body, kind := "", "application/x-www-form-urlencoded"
	if c.TokenRequest.JSON {
		raw, err := json.Marshal(fields)
		if err != nil {
			return t, err
		}
		body, kind = string(raw), "application/json"
	} else {
		v := url.Values{}
		for name, value := range fields {
			v.Set(name, value)
		}
		body = v.Encode()
	}
	header.Set("Content-Type", kind)
	_, basic, _ := strings.Cut(header.Get("Authorization"), " ")
	secrets := []string{basic, c.ClientSecret.Reveal(), fields["code"], fields["code_verifier"], fields["refresh_token"]}
	a, err := s.idp.do(ctx, request{purpose: purpose, method: http.MethodPost, address: f.TokenEndpoint, body: body, header: header, secrets: secrets})
	if timedOut(err) {
		return t, idpErrorf(liveengage.CodeAuthenticationTimeout, "the token endpoint took longer than %s", s.Timeout)
	}
	if err != nil {
		return t, idpErrorf(liveengage.CodeCustomerAuthFailed, "the token endpoint does not answer: %s", redactQuote(cause(err), secrets))
	}
	return parseTokenResponse(a, secrets)
}

// parseTokenResponse judges the answer of a token endpoint.
func parseTokenResponse(a answer, secrets []string) (tokenResponse, error) {
	var t tokenResponse
	if a.status != http.StatusOK {
		var refusal struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		_ = json.Unmarshal(a.body, &refusal) // an answer in another form says nothing
		said := strings.TrimSpace(truncateText(redactQuote(refusal.Error, secrets)) + " " + truncateText(redactQuote(refusal.Description, secrets)))
		if a.status >= http.StatusMultipleChoices && a.status < http.StatusBadRequest {
			said = "it leads elsewhere, which is not followed"
		}
		return t, idpErrorf(liveengage.CodeCustomerAuthFailed, "the token endpoint answers with status %d: %s", a.status, cmp.Or(said, "no error name in JSON"))
	}
	if !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
		return t, idpErrorf(liveengage.CodeCustomerAuthFailed, "the token endpoint's answer has the content type %q; it must be application/json", truncateText(redactQuote(a.header.Get("Content-Type"), secrets)))
	}
	if json.Unmarshal(a.body, &t) != nil {
		return t, idpErrorf(liveengage.CodeCustomerAuthFailed, "the token endpoint's answer is not the JSON object that it should be")
	}
	return t, nil
}
