package claims_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/claims"
)

func members(t *testing.T, v any) []string {
	t.Helper()
	out, err := json.Marshal(v)
	require.NoError(t, err)
	var o map[string]any
	require.NoError(t, json.Unmarshal(out, &o))
	return slices.Sorted(maps.Keys(o))
}

func TestFilter(t *testing.T) {
	t.Parallel()
	profile := []string{
		"birthdate", "family_name", "gender", "given_name", "locale", "middle_name", "name", "nickname", "picture",
		"preferred_username", "profile", "updated_at", "website", "zoneinfo",
	}
	for name, c := range map[string]struct{ scopes, want []string }{
		"nothing without scopes":                  {nil, nil},
		"nothing for openid without other scopes": {[]string{"openid", "offline_access", "PROFILE"}, nil},
		"profile":                       {[]string{"openid", "profile"}, profile},
		"email":                         {[]string{"email"}, []string{"email", "email_verified"}},
		"phone":                         {[]string{"phone"}, []string{"phone_number", "phone_number_verified"}},
		"address":                       {[]string{"address"}, []string{"address"}},
		"two scopes release both parts": {[]string{"address", "email"}, []string{"address", "email", "email_verified"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, members(t, rich().Standard.Filter(c.scopes, nil)))
		})
	}
	t.Run("claims are released by name", func(t *testing.T) {
		t.Parallel()
		got := rich().Standard.Filter([]string{"phone"}, []string{"name", "email_verified", "sub", "nonsense", ""})
		require.Equal(t, []string{"email_verified", "name", "phone_number", "phone_number_verified"}, members(t, got))
	})
	t.Run("every claim has the scope that releases it", func(t *testing.T) {
		t.Parallel()
		for _, name := range members(t, rich().Standard) {
			require.Contains(t, members(t, rich().Standard.Filter([]string{claims.ScopeOf(name)}, nil)), name)
		}
		require.Empty(t, claims.ScopeOf("sub"))
	})
	t.Run("the four scopes release all 19 claims unchanged", func(t *testing.T) {
		t.Parallel()
		all := rich().Standard.Filter([]string{"profile", "email", "phone", "address"}, nil)
		require.Equal(t, rich().Standard, all)
		require.Len(t, members(t, all), 19)
	})
}

func TestStandardJSON(t *testing.T) {
	t.Parallel()
	t.Run("the claims of a rich person", func(t *testing.T) {
		t.Parallel()
		golden(t, "standard", rich().Standard)
	})
	t.Run("the zero value is an empty object", func(t *testing.T) {
		t.Parallel()
		out, err := json.Marshal(claims.Standard{})
		require.NoError(t, err)
		require.Equal(t, "{}", string(out))
	})
	t.Run("a person survives a JSON round trip", func(t *testing.T) {
		t.Parallel()
		out, err := json.Marshal(rich())
		require.NoError(t, err)
		var back claims.Person
		require.NoError(t, json.Unmarshal(out, &back))
		require.Equal(t, rich(), back)
	})
}
