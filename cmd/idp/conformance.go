package main

import (
	"cmp"
	"context"
	"crypto"
	"crypto/x509"
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
	"idpbridge/internal/fetch"
)

type conformanceCommand struct {
	Issuer      string `required:"" help:"Issuer to test, such as http://127.0.0.1:8080." placeholder:"URL"`
	Client      string `required:"" help:"Client to test with, which uses client_secret_basic." placeholder:"ID"`
	RedirectURI string `name:"redirect-uri" default:"http://127.0.0.1:7777/cb" help:"Redirect URI of the clients."`
	PostLogout  string `name:"post-logout-redirect-uri" default:"http://127.0.0.1/cb" help:"Of --client (${default})."`
	Other       string `help:"Another client with a secret." placeholder:"ID"`
	Post        string `help:"Client that uses client_secret_post." placeholder:"ID"`
	Public      string `help:"Client without a secret." placeholder:"ID"`
	Keyed       string `help:"Client that uses private_key_jwt." placeholder:"ID"`
	Key         string `help:"PEM file with the private key of --keyed." type:"existingfile" placeholder:"FILE"`
	KeyID       string `name:"kid" help:"Key ID of that key."`
	Username    string `default:"jane" help:"User with every standard claim (${default})."`
	Else        string `name:"other-username" aliases:"else" default:"victor" help:"Another user (${default})."`
	Receive     string `help:"Receive back-channel logouts of --client here; see above." placeholder:"HOST:PORT"`
	Front       string `name:"frontchannel-logout-uri" help:"The frontchannel_logout_uri of --client." placeholder:"URL"`
	CA          string `name:"ca" help:"PEM file of certificates to trust." type:"existingfile" placeholder:"FILE"`
	Only        string `help:"Run only the checks whose name contains this text." placeholder:"TEXT"`
	Strict      bool   `help:"Treat warnings as failures."`
	JSON        bool   `name:"json" help:"Print JSON."`

	Patience time.Duration `default:"12s" help:"Skip checks that wait longer (${default}). 11m skips none."`
}

// Help is printed above the flags.
func (conformanceCommand) Help() string {
	return `For example, with idp dev running:

    idp conformance --issuer http://127.0.0.1:8080 --client local-web

Secrets are read from environment variables:

    IDP_CONFORMANCE_SECRET          secret of --client
    IDP_CONFORMANCE_OTHER_SECRET    secret of --other
    IDP_CONFORMANCE_POST_SECRET     secret of --post
    IDP_CONFORMANCE_PASSWORD        password of --username
    IDP_CONFORMANCE_OTHER_PASSWORD  password of --other-username

With --receive, the backchannel_logout_uri of --client must be
http://HOST:PORT/backchannel/ID.

For idp dev the secrets are known, and its other clients are used without a flag.

The checks sign in hundreds of times and run attacks, so test only your own provider.

Exit status: 0 success, 1 failure, 2 usage error.`
}

// Run runs the checks against a running provider and prints the results.
func (s conformanceCommand) Run(ctx context.Context, p *process) error {
	target, closeTarget, err := s.newTarget(ctx, p)
	if err != nil {
		return err
	}
	checks := slices.DeleteFunc(conformance.All(), func(c conformance.Check) bool {
		return !strings.Contains(c.Name, s.Only)
	})
	if len(checks) == 0 {
		return errors.Join(usageErrorf("--only %q matches no check", s.Only), closeTarget())
	}
	results := s.runChecks(ctx, p.stdout, checks, target)
	if err := closeTarget(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return s.printTotals(p.stdout, results)
}

// selftestCommand is the old name of the command, kept for one release.
type selftestCommand struct{ conformanceCommand }

// Run points to the new name and does the same.
func (s selftestCommand) Run(ctx context.Context, p *process) error {
	_, _ = fmt.Fprintln(p.stderr, "idp: idp selftest is now called idp conformance")
	return s.conformanceCommand.Run(ctx, p)
}

// readSecret returns the environment variable IDP_CONFORMANCE_name, or that of
// its old names.
func (conformanceCommand) readSecret(p *process, name string) string {
	old := map[string]string{"OTHER_PASSWORD": "ELSE_PASSWORD"}
	return cmp.Or(p.getenv("IDP_CONFORMANCE_"+name), p.getenv("IDP_SELFTEST_"+cmp.Or(old[name], name)))
}

// parallelChecks is the number of checks that run at the same time.
const parallelChecks = 4

// runChecks runs the checks in parallel. It prints each result as soon as it and
// all before it are known.
func (s conformanceCommand) runChecks(
	ctx context.Context, out io.Writer, checks []conformance.Check, target *conformance.Target,
) []conformance.Result {
	results := make([]conformance.Result, len(checks))
	ready := make([]chan struct{}, len(checks))
	for i := range ready {
		ready[i] = make(chan struct{})
	}
	slots := make(chan struct{}, parallelChecks)
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
			printResult(out, results[i])
		}
	}
	group.Wait()
	return results
}

func printResult(out io.Writer, r conformance.Result) {
	_, _ = fmt.Fprintf(out, "%-7s %s\n", r.Outcome, r.Name)
	if len(r.Problems) > 0 {
		_, _ = fmt.Fprintf(out, "        required: %s\n", r.Requirement)
	}
	for _, problem := range r.Problems {
		_, _ = fmt.Fprintf(out, "        seen:     %s\n", problem)
	}
	if r.Reason != "" {
		_, _ = fmt.Fprintf(out, "        because %s\n", r.Reason)
	}
}

// printTotals prints the number of results by outcome. It returns an error if a
// check failed, or with --strict if one warned.
func (s conformanceCommand) printTotals(out io.Writer, results []conformance.Result) error {
	count := map[conformance.Outcome]int{}
	for _, r := range results {
		count[r.Outcome]++
	}
	failed, warned := count[conformance.Failed], count[conformance.Warned]
	if s.JSON {
		report := map[string]any{"issuer": s.Issuer, "totals": count, "results": results}
		if err := printJSON(out, report); err != nil {
			return err
		}
	} else {
		_, _ = fmt.Fprintf(out, "\n%d passed, %d failed, %d warned, %d skipped\n",
			count[conformance.Passed], failed, warned, count[conformance.Skipped])
	}
	if failed > 0 || warned > 0 && s.Strict {
		return fmt.Errorf("%s does not pass: %d failed, %d warned", s.Issuer, failed, warned)
	}
	return nil
}

// newTarget returns the target that flags and environment describe, and a function
// that releases it.
func (s conformanceCommand) newTarget(
	ctx context.Context, p *process,
) (target *conformance.Target, closeTarget func() error, err error) {
	if u, err := url.Parse(s.Issuer); err != nil || u.Host == "" || strings.HasSuffix(s.Issuer, "/") {
		return nil, nil, usageErrorf("--issuer %q must be a URL without a trailing slash", s.Issuer)
	}
	if s.isLocal() && s.Client == "local-web" {
		s.Other, s.Post = cmp.Or(s.Other, "local-post"), cmp.Or(s.Post, "local-post")
		s.Public = cmp.Or(s.Public, "local-app")
	}
	transport, err := s.newTransport()
	if err != nil {
		return nil, nil, err
	}
	target = &conformance.Target{
		Issuer: s.Issuer, HTTP: transport, Now: p.now, Wait: s.wait,
		Web: s.newClient(p, s.Client, "SECRET"), Other: s.newClient(p, s.Other, "OTHER_SECRET"),
		Post: s.newClient(p, s.Post, "POST_SECRET"), Public: s.newClient(p, s.Public, ""),
		Keyed:  s.newClient(p, s.Keyed, ""),
		Person: s.newPerson(p, s.Username, "PASSWORD"), OtherPerson: s.newPerson(p, s.Else, "OTHER_PASSWORD"),
	}
	if target.Web.Secret == "" {
		return nil, nil, usageErrorf("IDP_CONFORMANCE_SECRET is not set; it is the secret of --client")
	}
	if target.Person.Password == "" {
		return nil, nil, usageErrorf("IDP_CONFORMANCE_PASSWORD is not set; it is the password of --username")
	}
	target.Web.FrontchannelLogoutURI = s.Front
	if s.Keyed != "" {
		key, err := readSigner(s.Key)
		if err != nil {
			return nil, nil, err
		}
		target.Keyed.Key, target.Keyed.KeyID = key, s.KeyID
	}
	if s.Receive == "" {
		return target, func() error { transport.CloseIdleConnections(); return nil }, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Receive)
	if err != nil {
		return nil, nil, fmt.Errorf("--receive %s: %w", s.Receive, err)
	}
	target.Logouts = conformance.NewReceiver(listener)
	target.Web.BackchannelLogoutURI = "http://" + listener.Addr().String() + "/backchannel/" + s.Client
	return target, target.Logouts.Close, nil
}

func (s conformanceCommand) newTransport() (*http.Transport, error) {
	transport := fetch.NewTransport()
	transport.MaxIdleConnsPerHost = 2 * parallelChecks
	if s.CA != "" {
		roots, err := readRoots(s.CA)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig.RootCAs = roots
	}
	return transport, nil
}

// wait sleeps, unless that is longer than --patience.
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

// newClient returns a client by its ID. The secrets of idp dev are known.
func (s conformanceCommand) newClient(p *process, id, secretName string) conformance.Client {
	if id == "" {
		return conformance.Client{}
	}
	c := conformance.Client{ID: id, RedirectURI: s.RedirectURI, PostLogoutRedirectURI: s.PostLogout}
	if secretName == "" {
		return c
	}
	c.Secret = s.readSecret(p, secretName)
	if c.Secret == "" && s.isLocal() {
		c.Secret = map[string]string{"local-web": dev.LocalWebSecret, "local-post": dev.LocalPostSecret}[id]
	}
	return c
}

// newPerson returns a user by name. The passwords of idp dev are known.
func (s conformanceCommand) newPerson(p *process, username, passwordName string) conformance.Person {
	password := s.readSecret(p, passwordName)
	if password == "" && s.isLocal() {
		password = username + "-password"
	}
	if password == "" || username == "" {
		return conformance.Person{}
	}
	return conformance.Person{Username: username, Password: password}
}

// isLocal reports whether the provider may be idp dev.
func (s conformanceCommand) isLocal() bool { return loopbackIssuer(s.Issuer) }

// readSigner reads a private key in PKCS #8 from a PEM file.
func readSigner(file string) (crypto.Signer, error) {
	if file == "" {
		return nil, usageErrorf("--keyed needs --key, the PEM file of its private key")
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read --key: %w", err)
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return nil, usageErrorf("--key %s is not PEM", file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, usageErrorf("--key %s is not PKCS #8; convert it with: openssl pkcs8 -topk8 -nocrypt -in %s",
			file, file)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, usageErrorf("--key %s cannot sign", file)
	}
	return signer, nil
}
