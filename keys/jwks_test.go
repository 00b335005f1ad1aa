package keys_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"idpbridge/keys"
)

func TestParseJWKS(t *testing.T) {
	t.Parallel()
	private, err := fixed("RS256")
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	set := func(keys ...jose.JSONWebKey) string {
		text, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
		require.NoError(t, err)
		return string(text)
	}
	public := jose.JSONWebKey{Key: private.Public(), KeyID: "a"}
	with := func(change func(*jose.JSONWebKey)) jose.JSONWebKey {
		k := public
		change(&k)
		return k
	}

	got, err := keys.ParseJWKS(set(public,
		jose.JSONWebKey{Key: curve.Public(), KeyID: "b", Algorithm: "ES256", Use: "sig"},
		with(func(k *jose.JSONWebKey) { k.KeyID, k.Algorithm = "c", "PS256" })))
	require.NoError(t, err)
	require.Equal(t, []string{"RS256", "ES256", "PS256"}, []string{got[0].Algorithm, got[1].Algorithm, got[2].Algorithm})
	require.Equal(t, "b", got[1].ID)
	_, err = keys.ParseJWKS(set(jose.JSONWebKey{Key: private.Public()}))
	require.NoError(t, err, "a single key needs no kid")

	for name, text := range map[string]string{
		"not JSON":                      "x",
		"no keys":                       set(),
		"too many":                      set(public, public, public, public, public, public, public, public, public),
		"private":                       set(jose.JSONWebKey{Key: private, KeyID: "a"}),
		"symmetric":                     set(jose.JSONWebKey{Key: []byte("0123456789abcdef0123456789abcdef"), KeyID: "a"}),
		"another curve":                 set(jose.JSONWebKey{Key: other.Public(), KeyID: "a"}),
		"for encryption":                set(with(func(k *jose.JSONWebKey) { k.Use = "enc" })),
		"another algorithm":             set(with(func(k *jose.JSONWebKey) { k.Algorithm = "RS512" })),
		"algorithm of another key type": set(with(func(k *jose.JSONWebKey) { k.Algorithm = "ES256" })),
		"duplicate kid":                 set(public, public),
		"kid missing":                   set(public, jose.JSONWebKey{Key: curve.Public()}),
	} {
		_, err := keys.ParseJWKS(text)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "0123456789abcdef", name)
	}
}
