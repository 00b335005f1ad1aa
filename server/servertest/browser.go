package servertest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/dev"
	"idpbridge/internal/robot"
)

// LocalCallback is a redirect URI of the client local-web of idp dev. Nothing listens
// there.
const LocalCallback = "http://127.0.0.1:7777/cb"

// AuthorizeURL returns the URL of a valid authorization request of the client
// local-web. Changes are pairs of a parameter and its value; an empty value removes the
// parameter.
func AuthorizeURL(issuer string, changes ...string) string {
	request := url.Values{
		"client_id": {"local-web"}, "redirect_uri": {LocalCallback}, "response_type": {"code"},
		"scope": {"openid"}, "state": {"state"}, "nonce": {"nonce"},
	}
	return issuer + "/authorize?" + change(request, changes).Encode()
}

// RequestTokens sends a token request of local-web and returns the status and the body.
// Changes are as in AuthorizeURL.
func RequestTokens(t testing.TB, issuer, code string, changes ...string) (status int, body map[string]any) {
	t.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {LocalCallback},
		"client_id": {"local-web"}, "client_secret": {dev.LocalWebSecret},
	}
	page := NewBrowser(t).Post(issuer+"/token", change(form, changes))
	require.NoError(t, json.Unmarshal([]byte(page.Body), &body), page.Body)
	require.Equal(t, "no-store", page.Header.Get("Cache-Control"))
	return page.Status, body
}

// GetUserinfo calls userinfo with an access token.
func GetUserinfo(t testing.TB, issuer, accessToken string) *robot.Page {
	t.Helper()
	r, err := robot.NewRequest(t.Context(), http.MethodGet, issuer+"/userinfo", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+accessToken)
	return NewBrowser(t).Do(r)
}

func change(values url.Values, changes []string) url.Values {
	for i := 0; i+1 < len(changes); i += 2 {
		values.Del(changes[i])
		if changes[i+1] != "" {
			values.Set(changes[i], changes[i+1])
		}
	}
	return values
}

// Browser is a robot whose errors end the test.
type Browser struct {
	*robot.Browser

	t testing.TB
}

// NewBrowser returns a browser without cookies. It has its own connections, so that it
// never uses one to a server that was stopped.
func NewBrowser(t testing.TB) *Browser {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &Browser{Browser: robot.New(transport), t: t}
}

// Get opens a URL and follows redirects on its host.
func (b *Browser) Get(rawURL string) *robot.Page {
	b.t.Helper()
	page, err := b.Browser.Get(b.t.Context(), rawURL)
	require.NoError(b.t, err)
	return page
}

// Post submits a form as a page of the same site does.
func (b *Browser) Post(rawURL string, form url.Values) *robot.Page {
	b.t.Helper()
	page, err := b.Browser.Post(b.t.Context(), rawURL, form)
	require.NoError(b.t, err)
	return page
}

// Do sends a request and follows redirects on its host.
func (b *Browser) Do(r *http.Request) *robot.Page {
	b.t.Helper()
	page, err := b.Browser.Do(r)
	require.NoError(b.t, err)
	return page
}

// Authorize opens the URL of an authorization request in a browser whose user is signed
// in, and returns the parameters of the response.
func (b *Browser) Authorize(authorizeURL string) url.Values {
	b.t.Helper()
	return Response(b.t, b.Get(authorizeURL))
}

// SignIn opens the URL of an authorization request, submits the sign-in page, and
// returns the page after that.
func (b *Browser) SignIn(authorizeURL, username, password string) *robot.Page {
	b.t.Helper()
	page := b.Get(authorizeURL)
	require.Equal(b.t, http.StatusOK, page.Status, page.Body)
	form, ok := page.PasswordForm()
	require.True(b.t, ok, page.Body)
	fields := form.FillIn(robot.Credentials{Username: username, Password: password})
	page, err := b.Submit(b.t.Context(), page, form, fields)
	require.NoError(b.t, err)
	return page
}

// Response returns the parameters of the authorization response that a page is
// redirected with.
func Response(t testing.TB, page *robot.Page) url.Values {
	t.Helper()
	response, ok := page.AuthorizationResponse("")
	require.True(t, ok, "status %d, no response to the client: %s", page.Status, page.Location)
	return response.Values
}

// FormFields returns the fields of the first form of a page.
func FormFields(page *robot.Page) url.Values {
	forms := page.Forms()
	if len(forms) == 0 {
		return url.Values{}
	}
	return forms[0].Fields
}

// DecodeClaims returns the claims of a JWT without verifying it.
func DecodeClaims(t testing.TB, token string) map[string]any {
	t.Helper()
	return decodePart(t, token, 1)
}

// DecodeHeader returns the header of a JWT.
func DecodeHeader(t testing.TB, token string) map[string]any {
	t.Helper()
	return decodePart(t, token, 0)
}

func decodePart(t testing.TB, token string, part int) (members map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	raw, err := base64.RawURLEncoding.DecodeString(parts[part])
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &members))
	return members
}
