package liveengage_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/liveengage"
)

func TestIsWindowURI(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]bool{
		liveengage.WindowURI: true,
		"https://lpcdn.lpsnmedia.net/le_unified_window/10.23.0.0-release_5549/index.html": true,
		"https://LPCDN-a.lpsnmedia.net./other.html":                                       true,
		liveengage.WindowURI + "?lpUnifiedWindowConfig=%7B%7D":                            true,
		"http://127.0.0.1:8090/le_unified_window/index.html":                              true,
		"https://www.brand.example/cb":                                                    false,
		"https://lo.idp.liveperson.net/callback/12345678/redirectCode":                    false,
		"https://lpsnmedia.net.evil.example/":                                             false,
		"https://notlpsnmedia.net/":                                                       false,
		"%":                                                                               false,
	} {
		require.Equal(t, want, liveengage.IsWindowURI(uri), uri)
	}
}

func TestIsWebsite(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]bool{
		liveengage.EmbeddedRedirectURI:                                 true,
		"https://liveperson.net/":                                      true,
		"https://WWW.LivePerson.net.:443/oauth2/code_redirect?x=1":     true,
		"https://lo.idp.liveperson.net/callback/12345678/redirectCode": false,
		"https://liveperson.net.evil.example/":                         false,
		"https://www.brand.example/liveperson.net":                     false,
		"%": false,
	} {
		require.Equal(t, want, liveengage.IsWebsite(uri), uri)
	}
}

func TestIsAccount(t *testing.T) {
	t.Parallel()
	for account, want := range map[string]bool{
		"12345678": true, "le1234567": true,
		"": false, "1/../2": false, "1?x": false, "12 3": false, "１２": false,
		"123456789012345678901234567890123": false,
	} {
		require.Equal(t, want, liveengage.IsAccount(account), account)
	}
}

func TestDelegationAccount(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]string{
		"https://lo.idp.liveperson.net/callback/12345678/redirectCode": "12345678",
		"https://va.idp.LivePerson.net/callback/le1/redirectCode":      "le1",
		"https://lo.idp.liveperson.net/callback/redirectCode":          "",
		"https://lo.idp.liveperson.net/callback/1/2/redirectCode":      "",
		"https://www.brand.example/callback/1/redirectCode":            "",
		"https://liveperson.net":                                       "",
		"%":                                                            "",
	} {
		account, ok := liveengage.DelegationAccount(uri)
		require.Equal(t, want != "", ok, uri)
		if ok {
			require.Equal(t, want, account)
		}
	}
}

func TestWindowAccount(t *testing.T) {
	t.Parallel()
	const config = `{"accountId":"12345678","env":"prod","engConf":{"connector":{"id":1}}}`
	const state = `{"lpUnifiedWindowConfig":` + config + `}`
	legacy := func(value string) string {
		return liveengage.WindowURI + "?lpUnifiedWindowConfig=" + url.QueryEscape(value)
	}
	for _, c := range []struct{ name, redirectURI, state string }{
		{"RFC", liveengage.WindowURI, state},
		{"a number", liveengage.WindowURI, `{"lpUnifiedWindowConfig":{"accountId":12345678}}`},
		{"escaped name", liveengage.WindowURI, `{"lpUnifiedWindowConfig":{"account\u0049d":"12345678"}}`},
		{"as we write it", liveengage.WindowURI, liveengage.WindowState("12345678", "session")},
		{"more members", liveengage.WindowURI, `{"brandPage":"/x","lpUnifiedWindowConfig":` + config + `}`},
		{"escapes in a value", liveengage.WindowURI, `{"lpUnifiedWindowConfig":{"accountId":"12345678","x":"a%20b%2Fc"}}`},
		{"percent in a value", liveengage.WindowURI, `{"lpUnifiedWindowConfig":{"accountId":"12345678","x":"100%"}}`},
		{"legacy", legacy(config), ""},
		{"legacy with the outer object", legacy(state), ""},
		{"legacy with a plain state", legacy(config), "abc-123"},
	} {
		account, err := liveengage.WindowAccount(c.redirectURI, c.state)
		require.NoError(t, err, c.name)
		require.Equal(t, "12345678", account, c.name)
	}
	for name, c := range map[string][2]string{
		"nothing":          {liveengage.WindowURI, ""},
		"no JSON":          {liveengage.WindowURI, "state"},
		"not an object":    {liveengage.WindowURI, `["accountId","12345678"]`},
		"encoded twice":    {liveengage.WindowURI, url.QueryEscape(state)},
		"JSON in a string": {liveengage.WindowURI, `{"lpUnifiedWindowConfig":"{\"accountId\":\"12345678\"}"}`},
		"text after it":    {liveengage.WindowURI, state + state},
		"invalid UTF-8": {
			liveengage.WindowURI, `{"lpUnifiedWindowConfig":{"accountId":"12345678","x":"` + "\xff" + `"}}`,
		},
		"only the inner object": {liveengage.WindowURI, config},
		"no account":            {liveengage.WindowURI, `{"lpUnifiedWindowConfig":{}}`},
		"empty account":         {liveengage.WindowURI, `{"lpUnifiedWindowConfig":{"accountId":""}}`},
		"a path":                {liveengage.WindowURI, `{"lpUnifiedWindowConfig":{"accountId":"../x"}}`},
		"a list":                {liveengage.WindowURI, `{"lpUnifiedWindowConfig":{"accountId":["12345678"]}}`},
		"account twice": {
			liveengage.WindowURI, `{"lpUnifiedWindowConfig":{"accountId":"12345678","accountId":"9"}}`,
		},
		"account twice, same": {liveengage.WindowURI, `{"lpUnifiedWindowConfig":{"accountId":"1","accountId":"1"}}`},
		"account twice, escaped": {
			liveengage.WindowURI, `{"lpUnifiedWindowConfig":{"accountId":"1","account\u0049d":"9"}}`,
		},
		"account twice, once decoded again": {
			liveengage.WindowURI, `{"lpUnifiedWindowConfig":{"accountId":"12345678","x":"%22,%22accountId%22:%229"}}`,
		},
		"another account, decoded twice": {
			liveengage.WindowURI,
			`{"lpUnifiedWindowConfig":{"accountId":"12345678","x":"%2522,%2522accountId%2522:%25229"}}`,
		},
		"account of a prototype": {
			liveengage.WindowURI, `{"lpUnifiedWindowConfig":{"accountId":"12345678","__proto__":{"accountId":"9"}}}`,
		},
		"prototype beside the settings": {
			liveengage.WindowURI, `{"__proto__":{"accountId":"9"},"lpUnifiedWindowConfig":` + config + `}`,
		},
		"account in another case": {
			liveengage.WindowURI, `{"lpUnifiedWindowConfig":{"accountId":"12345678","AccountID":"9"}}`,
		},
		"only in another case": {liveengage.WindowURI, `{"lpUnifiedWindowConfig":{"accountid":"12345678"}}`},
		"settings twice": {
			liveengage.WindowURI, `{"lpUnifiedWindowConfig":` + config + `,"lpUnifiedWindowConfig":{"accountId":"9"}}`,
		},
		"account beside the settings": {liveengage.WindowURI, `{"accountId":"9","lpUnifiedWindowConfig":` + config + `}`},
		"legacy and state":            {legacy(config), state},
		"legacy and encoded state":    {legacy(config), url.QueryEscape(state)},
		"legacy twice": {
			legacy(config) + "&lpUnifiedWindowConfig=" + url.QueryEscape(config), "",
		},
		"legacy, account twice":   {legacy(`{"accountId":"12345678","accountId":"9"}`), ""},
		"legacy, empty":           {legacy(""), state},
		"legacy, damaged":         {liveengage.WindowURI + "?lpUnifiedWindowConfig=%zz", state},
		"legacy, semicolon":       {legacy(config) + ";lpUnifiedWindowConfig=%7B%7D", ""},
		"legacy, account outside": {legacy(`{"accountId":"9","lpUnifiedWindowConfig":` + config + `}`), ""},
	} {
		_, err := liveengage.WindowAccount(c[0], c[1])
		require.Error(t, err, name)
	}
}
