package conformance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// fetchKeySet fetches the provider's keys and requires that they are public and
// have unique key IDs.
func (r *run) fetchKeySet() jose.JSONWebKeySet {
	res := r.fetch(http.MethodGet, r.metadata().JWKSURI, nil)
	r.require(res.Status == http.StatusOK, "the key set returned %d", res.Status)
	var set jose.JSONWebKeySet
	r.require(json.Unmarshal([]byte(res.Body), &set) == nil, "the key set is not a JSON Web Key Set")
	r.require(len(set.Keys) > 0, "the key set is empty")
	seen := map[string]bool{}
	for _, k := range set.Keys {
		r.require(strings.TrimSpace(k.KeyID) != "" && !seen[k.KeyID], "the kid %q is blank or occurs twice", k.KeyID)
		seen[k.KeyID] = true
		r.require(k.IsPublic(), "the key %q is not public", k.KeyID)
	}
	return set
}

// verifyJWT verifies a JWT with the provider's key set and returns its header
// and claims.
func (r *run) verifyJWT(token string) (header jose.Header, claims map[string]any) {
	jws, err := jose.ParseSignedCompact(token,
		[]jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.ES256, jose.ES384, jose.EdDSA})
	r.require(err == nil, "not a signed JWT: %v", err)
	r.require(len(jws.Signatures) == 1, "the JWT has %d signatures", len(jws.Signatures))
	header = jws.Signatures[0].Header
	set := r.fetchKeySet()
	keys := set.Key(header.KeyID)
	if header.KeyID == "" && len(set.Keys) == 1 {
		keys = set.Keys
	}
	r.require(len(keys) == 1, "no key of the key set has the JWT's kid %q", header.KeyID)
	r.require(keys[0].Use == "" || keys[0].Use == "sig",
		"the key %q is for %q, not for signatures", header.KeyID, keys[0].Use)
	r.require(keys[0].Algorithm == "" || keys[0].Algorithm == header.Algorithm,
		"the key %q is for %s, the JWT says %s", header.KeyID, keys[0].Algorithm, header.Algorithm)
	payload, err := jws.Verify(keys[0].Key)
	r.require(err == nil, "the signature is wrong")
	r.require(json.Unmarshal(payload, &claims) == nil, "the claims are not a JSON object")
	return header, claims
}

// decodeClaims returns the claims of a JWT without verifying it, or nil if it
// is not a JWT.
func decodeClaims(token string) map[string]any {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil
	}
	var claims map[string]any
	_ = json.Unmarshal(raw, &claims)
	return claims
}

// verifyIDToken requires a valid ID token for the client and the request (OIDC
// Core sections 2 and 3.1.3.7) and returns its claims. The nonce must equal
// that of the request, and must be absent if the request had none.
func (r *run) verifyIDToken(token string, c Client, request url.Values) map[string]any {
	header, t := r.verifyJWT(token)
	r.require(header.Algorithm == "RS256" || header.Algorithm == "ES256" || header.Algorithm == "PS256",
		"the ID token is signed with %s", header.Algorithm)
	r.require(t["iss"] == r.target.Issuer, "iss is %v", t["iss"])
	r.require(hasAudience(t["aud"], c.ID), "aud is %v, without %s", t["aud"], c.ID)
	azp, has := t["azp"]
	list, _ := t["aud"].([]any)
	r.require(!has || azp == c.ID, "azp is %v", azp)
	r.require(has || len(list) < 2, "aud is %v, and there is no azp", t["aud"])
	now := float64(r.target.Now().Unix())
	iat, okIat := t["iat"].(float64)
	exp, okExp := t["exp"].(float64)
	r.require(okIat && iat >= now-300 && iat <= now+300, "iat is %v, now is %.0f", t["iat"], now)
	r.require(okExp && exp > now, "exp is %v, now is %.0f", t["exp"], now)
	nonce, has := t["nonce"]
	r.require(has == request.Has("nonce") && (!has || nonce == request.Get("nonce")),
		"nonce is %v instead of %q", nonce, request.Get("nonce"))
	sub, _ := t["sub"].(string)
	r.require(sub != "" && len(sub) <= 255 && !strings.ContainsFunc(sub,
		func(c rune) bool { return c < 0x20 || c > 0x7e }),
		"sub is %v, not 1 to 255 ASCII characters", t["sub"])
	if acr, has := t["acr"]; has {
		value, ok := acr.(string)
		r.require(ok && value != "", "acr is %v", acr)
	}
	if at, has := t["auth_time"]; has {
		n, ok := at.(float64)
		r.require(ok && n > 0 && n <= now+300, "auth_time is %v", at)
	}
	r.checkClaimTypes(t)
	return t
}

// hasAudience reports whether aud, a string or a list, contains the client.
func hasAudience(aud any, id string) bool {
	if list, ok := aud.([]any); ok {
		return slices.Contains(list, any(id))
	}
	return aud == id
}

// halfHash returns the at_hash or c_hash of a value. All accepted algorithms
// use SHA-256 (OIDC Core section 3.3.2.11).
func halfHash(value string) string {
	sum := sha256.Sum256([]byte(value))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// checkClaimTypes requires that standard claims have the right type and are not
// empty (OIDC Core section 5.1).
func (r *run) checkClaimTypes(claims map[string]any) {
	for _, name := range slices.Concat(profileClaims, []string{"email", "phone_number"}) {
		v, has := claims[name]
		if !has || name == "updated_at" {
			continue
		}
		value, ok := v.(string)
		r.require(ok && strings.TrimSpace(value) != "" && value != "null",
			"the claim %s is %v, not a non-empty string", name, v)
	}
	for _, name := range []string{"email_verified", "phone_number_verified"} {
		if v, has := claims[name]; has {
			_, ok := v.(bool)
			r.require(ok, "the claim %s is %v, not true or false", name, v)
		}
	}
	if v, has := claims["updated_at"]; has {
		n, ok := v.(float64)
		r.require(ok && n < 1e11, "the claim updated_at is %v, not a number of seconds", v)
	}
	if v, has := claims["birthdate"].(string); has {
		r.require(isBirthdate(v), "the claim birthdate is %q", v)
	}
	if v, has := claims["address"]; has {
		_, ok := v.(map[string]any)
		r.require(ok, "the claim address is %v, not an object", v)
	}
}

func isBirthdate(s string) bool {
	digits := func(s string, n int) bool {
		return len(s) == n && !strings.ContainsFunc(s, func(c rune) bool { return c < '0' || c > '9' })
	}
	parts := strings.Split(s, "-")
	switch len(parts) {
	case 1:
		return digits(parts[0], 4)
	case 3:
		return digits(parts[0], 4) && digits(parts[1], 2) && digits(parts[2], 2)
	}
	return false
}

// profileClaims are the claims of the scope profile.
var profileClaims = []string{ //nolint:gochecknoglobals // read only
	"name", "given_name", "family_name", "middle_name", "nickname", "profile", "picture", "website",
	"gender", "birthdate", "zoneinfo", "locale", "updated_at", "preferred_username",
}

// signAssertion returns a valid client assertion (RFC 7523 section 3) with the
// issuer as its audience. Changes are applied to its claims.
func (r *run) signAssertion(c Client, changes ...func(map[string]any)) string {
	now := r.target.Now().Unix()
	claims := map[string]any{
		"iss": c.ID,
		"sub": c.ID,
		"aud": r.target.Issuer,
		"jti": randomString(22),
		"iat": now,
		"exp": now + 60,
	}
	for _, change := range changes {
		change(claims)
	}
	algorithm := jose.RS256
	if _, ok := c.Key.Public().(*ecdsa.PublicKey); ok {
		algorithm = jose.ES256
	} else if _, ok := c.Key.Public().(*rsa.PublicKey); !ok {
		r.require(false, "the client's key is neither RSA nor P-256")
	}
	return r.signClaims(algorithm, c.Key, c.KeyID, claims)
}

// signClaims returns a JWT of the claims, signed with a key.
func (r *run) signClaims(algorithm jose.SignatureAlgorithm, key any, kid string, claims map[string]any) string {
	opts := (&jose.SignerOptions{}).WithType("JWT")
	if kid != "" {
		opts = opts.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, opts)
	r.require(err == nil, "no signer: %v", err)
	return r.signWith(signer, claims)
}

// signWith returns a JWT of the claims.
func (r *run) signWith(signer jose.Signer, claims map[string]any) string {
	payload, err := json.Marshal(claims)
	r.require(err == nil, "no claims: %v", err)
	jws, err := signer.Sign(payload)
	r.require(err == nil, "not signed: %v", err)
	token, err := jws.CompactSerialize()
	r.require(err == nil, "not signed: %v", err)
	return token
}

// generateKey returns a new key that is registered nowhere.
func generateKey(r *run) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	r.require(err == nil, "no key: %v", err)
	return key
}

// publicDER returns the public half of a key as SubjectPublicKeyInfo.
func publicDER(key crypto.Signer) ([]byte, error) { return x509.MarshalPKIXPublicKey(key.Public()) }
