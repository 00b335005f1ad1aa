package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"
)

const subjectKey = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

// withCustomers is a folder whose people have customer ids in the place of subjects.
func withCustomers(t *testing.T, people, known string) *liveperson {
	t.Helper()
	l := &liveperson{t: t, folder: t.TempDir(), operations: freeAddress(t), issuer: "http://" + freeAddress(t), clock: &clock{}}
	l.configure("", "")
	file := filepath.Join(l.folder, "idp.yaml")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	subjects := "subjects: {key: " + subjectKey + ", known: known.yaml}\n"
	require.NoError(t, os.WriteFile(file, append([]byte(subjects), text...), 0o600))
	code, hash, stderr := runCommand(t, "a password\n", "people", "hash")
	require.Equal(t, 0, code, stderr)
	people = strings.ReplaceAll(people, "HASH", "'"+strings.TrimSpace(hash)+"'")
	require.NoError(t, os.WriteFile(filepath.Join(l.folder, "people.yaml"), []byte(people), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(l.folder, "known.yaml"), []byte(known), 0o600))
	return l
}

// TestSubjectsOfCustomerIDs: the subject is the HMAC of the brand's own id, the
// same at every provider with that key, and what LivePerson knew before stays.
func TestSubjectsOfCustomerIDs(t *testing.T) {
	t.Parallel()
	const people = "people:\n  - {username: ann, customer: C-1, password_hash: HASH}\n  - {username: bob, customer: C-2, password_hash: HASH}\n"
	const known = "subjects:\n  - {customer: C-2, sub: from-before-0123456789}\n"
	key, err := hex.DecodeString(subjectKey)
	require.NoError(t, err)
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte("C-1"))
	wanted := base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	for range 2 { // two domains of the brand
		l := withCustomers(t, people, known)
		l.log = serveConfig(t, l.clock.now, l.folder)
		for username, sub := range map[string]string{"ann": wanted, "bob": "from-before-0123456789"} {
			p := newBrowser(t).signIn(l.issuer, l.popOut(), username, "a password")
			require.Equal(t, sub, l.verify(p.answer(t).Get("id_token"))["sub"])
		}
	}
}

// TestSubjectsRefused: what would give two people one subject, or anybody one that
// others can guess, is refused with its place.
func TestSubjectsRefused(t *testing.T) {
	t.Parallel()
	const none = "subjects: []\n"
	for _, c := range []struct{ people, known, wanted string }{
		{"people:\n  - {username: ann, customer: C-1, sub: x12345678, password_hash: HASH}\n", none, "sub and customer are both set"},
		{"people:\n  - {username: ann, customer: C-1}\n  - {username: bob, customer: C-1}\n", none, "another person already has this customer"},
		{"people:\n  - {username: ann, sub: ann@example.com}\n", none, "is an email address"},
		{"people:\n  - {username: ann, sub: '+1 212 555 0101'}\n", none, "is a phone number"},
		{"people:\n  - {username: ann}\n", none, "sub: is missing"},
		{"people: []\n", "subjects:\n  - {customer: C-1, sub: ann@example.com}\n", "known.yaml:2:26: subjects[0]: sub: is an email address"},
		{"people: []\n", "subjects:\n  - {customer: C-1, sub: a0123456789}\n  - {customer: C-1, sub: b0123456789}\n", "is listed twice"},
		{"people: []\n", "subjects:\n  - {customer: C-1, sub: a0123456789}\n  - {customer: C-2, sub: a0123456789}\n", "two people can't share one"},
		{"people: []\n", "subjects:\n  - {sub: a0123456789}\n", "customer is missing"},
	} {
		l := withCustomers(t, c.people, c.known)
		code, _, stderr := runCommand(t, "", "config", "check", filepath.Join(l.folder, "idp.yaml"))
		require.Equal(t, 1, code, c.wanted)
		require.Contains(t, stderr, c.wanted)
		require.NotContains(t, stderr, subjectKey)
	}
	l := withCustomers(t, "people: []\n", none)
	file := filepath.Join(l.folder, "idp.yaml")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), subjectKey, subjectKey[1:], 1)), 0o600))
	_, _, stderr := runCommand(t, "", "config", "check", file)
	require.Contains(t, stderr, "subjects.key is not 64 hexadecimal characters")
}

// TestGuessableSubjectIsWarnedOf: one that has come into the database by another way
// than the people file is told to the operator whenever a token is issued.
func TestGuessableSubjectIsWarnedOf(t *testing.T) {
	t.Parallel()
	l := withCustomers(t, "people:\n  - {username: ann, sub: a0123456789, password_hash: HASH}\n", "subjects: []\n")
	l.log = serveConfig(t, time.Now, l.folder)
	db, err := sql.Open("sqlite", filepath.Join(l.folder, "data", "idp.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.ExecContext(context.Background(), `UPDATE person SET subject = 'ann@example.com', person = replace(person, 'a0123456789', 'ann@example.com')`)
	require.NoError(t, err)
	p := newBrowser(t).signIn(l.issuer, l.popOut(), "ann", "a password")
	require.Equal(t, "ann@example.com", l.verify(p.answer(t).Get("id_token"))["sub"])
	require.Contains(t, l.log.String(), "subject can be guessed")
	require.Contains(t, newBrowser(t).get("http://"+l.operations+"/metrics").body, `idp_events_total{client="liveengage",event="subject_guessable"} 1`)
}
