package conformance_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/conformance"
)

// TestWrongPasswordIsSubmittedOnce in a run of many checks at the same time: more
// attempts could lock the account.
func TestWrongPasswordIsSubmittedOnce(t *testing.T) {
	t.Parallel()
	var passwords atomic.Int32
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q,"jwks_uri":%q,`+
			`"response_types_supported":["code"],"subject_types_supported":["public"],`+
			`"id_token_signing_alg_values_supported":["RS256"]}`,
			server.URL, server.URL+"/login", server.URL+"/token", server.URL+"/jwks")
	})
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.PostFormValue("p") == "wrong-for-jane" {
			passwords.Add(1)
		}
		_, _ = io.WriteString(w, `<form method=post action="/login"><input name=u><input type=password name=p></form>`)
	})
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	target := &conformance.Target{
		Issuer: server.URL, HTTP: transport, Now: time.Now,
		Wait:   func(context.Context, time.Duration) error { return conformance.ErrTooLong },
		Web:    conformance.Client{ID: "web", Secret: "s", RedirectURI: "https://web.example/cb"},
		Person: conformance.Person{Username: "jane", Password: "wrong-for-jane"},
	}
	var group sync.WaitGroup
	var named atomic.Int32
	for _, check := range conformance.All() {
		group.Go(func() {
			for _, problem := range check.Run(t.Context(), target).Problems {
				if problem == "the provider rejects the password of jane; it was submitted once and is not tried again" {
					named.Add(1)
				}
			}
		})
	}
	group.Wait()
	require.Equal(t, int32(1), passwords.Load())
	require.Greater(t, named.Load(), int32(20), "the checks say so")
}
