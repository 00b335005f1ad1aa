package sim

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // HMAC-SHA1 is the only method of LivePerson's API keys (RFC 5849 section 3.4.2)
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
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
	base := baseString(r.Method, s.Address+r.URL.EscapedPath(), r.URL.Query(), params)
	if !same(params["oauth_signature"], signature(base, key.Secret, key.TokenSecret)) {
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

// baseString is what is signed (RFC 5849 section 3.4.1): method, address without
// query, and the sorted parameters of query and header.
func baseString(method, address string, query url.Values, params map[string]string) string {
	var pairs [][2]string
	for name, values := range query {
		for _, value := range values {
			pairs = append(pairs, [2]string{percent(name), percent(value)})
		}
	}
	for name, value := range params {
		if name != "oauth_signature" {
			pairs = append(pairs, [2]string{percent(name), percent(value)})
		}
	}
	// By name first, then by value: sorted as texts, v2=x would come before v=x.
	slices.SortFunc(pairs, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	joined := make([]string, 0, len(pairs))
	for _, pair := range pairs {
		joined = append(joined, pair[0]+"="+pair[1])
	}
	return strings.ToUpper(method) + "&" + percent(address) + "&" + percent(strings.Join(joined, "&"))
}

// signature is HMAC-SHA1 of the base string (RFC 5849 section 3.4.2).
func signature(base, secret, tokenSecret string) string {
	mac := hmac.New(sha1.New, []byte(percent(secret)+"&"+percent(tokenSecret)))
	mac.Write([]byte(base))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// percent encodes all but unreserved characters (RFC 5849 section 3.6).
func percent(text string) string {
	return strings.NewReplacer("+", "%20", "%7E", "~").Replace(url.QueryEscape(text))
}
