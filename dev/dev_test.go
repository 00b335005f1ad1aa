package dev_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"idpbridge/dev"
	"idpbridge/internal/chrome"
	"idpbridge/server/servertest"
)

// startDev runs idp dev until the test ends, and returns its issuer. Simulator is as in
// dev.Options.
func startDev(t *testing.T, now func() time.Time, simulator string) (issuer string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	log := &servertest.Log{}
	options := dev.Options{
		Listen: "127.0.0.1:0", Operations: "off", Data: t.TempDir(), Simulator: simulator,
		Out: in, Log: slog.New(slog.NewTextHandler(log, nil)), Now: now,
	}
	done := make(chan error, 1)
	go func() {
		err := dev.Run(ctx, options)
		_ = in.Close()
		done <- err
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done, log.String())
	})
	greeting := bufio.NewReader(out)
	for {
		line, err := greeting.ReadString('\n')
		require.NoError(t, err, log.String())
		if _, after, ok := strings.Cut(line, "ready at "); ok {
			go func() { _, _ = io.Copy(io.Discard, greeting) }()
			return strings.TrimSpace(after)
		}
	}
}

// TestChromiumTryOut signs in as a user does: with a wrong password, the right one, by
// single sign-on, and after signing out.
func TestChromiumTryOut(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now, "off")
	ctx := chrome.Start(t)
	chrome.Do(ctx, t, chromedp.EmulateViewport(360, 740),
		chromedp.Navigate(issuer+"/try"), chromedp.WaitVisible("#login-submit"))
	chrome.Screenshot(ctx, t, "signin")
	chrome.SignIn(ctx, t, "jane", "wrong")
	require.Contains(t, chrome.Text(ctx, t, "[role=alert]"), "do not match")
	chrome.Screenshot(ctx, t, "wrong")
	username, err := chromedp.Run(ctx, chromedp.Value("#username"))
	require.NoError(t, err)
	require.Equal(t, "jane", username, "the username need not be typed again")
	chrome.SignIn(ctx, t, "", "jane-password")
	require.Contains(t, chrome.Text(ctx, t, "pre"), `"firstname": "Jane"`)
	chrome.Screenshot(ctx, t, "token")

	chrome.Open(ctx, t, issuer+"/try")
	require.Contains(t, chrome.Text(ctx, t, "pre"), `"firstname": "Jane"`, "single sign-on shows no page")

	chrome.Do(ctx, t, chromedp.Navigate(issuer+"/end_session"),
		chromedp.Click("#logout-confirm"), chromedp.WaitVisible("#op-logged-out"))
	chrome.Screenshot(ctx, t, "signed_out")
	chrome.Do(ctx, t, chromedp.Navigate(issuer+"/try"), chromedp.WaitVisible("#login-submit"))
}

// TestChromiumCodeOfAnotherServer: a code that another server issued for /cb gets an error page,
// and so does a form that is posted there.
func TestChromiumCodeOfAnotherServer(t *testing.T) {
	t.Parallel()
	issuer, other := startDev(t, time.Now, "off"), startDev(t, time.Now, "off")
	ctx := chrome.Start(t)
	authorize := servertest.AuthorizeURL(issuer, "redirect_uri", other+"/cb")
	chrome.Open(ctx, t, authorize)
	chrome.SignIn(ctx, t, "jane", "jane-password")
	chrome.Text(ctx, t, "#op-error")
	require.Contains(t, chrome.Location(ctx, t), other+"/cb?code=")
	chrome.Open(ctx, t, authorize+"&response_mode=form_post")
	chrome.WaitFor(ctx, t, `location.search === "" && document.querySelector("#op-error") !== null`)
	require.Equal(t, other+"/cb", chrome.Location(ctx, t))
}
