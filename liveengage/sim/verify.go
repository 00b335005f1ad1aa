package sim

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idpbridge/claims"
	"idpbridge/keys"
	"idpbridge/liveengage"
)

// identity is what a token says of somebody. The texts may be empty.
type identity struct {
	Issuer, Subject   string
	Expires, IssuedAt int64
	GivenName         string
	FamilyName        string
	Email             string
	Gender            string
	PreferredUsername string
	PhoneNumber       string
	SDEs              claims.SDEs
	Encrypted         bool
}

// verifyToken checks a brand's token as LivePerson is known to: first what it is, then
// who signed it, then what it says.
func (s *Simulator) verifyToken(ctx context.Context, c Connector, token string) (identity, error) {
	if err := checkInput("token", token); err != nil {
		return identity{}, err
	}
	signed, encrypted, err := s.keyring.decryptToken(token)
	if err != nil {
		return identity{}, err
	}
	var h struct {
		Alg string          `json:"alg"`
		Kid json.RawMessage `json:"kid"`
	}
	if decodeHeader(signed, &h) != nil {
		return identity{}, idpErrorf(liveengage.CodeParseError, "the token's header cannot be read: it is JSON, in base64url without padding")
	}
	if h.Alg != string(jose.RS256) {
		return identity{}, idpErrorf(liveengage.CodeNoSuchAlgorithm, "the token's alg is %q; LivePerson verifies RS256 and nothing else", truncateText(h.Alg))
	}
	var kid string
	if h.Kid != nil && json.Unmarshal(h.Kid, &kid) != nil {
		return identity{}, idpErrorf(liveengage.CodeParseError, "the kid in the token's header is not text")
	}
	key, err := s.verificationKey(ctx, c, kid)
	if err != nil {
		return identity{}, err
	}
	jws, err := jose.ParseSignedCompact(signed, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return identity{}, idpErrorf(liveengage.CodeParseError, "the token cannot be parsed: its three parts are base64url without padding")
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return identity{}, idpErrorf(liveengage.CodeCustomerJWTNotValid, "the token's signature does not match the connector's key; compare the fingerprints")
	}
	id, err := parseClaims(payload, s.Now())
	if err != nil {
		return id, err
	}
	if id.Issuer != c.Configuration.Issuer {
		return id, idpErrorf(liveengage.CodeCustomerJWTNotValid, "the token's iss is %q, the connector's issuer is %q; they must be equal letter by letter", truncateText(id.Issuer), truncateText(c.Configuration.Issuer))
	}
	id.Encrypted = encrypted
	return id, nil
}

// checkInput refuses what LivePerson's input filters are known to stop.
func checkInput(what, text string) error {
	if text == "" {
		return idpErrorf(liveengage.CodeInputValidationError, "there is no %s", what)
	}
	if len(text) > maxToken {
		return idpErrorf(liveengage.CodeInputValidationError, "the %s is longer than %d bytes", what, maxToken)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`<>"'\`, r) }) {
		return idpErrorf(liveengage.CodeESAPIError, "the %s has a character that is stopped before anything reads it: a space, a line break, a quotation mark or the like", what)
	}
	return nil
}

// verificationKey is the key that the connector verifies tokens with.
func (s *Simulator) verificationKey(ctx context.Context, c Connector, kid string) (*rsa.PublicKey, error) {
	f := c.Configuration
	if c.UsesKeySet() {
		if f.JWKSEndpoint == "" {
			return nil, idpErrorf(liveengage.CodeSiteSettingsTypeNotFound, "the connector has the certificate type JWKS Endpoint and no address")
		}
		return s.keySets.findKey(ctx, f.JWKSEndpoint, kid)
	}
	if c.Delegates() {
		return nil, idpErrorf(liveengage.CodeUnsupportedAuthType, "the connector is for consumer delegation: it signs nobody in")
	}
	if f.JWTPublicKey == "" {
		return nil, idpErrorf(liveengage.CodeRSAVerifierInitError, "the connector has no JWT Public Key")
	}
	p, err := keys.ParsePublicKey(f.JWTPublicKey)
	if err != nil {
		return nil, idpErrorf(liveengage.CodeRSAVerifierInitError, "the connector's JWT Public Key cannot be used: %s", err)
	}
	key, ok := p.Key.(*rsa.PublicKey)
	if !ok {
		return nil, idpErrorf(liveengage.CodeRSAVerifierInitError, "the connector's JWT Public Key is not an RSA key")
	}
	return key, nil
}

// parseClaims reads the payload and checks its times.
func parseClaims(payload []byte, now time.Time) (identity, error) {
	var id identity
	var all map[string]json.RawMessage
	if json.Unmarshal(payload, &all) != nil || all == nil {
		return id, idpErrorf(liveengage.CodeJWTNotValid, "the token's payload is not a JSON object")
	}
	for _, name := range []string{"iss", "sub", "iat", "exp"} {
		if v, ok := all[name]; !ok || string(v) == "null" || string(v) == `""` {
			return id, idpErrorf(liveengage.CodeJWTMissingClaimset, "the claim %s is missing; iss, sub, iat and exp are mandatory", name)
		}
	}
	for name, into := range map[string]*string{"iss": &id.Issuer, "sub": &id.Subject} {
		if json.Unmarshal(all[name], into) != nil {
			return id, idpErrorf(liveengage.CodeJWTNotValid, "the claim %s is not text", name)
		}
	}
	for name, into := range map[string]*int64{"iat": &id.IssuedAt, "exp": &id.Expires} {
		var f float64
		if json.Unmarshal(all[name], &f) != nil {
			return id, idpErrorf(liveengage.CodeJWTNotValid, "the claim %s is not a number", name)
		}
		if f > 1e11 {
			return id, idpErrorf(liveengage.CodeJWTNotValid, "the claim %s is in milliseconds; it must be in seconds", name)
		}
		*into = int64(f)
	}
	if now.Unix() >= id.Expires {
		return id, idpErrorf(liveengage.CodeJWTExpired, "the token expired on %s; it is %s now", formatTime(time.Unix(id.Expires, 0)), formatTime(now))
	}
	for name, into := range map[string]*string{
		"given_name": &id.GivenName, "family_name": &id.FamilyName, "email": &id.Email, "gender": &id.Gender,
		"preferred_username": &id.PreferredUsername, "phone_number": &id.PhoneNumber,
	} {
		if v, ok := all[name]; ok && json.Unmarshal(v, into) != nil {
			return id, idpErrorf(liveengage.CodeJWTNotValid, "the claim %s is not text", name)
		}
	}
	if v, ok := all["lp_sdes"]; ok {
		if err := json.Unmarshal(v, &id.SDEs); err != nil {
			return id, idpErrorf(liveengage.CodeSDEParseException, "lp_sdes cannot be parsed: %s", describeSDEError(err))
		}
	}
	return id, nil
}

func describeSDEError(err error) string {
	if f, ok := errors.AsType[*claims.FieldError](err); ok {
		return f.Error()
	}
	return truncateText(err.Error())
}

func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// looksLikeJWT says whether a text is a JWT rather than a code.
func looksLikeJWT(text string) bool {
	header, rest, ok := strings.Cut(text, ".")
	raw, err := base64.RawURLEncoding.DecodeString(header)
	return ok && strings.Contains(rest, ".") && err == nil && json.Valid(raw)
}
