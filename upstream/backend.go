package upstream

import (
	"strings"
	"time"
	"unicode"

	"github.com/go-jose/go-jose/v4"

	"idpbridge/internal/jwtclaims"
	"idpbridge/keys"
)

const (
	// customerType is the typ of a brand's JWTs about a customer. No other JWT has it, so
	// none can be mistaken for one (RFC 8725 section 3.11).
	customerType = "customer+jwt"
	// maxCustomerLifetime bounds the lifetime of such a JWT, and so how long its jti has to
	// be remembered.
	maxCustomerLifetime = 5 * time.Minute
	// backendSkew is how far the clock of the backend may be ahead of ours.
	backendSkew      = time.Minute
	maxCustomerJWT   = 16 << 10 // bytes
	maxCustomerJTI   = 512      // bytes
	maxSubjectLength = 255      // bytes
)

// Backend is the brand's own backend. It has authenticated the customer by its own means,
// and says so by a JWT that it signs (RFC 7523 section 3).
type Backend struct {
	ID       string           // of the upstream
	Issuer   string           // iss of its JWTs; never that of a client
	Audience string           // our issuer
	Keys     []keys.PublicKey // never those of a client
}

// CustomerToken is a JWT that has been verified. The caller must accept its ID only once
// until it expires.
type CustomerToken struct {
	Identity Identity
	ID       string    // jti
	Expires  time.Time // exp
}

// VerifyToken verifies a JWT that the backend has signed. Every error is an *InvalidError.
func (b Backend) VerifyToken(token string, now time.Time) (CustomerToken, error) {
	payload, err := b.verifySignature(token)
	if err != nil {
		return CustomerToken{}, err
	}
	claims, err := jwtclaims.Parse(payload)
	if err != nil {
		return CustomerToken{}, &InvalidError{"its claims are not one JSON object with unique names"}
	}
	if err := b.checkNames(claims); err != nil {
		return CustomerToken{}, err
	}
	if err := checkTimes(claims, now); err != nil {
		return CustomerToken{}, err
	}
	attributes, err := claims.Decode()
	if err != nil {
		return CustomerToken{}, &InvalidError{err.Error()}
	}
	subject, _ := claims.ReadString("sub")
	id, _ := claims.ReadString("jti")
	expires, _ := claims.ReadTime("exp") // checkTimes has checked both
	authTime, _ := claims.ReadTime("auth_time")
	return CustomerToken{
		Identity: Identity{
			Upstream: b.ID, Issuer: b.Issuer, Subject: subject, Attributes: attributes, AuthTime: authTime,
		},
		ID: id, Expires: expires,
	}, nil
}

// verifySignature checks type and signature, and returns the claims. Only the configured
// keys count, each with its own algorithm; keys in the header are ignored (RFC 8725
// sections 3.1 and 3.10).
func (b Backend) verifySignature(token string) ([]byte, error) {
	if len(token) > maxCustomerJWT {
		return nil, &InvalidError{"it is longer than 16 kB"}
	}
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{
		jose.RS256, jose.PS256, jose.ES256, jose.EdDSA,
	})
	if err != nil {
		return nil, &InvalidError{"it is not a JWT signed with RS256, PS256, ES256 or EdDSA"}
	}
	header := jws.Signatures[0].Protected
	if header.ExtraHeaders[jose.HeaderType] != customerType {
		return nil, &InvalidError{"its typ is not " + customerType}
	}
	for _, k := range b.Keys {
		if header.KeyID != "" && k.ID != "" && header.KeyID != k.ID || k.Algorithm != header.Algorithm {
			continue
		}
		if payload, err := jws.Verify(k.Key); err == nil {
			return payload, nil
		}
	}
	return nil, &InvalidError{"none of the upstream's keys verifies its signature"}
}

// checkNames checks who the JWT is from, for and about. The audience must be one string: a
// list could name another server too, which would then hold a JWT that is valid here.
func (b Backend) checkNames(claims jwtclaims.Claims) error {
	if issuer, _ := claims.ReadString("iss"); issuer != b.Issuer {
		return &InvalidError{"iss is not the issuer of the upstream"}
	}
	if audience, _ := claims.ReadString("aud"); audience != b.Audience {
		return &InvalidError{"aud must be our issuer and nothing else, as one string"}
	}
	subject, _ := claims.ReadString("sub")
	if subject == "" || len(subject) > maxSubjectLength || strings.ContainsFunc(subject, unicode.IsControl) {
		return &InvalidError{"sub must have 1 to 255 bytes without control characters"}
	}
	if id, _ := claims.ReadString("jti"); id == "" || len(id) > maxCustomerJTI {
		return &InvalidError{"jti must have 1 to 512 bytes"}
	}
	return nil
}

// checkTimes checks that the JWT is short-lived and valid now.
func checkTimes(claims jwtclaims.Claims, now time.Time) error {
	expires, err := claims.ReadTime("exp")
	if err != nil || !expires.After(now) {
		return &InvalidError{"exp is missing, past, or not a number of seconds"}
	}
	issued, err := claims.ReadTime("iat")
	if err != nil || issued.IsZero() {
		return &InvalidError{"iat is missing, or not a number of seconds"}
	}
	if expires.Sub(issued) > maxCustomerLifetime || expires.Sub(now) > maxCustomerLifetime+backendSkew {
		return &InvalidError{"exp is more than 5 minutes after iat or ahead"}
	}
	for _, name := range []string{"iat", "nbf", "auth_time"} {
		if t, err := claims.ReadTime(name); err != nil || t.After(now.Add(backendSkew)) {
			return &InvalidError{name + " is in the future, or not a number of seconds"}
		}
	}
	return nil
}
