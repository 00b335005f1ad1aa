package sim

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
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

// identity is what a token says about a consumer. Strings may be empty.
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

// verifyToken verifies a brand's token as LivePerson is known to: first its form, then
// its signature, then its claims.
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
		return identity{}, idpErrorf(liveengage.CodeParseError,
			"the token's header is invalid: it must be JSON in base64url without padding")
	}
	if h.Alg != string(jose.RS256) {
		return identity{}, idpErrorf(liveengage.CodeNoSuchAlgorithm,
			"the token's alg is %q; LivePerson accepts only RS256", truncateText(h.Alg))
	}
	var kid string
	if h.Kid != nil && json.Unmarshal(h.Kid, &kid) != nil {
		return identity{}, idpErrorf(liveengage.CodeParseError, "kid in the token's header is not a string")
	}
	key, err := s.verificationKey(ctx, c, kid)
	if err != nil {
		return identity{}, err
	}
	jws, err := jose.ParseSignedCompact(signed, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return identity{}, idpErrorf(liveengage.CodeParseError,
			"the token is invalid: its three parts must be base64url without padding")
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return identity{}, idpErrorf(liveengage.CodeCustomerJWTNotValid,
			"the token's signature does not match the connector's key; compare the fingerprints")
	}
	id, err := parseClaims(payload, s.Now())
	if err != nil {
		return id, err
	}
	if issuer := c.Configuration.Issuer; id.Issuer != issuer {
		return id, idpErrorf(liveengage.CodeCustomerJWTNotValid,
			"the token's iss is %q, but the connector's issuer is %q; they must be exactly equal",
			truncateText(id.Issuer), truncateText(issuer))
	}
	id.Encrypted = encrypted
	return id, nil
}

// checkInput rejects what LivePerson's input filters are known to reject.
func checkInput(what, value string) error {
	if value == "" {
		return idpErrorf(liveengage.CodeInputValidationError, "the %s is missing", what)
	}
	if len(value) > maxToken {
		return idpErrorf(liveengage.CodeInputValidationError, "the %s is longer than %d bytes", what, maxToken)
	}
	if scheme, _, found := strings.Cut(value, " "); found && strings.EqualFold(scheme, "Bearer") {
		return idpErrorf(liveengage.CodeESAPIError, "the %s begins with Bearer; pass only what comes after it", what)
	}
	isRejected := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`<>"'\`, r) }
	if strings.ContainsFunc(value, isRejected) {
		return idpErrorf(liveengage.CodeESAPIError,
			"the %s contains a character that LivePerson filters out, such as a space, a line break or a quotation mark", what)
	}
	return nil
}

// verificationKey returns the key that verifies tokens for the connector.
func (s *Simulator) verificationKey(ctx context.Context, c Connector, kid string) (*rsa.PublicKey, error) {
	f := c.Configuration
	if c.UsesKeySet() {
		if f.JWKSEndpoint == "" {
			return nil, idpErrorf(liveengage.CodeSiteSettingsTypeNotFound,
				"the connector's certificate type is JWKS Endpoint, but the URL is missing")
		}
		return s.keySets.findKey(ctx, f.JWKSEndpoint, kid)
	}
	if c.Delegates() {
		return nil, idpErrorf(liveengage.CodeUnsupportedAuthType,
			"the connector is for consumer delegation and does not authenticate consumers")
	}
	if f.JWTPublicKey == "" {
		return nil, idpErrorf(liveengage.CodeRSAVerifierInitError, "the connector has no JWT Public Key")
	}
	if isCertificate(f.JWTPublicKey) {
		return nil, idpErrorf(liveengage.CodeRSAVerifierInitError,
			"the connector's JWT Public Key is a certificate; paste the public key in it: openssl x509 -pubkey -noout")
	}
	p, err := keys.ParsePublicKey(f.JWTPublicKey)
	if err != nil {
		return nil, idpErrorf(liveengage.CodeRSAVerifierInitError, "the connector's JWT Public Key is invalid: %s", err)
	}
	key, ok := p.Key.(*rsa.PublicKey)
	if !ok {
		return nil, idpErrorf(liveengage.CodeRSAVerifierInitError, "the connector's JWT Public Key is not an RSA key")
	}
	return key, nil
}

// isCertificate reports whether a pasted key is an X.509 certificate, which LivePerson
// does not read.
func isCertificate(pasted string) bool {
	if strings.Contains(pasted, "BEGIN CERTIFICATE") {
		return true
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(pasted), ""))
	if err != nil {
		return false
	}
	_, err = x509.ParseCertificate(der)
	return err == nil
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
			return id, idpErrorf(liveengage.CodeJWTMissingClaimset,
				"the claim %s is missing; iss, sub, iat and exp are required", name)
		}
	}
	if err := decodeStrings(all, map[string]*string{"iss": &id.Issuer, "sub": &id.Subject}); err != nil {
		return id, err
	}
	for name, into := range map[string]*int64{"iat": &id.IssuedAt, "exp": &id.Expires} {
		var seconds float64
		if json.Unmarshal(all[name], &seconds) != nil {
			return id, idpErrorf(liveengage.CodeJWTNotValid, "the claim %s is not a number", name)
		}
		if seconds > 1e11 {
			return id, idpErrorf(liveengage.CodeJWTNotValid, "the claim %s is in milliseconds; it must be in seconds", name)
		}
		*into = int64(seconds)
	}
	if now.Unix() >= id.Expires {
		return id, idpErrorf(liveengage.CodeJWTExpired,
			"the token expired on %s; it is now %s", formatTime(time.Unix(id.Expires, 0)), formatTime(now))
	}
	if err := decodeStrings(all, map[string]*string{
		"given_name":         &id.GivenName,
		"family_name":        &id.FamilyName,
		"email":              &id.Email,
		"gender":             &id.Gender,
		"preferred_username": &id.PreferredUsername,
		"phone_number":       &id.PhoneNumber,
	}); err != nil {
		return id, err
	}
	if v, ok := all["lp_sdes"]; ok {
		if err := json.Unmarshal(v, &id.SDEs); err != nil {
			return id, idpErrorf(liveengage.CodeSDEParseException, "lp_sdes is invalid: %s", describeSDEError(err))
		}
	}
	return id, nil
}

// decodeStrings decodes claims that must be strings. Missing ones stay empty.
func decodeStrings(all map[string]json.RawMessage, fields map[string]*string) error {
	for name, into := range fields {
		if v, ok := all[name]; ok && json.Unmarshal(v, into) != nil {
			return idpErrorf(liveengage.CodeJWTNotValid, "the claim %s is not a string", name)
		}
	}
	return nil
}

func describeSDEError(err error) string {
	if f, ok := errors.AsType[*claims.FieldError](err); ok {
		return f.Error()
	}
	return truncateText(err.Error())
}

func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// looksLikeJWT reports whether value is a JWT rather than a code.
func looksLikeJWT(value string) bool {
	header, rest, ok := strings.Cut(value, ".")
	raw, err := base64.RawURLEncoding.DecodeString(header)
	return ok && strings.Contains(rest, ".") && err == nil && json.Valid(raw)
}
