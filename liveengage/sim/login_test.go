package sim_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	accountPath = "/api/account/" + account
	loginPath   = accountPath + "/login?v=1.3"
	usersPath   = accountPath + "/configuration/le-users/users"
)

// logIn logs the demo agent in and returns the Authorization header.
func (b *simulation) logIn() string {
	b.t.Helper()
	_, out, text := b.call("POST", loginPath, map[string]any{"username": "agent", "password": "agent-password"})
	bearer, ok := out["bearer"].(string)
	require.True(b.t, ok, text)
	return "Bearer " + bearer
}

func TestLogin(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	key := b.NewAPIKey("my bot")
	user := map[string]any{"username": "agent", "password": "agent-password"}
	bot := map[string]any{
		"username":          key.Username,
		"appKey":            key.AppKey,
		"secret":            key.Secret,
		"accessToken":       key.AccessToken,
		"accessTokenSecret": key.AccessTokenSecret,
	}
	for _, credentials := range []map[string]any{user, bot} {
		status, out, text := b.call("POST", loginPath, credentials)
		require.Equal(t, http.StatusOK, status, text)
		require.Regexp(t, "^[0-9a-f]{64}$", out["bearer"])
		require.Equal(t, "28800000", out["sessionTTl"])
		for _, name := range []string{"csrf", "wsuk", "config", "csdsCollectionResponse", "accountData"} {
			require.Contains(t, out, name)
		}
		status, _, list := b.call("GET", usersPath, nil, "Authorization", "Bearer "+out["bearer"].(string))
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, list, `"loginName":"agent"`)
	}
	for name, body := range map[string]any{"no JSON": "x", "no password": map[string]any{"username": "agent"}} {
		status, _, _ := b.call("POST", loginPath, body)
		require.Equal(t, http.StatusBadRequest, status, name)
	}
	status, _, _ := b.call("POST", loginPath, map[string]any{"username": "agent", "password": "wrong"})
	require.Equal(t, http.StatusUnauthorized, status)
	bot["accessTokenSecret"] = ""
	status, _, _ = b.call("POST", loginPath, bot)
	require.Equal(t, http.StatusUnauthorized, status)
	status, _, text := b.call("GET", usersPath, nil, "Authorization", "Basic abc")
	require.Equal(t, http.StatusUnauthorized, status)
	require.Contains(t, text, "unknown_authorization_type")
}

func TestSessions(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	credentials := strings.NewReader(`{"username":"agent","password":"agent-password"}`)
	res, err := b.network.Client().Post(b.url+loginPath, "application/json", credentials)
	require.NoError(t, err)
	var out struct{ CSRF, Bearer string }
	require.NoError(t, json.NewDecoder(res.Body).Decode(&out))
	require.NoError(t, res.Body.Close())
	require.Equal(t, "Session_id", res.Cookies()[0].Name)
	post := func(path, csrf string) (int, string) {
		status, _, text := b.call("POST", accountPath+path, map[string]string{"csrf": csrf},
			"Cookie", "Session_id="+res.Cookies()[0].Value)
		return status, text
	}
	search := func() int {
		status, _, _ := b.call("POST", searchPath, map[string]any{}, "Authorization", "Bearer "+out.Bearer)
		return status
	}
	b.advance(7 * time.Hour)
	status, _ := post("/refresh", out.CSRF)
	require.Equal(t, http.StatusOK, status)
	b.advance(7 * time.Hour)
	require.Equal(t, http.StatusOK, search(), "the session was refreshed")
	status, text := post("/refresh", "wrong")
	require.Equal(t, http.StatusUnauthorized, status)
	require.Contains(t, text, "CSRF token invalid!")
	require.Contains(t, text, `"internalCode":10,`)
	require.Contains(t, text, `"responseStatus":"UNAUTHORIZED"`)
	status, _ = post("/logout", out.CSRF)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, http.StatusUnauthorized, search(), "logged out")
}

// TestSignedRequests signs requests with its own implementation of RFC 5849.
func TestSignedRequests(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	key, nonces := b.NewAPIKey("my bot"), 0
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	header := func(secret string, change func(map[string]string)) string {
		nonces++
		params := map[string]string{
			"oauth_consumer_key":     key.AppKey,
			"oauth_token":            key.AccessToken,
			"oauth_nonce":            "n" + strconv.Itoa(nonces),
			"oauth_version":          "1.0",
			"oauth_timestamp":        strconv.FormatInt(b.clock().Unix(), 10),
			"oauth_signature_method": "HMAC-SHA1",
		}
		if change != nil {
			change(params)
		}
		pairs := []string{"select=%24all", "v=2%2B%20"}
		for name, value := range params {
			pairs = append(pairs, name+"="+escape(value))
		}
		slices.Sort(pairs)
		mac := hmac.New(sha1.New, []byte(escape(secret)+"&"+escape(key.AccessTokenSecret)))
		mac.Write([]byte("GET&" + escape(b.url+usersPath) + "&" + escape(strings.Join(pairs, "&"))))
		params["oauth_signature"] = base64.StdEncoding.EncodeToString(mac.Sum(nil))
		fields := make([]string, 0, len(params))
		for name, value := range params {
			fields = append(fields, name+`="`+escape(value)+`"`)
		}
		return "OAuth " + strings.Join(fields, ",")
	}
	set := func(name, value string) string {
		return header(key.Secret, func(params map[string]string) { params[name] = value })
	}
	get := func(authorization string) (int, string) {
		status, _, text := b.call("GET", usersPath+"?v=2%2B+&select=$all", nil, "Authorization", authorization)
		return status, text
	}
	good := header(key.Secret, nil)
	status, text := get(good)
	require.Equal(t, http.StatusOK, status, text)
	for problem, authorization := range map[string]string{
		"nonce_used":                good,
		"signature_invalid":         header("another", nil),
		"timestamp_refused":         set("oauth_timestamp", "1261039670"),
		"consumer_key_unknown":      set("oauth_consumer_key", "x"),
		"token_rejected":            set("oauth_token", "x"),
		"signature_method_rejected": set("oauth_signature_method", "PLAINTEXT"),
		"parameter_absent":          "OAuth oauth_version=\"1.0\"",
	} {
		status, text := get(authorization)
		require.Equal(t, http.StatusUnauthorized, status, problem)
		require.Contains(t, text, "oauth_problem="+problem)
	}
}
