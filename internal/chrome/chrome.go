// Package chrome drives a headless Chromium in tests: it waits for what a page shows
// and fails the test if that never comes. Only tests import it.
//
// Start with Start. The functions wait without a short deadline, so that a slow machine
// fails no test.
package chrome

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

const (
	// testTimeout ends a test whose browser no longer responds.
	testTimeout = 5 * time.Minute
	// pollTimeout only ends a test that would otherwise end without saying what it
	// waited for.
	pollTimeout = 2 * time.Minute
)

// Start starts a browser with an empty profile and returns the context of its first
// tab. The test's end stops it. With -short, the test is skipped.
func Start(t testing.TB, options ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("starts Chromium")
	}
	all := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.Flag("no-sandbox", true),
		chromedp.Flag("disable-background-networking", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(all, options...)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, testTimeout)
	t.Cleanup(cancel)
	return ctx
}

// Do runs actions one after the other.
func Do(ctx context.Context, t testing.TB, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, actions...))
}

// Open opens a URL.
func Open(ctx context.Context, t testing.TB, url string) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(url)))
}

// Location returns the URL of the page.
func Location(ctx context.Context, t testing.TB) string {
	t.Helper()
	url, err := chromedp.Run(ctx, chromedp.Location())
	require.NoError(t, err)
	return url
}

// Screenshot writes what the browser shows to the folder IDP_SCREENSHOTS, if that is
// set.
func Screenshot(ctx context.Context, t testing.TB, name string) {
	t.Helper()
	folder := os.Getenv("IDP_SCREENSHOTS")
	if folder == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, name+".png"), png, 0o600))
}

// Text waits until an element is visible and returns its text.
func Text(ctx context.Context, t testing.TB, selector string) string {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.WaitVisible(selector)))
	text, err := chromedp.Run(ctx, chromedp.Text(selector))
	require.NoError(t, err)
	return text
}

// SignIn submits the sign-in page. An empty username leaves that field as it is.
func SignIn(ctx context.Context, t testing.TB, username, password string) {
	t.Helper()
	if username != "" {
		require.NoError(t, chromedp.Do(ctx, chromedp.SendKeys("#username", username)))
	}
	// With the Enter key: a click goes to where the button was when the page was
	// measured.
	require.NoError(t, chromedp.Do(ctx, chromedp.WaitVisible("#login-submit"),
		chromedp.SendKeys("#password", password+"\r")))
}

// Click clicks on an element without waiting for the result.
func Click(ctx context.Context, t testing.TB, selector string) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(selector)))
}

// Evaluate runs a script in the page. If it returns a promise, it awaits that.
func Evaluate[T any](ctx context.Context, t testing.TB, script string) T {
	t.Helper()
	await := func(p *runtime.EvaluateParams) { p.AwaitPromise = new(true) }
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, await))
	require.NoError(t, err)
	return out
}

// WaitForText waits until an element contains a text.
func WaitForText(ctx context.Context, t testing.TB, selector, text string) {
	t.Helper()
	err := poll(ctx, `(document.querySelector(`+quote(selector)+`)?.innerText || "").includes(`+quote(text)+`)`)
	if err != nil {
		page, _ := chromedp.Run(ctx, chromedp.Text("body"))
		require.NoError(t, err, "%s should contain %q; the page is:\n%s", selector, text, page)
	}
}

// WaitForElement waits until an element is visible.
func WaitForElement(ctx context.Context, t testing.TB, selector string) {
	t.Helper()
	WaitFor(ctx, t, `document.querySelector(`+quote(selector)+`)?.getClientRects().length > 0`)
}

// WaitFor waits until an expression is true. If the page navigates meanwhile, it
// continues on the next page.
func WaitFor(ctx context.Context, t testing.TB, expression string) {
	t.Helper()
	require.NoError(t, poll(ctx, expression), expression)
}

func poll(ctx context.Context, expression string) error {
	for {
		_, err := chromedp.Run(ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(pollTimeout)))
		if _, navigated := errors.AsType[*cdproto.Error](err); !navigated {
			return err
		}
	}
}

func quote(text string) string {
	raw, _ := json.Marshal(text)
	return string(raw)
}
