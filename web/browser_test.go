package web_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/chrome"
	"idpbridge/server/servertest"
)

// TestChromiumRedirects: the policy of the sign-in page lets the browser go to the
// client, and the form_post page submits itself under its policy.
func TestChromiumRedirects(t *testing.T) {
	t.Parallel()
	issuer := servertest.Start(t).Issuer
	client := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><title>client</title><h1 id="client">` + r.Method + `</h1>`))
	}))
	t.Cleanup(client.Close)
	ctx := chrome.Start(t)
	authorize := servertest.AuthorizeURL(issuer, "redirect_uri", client.URL+"/cb")
	chrome.Open(ctx, t, authorize)
	chrome.SignIn(ctx, t, "jane", "jane-password")
	require.Equal(t, http.MethodGet, chrome.Text(ctx, t, "#client"))
	require.Contains(t, chrome.Location(ctx, t), client.URL+"/cb?code=")
	chrome.Open(ctx, t, authorize+"&response_mode=form_post")
	chrome.WaitForText(ctx, t, "#client", http.MethodPost)
	require.Equal(t, client.URL+"/cb", chrome.Location(ctx, t))
}

// TestChromiumLongResponse: a response that is too long for a header continues by a page,
// without a click, and keeps the fragment. It also works in a frame.
func TestChromiumLongResponse(t *testing.T) {
	t.Parallel()
	issuer := servertest.Start(t).Issuer
	client := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/frame" {
			_, _ = w.Write([]byte(`<!doctype html><title>frame</title><iframe src="` +
				html.EscapeString(r.URL.Query().Get("src")) + `"></iframe><h1 id="framed">waiting</h1><script>
addEventListener("message", event => { document.getElementById("framed").textContent = event.data })</script>`))
			return
		}
		_, _ = w.Write([]byte(`<!doctype html><title>client</title><h1 id="client">back</h1><script>
const response = new URLSearchParams(location.hash.slice(1))
if (parent !== window) parent.postMessage("length " + response.get("state").length, "*")
</script>`))
	}))
	t.Cleanup(client.Close)
	ctx := chrome.Start(t)
	state := strings.Repeat("0123456789", 400)
	authorize := servertest.AuthorizeURL(issuer,
		"redirect_uri", client.URL+"/cb", "response_type", "id_token", "state", state)
	chrome.Open(ctx, t, authorize)
	chrome.SignIn(ctx, t, "jane", "jane-password")
	chrome.WaitForText(ctx, t, "#client", "back")
	require.Contains(t, chrome.Location(ctx, t), client.URL+"/cb#id_token=")
	require.Contains(t, chrome.Location(ctx, t), "&state="+state)

	chrome.Open(ctx, t, client.URL+"/frame?src="+url.QueryEscape(authorize+"&prompt=none"))
	chrome.WaitForText(ctx, t, "#framed", "length 4000")
}
