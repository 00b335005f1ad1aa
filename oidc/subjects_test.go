package oidc_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"path/filepath"
	"strings"
	"testing"

	"idpbridge/internal/password"
	"idpbridge/server/servertest"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"
)

const subjectKey = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

// writeCustomers writes a configuration that derives subjects from customer IDs. HASH
// in people is the hash of "a password".
func writeCustomers(t *testing.T, people, known string) *servertest.LiveEngage {
	t.Helper()
	l := servertest.WriteLiveEngage(t, "", "")
	l.EditConfig(func(text string) string {
		return "subjects: {key: " + subjectKey + ", known: known.yaml}\n" + text
	})
	hash, err := password.Hash("a password")
	require.NoError(t, err)
	people = strings.ReplaceAll(people, "HASH", "'"+hash+"'")
	servertest.WriteFiles(t, l.Folder, map[string][]byte{"people.yaml": []byte(people), "known.yaml": []byte(known)})
	return l
}

// TestSubjectsOfCustomerIDs: the subject is the HMAC of the customer ID, the same at
// every provider with that key. Subjects that LivePerson already knows stay.
func TestSubjectsOfCustomerIDs(t *testing.T) {
	t.Parallel()
	const people = "people:\n" +
		"  - {username: ann, customer: C-1, password_hash: HASH}\n" +
		"  - {username: bob, customer: C-2, password_hash: HASH}\n"
	const known = "subjects:\n  - {customer: C-2, sub: from-before-0123456789}\n"
	key, err := hex.DecodeString(subjectKey)
	require.NoError(t, err)
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte("C-1"))
	want := base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	for range 2 { // two domains of the brand
		l := writeCustomers(t, people, known)
		l.Start()
		for username, sub := range map[string]string{"ann": want, "bob": "from-before-0123456789"} {
			p := servertest.NewBrowser(t).SignIn(l.AuthorizeURL(), username, "a password")
			require.Equal(t, sub, l.Verify(servertest.Response(t, p).Get("id_token"))["sub"])
		}
	}
}

// TestRejectedSubjects: subjects that two people would share, and those that can be
// guessed, are rejected in the configuration. The error names the place.
func TestRejectedSubjects(t *testing.T) {
	t.Parallel()
	const none = "subjects: []\n"
	for _, c := range []struct{ people, known, want string }{
		{
			"people:\n  - {username: ann, customer: C-1, sub: x12345678, password_hash: HASH}\n",
			none, "sub and customer are both set",
		},
		{
			"people:\n  - {username: ann, customer: C-1}\n  - {username: bob, customer: C-1}\n",
			none, "another person already has this customer",
		},
		{"people:\n  - {username: ann, sub: ann@example.com}\n", none, "is an email address"},
		{"people:\n  - {username: ann, sub: '+1 212 555 0101'}\n", none, "is a phone number"},
		{"people:\n  - {username: ann}\n", none, "sub: is missing"},
		{
			"people: []\n", "subjects:\n  - {customer: C-1, sub: ann@example.com}\n",
			"known.yaml:2:26: subjects[0]: sub: is an email address",
		},
		{
			"people: []\n",
			"subjects:\n  - {customer: C-1, sub: a0123456789}\n  - {customer: C-1, sub: b0123456789}\n",
			"is listed twice",
		},
		{
			"people: []\n",
			"subjects:\n  - {customer: C-1, sub: a0123456789}\n  - {customer: C-2, sub: a0123456789}\n",
			"two people can't share one",
		},
		{"people: []\n", "subjects:\n  - {sub: a0123456789}\n", "customer is missing"},
	} {
		err := writeCustomers(t, c.people, c.known).CheckConfig()
		require.ErrorContains(t, err, c.want)
		require.NotContains(t, err.Error(), subjectKey)
	}
	l := writeCustomers(t, "people: []\n", none)
	l.EditConfig(func(text string) string { return strings.Replace(text, subjectKey, subjectKey[1:], 1) })
	require.ErrorContains(t, l.CheckConfig(), "subjects.key is not 64 hexadecimal characters")
}

// TestGuessableSubjectIsLogged: if a guessable subject is in the database, which the
// people file does not permit, the log and the metrics have a warning for each token.
func TestGuessableSubjectIsLogged(t *testing.T) {
	t.Parallel()
	l := writeCustomers(t, "people:\n  - {username: ann, sub: a0123456789, password_hash: HASH}\n", "subjects: []\n")
	l.Start()
	db, err := sql.Open("sqlite", filepath.Join(l.Folder, "data", "idp.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.ExecContext(t.Context(), `UPDATE person SET subject = 'ann@example.com',
		person = replace(person, 'a0123456789', 'ann@example.com')`)
	require.NoError(t, err)
	p := servertest.NewBrowser(t).SignIn(l.AuthorizeURL(), "ann", "a password")
	require.Equal(t, "ann@example.com", l.Verify(servertest.Response(t, p).Get("id_token"))["sub"])
	require.Contains(t, l.Server.Log.String(), "subject can be guessed")
	require.Contains(t, l.Server.GetOperations(t, "/metrics"),
		`idp_events_total{client="liveengage",event="subject_guessable"} 1`)
}
