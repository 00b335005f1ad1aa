package oidc

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"net/http"
	"time"

	"idpbridge/internal/seal"
)

var (
	// ErrExpired means that a saved request is genuine but too old.
	ErrExpired = errors.New("saved request has expired")
	// ErrBroken means that a saved request was not made here or was changed.
	ErrBroken = seal.ErrBroken
	// ErrOtherBrowser means that a saved request was made for another browser.
	ErrOtherBrowser = errors.New("saved request is for another browser")
)

// savedRequest is an authorization request that waits for a page. It is stored nowhere: it
// travels sealed in the URL and form of the page.
type savedRequest struct {
	Query         string `json:"q"`           // the request's parameters, as received
	Reference     string `json:"r"`           //
	Started       int64  `json:"t"`           // unix milliseconds
	BrowserHash   string `json:"b"`           // SHA-256 of the browser's cookie; empty until a page is needed
	SessionBefore string `json:"s,omitempty"` // the login of the browser then, see sessionMark
	ShownTo       string `json:"f,omitempty"` // the login that the form was shown to, see sessionMark
	ConsentedBy   string `json:"c,omitempty"` // the subject who allowed it
	Denied        bool   `json:"d,omitempty"` // the user said no
	Username      string `json:"u,omitempty"` // as typed before the request was started again
	Restarted     bool   `json:"a,omitempty"` // it has expired and was started again
	Pushed        bool   `json:"p,omitempty"` // the client pushed it (RFC 9126)
	PushedHash    string `json:"h,omitempty"` // hash of the request_uri, which is answered once
}

func (saved savedRequest) startedAt() time.Time { return time.UnixMilli(saved.Started) }

// browserCookie names the cookie that ties a sealed request to its browser.
const browserCookie = "idp_browser"

// browserHash returns the hash of the browser's secret, which it sets first if there is
// none. All tabs share it.
func (p *Provider) browserHash(w http.ResponseWriter, r *http.Request) string {
	secret := p.cookies.Get(r, p.cookies.Name(browserCookie))
	if len(secret) != 2*idLength {
		secret = newID() + newID()
		p.cookies.Set(w, p.cookies.Name(browserCookie), secret)
	}
	return hashString(secret)
}

// openSavedRequest opens a saved request in the browser that it was saved for. With
// ErrExpired it is returned too.
func (p *Provider) openSavedRequest(r *http.Request, sealed string) (savedRequest, error) {
	var saved savedRequest
	if err := p.requestSealer.Open(sealed, &saved); err != nil {
		return savedRequest{}, err
	}
	secret := p.cookies.Get(r, p.cookies.Name(browserCookie))
	if secret == "" || subtle.ConstantTimeCompare([]byte(hashString(secret)), []byte(saved.BrowserHash)) != 1 {
		return savedRequest{}, ErrOtherBrowser
	}
	if p.now().Sub(saved.startedAt()) > p.lifetimes.Request {
		return saved, ErrExpired
	}
	return saved, nil
}

func hashString(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return encoding.EncodeToString(sum[:])
}

// newReference returns the name of a sign-in in logs and on error pages, such as
// "K7Q2-M9XB-4HRD": easy to read out, and not a secret.
func newReference() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	s := base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").EncodeToString(b[:])
	return s[:4] + "-" + s[4:8] + "-" + s[8:12]
}
