package sim

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"idpbridge/liveengage/oauth1"
)

// oauthSkew is how far a timestamp may be from the current time.
const oauthSkew = 5 * time.Minute

// verifySignature verifies the OAuth 1.0 header of a request (RFC 5849 section 3.2) and
// returns the key. The error is an oauth1.Problem.
func (s *Simulator) verifySignature(r *http.Request) (apiKey, error) {
	header, err := oauth1.ParseHeader(r.Header.Get("Authorization"))
	if err != nil {
		return apiKey{}, err
	}
	if age := s.Now().Sub(header.Timestamp); age > oauthSkew || age < -oauthSkew {
		return apiKey{}, oauth1.ProblemTimestamp
	}
	u, err := url.Parse(s.Address + r.URL.EscapedPath())
	if err != nil {
		return apiKey{}, oauth1.ProblemSignature
	}
	u.RawQuery = r.URL.RawQuery
	s.mu.Lock()
	defer s.mu.Unlock()
	key, ok := s.apiKeys.touch(header.ConsumerKey)
	if !ok {
		return apiKey{}, oauth1.ProblemConsumerKey
	}
	if err := header.Verify(r.Method, u, key.credentials()); err != nil {
		return apiKey{}, err
	}
	nonce := key.AppKey + " " + strconv.FormatInt(header.Timestamp.Unix(), 10) + " " + header.Nonce
	fresh, full := s.nonces.addNonce(nonce, s.Now(), header.Timestamp.Add(oauthSkew))
	if full {
		return apiKey{}, oauth1.ProblemTooManyNonces
	}
	if !fresh {
		return apiKey{}, oauth1.ProblemNonceUsed
	}
	return key, nil
}

func (k apiKey) credentials() oauth1.Credentials {
	return oauth1.Credentials{
		ConsumerKey:    k.AppKey,
		ConsumerSecret: k.Secret,
		Token:          k.AccessToken,
		TokenSecret:    k.AccessTokenSecret,
	}
}
