package api //nolint:testpackage // the vectors of RFC 5849 are of the parts of a header

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func mustParse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u
}

// TestAuthorizationOfOAuthCore is appendix A of OAuth Core 1.0, in full.
func TestAuthorizationOfOAuthCore(t *testing.T) {
	t.Parallel()
	k := Key{AppKey: "dpf43f3p2l4k3l03", Secret: "kd94hf93k423kf44", AccessToken: "nnch734d00sl2jdk", AccessTokenSecret: "pfkkdhi9sl3r4s00"}
	const address = "http://photos.example.net/photos?file=vacation.jpg&size=original"
	header := k.Authorization("GET", address, time.Unix(1191242096, 0), "kllo9940pd9333jh")
	require.Equal(t, `OAuth oauth_consumer_key="dpf43f3p2l4k3l03", oauth_nonce="kllo9940pd9333jh", oauth_signature_method="HMAC-SHA1", `+
		`oauth_timestamp="1191242096", oauth_token="nnch734d00sl2jdk", oauth_version="1.0", oauth_signature="tR3%2BTy81lMeYAr%2FFid0kMTYa%2FWM%3D"`, header)
	require.NotContains(t, header, "\n", "on a single line")
	for _, other := range []string{
		k.Authorization("POST", address, time.Unix(1191242096, 0), "kllo9940pd9333jh"),
		k.Authorization("GET", address+"&x=y", time.Unix(1191242096, 0), "kllo9940pd9333jh"),
		k.Authorization("GET", address, time.Unix(1191242097, 0), "kllo9940pd9333jh"),
		k.Authorization("GET", address, time.Unix(1191242096, 0), "kllo9940pd9333ji"),
	} {
		require.NotContains(t, other, "tR3%2BTy81lMeYAr")
	}
	require.Empty(t, k.Authorization("GET", "http://[", time.Unix(0, 0), "n"))
	require.Equal(t, "redacted redacted", fmt.Sprintf("%v %s", k, k))
}

// TestSignaturesOfRFC5849 are the three requests of section 1.2.
func TestSignaturesOfRFC5849(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, address, tokenSecret, want string
		params                             []parameter
	}{
		{"POST", "https://photos.example.net/initiate", "", "74KNZJeDHnMBp0EMJ9ZHt/XKycU=", []parameter{
			{"oauth_consumer_key", "dpf43f3p2l4k3l03"},
			{"oauth_signature_method", "HMAC-SHA1"},
			{"oauth_timestamp", "137131200"},
			{"oauth_nonce", "wIjqoS"},
			{"oauth_callback", "http://printer.example.com/ready"},
		}},
		{"POST", "https://photos.example.net/token", "hdhd0244k9j7ao03", "gKgrFCywp7rO0OXSjdot/IHF7IU=", []parameter{
			{"oauth_consumer_key", "dpf43f3p2l4k3l03"},
			{"oauth_token", "hh5s93j4hdidpola"},
			{"oauth_signature_method", "HMAC-SHA1"},
			{"oauth_timestamp", "137131201"},
			{"oauth_nonce", "walatlh"},
			{"oauth_verifier", "hfdp7dh39dks9884"},
		}},
		{"GET", "http://photos.example.net/photos?file=vacation.jpg&size=original", "pfkkdhi9sl3r4s00", "MdpQcU8iPSUjWoN/UDMsK2sui9I=", []parameter{
			{"oauth_consumer_key", "dpf43f3p2l4k3l03"},
			{"oauth_token", "nnch734d00sl2jdk"},
			{"oauth_signature_method", "HMAC-SHA1"},
			{"oauth_timestamp", "137131202"},
			{"oauth_nonce", "chapoH"},
		}},
	} {
		require.Equal(t, c.want, signature(baseString(c.method, mustParse(t, c.address), c.params), "kd94hf93k423kf44", c.tokenSecret), c.address)
	}
}

// TestBaseStringOfRFC5849 is section 3.4.1.1; the parameters of its form body are
// given as such.
func TestBaseStringOfRFC5849(t *testing.T) {
	t.Parallel()
	got := baseString("POST", mustParse(t, "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b"), []parameter{
		{"oauth_consumer_key", "9djdj82h48djs9d2"},
		{"oauth_token", "kkk9d7dh3k39sjv7"},
		{"oauth_signature_method", "HMAC-SHA1"},
		{"oauth_timestamp", "137131201"},
		{"oauth_nonce", "7d8f3e4a"},
		{"c2", ""},
		{"a3", "2 q"},
	})
	require.Equal(t, "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26"+
		"oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7", got)
}

// TestBaseURIOfRFC5849 is section 3.4.1.2, and its examples.
func TestBaseURIOfRFC5849(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"http://EXAMPLE.COM:80/r%20v/X?id=123":       "http://example.com/r%20v/X",
		"https://www.example.net:8080/?q=1":          "https://www.example.net:8080/",
		"https://Example.net:443":                    "https://example.net/",
		"https://example.net/api/account/1?v=2#part": "https://example.net/api/account/1",
	} {
		require.Equal(t, want, baseURI(mustParse(t, address)))
	}
}

// TestEscaped is RFC 5849 section 3.6: where Java's encoder and Go's differ from it.
func TestEscaped(t *testing.T) {
	t.Parallel()
	require.Equal(t, "azAZ09-._~%20%2B%2A%21%27%28%29%2F%3D%26%25%C3%A9", escaped("azAZ09-._~ +*!'()/=&%é"))
}

func TestReadKey(t *testing.T) {
	t.Parallel()
	k, err := ReadKey(strings.NewReader(`{"appKey":"a","secret":"b","accessToken":"c","accessTokenSecret":"d"}`))
	require.NoError(t, err)
	require.Equal(t, Key{"a", "b", "c", "d"}, k)
	for _, bad := range []string{`{}`, `{"appKey":"a","secret":"b","accessToken":"c"}`, `{"app_key":"a"}`, `x`} {
		_, err := ReadKey(strings.NewReader(bad))
		require.Error(t, err, bad)
	}
}
