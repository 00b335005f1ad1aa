package upstream_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/claims"
	"idpbridge/upstream"
)

// reference was made by the reference implementation's command line tool from
// the password "password", with other costs than ours.
const reference = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"

func TestHashPassword(t *testing.T) {
	t.Parallel()
	first := hash(t, "x")
	require.True(t, strings.HasPrefix(first, "$argon2id$v=19$m=19456,t=2,p=1$"), first)
	require.NotEqual(t, first, hash(t, "x"), "each has a salt of its own")
	require.NoError(t, upstream.CheckHash(first))
	for _, bad := range []string{"", strings.Repeat("x", 1025)} {
		_, err := upstream.HashPassword(bad)
		require.ErrorContains(t, err, "1 to 1024 bytes")
	}
}

func TestHashesOfOthersWork(t *testing.T) {
	t.Parallel()
	require.NoError(t, upstream.CheckHash(reference))
	l := upstream.NewLocal(people{accounts: map[string]upstream.Account{
		"ann": {Username: "ann", PasswordHash: reference, Person: claims.Person{Subject: "1"}},
	}}, 0)
	got, err := l.Authenticate(t.Context(), "ann", "password", always)
	require.NoError(t, err)
	require.Equal(t, "1", got.Subject)
	_, err = l.Authenticate(t.Context(), "ann", "passwore", always)
	require.ErrorIs(t, err, upstream.ErrRefused)
}

func TestCheckHashRefuses(t *testing.T) {
	t.Parallel()
	with := func(old, changed string) string {
		require.Contains(t, reference, old)
		return strings.Replace(reference, old, changed, 1)
	}
	for name, text := range map[string]string{
		"nothing":            "",
		"bcrypt":             "$2y$10$abcdefghijklmnopqrstuv",
		"argon2i":            with("argon2id", "argon2i"),
		"another version":    with("v=19", "v=16"),
		"words before":       "x" + reference,
		"words after":        reference + "$x",
		"more than 1 GiB":    with("m=256", "m=1048577"),
		"too little memory":  with("m=256", "m=7"),
		"no passes":          with("t=2", "t=0"),
		"17 passes":          with("t=2", "t=17"),
		"no lanes":           with("p=1", "p=0"),
		"256 lanes":          with("p=1", "p=256"),
		"a number too large": with("m=256", "m=4294967552"),
		"a leading zero":     with("t=2", "t=02"),
		"a sign":             with("t=2", "t=+2"),
		"another order":      with("m=256,t=2", "t=2,m=256"),
		"a short salt":       with("c29tZXNhbHQ", "c29tZQ"),
		"padded base64":      with("c29tZXNhbHQ", "c29tZXNhbHQ="),
		"stray bits":         with("c29tZXNhbHQ", "c29tZXNhbHR"),
		"a short hash":       reference[:len(reference)-30],
		"a long hash":        reference + strings.Repeat("AAAA", 12),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.ErrorContains(t, upstream.CheckHash(text), "PHC form")
		})
	}
}
