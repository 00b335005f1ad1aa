package sim

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idpbridge/liveengage"
)

// keySets fetches the key sets of identity providers and caches them for a while. A kid
// that is not in the cached set causes another fetch, at most every few seconds.
type keySets struct {
	idp *idpClient

	mu   sync.Mutex
	sets map[string]keySet // by URL; at most maxConnectors
}

type keySet struct {
	keys []jose.JSONWebKey
	at   time.Time
}

const (
	keySetLifetime = 10 * time.Minute
	keySetMinAge   = 2 * time.Second
)

// findKey returns the key that a token was signed with. The errors have the codes 1028,
// 1038, 1041 and 1042.
func (k *keySets) findKey(ctx context.Context, address, kid string) (*rsa.PublicKey, error) {
	now := k.idp.now()
	k.mu.Lock()
	set, ok := k.sets[address]
	k.mu.Unlock()
	if ok && now.Sub(set.at) < keySetLifetime {
		if key, err := selectKey(set.keys, kid); err == nil || now.Sub(set.at) < keySetMinAge {
			return key, err
		}
	}
	keys, err := k.fetchKeys(ctx, address)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	if len(k.sets) >= maxConnectors {
		clear(k.sets)
	}
	k.sets[address] = keySet{keys: keys, at: now}
	k.mu.Unlock()
	return selectKey(keys, kid)
}

func (k *keySets) fetchKeys(ctx context.Context, address string) ([]jose.JSONWebKey, error) {
	response, err := k.idp.get(ctx, "fetch the key set", address)
	if err != nil {
		return nil, idpErrorf(liveengage.CodeJWKParseFailed,
			"the JWKS Endpoint did not respond: %s", redactQuote(err.Error(), nil))
	}
	if response.Status != http.StatusOK {
		return nil, idpErrorf(liveengage.CodeJWKParseFailed,
			"the JWKS Endpoint returned status %d; it must return 200, without a login or redirects", response.Status)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(response.Body, &set) != nil || set.Keys == nil {
		return nil, idpErrorf(liveengage.CodeJWKParseFailed,
			`the JWKS Endpoint's response is not a key set: it must be JSON with a member "keys"`)
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if err := json.Unmarshal(raw, &key); err != nil {
			return nil, idpErrorf(liveengage.CodeJWKParseFailed,
				"the key set has an invalid key; n and e must be base64url, without +, / and =")
		}
		if key.Use == "" || key.Use == "sig" {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// selectKey returns the key with this kid. A token without a kid matches a single key.
func selectKey(keys []jose.JSONWebKey, kid string) (*rsa.PublicKey, error) {
	if kid == "" && len(keys) > 1 {
		return nil, idpErrorf(liveengage.CodeMultipleJWKWithoutKidHeader,
			"the token's header has no kid, but the key set has %d keys", len(keys))
	}
	found := -1
	for i, key := range keys {
		if kid == "" || key.KeyID == kid {
			found = i
		}
	}
	if found < 0 {
		return nil, idpErrorf(liveengage.CodeJWKIDNotFound,
			"the key set has no key with the kid %q of the token's header", truncateText(kid))
	}
	key, ok := keys[found].Key.(*rsa.PublicKey)
	if !ok {
		return nil, idpErrorf(liveengage.CodeRSAVerifierInitError,
			"the key %q of the key set is not an RSA public key", truncateText(keys[found].KeyID))
	}
	return key, nil
}
