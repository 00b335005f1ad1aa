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

// tokens is the answer of a token endpoint.
type tokens struct {
	IDToken      string `json:"id_token"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    any    `json:"expires_in"`
}

// kept are the brand's tokens that LivePerson keeps for bots, while a conversation
// lasts.
type kept struct {
	Access, Refresh string
	Expires         time.Time // zero: unknown
	Connector       int64
}

func (t tokens) keep(c Connector, now time.Time) kept {
	k := kept{Access: t.AccessToken, Refresh: t.RefreshToken, Connector: c.ID}
	if seconds, ok := t.ExpiresIn.(float64); ok && seconds > 0 && seconds < 1e9 {
		k.Expires = now.Add(time.Duration(seconds) * time.Second)
	}
	return k
}

// redeem exchanges a code at the brand's token endpoint.
func (s *Simulator) redeem(ctx context.Context, c Connector, code, redirectURI, verifier string) (tokens, error) {
	if err := checkInput("code", code); err != nil {
		return tokens{}, err
	}
	fields := map[string]string{"grant_type": "authorization_code", "code": code, "redirect_uri": cmp.Or(redirectURI, liveengage.EmbeddedRedirectURI)}
	if verifier != "" {
		fields["code_verifier"] = verifier
	}
	return s.askTokens(ctx, c, "exchange the code", fields)
}

// renew asks for a new access token, for consumer delegation.
func (s *Simulator) renew(ctx context.Context, c Connector, refresh string) (tokens, error) {
	return s.askTokens(ctx, c, "renew the access token", map[string]string{"grant_type": "refresh_token", "refresh_token": refresh})
}

// askTokens makes the one request from LivePerson's servers to the brand's, in the
// form that the connector is set to.
func (s *Simulator) askTokens(ctx context.Context, c Connector, purpose string, fields map[string]string) (tokens, error) {
	var t tokens
	f := c.Configuration
	if f.TokenEndpoint == "" {
		return t, fault("9014", "the connector has no Token Endpoint")
	}
	header := http.Header{"Accept": {"application/json"}}
	switch id, secret := f.ClientID, c.ClientSecret; {
	case c.TokenRequest.Body:
		fields["client_id"], fields["client_secret"] = id, secret
	case c.TokenRequest.Encoded:
		id, secret = url.QueryEscape(id), url.QueryEscape(secret)
		fallthrough
	default:
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(id+":"+secret)))
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
	secrets := []string{basic, c.ClientSecret, fields["code"], fields["code_verifier"], fields["refresh_token"]}
	a, err := s.out.do(ctx, request{purpose: purpose, method: http.MethodPost, address: f.TokenEndpoint, body: body, header: header, secrets: secrets})
	if timedOut(err) {
		return t, fault("9013", "the token endpoint took longer than %s", s.Timeout)
	}
	if err != nil {
		return t, fault("9011", "the token endpoint does not answer: %s", quoted(cause(err), secrets))
	}
	return readTokens(a, secrets)
}

// readTokens judges the answer of a token endpoint.
func readTokens(a answer, secrets []string) (tokens, error) {
	var t tokens
	if a.status != http.StatusOK {
		var refusal struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		_ = json.Unmarshal(a.body, &refusal) // an answer in another form says nothing
		said := strings.TrimSpace(clip(quoted(refusal.Error, secrets)) + " " + clip(quoted(refusal.Description, secrets)))
		if a.status >= http.StatusMultipleChoices && a.status < http.StatusBadRequest {
			said = "it leads elsewhere, which is not followed"
		}
		return t, fault("9011", "the token endpoint answers with status %d: %s", a.status, cmp.Or(said, "no error name in JSON"))
	}
	if !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
		return t, fault("9011", "the token endpoint's answer has the content type %q; it must be application/json", clip(quoted(a.header.Get("Content-Type"), secrets)))
	}
	if json.Unmarshal(a.body, &t) != nil {
		return t, fault("9011", "the token endpoint's answer is not the JSON object that it should be")
	}
	return t, nil
}
