package keys

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// mostKeys bounds how many signatures one wrong assertion can cost.
const mostKeys = 8

// ParseJWKS reads a JSON Web Key Set of public keys (RFC 7517 section 5): one to
// eight of RSA with 2048 bits and more or P-256, for signatures, each with a kid
// of its own where there is more than one. A key's algorithm is what its alg says,
// RS256, PS256 or ES256; without one it is RS256 for RSA. A set that holds a
// private or symmetric key is refused. Of the results State, Created and Changed
// are empty, and ID is the kid as it stands there. Errors say what to do and
// repeat nothing of the keys but a kid.
func ParseJWKS(text string) ([]PublicKey, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(text), &set); err != nil {
		return nil, errors.New(`not a JSON Web Key Set; write {"keys":[…]} with public keys`)
	}
	if len(set.Keys) == 0 || len(set.Keys) > mostKeys {
		return nil, fmt.Errorf("the key set has %d keys; list 1 to %d", len(set.Keys), mostKeys)
	}
	out := make([]PublicKey, 0, len(set.Keys))
	for _, k := range set.Keys {
		p := PublicKey{ID: k.KeyID, Key: k.Key}
		if !k.IsPublic() {
			return nil, fmt.Errorf("key %q is private or symmetric; keep it at the client and list the public one", k.KeyID)
		}
		var err error
		if p.Algorithm, err = algorithmOf(k.Key); err != nil {
			return nil, fmt.Errorf("key %q: %w", k.KeyID, err)
		}
		switch {
		case k.Algorithm == "PS256" && p.Algorithm == "RS256":
			p.Algorithm = k.Algorithm
		case k.Algorithm != "" && k.Algorithm != p.Algorithm:
			return nil, fmt.Errorf("key %q is for %q; use RS256, PS256 or ES256, as fits the key", k.KeyID, k.Algorithm)
		}
		if k.Use != "" && k.Use != "sig" {
			return nil, fmt.Errorf("key %q is for %q; list keys for signatures", k.KeyID, k.Use)
		}
		if len(set.Keys) > 1 && (k.KeyID == "" || slices.ContainsFunc(out, func(p PublicKey) bool { return p.ID == k.KeyID })) {
			return nil, fmt.Errorf("kid %q is empty or occurs twice; give each key its own", k.KeyID)
		}
		out = append(out, p)
	}
	return out, nil
}
