package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// startChromium starts a headless browser with a profile of its own.
func startChromium(t *testing.T, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	opts := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.Flag("no-sandbox", true), chromedp.Flag("disable-background-networking", true), chromedp.UserDataDir(t.TempDir()))
	opts = append(opts, more...)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// takeScreenshot writes what the browser shows to IDP_SCREENSHOTS, if that is set.
func takeScreenshot(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	folder := os.Getenv("IDP_SCREENSHOTS")
	if folder == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, name+".png"), png, 0o600))
}

// visibleText is what a visible element says.
func visibleText(ctx context.Context, t *testing.T, selector string) string {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.WaitVisible(selector)))
	s, err := chromedp.Run(ctx, chromedp.Text(selector))
	require.NoError(t, err)
	return s
}

// submitSignIn types name and password and sends the sign-in page off.
func submitSignIn(ctx context.Context, t *testing.T, username, password string) {
	t.Helper()
	if username != "" {
		require.NoError(t, chromedp.Do(ctx, chromedp.SendKeys("#username", username)))
	}
	// By the Enter key, as most people do: a click goes to where the button was when
	// the page was measured.
	require.NoError(t, chromedp.Do(ctx, chromedp.WaitVisible("#login-submit"), chromedp.SendKeys("#password", password+"\r")))
}

// TestChromium signs in as a person does: a wrong password, the right one,
// single sign-on, signing out.
func TestChromium(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	ctx := startChromium(t)
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(360, 740),
		chromedp.Navigate(issuer+"/try"), chromedp.WaitVisible("#login-submit")))
	takeScreenshot(ctx, t, "signin")
	submitSignIn(ctx, t, "jane", "wrong")
	require.Contains(t, visibleText(ctx, t, "[role=alert]"), "do not match")
	takeScreenshot(ctx, t, "wrong")
	kept, err := chromedp.Run(ctx, chromedp.Value("#username"))
	require.NoError(t, err)
	require.Equal(t, "jane", kept)
	submitSignIn(ctx, t, "", "jane-password")
	require.Contains(t, visibleText(ctx, t, "pre"), `"firstname": "Jane"`)
	takeScreenshot(ctx, t, "token")

	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(issuer+"/try")))
	require.Contains(t, visibleText(ctx, t, "pre"), `"firstname": "Jane"`, "single sign-on asks for nothing")

	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(issuer+"/end_session"),
		chromedp.Click("#logout-confirm"), chromedp.WaitVisible("#op-logged-out")))
	takeScreenshot(ctx, t, "signed_out")
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(issuer+"/try"), chromedp.WaitVisible("#login-submit")))
}

// TestChromiumFormPost: the policy lets a sign-in's redirect through to the
// client, and the form_post page submits itself under its policy.
func TestChromiumFormPost(t *testing.T) {
	t.Parallel()
	issuer, client := startDev(t, time.Now), startDev(t, time.Now)
	ctx := startChromium(t)
	request := webRequest(issuer, "redirect_uri", client+"/cb")
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(request)))
	submitSignIn(ctx, t, "jane", "jane-password")
	visibleText(ctx, t, "#op-error") // the other server did not ask for this code
	address, err := chromedp.Run(ctx, chromedp.Location())
	require.NoError(t, err)
	require.Contains(t, address, client+"/cb?code=")
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(request+"&response_mode=form_post")))
	visibleText(ctx, t, "#op-error") // it takes no POST there
	address, err = chromedp.Run(ctx, chromedp.Location())
	require.NoError(t, err)
	require.Equal(t, client+"/cb", address)
}
