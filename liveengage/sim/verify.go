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

// verify checks a brand's token as LivePerson is known to: first what it is, then
// who signed it, then what it says.
func (s *Simulator) verify(ctx context.Context, c Connector, token string) (identity, error) {
	if err := checkInput("token", token); err != nil {
		return identity{}, err
	}
	signed, encrypted, err := s.crypto.decrypted(token)
	if err != nil {
		return identity{}, err
	}
	var h struct {
		Alg string          `json:"alg"`
		Kid json.RawMessage `json:"kid"`
	}
	if part(signed, &h) != nil {
		return identity{}, fault("1001", "the token's header cannot be read: it is JSON, in base64url without padding")
	}
	if h.Alg != string(jose.RS256) {
		return identity{}, fault("1003", "the token's alg is %q; LivePerson verifies RS256 and nothing else", clip(h.Alg))
	}
	var kid string
	if h.Kid != nil && json.Unmarshal(h.Kid, &kid) != nil {
		return identity{}, fault("1001", "the kid in the token's header is not text")
	}
	key, err := s.keyOf(ctx, c, kid)
	if err != nil {
		return identity{}, err
	}
	jws, err := jose.ParseSignedCompact(signed, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return identity{}, fault("1001", "the token cannot be parsed: its three parts are base64url without padding")
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return identity{}, fault("9007", "the token's signature does not match the connector's key; compare the fingerprints")
	}
	id, err := readClaims(payload, s.Now())
	if err != nil {
		return id, err
	}
	if id.Issuer != c.Configuration.Issuer {
		return id, fault("9007", "the token's iss is %q, the connector's issuer is %q; they must be equal letter by letter", clip(id.Issuer), clip(c.Configuration.Issuer))
	}
	id.Encrypted = encrypted
	return id, nil
}

// checkInput refuses what LivePerson's input filters are known to stop.
func checkInput(what, text string) error {
	if text == "" {
		return fault("9012", "there is no %s", what)
	}
	if len(text) > maxToken {
		return fault("9012", "the %s is longer than %d bytes", what, maxToken)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`<>"'\`, r) }) {
		return fault("9009", "the %s has a character that is stopped before anything reads it: a space, a line break, a quotation mark or the like", what)
	}
	return nil
}

// keyOf is the key that the connector verifies tokens with.
func (s *Simulator) keyOf(ctx context.Context, c Connector, kid string) (*rsa.PublicKey, error) {
	f := c.Configuration
	if c.UsesKeySet() {
		if f.JWKSEndpoint == "" {
			return nil, fault("1039", "the connector has the certificate type JWKS Endpoint and no address")
		}
		return s.issuers.find(ctx, f.JWKSEndpoint, kid)
	}
	if c.Delegates() {
		return nil, fault("9015", "the connector is for consumer delegation: it signs nobody in")
	}
	if f.JWTPublicKey == "" {
		return nil, fault("1028", "the connector has no JWT Public Key")
	}
	p, err := keys.ParsePublicKey(f.JWTPublicKey)
	if err != nil {
		return nil, fault("1028", "the connector's JWT Public Key cannot be used: %s", err)
	}
	key, ok := p.Key.(*rsa.PublicKey)
	if !ok {
		return nil, fault("1028", "the connector's JWT Public Key is not an RSA key")
	}
	return key, nil
}

// readClaims reads the payload and checks its times.
func readClaims(payload []byte, now time.Time) (identity, error) {
	var id identity
	var all map[string]json.RawMessage
	if json.Unmarshal(payload, &all) != nil || all == nil {
		return id, fault("1008", "the token's payload is not a JSON object")
	}
	for _, name := range []string{"iss", "sub", "iat", "exp"} {
		if v, ok := all[name]; !ok || string(v) == "null" || string(v) == `""` {
			return id, fault("1011", "the claim %s is missing; iss, sub, iat and exp are mandatory", name)
		}
	}
	for name, into := range map[string]*string{"iss": &id.Issuer, "sub": &id.Subject} {
		if json.Unmarshal(all[name], into) != nil {
			return id, fault("1008", "the claim %s is not text", name)
		}
	}
	for name, into := range map[string]*int64{"iat": &id.IssuedAt, "exp": &id.Expires} {
		var f float64
		if json.Unmarshal(all[name], &f) != nil {
			return id, fault("1008", "the claim %s is not a number", name)
		}
		if f > 1e11 {
			return id, fault("1008", "the claim %s is in milliseconds; it must be in seconds", name)
		}
		*into = int64(f)
	}
	if now.Unix() >= id.Expires {
		return id, fault("1012", "the token expired on %s; it is %s now", utc(time.Unix(id.Expires, 0)), utc(now))
	}
	for name, into := range map[string]*string{
		"given_name": &id.GivenName, "family_name": &id.FamilyName, "email": &id.Email, "gender": &id.Gender,
		"preferred_username": &id.PreferredUsername, "phone_number": &id.PhoneNumber,
	} {
		if v, ok := all[name]; ok && json.Unmarshal(v, into) != nil {
			return id, fault("1008", "the claim %s is not text", name)
		}
	}
	if v, ok := all["lp_sdes"]; ok {
		if err := json.Unmarshal(v, &id.SDEs); err != nil {
			return id, fault("1026", "lp_sdes cannot be parsed: %s", sdeFaults(err))
		}
	}
	return id, nil
}

func sdeFaults(err error) string {
	if f, ok := errors.AsType[*claims.FieldError](err); ok {
		return f.Error()
	}
	return clip(err.Error())
}

func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// looksSigned says whether a text is a JWT rather than a code.
func looksSigned(text string) bool {
	header, rest, ok := strings.Cut(text, ".")
	raw, err := base64.RawURLEncoding.DecodeString(header)
	return ok && strings.Contains(rest, ".") && err == nil && json.Valid(raw)
}
