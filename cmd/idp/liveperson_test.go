package main

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"idpbridge/keys"
	"idpbridge/server/servertest"
)

const (
	windowURI = "https://lpcdn.lpsnmedia.net/le_unified_window/index.html"
	fixedURI  = "https://liveperson.net"
	delegated = "https://lo.idp.liveperson.net/callback/12345678/redirectCode"
	// oddSecret reads differently when it is form-decoded.
	oddSecret = "50%25 + more than enough characters & signs"
)

// liveperson plays LivePerson's part towards one server of ours.
type liveperson struct {
	t                  testing.TB
	issuer, operations string
	folder             string
	log                *lockedBuffer
	clock              *clock
}

// withLivePerson runs idp serve with a client for LiveEngage that has these
// settings, and a client plain that differs in nothing but the profile. Each line
// of settings belongs to the key liveengage; more is added to the client itself.
func withLivePerson(t testing.TB, settings, more string) *liveperson {
	t.Helper()
	l := &liveperson{t: t, folder: t.TempDir(), operations: freeAddress(t), clock: &clock{}}
	address := freeAddress(t)
	l.issuer = "http://" + address
	l.configure(settings, more)
	l.log = serveConfig(t, l.clock.now, l.folder)
	return l
}

func (l *liveperson) configure(settings, more string) {
	l.t.Helper()
	client := func(id, profile string) string {
		redirects := "\n    redirect_uris: [" + fixedURI + ", " + windowURI + ", " + delegated + "]"
		if strings.Contains(profile, "redirect_uris") {
			redirects = ""
		}
		return "\n  - id: " + id + "\n    secret: \"" + oddSecret + "\"\n    response_types: [code, id_token]" + redirects + profile
	}
	profile := "\n    profile: liveengage"
	if settings != "" {
		profile += "\n    liveengage: {" + settings + "}"
	}
	text := "issuer: " + l.issuer + "\nlisten: " + l.issuer[strings.Index(l.issuer, "//")+2:] + "\noperations: " + l.operations +
		"\ndata: data\npeople: people.yaml\nbrand: {name: Brand}\nclients:" + client("liveengage", profile+more) + client("plain", "") + "\n"
	require.NoError(l.t, os.WriteFile(filepath.Join(l.folder, "idp.yaml"), []byte(text), 0o600))
	require.NoError(l.t, os.WriteFile(filepath.Join(l.folder, "people.yaml"), servertest.PeopleFile(), 0o600))
}

// windowState is the state of LivePerson's window: 2 kB and more of JSON with
// characters that addresses escape.
func windowState() string {
	key := strings.Repeat("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A+/", 40)
	return `{"lpUnifiedWindowConfig":{"accountId":"12345678","env":"prod","clickedChannel":"-lpuw-authMessaging","external":true,` +
		`"supportBlockCCPattern":false,"scp":"uw","secureStorageType":"indexedDB","engConf":{"async":true,"scid":"1","cid":4056284238,` +
		`"lang":"en-US & more","svid":"A2ZTk+/=","connector":{"id":4056284238,"name":"my idp","type":2,"configuration":{"jwtPublicKey":"` + key + `"}}}}}`
}

// popOut is the address that LivePerson's window opens, with nothing more than it
// sends; changes are pairs of a parameter and its value, "" for none.
func (l *liveperson) popOut(changes ...string) string {
	v := url.Values{
		"response_type": {"id_token"}, "client_id": {"liveengage"}, "scope": {"openid"}, "redirect_uri": {windowURI},
		"state": {windowState()}, "parentWindowOrigin": {"https://www.brand.example"},
	}
	for i := 0; i+1 < len(changes); i += 2 {
		v.Del(changes[i])
		if changes[i+1] != "" {
			v.Set(changes[i], changes[i+1])
		}
	}
	return l.issuer + "/authorize?" + v.Encode()
}

// signedIn is a browser in which jane is signed in.
func (l *liveperson) signedIn() *browser {
	l.t.Helper()
	b := newBrowser(l.t)
	p := b.signIn(l.issuer, l.popOut("response_type", "code"), "jane", "jane-password")
	require.NotEmpty(l.t, p.location, p.body)
	return b
}

// tokenRequest is one request of LivePerson's servers to the token endpoint.
type tokenRequest struct {
	fields  map[string]string
	json    bool
	headers map[string]string
	body    string // instead of fields
}

// basic is the Basic header as LivePerson sends it, form-encoded or not.
func basicOf(id, secret string, encoded bool) string {
	if encoded {
		id, secret = url.QueryEscape(id), url.QueryEscape(secret)
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

func (l *liveperson) token(r tokenRequest) (status int, answer map[string]any, header http.Header) {
	l.t.Helper()
	body, kind := r.body, "application/x-www-form-urlencoded"
	if r.json {
		kind = "application/json"
	}
	if body == "" && r.json {
		raw, err := json.Marshal(r.fields)
		require.NoError(l.t, err)
		body = string(raw)
	} else if body == "" {
		v := url.Values{}
		for name, value := range r.fields {
			v.Set(name, value)
		}
		body = v.Encode()
	}
	req, err := http.NewRequest(http.MethodPost, l.issuer+"/token", strings.NewReader(body))
	require.NoError(l.t, err)
	req.Header.Set("Content-Type", kind)
	for name, value := range r.headers {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(l.t, err)
	raw, err := io.ReadAll(res.Body)
	require.NoError(l.t, err)
	require.NoError(l.t, res.Body.Close())
	require.NoError(l.t, json.Unmarshal(raw, &answer), string(raw))
	require.Equal(l.t, "no-store", res.Header.Get("Cache-Control"))
	require.Equal(l.t, "no-cache", res.Header.Get("Pragma"))
	require.Contains(l.t, res.Header.Get("Content-Type"), "application/json")
	return res.StatusCode, answer, res.Header
}

// redeem exchanges a code as LivePerson's servers do: form and Basic.
func (l *liveperson) redeem(client, code, redirectURI string, more ...string) (status int, answer map[string]any) {
	l.t.Helper()
	r := tokenRequest{
		fields:  map[string]string{"grant_type": "authorization_code", "code": code, "redirect_uri": redirectURI},
		headers: map[string]string{"Authorization": basicOf(client, oddSecret, true)},
	}
	for i := 0; i+1 < len(more); i += 2 {
		r.fields[more[i]] = more[i+1]
	}
	status, answer, _ = l.token(r)
	return status, answer
}

// introspect asks about a token as LiveEngage's client.
func (l *liveperson) introspect(token string) (answer map[string]any) {
	l.t.Helper()
	r, err := http.NewRequest(http.MethodPost, l.issuer+"/introspect", strings.NewReader(url.Values{"token": {token}}.Encode()))
	require.NoError(l.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", basicOf("liveengage", oddSecret, true))
	require.NoError(l.t, json.Unmarshal([]byte(newBrowser(l.t).do(r).body), &answer))
	return answer
}

// verify checks an ID token as LivePerson does, by the pasted key or the key set,
// and returns its claims.
func (l *liveperson) verify(token string) map[string]any {
	l.t.Helper()
	line := strings.TrimSpace(newBrowser(l.t).get(l.issuer + "/keys/public.txt").body)
	pasted, err := keys.ParsePublicKey(line)
	require.NoError(l.t, err)
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	require.NoError(l.t, err, token)
	payload, err := jws.Verify(pasted.Key)
	require.NoError(l.t, err)
	var set jose.JSONWebKeySet
	require.NoError(l.t, json.Unmarshal([]byte(newBrowser(l.t).get(l.issuer+"/jwks").body), &set))
	found := set.Key(jws.Signatures[0].Header.KeyID)
	require.Len(l.t, found, 1, "kid")
	_, err = jws.Verify(found[0].Key)
	require.NoError(l.t, err)
	var claims map[string]any
	require.NoError(l.t, json.Unmarshal(payload, &claims))
	require.Equal(l.t, l.issuer, claims["iss"])
	return claims
}

// janes says that the claims are what the agent sees of jane.
func (l *liveperson) janes(claims map[string]any) {
	l.t.Helper()
	require.Equal(l.t, janeSubject, claims["sub"])
	sdes, ok := claims["lp_sdes"].([]any)
	require.True(l.t, ok, "lp_sdes")
	require.Len(l.t, sdes, 2)
	for _, name := range []string{"iat", "exp"} {
		seconds, ok := claims[name].(float64)
		require.True(l.t, ok, name)
		require.InDelta(l.t, float64(l.clock.now().Unix()), seconds, 7200, "%s in seconds", name)
	}
}

const janeSubject = "356cbfbfe86f0c45e3d082a8d26dcaab"

// counted is how often a client used an exception, from the metrics.
func (l *liveperson) counted(exception, client string) string {
	l.t.Helper()
	body := newBrowser(l.t).get("http://" + l.operations + "/metrics").body
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(line, `idp_events_total{client="`+client+`",event="deviation_`+exception+`"} `); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// ask sends a request of the page script from a page.
func (l *liveperson) ask(b *browser, origin, path string, form url.Values) (status int, answer map[string]any, header http.Header) {
	l.t.Helper()
	r, err := http.NewRequest(http.MethodPost, l.issuer+path, strings.NewReader(form.Encode()))
	require.NoError(l.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	p := b.do(r)
	require.NoError(l.t, json.Unmarshal([]byte(p.body), &answer), p.body)
	return p.status, answer, p.header
}

// seconds is a duration of the configuration.
func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
