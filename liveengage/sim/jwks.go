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

// keySets fetches the key sets of identity providers and keeps each for a while. A
// kid that is not in it has the set fetched anew, at most every few seconds.
type keySets struct {
	out *outgoing

	mu   sync.Mutex
	sets map[string]keySet // by address; bounded by maxConnects
}

type keySet struct {
	keys []jose.JSONWebKey
	at   time.Time
}

const (
	keySetLifetime = 10 * time.Minute
	keySetMinAge   = 2 * time.Second
)

// findKey is the key that a token was signed with (codes 1038, 1041 and 1042).
func (k *keySets) findKey(ctx context.Context, address, kid string) (*rsa.PublicKey, error) {
	now := k.out.now()
	k.mu.Lock()
	set, ok := k.sets[address]
	k.mu.Unlock()
	fresh := ok && now.Sub(set.at) < keySetLifetime
	if fresh {
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
	a, err := k.out.get(ctx, "fetch the key set", address)
	if err != nil {
		return nil, idpErrorf(liveengage.CodeJWKParseFailed, "the JWKS Endpoint does not answer: %s", redactQuote(cause(err), nil))
	}
	if a.status != http.StatusOK {
		return nil, idpErrorf(liveengage.CodeJWKParseFailed, "the JWKS Endpoint answers with status %d; it must answer 200, without a password and without leading elsewhere", a.status)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(a.body, &set) != nil || set.Keys == nil {
		return nil, idpErrorf(liveengage.CodeJWKParseFailed, `the JWKS Endpoint's answer is not a key set: it must be JSON with a member "keys"`)
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if err := json.Unmarshal(raw, &key); err != nil {
			return nil, idpErrorf(liveengage.CodeJWKParseFailed, "a key of the key set cannot be read; n and e are base64url, without +, / and =")
		}
		if key.Use == "" || key.Use == "sig" {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// selectKey chooses by kid. One key may do without.
func selectKey(keys []jose.JSONWebKey, kid string) (*rsa.PublicKey, error) {
	var found *jose.JSONWebKey
	switch {
	case kid == "" && len(keys) > 1:
		return nil, idpErrorf(liveengage.CodeMultipleJWKWithoutKidHeader, "the token's header has no kid, and the key set has %d keys", len(keys))
	case kid == "" && len(keys) == 1:
		found = &keys[0]
	default:
		for i := range keys {
			if keys[i].KeyID == kid {
				found = &keys[i]
			}
		}
	}
	if found == nil {
		return nil, idpErrorf(liveengage.CodeJWKIDNotFound, "the key set has no key with the kid %q of the token's header", truncateText(kid))
	}
	key, ok := found.Key.(*rsa.PublicKey)
	if !ok {
		return nil, idpErrorf(liveengage.CodeRSAVerifierInitError, "the key %q of the key set is not an RSA public key", truncateText(found.KeyID))
	}
	return key, nil
}
