package oidc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idpbridge/internal/seal"
	"idpbridge/keys"
)

// FuzzSealed: a sealed string with a changed byte never opens. Each fuzzing process seals
// its own string, so the test compares with the unchanged input.
func FuzzSealed(f *testing.F) {
	s, err := seal.New(make([]byte, 32))
	if err != nil {
		f.Fatal(err)
	}
	good, err := s.Seal(savedRequest{Query: "client_id=a", Reference: "R", BrowserHash: "b"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, 0, byte(0))
	f.Add(good, len(good)-1, byte(1))
	f.Add("..", 0, byte(1))
	f.Fuzz(func(t *testing.T, text string, at int, bit byte) {
		changed := []byte(text)
		if at >= 0 && at < len(changed) {
			changed[at] ^= bit
		}
		var p savedRequest
		if err := s.Open(string(changed), &p); err == nil && string(changed) != text {
			t.Fatalf("opened %q", changed)
		}
	})
}

// FuzzPushed: a request_uri that was not made here is never used, and the request stays
// unchanged.
func FuzzPushed(f *testing.F) {
	s, err := seal.New(make([]byte, 32))
	if err != nil {
		f.Fatal(err)
	}
	now := time.Unix(1_700_000_000, 0)
	p := &Provider{pushSealer: s, now: func() time.Time { return now }}
	for _, query := range []string{
		"client_id=a&request_uri=" + url.QueryEscape(pushedPrefix+"x.y"),
		"client_id=a&request_uri=" + url.QueryEscape(pushedPrefix) + "&request_uri=b",
		"request_uri=" + pushedPrefix + "....", "request_uri=https://x.example", "request_uri=%zz", "",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		saved := savedRequest{Query: query}
		if page := p.loadPushed(&saved); saved.Pushed || saved.Query != query {
			t.Fatalf("%q was used (%v)", query, page)
		}
	})
}

// FuzzCredential: a credential with a changed byte is not valid, and no credential is of
// two kinds.
func FuzzCredential(f *testing.F) {
	key, now := make([]byte, 32), time.Unix(1_700_000_000, 0)
	good := newCode(key, newID(), now.Add(time.Minute))
	f.Add(good, len(good)-1, byte(1))
	f.Add(good, 0, byte(0))
	f.Add(newRefreshToken(key, newID(), 7), 30, byte(1))
	f.Add(".", 0, byte(0))
	f.Fuzz(func(t *testing.T, text string, at int, bit byte) {
		changed := []byte(text)
		if at >= 0 && at < len(changed) {
			changed[at] ^= bit
		}
		kinds := 0
		for _, kind := range []byte{kindCode, kindAccess, kindRefresh} {
			if _, _, ok := verifyCredential(key, kind, string(changed)); ok {
				kinds++
			}
		}
		if kinds > 1 || kinds > 0 && string(changed) != text {
			t.Fatalf("opened %q as %d kinds", changed, kinds)
		}
	})
}

// FuzzBasic: a Basic header is parsed or rejected, and never panics.
func FuzzBasic(f *testing.F) {
	for _, s := range []string{
		"Basic YTpi", "basic YTpi", "Basic YTpi=", "Basic", "Bearer x", "Basic YSUzQTpi", "Basic YTpi\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		credentials, ok := parseBasicHeader(header)
		if ok && (credentials.id == "" || !strings.Contains(credentials.decodedHeader, ":")) {
			t.Fatalf("%q: read as %+v", header, credentials)
		}
	})
}

// FuzzClientCredentials: whatever a client sends is read as one authentication method, or
// rejected.
func FuzzClientCredentials(f *testing.F) {
	f.Add("", "client_id=a&client_secret=b")
	f.Add("Basic YTpi", "client_id=a")
	f.Add("Basic YTpi", "client_secret=b")
	f.Add("", "client_id=a&client_assertion=x.y.z&client_assertion_type="+url.QueryEscape(assertionType))
	f.Add("", "client_assertion_type=x")
	f.Fuzz(func(t *testing.T, header, body string) {
		params, repeated, err := parseParameters(body)
		if err != nil || len(repeated) > 0 {
			return
		}
		h := http.Header{}
		if header != "" {
			h.Set("Authorization", header)
		}
		credentials, err := readCredentials(h, params)
		if err != nil {
			if oauthErr := toOAuthError(err); oauthErr.isServerError() {
				t.Fatalf("%q %q: %v", header, body, err)
			}
			return
		}
		methods := []string{AuthNone, AuthPost, AuthBasic, AuthKey}
		if !slices.Contains(methods, credentials.method) ||
			credentials.method == AuthBasic && header == "" ||
			credentials.method == AuthPost && !params.Has("client_secret") {
			t.Fatalf("%q %q: read as %s", header, body, credentials.method)
		}
	})
}

// FuzzAssertion: only what the client's key signed is an assertion.
func FuzzAssertion(f *testing.F) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	client := &Client{ID: "a", Keys: []keys.PublicKey{{ID: "k", Algorithm: "ES256", Key: private.Public()}}}
	signingKey := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: private, KeyID: "k"}}
	signer, err := jose.NewSigner(signingKey, nil)
	if err != nil {
		f.Fatal(err)
	}
	jws, err := signer.Sign([]byte(`{"iss":"a","sub":"a"}`))
	if err != nil {
		f.Fatal(err)
	}
	good, err := jws.CompactSerialize()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good + "x")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("eyJhbGciOiJIUzI1NiJ9.e30.AAAA")
	f.Add(`{"payload":"e30","signatures":[]}`)
	f.Fuzz(func(t *testing.T, text string) {
		_ = assertedClient(text)
		if _, err := verifyAssertionSignature(client, text); err == nil && text != good {
			t.Fatalf("verified %q", text)
		}
	})
}

// FuzzClaimsParameter: the claims parameter is parsed or rejected. The claims that are kept
// are sorted, and the client may have them.
func FuzzClaimsParameter(f *testing.F) {
	for _, s := range []string{
		`{"userinfo":{"name":{"essential":true},"email":null},` +
			`"id_token":{"acr":{"essential":true,"values":["1","loa1"]},"sub":{"value":"x"}}}`,
		`{"userinfo":null}`, `{"id_token":{"sub":{"value":7}}}`, `{"id_token":[]}`, `[]`, `null`, `{"a":`,
		`{"id_token":{"acr":{"values":{}}}}`,
		strings.Repeat(`{"userinfo":`, 50),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		request := &authRequest{client: &Client{Scopes: []string{"email"}}}
		if err := validateClaims(request, url.Values{"claims": {text}}); err != nil {
			if oauthErr := toOAuthError(err); oauthErr.code != invalidRequest {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		for _, name := range slices.Concat(request.claims.userinfo, request.claims.idToken) {
			if name != "email" && name != "email_verified" {
				t.Fatalf("%q: keeps %q", text, name)
			}
		}
		if !slices.IsSorted(request.claims.userinfo) || !json.Valid([]byte(text)) && text != "" {
			t.Fatalf("%q: read as %v", text, request.claims)
		}
		request.allowsSubject("x")
		request.claims.requiresOtherACR("loa1")
	})
}
