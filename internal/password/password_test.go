package password_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/password"
)

// reference was made by the reference implementation's command-line tool from
// the password "password", with other costs than ours.
const reference = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"

func newHash(t *testing.T, plain string) string {
	t.Helper()
	h, err := password.Hash(plain)
	require.NoError(t, err)
	return h
}

func TestHash(t *testing.T) {
	t.Parallel()
	first := newHash(t, "x")
	require.True(t, strings.HasPrefix(first, "$argon2id$v=19$m=19456,t=2,p=1$"), first)
	require.NotEqual(t, first, newHash(t, "x"), "each hash has its own salt")
	h, err := password.Parse(first)
	require.NoError(t, err)
	require.Equal(t, first, h.String())
	require.True(t, h.Matches("x"))
	require.False(t, h.Matches("y"))
	for _, bad := range []string{"", strings.Repeat("x", password.MaxLength+1)} {
		_, err := password.Hash(bad)
		require.ErrorContains(t, err, "1 to 1024 bytes")
	}
}

func TestHashesFromOtherProgramsWork(t *testing.T) {
	t.Parallel()
	h, err := password.Parse(reference)
	require.NoError(t, err)
	require.True(t, h.Matches("password"))
	require.False(t, h.Matches("passwore"))
	require.Equal(t, reference, h.String())
}

func TestDummyAndZeroMatchNothing(t *testing.T) {
	t.Parallel()
	require.False(t, password.Dummy(password.DefaultCost()).Matches(""))
	require.False(t, password.PHC{}.Matches(""))
	parsed, err := password.Parse(password.Dummy(password.DefaultCost()).String())
	require.NoError(t, err)
	require.Equal(t, password.Dummy(password.DefaultCost()), parsed)
	require.True(t, strings.HasPrefix(parsed.String(), "$argon2id$v=19$m=19456,t=2,p=1$"), "it costs what Hash costs")
}

func TestParseRejects(t *testing.T) {
	t.Parallel()
	with := func(old, changed string) string {
		require.Contains(t, reference, old)
		return strings.Replace(reference, old, changed, 1)
	}
	for name, phc := range map[string]string{
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
			_, err := password.Parse(phc)
			require.ErrorIs(t, err, password.ErrFormat)
		})
	}
}

func TestCheckRejectsCheapHashes(t *testing.T) {
	t.Parallel()
	for cost, want := range map[password.Cost]error{
		password.DefaultCost():               nil,
		{Memory: 47104, Passes: 1, Lanes: 1}: nil,
		{Memory: 12288, Passes: 3, Lanes: 1}: nil,
		{Memory: 7168, Passes: 5, Lanes: 1}:  nil,
		{Memory: 65536, Passes: 3, Lanes: 4}: nil,
		{Memory: 8, Passes: 1, Lanes: 1}:     password.ErrWeak,
		{Memory: 256, Passes: 2, Lanes: 1}:   password.ErrWeak,
		{Memory: 19456, Passes: 1, Lanes: 1}: password.ErrWeak,
		{Memory: 4096, Passes: 16, Lanes: 1}: password.ErrWeak,
		{Memory: 7168, Passes: 4, Lanes: 1}:  password.ErrWeak,
	} {
		require.Equal(t, want, cost.Check(), "%+v", cost)
	}
}
