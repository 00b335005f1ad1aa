package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckRedirectURI(t *testing.T) {
	t.Parallel()
	for uri, kinds := range map[string]string{
		"https://www.brand.example/cb?site=1":                      "web native",
		"https://lpcdn.lpsnmedia.net/le_unified_window/index.html": "web native",
		"http://127.0.0.1/cb":                                      "native",
		"http://[::1]:8080/cb":                                     "native",
		"http://localhost/cb":                                      "native",
		"com.brand.app:/cb":                                        "native",
		"com.brand.app://cb":                                       "native",
		"":                                                         "",
		"/cb":                                                      "",
		"https:///cb":                                              "",
		"https://:443/cb":                                          "",
		"https:cb":                                                 "",
		"http://127.0.0.1.evil.example/cb":                         "",
		"http://127.0.0.1@evil.example/cb":                         "",
		"https://brand.example\\@evil.example/cb":                  "",
		"https://brand.example/cb evil":                            "",
		"https://brand.example/%2e%2e/cb":                          "",
		"https://brand.example/cb;script-src *":                    "",
		"https://brand.example/ü":                                  "",
		"brandapp:/cb":                                             "",
		"JavaScript:alert(1)":                                      "",
		" javascript:alert(1)":                                     "",
		"data:text/html,x":                                         "",
		"file:///etc/passwd":                                       "",
		"https://brand.example/cb#":                                "",
	} {
		for _, kind := range []string{"web", "native"} {
			err := checkRedirectURI(uri, kind)
			if kinds == "web native" || kinds == kind {
				require.NoError(t, err, "%s %s", uri, kind)
			} else {
				require.Error(t, err, "%s %s", uri, kind)
			}
		}
	}
}

func TestCheckIssuer(t *testing.T) {
	t.Parallel()
	for _, issuer := range []string{
		"https://login.brand.example",
		"https://brand.example/login",
		"https://brand.example/Login-1.2_~/b",
		"https://brand.example:8443",
		"http://127.0.0.1:8080",
		"http://[::1]:8080",
		"http://localhost:8080",
	} {
		require.NoError(t, checkIssuer(issuer), issuer)
	}
	for _, issuer := range []string{
		"",
		"https://",
		"http://login.brand.example",
		"ftp://brand.example",
		"https://brand.example/",
		"https://brand.example?",
		"https://brand.example/a b",
		"https://me@brand.example",
		"HTTPS://brand.example",
		"https://brand.example:443",
		"http://127.0.0.1:80/a",
		"https://brand.example:",
		"https://brand.example/:brand",
		"https://brand.example/*",
		"https://brand.example/a%2Fb",
		"https://brand.example/%61",
		"https://brand.example/a//b",
		"https://brand.example//a",
		"https://brand.example/a/../b",
		"https://brand.example/.",
		"https://brand.example/a(b)",
	} {
		require.Error(t, checkIssuer(issuer), issuer)
	}
}
