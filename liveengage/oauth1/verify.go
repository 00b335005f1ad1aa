package oauth1

import (
	"crypto/subtle"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Problem is the reason why a request was rejected, as a value of the parameter
// oauth_problem, which the OAuth Problem Reporting extension defines.
type Problem string

// The problems of ParseHeader and Verify, and those that a server may add.
const (
	ProblemAuthorizationType Problem = "unknown_authorization_type"
	ProblemParameter         Problem = "parameter_rejected"
	ProblemParameterAbsent   Problem = "parameter_absent"
	ProblemSignatureMethod   Problem = "signature_method_rejected"
	ProblemVersion           Problem = "version_rejected"
	ProblemTimestamp         Problem = "timestamp_refused"
	ProblemConsumerKey       Problem = "consumer_key_unknown"
	ProblemToken             Problem = "token_rejected"
	ProblemSignature         Problem = "signature_invalid"
	ProblemNonceUsed         Problem = "nonce_used"
	ProblemTooManyNonces     Problem = "too_many_nonces"
	ProblemPermission        Problem = "permission_denied"
)

// Error implements error.
func (p Problem) Error() string { return string(p) }

// Header is the Authorization header of a signed request.
type Header struct {
	ConsumerKey, Token, Nonce string
	Timestamp                 time.Time

	signature string
	signed    []param // all parameters except the signature and the realm
}

// ParseHeader parses an Authorization header and checks that it has every parameter
// (RFC 5849 sections 3.1 and 3.5.1). Its errors are a Problem. The caller checks the
// timestamp and the nonce, and then calls Verify.
func ParseHeader(value string) (Header, error) {
	params, err := parseParams(value)
	if err != nil {
		return Header{}, err
	}
	for _, name := range []string{paramConsumerKey, paramToken, paramNonce, paramTimestamp, paramSignature} {
		if params[name] == "" {
			return Header{}, ProblemParameterAbsent
		}
	}
	if params[paramMethod] != methodHMACSHA1 {
		return Header{}, ProblemSignatureMethod
	}
	if v, ok := params[paramVersion]; ok && v != version1 {
		return Header{}, ProblemVersion
	}
	seconds, err := strconv.ParseInt(params[paramTimestamp], 10, 64)
	if err != nil {
		return Header{}, ProblemTimestamp
	}
	h := Header{
		ConsumerKey: params[paramConsumerKey],
		Token:       params[paramToken],
		Nonce:       params[paramNonce],
		Timestamp:   time.Unix(seconds, 0),
		signature:   params[paramSignature],
	}
	for name, value := range params {
		if name != paramSignature {
			h.signed = append(h.signed, param{name, value})
		}
	}
	return h, nil
}

// parseParams parses the parameters of the header, except the realm.
func parseParams(header string) (map[string]string, error) {
	scheme, rest, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "OAuth") {
		return nil, ProblemAuthorizationType
	}
	out := map[string]string{}
	for pair := range strings.SplitSeq(rest, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		plain, err := url.PathUnescape(strings.Trim(value, `"`))
		if _, repeated := out[name]; !ok || err != nil || repeated {
			return nil, ProblemParameter
		}
		if name != "realm" {
			out[name] = plain
		}
	}
	return out, nil
}

// Verify checks the token and the signature of a request with the credentials of its
// consumer key (RFC 5849 section 3.2). The URL is the one that the client used. The
// error is ProblemToken or ProblemSignature.
func (h Header) Verify(method string, u *url.URL, c Credentials) error {
	if subtle.ConstantTimeCompare([]byte(h.Token), []byte(c.Token)) == 0 {
		return ProblemToken
	}
	want := c.sign(baseString(method, u, h.signed))
	if subtle.ConstantTimeCompare([]byte(h.signature), []byte(want)) == 0 {
		return ProblemSignature
	}
	return nil
}
