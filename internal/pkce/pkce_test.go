package pkce_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/pkce"
)

// TestChallenge is the example of RFC 7636 appendix B.
func TestChallenge(t *testing.T) {
	t.Parallel()
	require.Equal(t, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
		pkce.Challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"))
}

func TestNewVerifier(t *testing.T) {
	t.Parallel()
	verifier := pkce.NewVerifier()
	require.Regexp(t, `^[A-Za-z0-9._~-]{43,128}$`, verifier, "RFC 7636 section 4.1")
	require.NotEqual(t, verifier, pkce.NewVerifier())
}
