package sim

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"idpbridge/liveengage/oauth1"
)

var errSignature = errors.New("signature_invalid")

// oauthSkew is how far a timestamp may be from now.
const oauthSkew = 5 * time.Minute

// signedBy verifies the OAuth 1.0 header of a request (RFC 5849 section 3.2) and
// returns the key. Its errors are oauth_problem's words.
func (s *Simulator) signedBy(r *http.Request) (apiKey, error) {
	params, err := oauthParams(r.Header.Get("Authorization"))
	if err != nil {
		return apiKey{}, err
	}
	for _, name := range []string{"oauth_consumer_key", "oauth_token", "oauth_nonce", "oauth_timestamp", "oauth_signature"} {
		if params[name] == "" {
			return apiKey{}, errors.New("parameter_absent")
		}
	}
	if params["oauth_signature_method"] != "HMAC-SHA1" {
		return apiKey{}, errors.New("signature_method_rejected")
	}
	if v, ok := params["oauth_version"]; ok && v != "1.0" {
		return apiKey{}, errors.New("version_rejected")
	}
	seconds, err := strconv.ParseInt(params["oauth_timestamp"], 10, 64)
	if age := s.Now().Sub(time.Unix(seconds, 0)); err != nil || age > oauthSkew || age < -oauthSkew {
		return apiKey{}, errors.New("timestamp_refused")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, ok := s.apiKeys.use(params["oauth_consumer_key"])
	if !ok {
		return apiKey{}, errors.New("consumer_key_unknown")
	}
	if !same(params["oauth_token"], key.Token) {
		return apiKey{}, errors.New("token_rejected")
	}
	base, err := s.baseString(r, params)
	if err != nil || !same(params["oauth_signature"], oauth1.Sign(base, key.Secret, key.TokenSecret)) {
		return apiKey{}, errSignature
	}
	nonce := key.App + " " + params["oauth_timestamp"] + " " + params["oauth_nonce"]
	switch fresh, full := s.nonces.once(nonce, s.Now(), time.Unix(seconds, 0).Add(oauthSkew)); {
	case full:
		return apiKey{}, errors.New("too_many_nonces")
	case !fresh:
		return apiKey{}, errors.New("nonce_used")
	}
	return key, nil
}

// oauthParams reads the header's parameters; the realm is none of them.
func oauthParams(header string) (map[string]string, error) {
	scheme, rest, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "OAuth") {
		return nil, errors.New("unknown_authorization_type")
	}
	out := map[string]string{}
	for pair := range strings.SplitSeq(rest, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		plain, err := url.PathUnescape(strings.Trim(value, `"`))
		if _, twice := out[name]; !ok || err != nil || twice {
			return nil, errors.New("parameter_rejected")
		}
		if name != "realm" {
			out[name] = plain
		}
	}
	return out, nil
}

// baseString is what the sender of a request must have signed: its address as the
// simulator's own, and the header's parameters without the signature itself.
func (s *Simulator) baseString(r *http.Request, params map[string]string) (string, error) {
	u, err := url.Parse(s.Address + r.URL.EscapedPath())
	if err != nil {
		return "", err
	}
	u.RawQuery = r.URL.RawQuery
	signed := make([]oauth1.Param, 0, len(params))
	for name, value := range params {
		if name != "oauth_signature" {
			signed = append(signed, oauth1.Param{Name: name, Value: value})
		}
	}
	return oauth1.BaseString(r.Method, u, signed), nil
}
