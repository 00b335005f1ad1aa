package sim_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/liveengage"
	"idpbridge/liveengage/sim"
)

func TestDomainAPI(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	host := strings.TrimPrefix(b.url, "http://")
	status, out, text := b.call("GET", accountPath+"/service/baseURI.json?version=1.0", nil)
	require.Equal(t, http.StatusOK, status)
	for _, service := range []string{
		"idp", "asyncMessagingEnt", "agentVep", "sentinel", "accountConfigReadWrite", "msgHist", "liveEngageUI",
	} {
		require.Contains(t, text, `{"service":"`+service+`","account":"12345678","baseURI":"`+host+`"}`)
	}
	require.Contains(t, out, "baseURIs")
	status, out, _ = b.call("GET", accountPath+"/service/idp/baseURI.json?version=1.0", nil)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, host, out["baseURI"], "the entry")
	require.Len(t, out["baseURIs"], 1, "and the list")
	for path, want := range map[string]int{
		account + "/service/baseURI.json":                 http.StatusBadRequest,
		account + "/service/baseURI.json?version=2.0":     http.StatusBadRequest,
		"abc/service/baseURI.json?version=1.0":            http.StatusBadRequest,
		account + "/service/IDP/baseURI.json?version=1.0": http.StatusBadRequest,
		"87654321/service/baseURI.json?version=1.0":       http.StatusUnauthorized,
		"87654321/service/idp/baseURI.json?version=1.0":   http.StatusUnauthorized,
	} {
		status, _, text := b.call("GET", "/api/account/"+path, nil)
		require.Equal(t, want, status, path+text)
	}
}

func TestAcceptedTokens(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	signed := signToken(t, b.idp.claims(nil))
	encrypted := encryptToken(t, simKey(), sim.EncryptionKeyID, signed)
	base := accountPath
	for name, own := range map[string]string{
		"version 1":            b.requestToken(base+"/authenticate", map[string]any{"authCode": signed}),
		"version 2":            b.requestToken(base+"/app/default/authenticate?v=2.0", map[string]any{"authCode": signed}),
		"version 3":            b.requestToken(authenticatePath(implicitID), map[string]any{"id_token": signed}),
		"by key set":           b.requestToken(authenticatePath(keySetID), map[string]any{"id_token": signed}),
		"encrypted":            b.requestToken(authenticatePath(implicitID), map[string]any{"id_token": encrypted}),
		"encrypted by key set": b.requestToken(authenticatePath(keySetID), map[string]any{"id_token": encrypted}),
	} {
		claims := decodePayload(t, own)
		require.Equal(t, "https://idp.liveperson.net", claims["iss"], name)
		require.Equal(t, "acc:"+account, claims["aud"])
		require.EqualValues(t, start.Unix()+3600, claims["exp"], "as long as the brand's token")
		require.Len(t, claims["sub"], 64)
		extra, ok := claims["lp.ext"].(map[string]any)
		require.True(t, ok)
		require.Equal(t, "jane-sub", extra["sub"])
		require.Equal(t, b.idp.URL, extra["iss"])
		require.Regexp(t, "^[0-9a-f]{100,}$", extra["lp_sdes"], "encrypted")
	}
	own := b.requestToken(authenticatePath(implicitID), map[string]any{"id_token": signed})
	header, err := base64.RawURLEncoding.DecodeString(strings.Split(own, ".")[0])
	require.NoError(t, err)
	require.JSONEq(t, `{"kid":"00001","typ":"JWT","alg":"RS256"}`, string(header))
	require.Equal(t, 1, b.idp.keySetRequests, "the key set is cached")
}

// TestKeyRotation: a kid that is not in the cached key set causes another fetch.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	b.requestToken(authenticatePath(keySetID), goodToken(t, b))
	b.idp.setKeySet(encodeKeySet(publicJWK(brandKey(), "brand-1"), publicJWK(otherKey(), "brand-2")))
	b.advance(time.Minute)
	second := signWith(t, otherKey(), "brand-2", b.idp.claims(nil))
	b.requestToken(authenticatePath(keySetID), map[string]any{"id_token": second})
	require.Equal(t, 2, b.idp.keySetRequests)
	unknown := signWith(t, otherKey(), "brand-3", b.idp.claims(nil))
	status, out, _ := b.call("POST", authenticatePath(keySetID), map[string]any{"id_token": unknown})
	require.Equal(t, http.StatusInternalServerError, status)
	require.Equal(t, "1041", out["internalErrorCode"])
	require.Equal(t, 2, b.idp.keySetRequests, "not again within two seconds")
}

// TestTokenRequests checks each documented form of the request to the token endpoint.
func TestTokenRequests(t *testing.T) {
	t.Parallel()
	const secret = "the secret: 50%25 +"
	basic := func(id, secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
	}
	for _, c := range []struct {
		name    string
		request sim.TokenRequest
		want    map[string]string
	}{
		{"form and Basic", sim.TokenRequest{}, map[string]string{
			"Content-Type":  "application/x-www-form-urlencoded",
			"Authorization": basic("le client", secret),
			"client_secret": "",
		}},
		{"JSON and Basic", sim.TokenRequest{JSON: true}, map[string]string{
			"Content-Type":  "application/json",
			"Authorization": basic("le client", secret),
		}},
		{"encoded Basic", sim.TokenRequest{Encoded: true}, map[string]string{
			"Authorization": basic("le+client", url.QueryEscape(secret)),
		}},
		{"form and body", sim.TokenRequest{Body: true}, map[string]string{
			"Authorization": "",
			"client_id":     "le client",
			"client_secret": secret,
		}},
		{"JSON and body", sim.TokenRequest{Body: true, JSON: true}, map[string]string{
			"Authorization": "",
			"client_id":     "le client",
			"client_secret": secret,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newSimulation(t, func(cfg *sim.Config) {
				for i := range cfg.Connectors {
					cfg.Connectors[i].TokenRequest = c.request
				}
			})
			b.requestToken(accountPath+"/app/2/authenticate?v=2.0",
				map[string]any{"code": "c-1", "redirect_uri": "https://www.brand.example/cb"})
			b.requestToken(authenticatePath(codeID), map[string]any{"authCode": "c-2"})
			for i, redirect := range []string{"https://www.brand.example/cb", "https://liveperson.net"} {
				got := b.idp.tokenRequests[i]
				require.Equal(t, "authorization_code", got["grant_type"])
				require.Equal(t, []string{"c-1", "c-2"}[i], got["code"])
				require.Equal(t, redirect, got["redirect_uri"])
				require.NotContains(t, got, "code_verifier")
				for name, want := range c.want {
					require.Equal(t, want, got[name], name)
				}
			}
			_, _, log := b.call("GET", "/log", nil)
			require.NotContains(t, log, secret)
			require.NotContains(t, log, url.QueryEscape(secret))
			require.NotContains(t, log, base64.StdEncoding.EncodeToString([]byte("le client:"+secret)))
			require.Contains(t, log, "exchange the code")
		})
	}
}

// appVerifier is a verifier that an app creates itself.
const appVerifier = "an-app-created-this-verifier-itself-0123456789"

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func TestPKCE(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	_, made, _ := b.call("POST", accountPath+"/app/3/pkce", nil)
	require.Equal(t, "S256", made["code_challenge_method"])
	exchange := func(verifier any) {
		b.requestToken(authenticatePath(pkceID), map[string]any{"code": "c", "code_verifier": verifier})
	}
	exchange(made["code_verifier"])
	verifier := b.idp.tokenRequests[0]["code_verifier"]
	require.NotEqual(t, made["code_verifier"], verifier, "the window does not have the verifier")
	require.Equal(t, made["code_challenge"], challengeOf(verifier))
	exchange(made["code_verifier"])
	require.NotEqual(t, verifier, b.idp.tokenRequests[1]["code_verifier"], "a verifier works once")
	exchange(appVerifier)
	require.Equal(t, appVerifier, b.idp.tokenRequests[2]["code_verifier"])
	status, out, _ := b.call("POST", accountPath+"/app/2/pkce", nil)
	require.Equal(t, http.StatusInternalServerError, status)
	require.Equal(t, "1024", out["internalErrorCode"])
}

func TestVisitors(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	authorize := "/api/account/" + account + "/anonymous/authorize"
	signup := decodePayload(t, b.signUpVisitor())
	require.Greater(t, signup["exp"], float64(start.AddDate(12, 0, 0).Unix()), "valid for years")
	external := b.requestToken(authorize, nil)
	own := decodePayload(t, b.requestToken(authenticatePath(implicitID), map[string]any{"id_token": external}))
	require.Equal(t, decodePayload(t, external)["sub"], own["sub"])
	require.NotContains(t, own, "lp.ext")
	requireCode := func(code string, path string, body map[string]any) {
		t.Helper()
		status, out, text := b.call("POST", path, body)
		require.Equal(t, http.StatusInternalServerError, status, text)
		require.Equal(t, code, out["internalErrorCode"], text)
	}
	b.advance(10 * time.Minute)
	requireCode("1012", authenticatePath(implicitID), map[string]any{"id_token": external})
	again := b.requestToken(authorize, map[string]any{"id_token": external})
	require.Equal(t, own["sub"], decodePayload(t, again)["sub"], "the same visitor")
	b.requestToken(authenticatePath(implicitID), map[string]any{"id_token": again})
	b.advance(730 * time.Hour)
	requireCode("2001", authorize, map[string]any{"id_token": again})
	forged := signToken(t, map[string]any{"iss": "https://idp.liveperson.net/anonymous"})
	requireCode("2002", authorize, map[string]any{"id_token": forged})
	requireCode("2003", "/api/account/87654321/anonymous/authorize", nil)
	requireCode("2003", "/api/account/87654321/signup", nil)
	requireCode("9012", authorize, map[string]any{"id_token": 7})
}

// TestForeignHosts: a connector cannot make the simulator contact other hosts.
func TestForeignHosts(t *testing.T) {
	t.Parallel()
	for address, allowed := range map[string]bool{
		"http://169.254.169.254/":       false,
		"http://10.0.0.1/":              false,
		"http://example.com/":           false,
		"file:///etc/passwd":            false,
		"http://127.0.0.1.example.com/": false,
		"http://user@127.0.0.1:9/":      false,
		"http://127.0.0.1:9/":           true,
		"http://[::1]:9/":               true,
		"http://localhost:9/":           true,
		"https://idp.brand.test:9/":     true,
		"https://IDP.brand.test:9/":     true,
		"http://idp.brand.test:9/":      false,
	} {
		b := newSimulation(t, func(c *sim.Config) { c.Hosts = []string{"Idp.Brand.Test"} })
		status, text := b.postForm("/connectors/1/fill", url.Values{"from": {address}, "method": {"m"}})
		require.Equal(t, http.StatusUnprocessableEntity, status)
		rejected := strings.Contains(text, "idp liveengage simulate --allow-host") ||
			strings.Contains(text, "over https only") || strings.Contains(text, "not an http or https URL")
		require.Equal(t, allowed, !rejected, address)
		require.Equal(t, allowed, strings.Contains(text, "connection refused"), text)
	}
}

func TestConnectorForm(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, func(c *sim.Config) { c.Connectors = nil })
	all := listConnectors(b)
	require.Len(t, all, 1)
	edit := "/connectors/" + strconv.FormatInt(all[0].ID, 10)
	post := func(path string, form url.Values, headers ...string) (int, string) {
		headers = append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)
		status, _, text := b.call("POST", path, form.Encode(), headers...)
		return status, text
	}
	form := url.Values{
		"from":       {b.idp.URL},
		"type":       {"2"},
		"pkce":       {"on"},
		"client_id":  {"le client"},
		"secret":     {"not to be shown anywhere"},
		"display":    {"My brand"},
		"method":     {"lpGetAuthenticationToken"},
		"context":    {"window"},
		"validation": {"JWKS_ENDPOINT"},
		"preferred":  {"on"},
	}
	status, text := post(edit+"/fill", form)
	require.Equal(t, http.StatusOK, status, text)
	require.Contains(t, text, "Filled from "+b.idp.URL)
	c := listConnectors(b)[0]
	require.Equal(t, liveengage.TypeCode, c.Type)
	f := c.Configuration
	require.Equal(t, b.idp.URL, f.Issuer)
	require.Equal(t, b.idp.URL+"/authorize", f.AuthorizationEndpoint)
	require.Equal(t, b.idp.URL+"/token", f.TokenEndpoint)
	require.Equal(t, b.idp.URL+"/jwks", f.JWKSEndpoint)
	require.Equal(t, sim.PublicKeyLine(brandKey()), f.JWTPublicKey)
	require.True(t, f.PKCEEnabled && f.RFCCompliance && f.Preferred)
	b.requestToken(accountPath+"/app/default/authenticate?v=3.0",
		map[string]any{"code": "c", "code_verifier": appVerifier})
	require.NotEmpty(t, b.idp.tokenRequests[0]["Authorization"])

	list := accountPath + "/configuration/le-connectors/all-connectors"
	for _, page := range []string{edit, "/connectors", list, "/log", "/brand"} {
		status, _, text := b.call("GET", page, nil)
		require.Equal(t, http.StatusOK, status, page)
		require.NotContains(t, text, "not to be shown", page)
	}
	form.Set("authorize", "javascript:alert(1)")
	status, text = post(edit, form)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, text, "Authentication Endpoint must be a URL")
	status, _ = post(edit, form, "Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusForbidden, status, "from another site")
	status, _, _ = b.call("GET", "/", nil, "X", "y")
	require.Equal(t, http.StatusOK, status)
	r, err := http.NewRequest(http.MethodGet, b.url, nil)
	require.NoError(t, err)
	r.Host = "rebound.example"
	res, err := b.network.Client().Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusMisdirectedRequest, res.StatusCode)
}
