package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/secret"
	"idpbridge/liveengage/api"
)

// TestKeyAuthorizationHeader is the example in appendix A of OAuth Core 1.0.
func TestKeyAuthorizationHeader(t *testing.T) {
	t.Parallel()
	k := api.Key{
		AppKey: secret.New("dpf43f3p2l4k3l03"), Secret: secret.New("kd94hf93k423kf44"),
		AccessToken: secret.New("nnch734d00sl2jdk"), AccessTokenSecret: secret.New("pfkkdhi9sl3r4s00"),
	}
	const address = "http://photos.example.net/photos?file=vacation.jpg&size=original"
	header := k.AuthorizationHeader("GET", address, time.Unix(1191242096, 0), "kllo9940pd9333jh")
	require.Equal(t, `OAuth oauth_consumer_key="dpf43f3p2l4k3l03", oauth_nonce="kllo9940pd9333jh", `+
		`oauth_signature_method="HMAC-SHA1", oauth_timestamp="1191242096", oauth_token="nnch734d00sl2jdk", `+
		`oauth_version="1.0", oauth_signature="tR3%2BTy81lMeYAr%2FFid0kMTYa%2FWM%3D"`, header)
	require.NotContains(t, header, "\n", "on one line")
	for _, other := range []string{
		k.AuthorizationHeader("POST", address, time.Unix(1191242096, 0), "kllo9940pd9333jh"),
		k.AuthorizationHeader("GET", address+"&x=y", time.Unix(1191242096, 0), "kllo9940pd9333jh"),
		k.AuthorizationHeader("GET", address, time.Unix(1191242097, 0), "kllo9940pd9333jh"),
		k.AuthorizationHeader("GET", address, time.Unix(1191242096, 0), "kllo9940pd9333ji"),
	} {
		require.NotContains(t, other, "tR3%2BTy81lMeYAr")
	}
	require.Empty(t, k.AuthorizationHeader("GET", "http://[", time.Unix(0, 0), "n"))
	printed := fmt.Sprintf("%v %s %+v %#v", k, k, k, k)
	require.Contains(t, printed, "redacted")
	for _, v := range []secret.Value{k.AppKey, k.Secret, k.AccessToken, k.AccessTokenSecret} {
		require.NotContains(t, printed, v.Reveal())
	}
}

func TestReadKey(t *testing.T) {
	t.Parallel()
	k, err := api.ReadKey(strings.NewReader(`{"appKey":"a","secret":"b","accessToken":"c","accessTokenSecret":"d"}`))
	require.NoError(t, err)
	require.Equal(t, api.Key{
		AppKey: secret.New("a"), Secret: secret.New("b"), AccessToken: secret.New("c"), AccessTokenSecret: secret.New("d"),
	}, k)
	for _, bad := range []string{`{}`, `{"appKey":"a","secret":"b","accessToken":"c"}`, `{"app_key":"a"}`, `x`} {
		_, err := api.ReadKey(strings.NewReader(bad))
		require.Error(t, err, bad)
	}
}
