package web_test

import (
	"net/http"
	"net/http/httptest"
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
