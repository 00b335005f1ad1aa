package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

// TestPinnedKey: a key that is pasted in LiveEngage signs for it through a whole
// rotation, by the commands that an operator has; everybody else moves on. It
// cannot be forgotten, and what needs it refuses to start without it.
func TestPinnedKey(t *testing.T) {
	t.Parallel()
	l := &liveperson{t: t, folder: t.TempDir(), operations: freeAddress(t), issuer: "http://" + freeAddress(t), clock: &clock{}}
	l.configure("", "")
	config := filepath.Join(l.folder, "idp.yaml")
	first := &restart{l: l}
	first.start()
	list := func() []keyRow {
		code, out, stderr := command(t, "", "keys", "list", "--config", config, "--json")
		require.Equal(t, 0, code, stderr)
		var lines []keyRow
		require.NoError(t, json.Unmarshal([]byte(out), &lines))
		return lines
	}
	old := list()[0].ID
	first.stop()

	l.configure("", "\n    pinned_key: "+old)
	second := &restart{l: l}
	second.start()
	run := func(wanted int, args ...string) string {
		code, out, stderr := command(t, "", append([]string{"keys"}, append(args, "--config", config)...)...)
		require.Equal(t, wanted, code, out+stderr)
		return out + stderr
	}
	require.Contains(t, run(1, "promote"), "there is no next RS256 key; publish one first")
	require.Contains(t, run(0, "prepare"), "published the next key")
	require.Contains(t, run(0, "prepare"), "published already")
	require.Contains(t, run(1, "promote"), "has been published for less than a day")
	require.Contains(t, run(0, "promote", "--insecure-before-everybody-knows-it"), "is active")
	next := list()[1].ID
	second.stop() // in place of the minute in which a running server notices
	third := &restart{l: l}
	third.start()
	kid := func(client string) string {
		p := newBrowser(t).signIn(l.issuer, l.popOut("client_id", client, "nonce", "n"), "jane", "jane-password")
		token := p.answer(t).Get("id_token")
		jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
		require.NoError(t, err)
		return jws.Signatures[0].Header.KeyID
	}
	require.Equal(t, old, kid("liveengage"))
	require.Equal(t, next, kid("plain"))
	b := newBrowser(t)
	require.NotEqual(t, b.get(l.issuer+"/keys/public.txt").body, b.get(l.issuer+"/keys/public.txt?client_id=liveengage").body)
	setup := b.get("http://" + l.operations + "/setup").body
	require.Contains(t, setup, old)
	require.Contains(t, setup, "pinned")
	require.Contains(t, setup, "signs for LiveEngage only")
	require.Contains(t, b.get("http://"+l.operations+"/metrics").body, `idp_pinned_key_age_seconds{client="liveengage",kid="`+old+`"}`)
	require.Contains(t, run(0, "list"), "retiring")
	require.Contains(t, run(0, "list"), "pinned by liveengage")
	require.Contains(t, run(1, "retire", old), "a client pins this key")
	require.Contains(t, run(1, "retire", next), "is not the ID of a retiring key")
	code, _, stderr := command(t, "", "keys", "retire", "--data", filepath.Join(l.folder, "data"), old)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "belongs to idp serve", "not by somebody who leaves the configuration out")
	code, out, _ := command(t, "", "doctor", "--config", config, "--local")
	require.Contains(t, out, "key-pinned", code)
	third.stop()

	l.configure("", "")
	require.Contains(t, run(1, "retire", old), "restart the server first", "nor by another configuration than the server's")
	fourth := &restart{l: l}
	fourth.start()
	fourth.stop()
	require.Contains(t, run(0, "retire", old), "is removed")
	// Another kind of key than LiveEngage reads is not pinned for it.
	l.configure("", "\n    redirect_uris: ['"+windowURI+"']\n  - {id: curve, redirect_uris: ['https://curve.example/cb'], id_token_signed_response_alg: ES256}")
	fifth := &restart{l: l}
	fifth.start()
	fifth.stop()
	for _, k := range list() {
		if k.Algorithm == "ES256" {
			l.configure("", "\n    pinned_key: "+k.ID)
		}
	}
	code, _, stderr = command(t, "", "serve", "--config", config)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "which is for ES256; it wants one for RS256")

	l.configure("", "\n    pinned_key: "+old)
	code, _, stderr = command(t, "", "serve", "--config", config)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "pinned key \""+old+"\" is not in the database")
}

// TestConnectorCommand prints what LivePerson's services write, and nothing secret.
func TestConnectorCommand(t *testing.T) {
	t.Parallel()
	l := withLivePerson(t, "dialect: legacy, js_method: getIt, js_context: brand.chat", "")
	config := filepath.Join(l.folder, "idp.yaml")
	code, out, stderr := command(t, "", "liveengage", "connector", "--config", config, "--flow", "code", "--key", "pasted")
	require.Equal(t, 0, code, stderr)
	var c map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &c))
	fields := c["configuration"].(map[string]any)
	require.Equal(t, l.issuer, fields["issuer"])
	require.Equal(t, strings.TrimSpace(newBrowser(t).get(l.issuer+"/keys/public.txt").body), fields["jwtPublicKey"])
	require.Equal(t, false, fields["rfcCompliance"])
	require.Equal(t, "getIt", fields["jsMethodName"])
	require.Equal(t, "brand.chat", fields["jsContext"])
	require.NotContains(t, out, oddSecret[:8])
	code, _, stderr = command(t, "", "liveengage", "connector", "--config", config, "--client", "plain")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, `no client "plain" with profile: liveengage`)
	require.Equal(t, http.StatusNotFound, newBrowser(t).get(l.issuer+"/setup.json").status, "strangers get no internals")
}

// restart is a server that a test starts and stops.
type restart struct {
	l    *liveperson
	stop func()
}

func (r *restart) start() {
	r.l.t.Helper()
	r.l.log, r.stop = stoppable(r.l.t, time.Now, os.Getenv, r.l.folder)
}
