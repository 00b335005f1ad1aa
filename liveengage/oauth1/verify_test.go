package oauth1

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestVerifyAcceptsASignedRequest(t *testing.T) {
	t.Parallel()
	key := Credentials{ConsumerKey: "app", ConsumerSecret: "s&1", Token: "to ken", TokenSecret: "s=2"}
	u := parseURL(t, "https://api.example/account/1?v=2&q=a+b")
	now := time.Unix(1772355600, 0)
	header, err := ParseHeader(key.Authorization("GET", u, now, "n1"))
	require.NoError(t, err)
	require.Equal(t, "app", header.ConsumerKey)
	require.Equal(t, "to ken", header.Token)
	require.Equal(t, "n1", header.Nonce)
	require.Equal(t, now, header.Timestamp)
	require.NoError(t, header.Verify("GET", u, key))

	require.Equal(t, ProblemSignature, header.Verify("POST", u, key), "another method")
	require.Equal(t, ProblemSignature, header.Verify("GET", parseURL(t, u.String()+"&x=y"), key), "another query")
	other := key
	other.TokenSecret = "s=3"
	require.Equal(t, ProblemSignature, header.Verify("GET", u, other), "another secret")
	other.Token = "token"
	require.Equal(t, ProblemToken, header.Verify("GET", u, other))
}

func TestParseHeaderRejects(t *testing.T) {
	t.Parallel()
	key := Credentials{ConsumerKey: "app", ConsumerSecret: "a", Token: "token", TokenSecret: "b"}
	good := key.Authorization("GET", parseURL(t, "https://api.example/"), time.Unix(1772355600, 0), "n1")
	_, err := ParseHeader(`oauth realm="a realm",` + strings.TrimPrefix(good, "OAuth "))
	require.NoError(t, err, "the scheme in another case, and a realm")
	for name, c := range map[string]struct {
		header string
		want   Problem
	}{
		"no header":       {"", ProblemAuthorizationType},
		"another scheme":  {"Bearer x", ProblemAuthorizationType},
		"no value":        {"OAuth x", ProblemParameter},
		"broken escape":   {strings.Replace(good, "app", "%zz", 1), ProblemParameter},
		"given twice":     {good + `, oauth_token="token"`, ProblemParameter},
		"no token":        {strings.Replace(good, `oauth_token="token"`, `oauth_token=""`, 1), ProblemParameterAbsent},
		"another method":  {strings.Replace(good, "HMAC-SHA1", "PLAINTEXT", 1), ProblemSignatureMethod},
		"another version": {strings.Replace(good, `"1.0"`, `"2.0"`, 1), ProblemVersion},
		"no timestamp":    {strings.Replace(good, `"1772355600"`, `"soon"`, 1), ProblemTimestamp},
	} {
		_, err := ParseHeader(c.header)
		require.Equal(t, c.want, err, name)
	}
}
