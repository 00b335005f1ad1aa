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

// fetchKeySet fetches the provider's keys and demands that they can be told apart and
// are public.
func (r *run) fetchKeySet() jose.JSONWebKeySet {
	res := r.fetch(http.MethodGet, r.metadata().JWKSURI, nil)
	r.require(res.Status == http.StatusOK, "the key set answers %d", res.Status)
	var set jose.JSONWebKeySet
	r.require(json.Unmarshal([]byte(res.Body), &set) == nil, "the key set is not a JSON Web Key Set")
	r.require(len(set.Keys) > 0, "the key set is empty")
	seen := map[string]bool{}
	for _, k := range set.Keys {
		r.require(strings.TrimSpace(k.KeyID) != "" && !seen[k.KeyID], "the kid %q is blank or occurs twice", k.KeyID)
		seen[k.KeyID] = true
		r.require(k.IsPublic(), "the key %q is not a public one", k.KeyID)
	}
	return set
}

// verifyJWT verifies a JWT by the provider's key set and returns header and claims.
func (r *run) verifyJWT(token string) (header jose.Header, claims map[string]any) {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.ES256, jose.ES384, jose.EdDSA})
	r.require(err == nil, "not a signed JWT: %v", err)
	r.require(len(jws.Signatures) == 1, "the JWT has %d signatures", len(jws.Signatures))
	header = jws.Signatures[0].Header
	set := r.fetchKeySet()
	keys := set.Key(header.KeyID)
	if header.KeyID == "" && len(set.Keys) == 1 {
		keys = set.Keys
	}
	r.require(len(keys) == 1, "no key of the key set has the JWT's kid %q", header.KeyID)
	r.require(keys[0].Use == "" || keys[0].Use == "sig", "the key %q is for %q, not for signatures", header.KeyID, keys[0].Use)
	r.require(keys[0].Algorithm == "" || keys[0].Algorithm == header.Algorithm, "the key %q is for %s, the JWT says %s", header.KeyID, keys[0].Algorithm, header.Algorithm)
	payload, err := jws.Verify(keys[0].Key)
	r.require(err == nil, "the signature is wrong")
	r.require(json.Unmarshal(payload, &claims) == nil, "the claims are not a JSON object")
	return header, claims
}

// decodeClaims reads a JWT's claims without verifying anything; nil where it is none.
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

// verifyIDToken demands a good ID token for the client that answers the request
// (OIDC Core sections 2, 3.1.3.7), and returns its claims. Nonce must be equal,
// and absent where the request had none.
func (r *run) verifyIDToken(token string, c Client, request url.Values) map[string]any {
	header, t := r.verifyJWT(token)
	r.require(header.Algorithm == "RS256" || header.Algorithm == "ES256" || header.Algorithm == "PS256", "the ID token is signed with %s", header.Algorithm)
	r.require(t["iss"] == r.target.Issuer, "iss is %v", t["iss"])
	r.require(hasAudience(t["aud"], c.ID), "aud is %v, without %s", t["aud"], c.ID)
	azp, has := t["azp"]
	list, _ := t["aud"].([]any)
	r.require(!has || azp == c.ID, "azp is %v", azp)
	r.require(has || len(list) < 2, "aud is %v, and azp does not say whom of them it is for", t["aud"])
	now := float64(r.target.Now().Unix())
	iat, okIat := t["iat"].(float64)
	exp, okExp := t["exp"].(float64)
	r.require(okIat && iat >= now-300 && iat <= now+300, "iat is %v, now is %.0f", t["iat"], now)
	r.require(okExp && exp > now, "exp is %v, now is %.0f", t["exp"], now)
	nonce, has := t["nonce"]
	r.require(has == request.Has("nonce") && (!has || nonce == request.Get("nonce")), "nonce is %v, sent was %q", nonce, request.Get("nonce"))
	sub, _ := t["sub"].(string)
	r.require(sub != "" && len(sub) <= 255 && !strings.ContainsFunc(sub, func(c rune) bool { return c < 0x20 || c > 0x7e }), "sub is %v, not 1 to 255 ASCII characters", t["sub"])
	if acr, has := t["acr"]; has {
		text, ok := acr.(string)
		r.require(ok && text != "", "acr is %v", acr)
	}
	if at, has := t["auth_time"]; has {
		n, ok := at.(float64)
		r.require(ok && n > 0 && n <= now+300, "auth_time is %v", at)
	}
	r.checkClaimTypes(t)
	return t
}

// hasAudience says whether aud, a string or a list, names the client.
func hasAudience(aud any, id string) bool {
	if list, ok := aud.([]any); ok {
		return slices.Contains(list, any(id))
	}
	return aud == id
}

// halfHash is at_hash or c_hash of a text for a token's algorithm: all those that we
// accept use SHA-256 (OIDC Core section 3.3.2.11).
func halfHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// checkClaimTypes demands that standard claims, wherever they appear, have their type and
// say something (OIDC Core section 5.1).
func (r *run) checkClaimTypes(claims map[string]any) {
	for _, name := range slices.Concat(profileClaims, []string{"email", "phone_number"}) {
		v, has := claims[name]
		if !has || name == "updated_at" {
			continue
		}
		text, ok := v.(string)
		r.require(ok && strings.TrimSpace(text) != "" && text != "null", "the claim %s is %v, not a text that says something", name, v)
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

// profileClaims are those that the scope profile releases.
var profileClaims = []string{ //nolint:gochecknoglobals // read only
	"name", "given_name", "family_name", "middle_name", "nickname", "profile", "picture", "website",
	"gender", "birthdate", "zoneinfo", "locale", "updated_at", "preferred_username",
}

// signAssertion is a good client assertion of a keyed client (RFC 7523 section 3),
// with the issuer as its audience. Changes are applied to its claims.
func (r *run) signAssertion(c Client, changes ...func(map[string]any)) string {
	now := r.target.Now().Unix()
	claims := map[string]any{"iss": c.ID, "sub": c.ID, "aud": r.target.Issuer, "jti": randomString(22), "iat": now, "exp": now + 60}
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

// signClaims is a JWT of the claims under any key.
func (r *run) signClaims(algorithm jose.SignatureAlgorithm, key any, kid string, claims map[string]any) string {
	opts := (&jose.SignerOptions{}).WithType("JWT")
	if kid != "" {
		opts = opts.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, opts)
	r.require(err == nil, "no signer: %v", err)
	return r.signWith(signer, claims)
}

// signWith is a JWT of the claims by a signer.
func (r *run) signWith(signer jose.Signer, claims map[string]any) string {
	payload, err := json.Marshal(claims)
	r.require(err == nil, "no claims: %v", err)
	jws, err := signer.Sign(payload)
	r.require(err == nil, "not signed: %v", err)
	token, err := jws.CompactSerialize()
	r.require(err == nil, "not signed: %v", err)
	return token
}

// generateKey is a key that nobody knows.
func generateKey(r *run) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	r.require(err == nil, "no key: %v", err)
	return key
}

// publicDER is the public half of a key as SubjectPublicKeyInfo.
func publicDER(key crypto.Signer) ([]byte, error) { return x509.MarshalPKIXPublicKey(key.Public()) }
