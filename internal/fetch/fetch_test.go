package fetch_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/fetch"
)

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL
}

func TestGetReadsTheResponseWhole(t *testing.T) {
	t.Parallel()
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte(`{"a":1}`))
	})
	res, err := fetch.New(fetch.Config{MaxBody: 7}).Get(t.Context(), address)
	require.NoError(t, err)
	require.Equal(t, http.StatusTeapot, res.Status)
	require.JSONEq(t, `{"a":1}`, string(res.Body))
	require.True(t, res.HasJSONType())
	require.Equal(t, "b", res.Cookies()[0].Value)

	var got struct{ A int }
	require.NoError(t, res.DecodeJSON(&got))
	require.Equal(t, 1, got.A)
	var list []int
	_, ok := errors.AsType[*fetch.NotJSONError](res.DecodeJSON(&list))
	require.True(t, ok)

	require.NoError(t, res.CheckStatus(http.StatusOK, http.StatusTeapot))
	status, ok := errors.AsType[*fetch.StatusError](res.CheckStatus())
	require.True(t, ok)
	require.Equal(t, http.StatusTeapot, status.Status)
	require.NoError(t, (&fetch.Response{Status: http.StatusNoContent}).CheckStatus())
	require.Error(t, (&fetch.Response{Status: http.StatusNoContent}).CheckStatus(http.StatusOK))
}

func TestBodyTooLarge(t *testing.T) {
	t.Parallel()
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("12345678")) })
	res, err := fetch.New(fetch.Config{MaxBody: 7}).Get(t.Context(), address)
	tooLarge, ok := errors.AsType[*fetch.TooLargeError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, int64(7), tooLarge.Limit)
	require.Equal(t, "1234567", string(res.Body))
	require.Equal(t, http.StatusOK, res.Status)
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("followed to another host") })
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, elsewhere, http.StatusFound)
		case "/to":
		default: // one x fewer each time
			http.Redirect(w, r, strings.TrimSuffix(r.URL.Path, "x"), http.StatusFound)
		}
	})
	none, three := fetch.New(fetch.Config{}), fetch.New(fetch.Config{MaxRedirects: 3})

	res, err := none.Get(t.Context(), address+"/away")
	require.NoError(t, err)
	require.Equal(t, elsewhere, res.Header.Get("Location"), "a redirect is a response like any other")

	res, err = three.Get(t.Context(), address+"/toxxx")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.Status)

	_, err = three.Get(t.Context(), address+"/toxxxx")
	redirect, ok := errors.AsType[*fetch.RedirectError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, 3, redirect.Followed)
	require.EqualError(t, err, "redirect not followed: there were 3 before it")

	_, err = three.Get(t.Context(), address+"/away")
	redirect, ok = errors.AsType[*fetch.RedirectError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, elsewhere, redirect.To)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestTimeout has no real connections, so that time in it is virtual.
func TestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		silent := roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		c := fetch.New(fetch.Config{Timeout: 3 * time.Second, Transport: silent})
		require.Equal(t, 3*time.Second, c.Timeout())
		begun := time.Now()
		_, err := c.Get(t.Context(), "http://login.brand.example/?code=secret")
		unreachable, ok := errors.AsType[*fetch.UnreachableError](err)
		require.True(t, ok, "%v", err)
		require.True(t, unreachable.TimedOut)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.EqualError(t, err, "no response in time")
		require.Equal(t, 3*time.Second, time.Since(begun))

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = c.Get(ctx, "http://login.brand.example/?code=secret")
		unreachable, ok = errors.AsType[*fetch.UnreachableError](err)
		require.True(t, ok, "%v", err)
		require.False(t, unreachable.TimedOut)
		require.ErrorIs(t, err, context.Canceled)
		require.NotContains(t, err.Error(), "secret", "the URL is not repeated")
	})
}

func TestBodyThatBreaksOff(t *testing.T) {
	t.Parallel()
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = w.Write([]byte("123"))
	})
	_, err := fetch.New(fetch.Config{}).Get(t.Context(), address)
	_, ok := errors.AsType[*fetch.UnreachableError](err)
	require.True(t, ok, "%v", err)
}

func TestOldTLSIsRefused(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{MaxVersion: tls.VersionTLS11} // what the client must refuse
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	_, err := fetch.New(fetch.Config{}).Get(t.Context(), s.URL)
	_, ok := errors.AsType[*fetch.UnreachableError](err)
	require.True(t, ok, "%v", err)
	require.ErrorContains(t, err, "protocol version")
}

func TestNotAURL(t *testing.T) {
	t.Parallel()
	_, err := fetch.New(fetch.Config{}).Get(t.Context(), "http://[")
	require.ErrorContains(t, err, "is not a URL")
}
