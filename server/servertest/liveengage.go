package servertest

import (
	"crypto/rsa"
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

	"idpbridge/config"
	"idpbridge/internal/robot"
	"idpbridge/keys"
)

// The redirect URIs of LivePerson. FixedURI is only for the token endpoint.
const (
	WindowURI     = "https://lpcdn.lpsnmedia.net/le_unified_window/index.html"
	FixedURI      = "https://liveperson.net"
	DelegationURI = "https://lo.idp.liveperson.net/callback/12345678/redirectCode"
)

const (
	// LiveEngageSecret is the secret of LiveEngage's client. A server that form-decodes
	// it once too often reads another one.
	LiveEngageSecret = "50%25 + more than enough characters & signs"
	// JaneSubject is the subject of the demo person jane.
	JaneSubject = "356cbfbfe86f0c45e3d082a8d26dcaab"
)

// LiveEngage is a server with a client for LiveEngage, seen from LivePerson's side.
type LiveEngage struct {
	Issuer string
	Folder string // of the configuration
	Clock  *Clock
	Server *Server // nil before Start

	t testing.TB
}

// StartLiveEngage runs a server until the test ends. Its clients are liveengage, with
// these settings under the key liveengage and these further lines, and plain, which
// differs in the profile only.
func StartLiveEngage(t testing.TB, settings, lines string) *LiveEngage {
	t.Helper()
	l := WriteLiveEngage(t, settings, lines)
	l.Start()
	return l
}

// WriteLiveEngage writes the files of StartLiveEngage, and does not start the server.
func WriteLiveEngage(t testing.TB, settings, lines string) *LiveEngage {
	t.Helper()
	address := FreeAddress(t)
	l := &LiveEngage{Issuer: "http://" + address, Folder: t.TempDir(), Clock: &Clock{}, t: t}
	profile := "\n    profile: liveengage"
	if settings != "" {
		profile += "\n    liveengage: {" + settings + "}"
	}
	configuration := "issuer: " + l.Issuer + "\nlisten: " + address + "\noperations: off\ndata: data\n" +
		"people: people.yaml\nbrand: {name: Brand}\nclients:" +
		writeClient("liveengage", profile+lines) + writeClient("plain", "") + "\n"
	WriteFiles(t, l.Folder, map[string][]byte{"idp.yaml": []byte(configuration), "people.yaml": PeopleFile()})
	return l
}

func writeClient(id, lines string) string {
	if !strings.Contains(lines, "redirect_uris") {
		lines = "\n    redirect_uris: [" + WindowURI + ", " + DelegationURI + "]" + lines
	}
	return "\n  - id: " + id + "\n    secret: \"" + LiveEngageSecret + "\"\n    response_types: [code, id_token]" + lines
}

// ConfigFile is the path of the configuration file.
func (l *LiveEngage) ConfigFile() string { return filepath.Join(l.Folder, "idp.yaml") }

// EditConfig changes the text of the configuration file.
func (l *LiveEngage) EditConfig(edit func(text string) string) {
	l.t.Helper()
	text, err := os.ReadFile(l.ConfigFile())
	require.NoError(l.t, err)
	WriteFiles(l.t, l.Folder, map[string][]byte{"idp.yaml": []byte(edit(string(text)))})
}

// CheckConfig loads the configuration as idp config check does.
func (l *LiveEngage) CheckConfig() error {
	settings, err := config.Load(l.ConfigFile(), os.Getenv)
	if err != nil {
		return err
	}
	_, err = settings.ReadPeople()
	return err
}

// Start runs the server until the test ends.
func (l *LiveEngage) Start() {
	l.t.Helper()
	l.Server = StartFile(l.t, l.ConfigFile(), l.Clock.Now)
}

// With returns the same server for a subtest.
func (l *LiveEngage) With(t testing.TB) *LiveEngage {
	inSubtest := *l
	inSubtest.t = t
	return &inSubtest
}

// WindowState is the state that LivePerson's window sends: more than 2 kB of JSON with
// characters that URLs escape.
func WindowState() string {
	key := strings.Repeat("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A+/", 40)
	return `{"lpUnifiedWindowConfig":{"accountId":"12345678","env":"prod","clickedChannel":"-lpuw-authMessaging",` +
		`"external":true,"supportBlockCCPattern":false,"scp":"uw","secureStorageType":"indexedDB",` +
		`"engConf":{"async":true,"scid":"1","cid":4056284238,"lang":"en-US & more","svid":"A2ZTk+/=",` +
		`"connector":{"id":4056284238,"name":"my idp","type":2,"configuration":{"jwtPublicKey":"` + key + `"}}}}}`
}

// AuthorizeURL returns the URL that LivePerson's window opens. Changes are as in the
// function AuthorizeURL.
func (l *LiveEngage) AuthorizeURL(changes ...string) string {
	request := url.Values{
		"response_type": {"id_token"}, "client_id": {"liveengage"}, "scope": {"openid"}, "redirect_uri": {WindowURI},
		"state": {WindowState()}, "parentWindowOrigin": {"https://www.brand.example"},
	}
	return l.Issuer + "/authorize?" + change(request, changes).Encode()
}

// SignInJane returns a browser in which jane is signed in.
func (l *LiveEngage) SignInJane() *Browser {
	l.t.Helper()
	b := NewBrowser(l.t)
	page := b.SignIn(l.AuthorizeURL("response_type", "code"), "jane", "jane-password")
	require.NotEmpty(l.t, page.Location, page.Body)
	return b
}

// TokenRequest is a request of LivePerson's servers to the token endpoint.
type TokenRequest struct {
	Fields  map[string]string
	JSON    bool // the body is JSON, not a form
	Headers map[string]string
	Body    string // sent instead of Fields
}

// BasicAuth returns an Authorization header, form-encoded or not.
func BasicAuth(id, secret string, encoded bool) string {
	if encoded {
		id, secret = url.QueryEscape(id), url.QueryEscape(secret)
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

func (r TokenRequest) encode(t testing.TB) (body, contentType string) {
	t.Helper()
	contentType = robot.FormEncoded
	if r.JSON {
		contentType = "application/json"
	}
	if r.Body != "" {
		return r.Body, contentType
	}
	if r.JSON {
		raw, err := json.Marshal(r.Fields)
		require.NoError(t, err)
		return string(raw), contentType
	}
	form := url.Values{}
	for name, value := range r.Fields {
		form.Set(name, value)
	}
	return form.Encode(), contentType
}

// RequestTokens sends a token request.
func (l *LiveEngage) RequestTokens(request TokenRequest) (status int, body map[string]any, header http.Header) {
	l.t.Helper()
	encoded, contentType := request.encode(l.t)
	r, err := http.NewRequestWithContext(l.t.Context(), http.MethodPost, l.Issuer+"/token", strings.NewReader(encoded))
	require.NoError(l.t, err)
	r.Header.Set("Content-Type", contentType)
	for name, value := range request.Headers {
		r.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(l.t, err)
	raw, err := io.ReadAll(res.Body)
	require.NoError(l.t, err)
	require.NoError(l.t, res.Body.Close())
	require.NoError(l.t, json.Unmarshal(raw, &body), string(raw))
	require.Equal(l.t, "no-store", res.Header.Get("Cache-Control"))
	require.Equal(l.t, "no-cache", res.Header.Get("Pragma"))
	require.Contains(l.t, res.Header.Get("Content-Type"), "application/json")
	return res.StatusCode, body, res.Header
}

// RedeemCode redeems a code as LivePerson's servers do: a form with a Basic header.
// Further fields are pairs of a name and a value.
func (l *LiveEngage) RedeemCode(client, code, redirectURI string, fields ...string) (status int, body map[string]any) {
	l.t.Helper()
	request := TokenRequest{
		Fields:  map[string]string{"grant_type": "authorization_code", "code": code, "redirect_uri": redirectURI},
		Headers: map[string]string{"Authorization": BasicAuth(client, LiveEngageSecret, true)},
	}
	for i := 0; i+1 < len(fields); i += 2 {
		request.Fields[fields[i]] = fields[i+1]
	}
	status, body, _ = l.RequestTokens(request)
	return status, body
}

// Introspect returns what the introspection endpoint tells LiveEngage's client of a
// token.
func (l *LiveEngage) Introspect(token string) (body map[string]any) {
	l.t.Helper()
	r, err := robot.NewRequest(l.t.Context(), http.MethodPost, l.Issuer+"/introspect", url.Values{"token": {token}})
	require.NoError(l.t, err)
	r.Header.Set("Authorization", BasicAuth("liveengage", LiveEngageSecret, true))
	require.NoError(l.t, json.Unmarshal([]byte(NewBrowser(l.t).Do(r).Body), &body))
	return body
}

// Verify verifies an ID token as LivePerson does, with the pasted key and with the key
// set, and returns its claims.
func (l *LiveEngage) Verify(token string) (claims map[string]any) {
	l.t.Helper()
	line := strings.TrimSpace(NewBrowser(l.t).Get(l.Issuer + "/keys/public.txt").Body)
	pasted, err := keys.ParsePublicKey(line)
	require.NoError(l.t, err)
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	require.NoError(l.t, err, token)
	payload, err := jws.Verify(pasted.Key)
	require.NoError(l.t, err)
	var set jose.JSONWebKeySet
	require.NoError(l.t, json.Unmarshal([]byte(NewBrowser(l.t).Get(l.Issuer+"/jwks").Body), &set))
	found := set.Key(jws.Signatures[0].Header.KeyID)
	require.Len(l.t, found, 1, "kid")
	_, err = jws.Verify(found[0].Key)
	require.NoError(l.t, err)
	require.NoError(l.t, json.Unmarshal(payload, &claims))
	require.Equal(l.t, l.Issuer, claims["iss"])
	return claims
}

// RequireJane verifies an ID token and requires that it has what the agent sees of
// jane. It returns the claims.
func (l *LiveEngage) RequireJane(token string) map[string]any {
	l.t.Helper()
	claims := l.Verify(token)
	require.Equal(l.t, JaneSubject, claims["sub"])
	sdes, ok := claims["lp_sdes"].([]any)
	require.True(l.t, ok, "lp_sdes")
	require.Len(l.t, sdes, 2)
	for _, name := range []string{"iat", "exp"} {
		seconds, ok := claims[name].(float64)
		require.True(l.t, ok, name)
		hours := (2 * time.Hour).Seconds()
		require.InDelta(l.t, float64(l.Clock.Now().Unix()), seconds, hours, "%s in seconds", name)
	}
	return claims
}

// CountDeviation returns how often a client has used a deviation, from the metrics;
// "" if never.
func (l *LiveEngage) CountDeviation(deviation, client string) string {
	l.t.Helper()
	metric := `idp_events_total{client="` + client + `",event="deviation_` + deviation + `"} `
	for line := range strings.Lines(l.Server.GetOperations(l.t, "/metrics")) {
		if count, ok := strings.CutPrefix(line, metric); ok {
			return strings.TrimSpace(count)
		}
	}
	return ""
}

// CallAsPage sends a request of the page script from a page with this origin.
func (l *LiveEngage) CallAsPage(
	b *Browser, origin, path string, form url.Values,
) (status int, body map[string]any, header http.Header) {
	l.t.Helper()
	r, err := robot.NewRequest(l.t.Context(), http.MethodPost, l.Issuer+path, form)
	require.NoError(l.t, err)
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	page := b.Do(r)
	require.NoError(l.t, json.Unmarshal([]byte(page.Body), &body), page.Body)
	return page.Status, body, page.Header
}

// DecryptToken decrypts an ID token with a private key of LivePerson and returns the
// signed token in it.
func DecryptToken(t testing.TB, token string, key *rsa.PrivateKey, kid, content string) string {
	t.Helper()
	require.Len(t, strings.Split(token, "."), 5, "encrypted")
	jwe, err := jose.ParseEncryptedCompact(token,
		[]jose.KeyAlgorithm{jose.RSA_OAEP_256}, []jose.ContentEncryption{jose.ContentEncryption(content)})
	require.NoError(t, err)
	require.Equal(t, kid, jwe.Header.KeyID)
	require.Equal(t, "JWT", jwe.Header.ExtraHeaders["cty"])
	signed, err := jwe.Decrypt(key)
	require.NoError(t, err)
	return string(signed)
}
