package oauth1

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func parseURL(t *testing.T, rawURL string) *url.URL {
	t.Helper()
	u, err := url.Parse(rawURL)
	require.NoError(t, err)
	return u
}

// TestSignaturesOfRFC5849 has the three requests of section 1.2.
func TestSignaturesOfRFC5849(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, url, tokenSecret, want string
		params                         []param
	}{
		{
			method: "POST", url: "https://photos.example.net/initiate",
			want: "74KNZJeDHnMBp0EMJ9ZHt/XKycU=",
			params: []param{
				{"oauth_consumer_key", "dpf43f3p2l4k3l03"},
				{"oauth_signature_method", "HMAC-SHA1"},
				{"oauth_timestamp", "137131200"},
				{"oauth_nonce", "wIjqoS"},
				{"oauth_callback", "http://printer.example.com/ready"},
			},
		},
		{
			method: "POST", url: "https://photos.example.net/token", tokenSecret: "hdhd0244k9j7ao03",
			want: "gKgrFCywp7rO0OXSjdot/IHF7IU=",
			params: []param{
				{"oauth_consumer_key", "dpf43f3p2l4k3l03"},
				{"oauth_token", "hh5s93j4hdidpola"},
				{"oauth_signature_method", "HMAC-SHA1"},
				{"oauth_timestamp", "137131201"},
				{"oauth_nonce", "walatlh"},
				{"oauth_verifier", "hfdp7dh39dks9884"},
			},
		},
		{
			method: "GET", url: "http://photos.example.net/photos?file=vacation.jpg&size=original",
			tokenSecret: "pfkkdhi9sl3r4s00", want: "MdpQcU8iPSUjWoN/UDMsK2sui9I=",
			params: []param{
				{"oauth_consumer_key", "dpf43f3p2l4k3l03"},
				{"oauth_token", "nnch734d00sl2jdk"},
				{"oauth_signature_method", "HMAC-SHA1"},
				{"oauth_timestamp", "137131202"},
				{"oauth_nonce", "chapoH"},
			},
		},
	} {
		credentials := Credentials{ConsumerSecret: "kd94hf93k423kf44", TokenSecret: c.tokenSecret}
		require.Equal(t, c.want, credentials.sign(baseString(c.method, parseURL(t, c.url), c.params)), c.url)
	}
}

// TestBaseStringOfRFC5849 has the request of section 3.4.1.1. The parameters of its
// form body are passed like those of the header.
func TestBaseStringOfRFC5849(t *testing.T) {
	t.Parallel()
	u := parseURL(t, "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b")
	got := baseString("POST", u, []param{
		{"oauth_consumer_key", "9djdj82h48djs9d2"},
		{"oauth_token", "kkk9d7dh3k39sjv7"},
		{"oauth_signature_method", "HMAC-SHA1"},
		{"oauth_timestamp", "137131201"},
		{"oauth_nonce", "7d8f3e4a"},
		{"c2", ""},
		{"a3", "2 q"},
	})
	require.Equal(t, "POST&http%3A%2F%2Fexample.com%2Frequest&"+
		"a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26"+
		"oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26"+
		"oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7", got)
}

// TestBaseURIOfRFC5849 has the examples of section 3.4.1.2 and others like them.
func TestBaseURIOfRFC5849(t *testing.T) {
	t.Parallel()
	for rawURL, want := range map[string]string{
		"http://EXAMPLE.COM:80/r%20v/X?id=123":       "http://example.com/r%20v/X",
		"https://www.example.net:8080/?q=1":          "https://www.example.net:8080/",
		"https://Example.net:443":                    "https://example.net/",
		"https://example.net/api/account/1?v=2#part": "https://example.net/api/account/1",
	} {
		require.Equal(t, want, baseURI(parseURL(t, rawURL)), rawURL)
	}
}

// TestPercentEncode follows RFC 5849 section 3.6, including where Java's encoder and
// Go's differ from it.
func TestPercentEncode(t *testing.T) {
	t.Parallel()
	require.Equal(t, "azAZ09-._~%20%2B%2A%21%27%28%29%2F%3D%26%25%C3%A9", PercentEncode("azAZ09-._~ +*!'()/=&%é"))
}

// TestParametersAreSortedByName: by name first, then by value. Sorted as pairs, v2=x
// would come before v=x.
func TestParametersAreSortedByName(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"v=1&v2=2":     "v=1&v2=2",
		"ids2=2&ids=1": "ids=1&ids2=2",
		"a=2&a=10":     "a=10&a=2",
		"a-b=1&a=1":    "a=1&a-b=1",
		"c2&a3=2+q":    "a3=2%20q&c2=",
	} {
		got := baseString("get", parseURL(t, "http://x/?"+query), nil)
		require.Equal(t, "GET&http%3A%2F%2Fx%2F&"+PercentEncode(want), got, query)
	}
	require.True(t, strings.HasPrefix(baseString("get", parseURL(t, "http://x"), nil), "GET&"))
}
