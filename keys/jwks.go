package keys

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// maxKeys limits how many signatures an invalid client assertion makes us verify.
const maxKeys = 8

// ParseJWKS reads a JSON Web Key Set (RFC 7517 section 5) of one to eight public keys for
// signatures: RSA with at least 2048 bits, or P-256. If there are several, each needs a
// unique kid. A key's algorithm is its alg (RS256, PS256 or ES256); an RSA key without
// alg gets RS256. Private and symmetric keys are an error. State, Created and Changed of
// the results are empty, and ID is the kid of the set. Errors say what to do and quote
// nothing but kid, alg and use.
func ParseJWKS(text string) ([]PublicKey, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(text), &set); err != nil {
		return nil, errors.New(`not a JSON Web Key Set; use {"keys":[…]} with public keys`)
	}
	if len(set.Keys) == 0 || len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("the key set has %d keys; use 1 to %d", len(set.Keys), maxKeys)
	}
	out := make([]PublicKey, 0, len(set.Keys))
	for _, k := range set.Keys {
		p := PublicKey{ID: k.KeyID, Key: k.Key}
		if !k.IsPublic() {
			return nil, fmt.Errorf("key %q is private or symmetric; keep it secret and use the public key", k.KeyID)
		}
		var err error
		if p.Algorithm, err = algorithmFor(k.Key); err != nil {
			return nil, fmt.Errorf("key %q: %w", k.KeyID, err)
		}
		if k.Algorithm == "PS256" && p.Algorithm == "RS256" {
			p.Algorithm = "PS256"
		}
		if k.Algorithm != "" && k.Algorithm != p.Algorithm {
			return nil, fmt.Errorf("key %q has alg %q; use RS256 or PS256 for RSA, ES256 for P-256", k.KeyID, k.Algorithm)
		}
		if k.Use != "" && k.Use != "sig" {
			return nil, fmt.Errorf("key %q has use %q; use keys for signatures, which have use sig", k.KeyID, k.Use)
		}
		duplicate := slices.ContainsFunc(out, func(other PublicKey) bool { return other.ID == k.KeyID })
		if len(set.Keys) > 1 && (k.KeyID == "" || duplicate) {
			return nil, fmt.Errorf("kid %q is empty or a duplicate; give each key a unique kid", k.KeyID)
		}
		out = append(out, p)
	}
	return out, nil
}
