package oauth1_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/oauth1"
)

func mustParse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u
}

// TestSignaturesOfRFC5849 are the three requests of section 1.2.
func TestSignaturesOfRFC5849(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, address, tokenSecret, want string
		params                             []oauth1.Param
	}{
		{"POST", "https://photos.example.net/initiate", "", "74KNZJeDHnMBp0EMJ9ZHt/XKycU=", []oauth1.Param{
			{Name: "oauth_consumer_key", Value: "dpf43f3p2l4k3l03"},
			{Name: "oauth_signature_method", Value: "HMAC-SHA1"},
			{Name: "oauth_timestamp", Value: "137131200"},
			{Name: "oauth_nonce", Value: "wIjqoS"},
			{Name: "oauth_callback", Value: "http://printer.example.com/ready"},
		}},
		{"POST", "https://photos.example.net/token", "hdhd0244k9j7ao03", "gKgrFCywp7rO0OXSjdot/IHF7IU=", []oauth1.Param{
			{Name: "oauth_consumer_key", Value: "dpf43f3p2l4k3l03"},
			{Name: "oauth_token", Value: "hh5s93j4hdidpola"},
			{Name: "oauth_signature_method", Value: "HMAC-SHA1"},
			{Name: "oauth_timestamp", Value: "137131201"},
			{Name: "oauth_nonce", Value: "walatlh"},
			{Name: "oauth_verifier", Value: "hfdp7dh39dks9884"},
		}},
		{"GET", "http://photos.example.net/photos?file=vacation.jpg&size=original", "pfkkdhi9sl3r4s00", "MdpQcU8iPSUjWoN/UDMsK2sui9I=", []oauth1.Param{
			{Name: "oauth_consumer_key", Value: "dpf43f3p2l4k3l03"},
			{Name: "oauth_token", Value: "nnch734d00sl2jdk"},
			{Name: "oauth_signature_method", Value: "HMAC-SHA1"},
			{Name: "oauth_timestamp", Value: "137131202"},
			{Name: "oauth_nonce", Value: "chapoH"},
		}},
	} {
		require.Equal(t, c.want, oauth1.Sign(oauth1.BaseString(c.method, mustParse(t, c.address), c.params), "kd94hf93k423kf44", c.tokenSecret), c.address)
	}
}

// TestBaseStringOfRFC5849 is section 3.4.1.1; the parameters of its form body are
// given as such.
func TestBaseStringOfRFC5849(t *testing.T) {
	t.Parallel()
	got := oauth1.BaseString("POST", mustParse(t, "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b"), []oauth1.Param{
		{Name: "oauth_consumer_key", Value: "9djdj82h48djs9d2"},
		{Name: "oauth_token", Value: "kkk9d7dh3k39sjv7"},
		{Name: "oauth_signature_method", Value: "HMAC-SHA1"},
		{Name: "oauth_timestamp", Value: "137131201"},
		{Name: "oauth_nonce", Value: "7d8f3e4a"},
		{Name: "c2", Value: ""},
		{Name: "a3", Value: "2 q"},
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
		signed := oauth1.BaseString("GET", mustParse(t, address), nil)
		require.Equal(t, oauth1.Escape(want), strings.Split(signed, "&")[1], address)
	}
}

// TestEscaped is RFC 5849 section 3.6: where Java's encoder and Go's differ from it.
func TestEscaped(t *testing.T) {
	t.Parallel()
	require.Equal(t, "azAZ09-._~%20%2B%2A%21%27%28%29%2F%3D%26%25%C3%A9", oauth1.Escape("azAZ09-._~ +*!'()/=&%é"))
}

// TestOrderOfParameters: by name first, then by value; sorted as texts, v2=x would
// come before v=x.
func TestOrderOfParameters(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"v=1&v2=2": "v=1&v2=2", "ids2=2&ids=1": "ids=1&ids2=2", "a=2&a=10": "a=10&a=2", "a-b=1&a=1": "a=1&a-b=1", "c2&a3=2+q": "a3=2%20q&c2=",
	} {
		got := oauth1.BaseString("get", mustParse(t, "http://x/?"+query), nil)
		require.Equal(t, "GET&http%3A%2F%2Fx%2F&"+oauth1.Escape(want), got, query)
	}
}
