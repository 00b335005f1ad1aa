package main

import (
	"cmp"
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"idpbridge/conformance"
	"idpbridge/dev"
)

type conformanceCommand struct {
	Issuer      string        `required:"" help:"Issuer of the provider to test, such as http://127.0.0.1:8080." placeholder:"URL"`
	Client      string        `required:"" help:"Client to test as, with a secret and client_secret_basic." placeholder:"ID"`
	RedirectURI string        `name:"redirect-uri" default:"http://127.0.0.1:7777/cb" help:"Redirect URI of every client; nothing need listen there (${default})." placeholder:"URL"`
	PostLogout  string        `name:"post-logout-redirect-uri" default:"http://127.0.0.1/cb" help:"Where a sign-out may lead (${default})." placeholder:"URL"`
	Other       string        `help:"Another client with a secret." placeholder:"ID"`
	Post        string        `help:"Client with client_secret_post." placeholder:"ID"`
	Public      string        `help:"Client without a secret." placeholder:"ID"`
	Keyed       string        `help:"Client with private_key_jwt." placeholder:"ID"`
	Key         string        `help:"PEM file of the private key of --keyed." type:"existingfile" placeholder:"FILE"`
	KeyID       string        `name:"kid" help:"kid of that key."`
	Username    string        `default:"jane" help:"Somebody who has every standard claim."`
	Else        string        `default:"victor" help:"Somebody else."`
	Receive     string        `help:"host:port to listen on for back-channel logouts of --client, whose backchannel_logout_uri must be http://host:port/backchannel/ID." placeholder:"HOST:PORT"`
	Front       string        `name:"frontchannel-logout-uri" help:"The frontchannel_logout_uri of --client." placeholder:"URL"`
	CA          string        `name:"ca" help:"PEM file of certificates to trust." type:"existingfile" placeholder:"FILE"`
	Only        string        `help:"Run the checks alone whose name contains this text." placeholder:"TEXT"`
	Patience    time.Duration `default:"12s" help:"Longest wait that a check may take; longer ones are skipped. 11m leaves none out."`
	Strict      bool          `help:"Count what the suite would warn of as a failure."`
	JSON        bool          `name:"json" help:"Print JSON."`
}

// Help is printed above the flags.
func (conformanceCommand) Help() string {
	return `For example, with idp dev running:

    idp conformance --issuer http://127.0.0.1:8080 --client local-web

Secrets come from the environment: IDP_CONFORMANCE_SECRET of --client,
IDP_CONFORMANCE_OTHER_SECRET, IDP_CONFORMANCE_POST_SECRET, IDP_CONFORMANCE_PASSWORD of
--username, IDP_CONFORMANCE_ELSE_PASSWORD. Those of idp dev are known, and its
other clients are used by themselves. It signs in hundreds of times and tries to break in: test your own provider only.

Exit status: 0 all is well, 1 something is not, 2 used wrongly.`
}

// Run runs the checks against a running provider and reports.
func (s conformanceCommand) Run(ctx context.Context, p *process) error {
	target, done, err := s.target(ctx, p)
	if err != nil {
		return err
	}
	checks := slices.DeleteFunc(conformance.All(), func(c conformance.Check) bool { return !strings.Contains(c.Name, s.Only) })
	if len(checks) == 0 {
		return errors.Join(&usageError{fmt.Sprintf("--only %q fits no check", s.Only)}, done())
	}
	results := s.run(ctx, p.stdout, checks, target)
	if err := done(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return s.conclude(p.stdout, results)
}

// selftestCommand is the old name of the command, kept for one release.
type selftestCommand struct{ conformanceCommand }

// Run points to the new name and does the same.
func (s selftestCommand) Run(ctx context.Context, p *process) error {
	_, _ = fmt.Fprintln(p.stderr, "idp: idp selftest is now called idp conformance")
	return s.conformanceCommand.Run(ctx, p)
}

// getenv reads IDP_CONFORMANCE_name, or what it was called before.
func (conformanceCommand) getenv(p *process, name string) string {
	return cmp.Or(p.getenv("IDP_CONFORMANCE_"+name), p.getenv("IDP_SELFTEST_"+name))
}

// checksAtOnce is how many checks run side by side.
const checksAtOnce = 4

// run runs the checks, several at once, and prints each result in the order of
// the checks as soon as it is there.
func (s conformanceCommand) run(ctx context.Context, out io.Writer, checks []conformance.Check, target *conformance.Target) []conformance.Result {
	results := make([]conformance.Result, len(checks))
	ready := make([]chan struct{}, len(checks))
	for i := range ready {
		ready[i] = make(chan struct{})
	}
	slots := make(chan struct{}, checksAtOnce)
	var group sync.WaitGroup
	group.Go(func() {
		for i, check := range checks {
			slots <- struct{}{}
			group.Go(func() {
				results[i] = check.Run(ctx, target)
				close(ready[i])
				<-slots
			})
		}
	})
	for i := range checks {
		<-ready[i]
		if !s.JSON {
			writeResult(out, results[i])
		}
	}
	group.Wait()
	return results
}

func writeResult(out io.Writer, r conformance.Result) {
	_, _ = fmt.Fprintf(out, "%-7s %s\n", r.Outcome, r.Name)
	if len(r.Problems) > 0 {
		_, _ = fmt.Fprintf(out, "        demanded: %s\n", r.Requirement)
	}
	for _, problem := range r.Problems {
		_, _ = fmt.Fprintf(out, "        seen:     %s\n", problem)
	}
	if r.Reason != "" {
		_, _ = fmt.Fprintf(out, "        because %s\n", r.Reason)
	}
}

// conclude prints the total, and returns an error where something is not well.
func (s conformanceCommand) conclude(out io.Writer, results []conformance.Result) error {
	count := map[conformance.Outcome]int{}
	for _, r := range results {
		count[r.Outcome]++
	}
	failed, warned := count[conformance.Failed], count[conformance.Warned]
	if s.JSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(map[string]any{"issuer": s.Issuer, "totals": count, "results": results}); err != nil {
			return err
		}
	} else {
		_, _ = fmt.Fprintf(out, "\n%d passed, %d failed, %d warned, %d skipped\n", count[conformance.Passed], failed, warned, count[conformance.Skipped])
	}
	if failed > 0 || warned > 0 && s.Strict {
		return fmt.Errorf("%s does not hold up: %d failed, %d warned", s.Issuer, failed, warned)
	}
	return nil
}

// target is what the flags and the environment describe, and a function that
// gives back what it holds.
func (s conformanceCommand) target(ctx context.Context, p *process) (*conformance.Target, func() error, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: 2 * checksAtOnce, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	if s.CA != "" {
		roots, err := readRoots(s.CA)
		if err != nil {
			return nil, nil, err
		}
		transport.TLSClientConfig.RootCAs = roots
	}
	if s.local() && s.Client == "local-web" {
		s.Other, s.Post, s.Public = cmp.Or(s.Other, "local-post"), cmp.Or(s.Post, "local-post"), cmp.Or(s.Public, "local-app")
	}
	if u, err := url.Parse(s.Issuer); err != nil || u.Host == "" || strings.HasSuffix(s.Issuer, "/") {
		return nil, nil, &usageError{fmt.Sprintf("--issuer %q is not an address without a slash at its end", s.Issuer)}
	}
	t := &conformance.Target{
		Issuer: s.Issuer, HTTP: transport, Now: p.now, Wait: s.wait,
		Web: s.client(p, s.Client, "SECRET"), Other: s.client(p, s.Other, "OTHER_SECRET"),
		Post: s.client(p, s.Post, "POST_SECRET"), Public: s.client(p, s.Public, ""), Keyed: s.client(p, s.Keyed, ""),
		Person: s.person(p, s.Username, "PASSWORD"), OtherPerson: s.person(p, s.Else, "ELSE_PASSWORD"),
	}
	if t.Web.Secret == "" {
		return nil, nil, &usageError{"IDP_CONFORMANCE_SECRET is not set; it is the secret of --client"}
	}
	if t.Person.Password == "" {
		return nil, nil, &usageError{"IDP_CONFORMANCE_PASSWORD is not set; it is the password of --username"}
	}
	t.Web.FrontchannelLogoutURI = s.Front
	done := func() error { transport.CloseIdleConnections(); return nil }
	if s.Keyed != "" {
		key, err := readSigner(s.Key)
		if err != nil {
			return nil, nil, err
		}
		t.Keyed.Key, t.Keyed.KeyID = key, s.KeyID
	}
	if s.Receive != "" {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Receive)
		if err != nil {
			return nil, nil, fmt.Errorf("--receive %s: %w", s.Receive, err)
		}
		t.Logouts = conformance.NewReceiver(listener)
		t.Web.BackchannelLogoutURI = "http://" + listener.Addr().String() + "/backchannel/" + s.Client
		done = t.Logouts.Close
	}
	return t, done, nil
}

// wait sleeps, if that is allowed.
func (s conformanceCommand) wait(ctx context.Context, d time.Duration) error {
	if d > s.Patience {
		return conformance.ErrTooLong
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// client is a client by its id; the secrets of the development mode are known.
func (s conformanceCommand) client(p *process, id, env string) conformance.Client {
	if id == "" {
		return conformance.Client{}
	}
	c := conformance.Client{ID: id, RedirectURI: s.RedirectURI, PostLogoutRedirectURI: s.PostLogout}
	if env != "" {
		c.Secret = s.getenv(p, env)
		if known := map[string]string{"local-web": dev.LocalWebSecret, "local-post": dev.LocalPostSecret}[id]; c.Secret == "" && s.local() {
			c.Secret = known
		}
	}
	return c
}

// person is somebody by name; the passwords of the development mode are known.
func (s conformanceCommand) person(p *process, username, env string) conformance.Person {
	password := s.getenv(p, env)
	if password == "" && s.local() {
		password = username + "-password"
	}
	if password == "" || username == "" {
		return conformance.Person{}
	}
	return conformance.Person{Username: username, Password: password}
}

// local says whether the provider may be one in the development mode.
func (s conformanceCommand) local() bool { return loopbackIssuer(s.Issuer) }

// readSigner reads a private key in PEM: PKCS #8.
func readSigner(file string) (crypto.Signer, error) {
	if file == "" {
		return nil, &usageError{"--keyed needs --key, the PEM file of its private key"}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read --key: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, &usageError{fmt.Sprintf("--key %s is not PEM", file)}
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, &usageError{fmt.Sprintf("--key %s is not PKCS #8; convert it with: openssl pkcs8 -topk8 -nocrypt -in %s", file, file)}
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, &usageError{fmt.Sprintf("--key %s cannot sign", file)}
	}
	return signer, nil
}
