package claims_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/claims"
)

func TestWhyGuessable(t *testing.T) {
	t.Parallel()
	for subject, wanted := range map[string]string{
		"jane@example.com": "an email address", "mailto:jane@example.com": "an email address",
		"+12125550101": "a phone number", "+1 212 555 0101": "a phone number", "tel:15551234567": "a phone number",
		"0151 12345678": "a phone number", "01 23 45 67 89": "a phone number", "0049-151-1234567": "a phone number",
		"030/1234567": "a phone number", "(212) 788-8877": "a phone number",
		"15551234567": "", "C-100234": "", "138766AC": "", "356cbfbfe86f0c45e3d082a8d26dcaab": "", "12-34": "",
		"0f0e0d0c-1111-2222-3333-444455556666": "", "1234-5678-9012-3456": "", "": "", "tel:": "", "+": "", "1+2345678": "",
	} {
		require.Equal(t, wanted, claims.WhyGuessable(subject), subject)
	}
}

// TestSubjectsAreStable pins a subject, because subjects must never change. Another key
// gives another subject.
func TestSubjectsAreStable(t *testing.T) {
	t.Parallel()
	key := []byte("0123456789abcdef0123456789abcdef")
	s, err := claims.NewSubjects(key, map[string]string{"C-2": "from-before"})
	require.NoError(t, err)
	require.Equal(t, "Le98_LyCze8yRBVfF_YAWXc_9Stg7VZoscNIUmDsdbI", s.Of("C-1"))
	require.Equal(t, "from-before", s.Of("C-2"))
	require.Empty(t, s.Of(""))
	key[0]++
	require.Equal(t, "Le98_LyCze8yRBVfF_YAWXc_9Stg7VZoscNIUmDsdbI", s.Of("C-1"), "the caller's key is copied")
	other, err := claims.NewSubjects(key, nil)
	require.NoError(t, err)
	require.NotEqual(t, s.Of("C-1"), other.Of("C-1"))
	_, err = claims.NewSubjects(key[1:], nil)
	require.Error(t, err)
}
