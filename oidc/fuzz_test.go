package oidc

import (
	"testing"
	"time"
)

// FuzzSealed: what was changed by a byte never opens. Each fuzzing process seals
// a text of its own, so the property compares with the unchanged input.
func FuzzSealed(f *testing.F) {
	s, err := newSealer(make([]byte, 32))
	if err != nil {
		f.Fatal(err)
	}
	good, err := s.seal(pending{Query: "client_id=a", Reference: "R", Browser: "b"})
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
		var p pending
		if err := s.open(string(changed), &p); err == nil && string(changed) != text {
			t.Fatalf("opened %q", changed)
		}
	})
}

// FuzzCredential: the same for codes and access tokens.
func FuzzCredential(f *testing.F) {
	key, now := make([]byte, 32), time.Unix(1_700_000_000, 0)
	good := mint(key, kindCode, newID(), now.Add(time.Minute))
	f.Add(good, len(good)-1, byte(1))
	f.Add(good, 0, byte(0))
	f.Add(".", 0, byte(0))
	f.Fuzz(func(t *testing.T, text string, at int, bit byte) {
		changed := []byte(text)
		if at >= 0 && at < len(changed) {
			changed[at] ^= bit
		}
		if _, _, ok := open(key, kindCode, string(changed), now); ok && string(changed) != text {
			t.Fatalf("opened %q", changed)
		}
		if _, _, ok := open(key, kindAccess, string(changed), now); ok {
			t.Fatalf("opened %q as an access token", changed)
		}
	})
}

// FuzzBasic: a Basic header is read in one way or refused, and never panics.
func FuzzBasic(f *testing.F) {
	for _, s := range []string{"Basic YTpi", "basic YTpi", "Basic YTpi=", "Basic", "Bearer x", "Basic YSUzQTpi", "Basic YTpi\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		id, secret, ok := basic(header)
		if ok && id == "" {
			t.Fatalf("%q: empty id with secret %q", header, secret)
		}
	})
}
