package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// knownBrowserLifetime is how long a browser is exempt from the delays of an account
	// after it has signed in to it.
	knownBrowserLifetime = 90 * 24 * time.Hour
	maxKnownAccounts     = 4 // in one browser
)

// knownToken is a token of a browser that has signed in to an account: when it expires,
// and an HMAC of that and the username. It proves nothing else.
type knownToken struct {
	expires int64 // Unix time
	mac     string
}

// newKnownToken returns the token for a normalized username.
func (s *Site) newKnownToken(username string, expires int64) knownToken {
	mac := hmac.New(sha256.New, s.KnownBrowserKey)
	_, _ = mac.Write([]byte(strconv.FormatInt(expires, 10) + " " + username)) // never fails
	return knownToken{expires, base64.RawURLEncoding.EncodeToString(mac.Sum(nil))}
}

// knownTokens returns the tokens in the browser's cookie that have not expired. They are
// not verified.
func (s *Site) knownTokens(r *http.Request) []knownToken {
	var out []knownToken
	now := s.Now()
	for part := range strings.SplitSeq(s.Cookies.Get(r, s.knownCookie()), "~") {
		number, mac, _ := strings.Cut(part, ".")
		expires, err := strconv.ParseInt(number, 10, 64)
		if err != nil || expires <= now.Unix() || expires > now.Add(knownBrowserLifetime).Unix() {
			continue
		}
		if out = append(out, knownToken{expires, mac}); len(out) == maxKnownAccounts {
			break
		}
	}
	return out
}

// findKnownToken returns the browser's token for a normalized username, or "" if it has not
// signed in to the account before.
func (s *Site) findKnownToken(r *http.Request, username string) string {
	for _, token := range s.knownTokens(r) {
		if hmac.Equal([]byte(token.mac), []byte(s.newKnownToken(username, token.expires).mac)) {
			return token.mac
		}
	}
	return ""
}

// rememberBrowser gives the browser a token for a normalized username, or a new one.
func (s *Site) rememberBrowser(c echo.Context, username string) {
	expires := s.Now().Add(knownBrowserLifetime)
	tokens := []knownToken{s.newKnownToken(username, expires.Unix())}
	for _, token := range s.knownTokens(c.Request()) {
		if len(tokens) < maxKnownAccounts && token.mac != s.newKnownToken(username, token.expires).mac {
			tokens = append(tokens, token)
		}
	}
	parts := make([]string, 0, len(tokens))
	for _, token := range tokens {
		parts = append(parts, strconv.FormatInt(token.expires, 10)+"."+token.mac)
	}
	s.Cookies.SetFor(c.Response(), s.knownCookie(), strings.Join(parts, "~"), knownBrowserLifetime)
}

func (s *Site) knownCookie() string { return s.Cookies.Name("idp_known") }
