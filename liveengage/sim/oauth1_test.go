package sim

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestBaseString is RFC 5849 section 3.4.1.1. Its form body counts with the query.
func TestBaseString(t *testing.T) {
	t.Parallel()
	query, err := url.ParseQuery("b5=%3D%253D&a3=a&c%40=&a2=r%20b&c2&a3=2+q")
	require.NoError(t, err)
	got := baseString("post", "http://example.com/request", query, map[string]string{
		"oauth_consumer_key": "9djdj82h48djs9d2", "oauth_token": "kkk9d7dh3k39sjv7", "oauth_signature_method": "HMAC-SHA1",
		"oauth_timestamp": "137131201", "oauth_nonce": "7d8f3e4a", "oauth_signature": "bYT5CMsGcbgUdFHObYMEfcx6bsw=",
	})
	require.Equal(t, "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26"+
		"oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26"+
		"oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7", got)
	for query, want := range map[string]string{"v=1&v2=2": "v=1&v2=2", "ids2=2&ids=1": "ids=1&ids2=2", "a=2&a=10": "a=10&a=2", "a-b=1&a=1": "a=1&a-b=1"} {
		values, err := url.ParseQuery(query)
		require.NoError(t, err)
		require.Equal(t, "GET&x&"+percent(want), baseString("GET", "x", values, nil), query)
	}
}

// TestOnceOnly: no nonce is forgotten while its timestamp is good, however many come.
func TestOnceOnly(t *testing.T) {
	t.Parallel()
	o := &onceOnly{most: 2, until: map[string]time.Time{}}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ask := func(text string) (bool, bool) { return o.once(text, now, now.Add(oauthSkew)) }
	for _, c := range []struct {
		text        string
		wait        time.Duration
		fresh, full bool
	}{
		{"a", 0, true, false},
		{"b", 0, true, false},
		{"a", 0, false, false},
		{"c", 0, false, true},
		{"a", oauthSkew, false, false},
		{"c", time.Second, true, false},
		{"a", 0, true, false},
		{"b", 0, false, true},
	} {
		now = now.Add(c.wait)
		fresh, full := ask(c.text)
		require.Equal(t, []bool{c.fresh, c.full}, []bool{fresh, full}, c.text)
	}
}

// TestShelf: what is used stays.
func TestShelf(t *testing.T) {
	t.Parallel()
	s := newShelf[int](2)
	s.put("a", 1)
	s.put("b", 2)
	_, ok := s.use("a")
	require.True(t, ok)
	s.put("c", 3)
	require.Equal(t, []int{3, 1}, s.newest())
	s.put("a", 4)
	s.put("d", 5)
	require.Equal(t, []int{5, 4}, s.newest())
	_, ok = s.use("b")
	require.False(t, ok)
}
