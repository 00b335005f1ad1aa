package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"idpbridge/internal/fetch"
	"idpbridge/internal/netaddr"
	"idpbridge/liveengage"
	"idpbridge/liveengage/api"
)

// serviceTimeout limits a TLS handshake, a sign-in and a logout.
const serviceTimeout = 10 * time.Second

// serviceFlags are the flags of the commands that call LivePerson's services.
type serviceFlags struct {
	Domains string `default:"${domain_api}" help:"URL of the Domain API (${default})." placeholder:"URL"`
	Live    bool   `help:"Allow hosts beyond this machine: LivePerson's, and those that other flags name."`
	Once    bool   `help:"Give up at the first error instead of retrying."`
	JSON    bool   `name:"json" help:"Print JSON."`
}

// commandLine returns another liveengage command for the same services, ready to type.
func (s serviceFlags) commandLine(command string) string {
	line := "idp liveengage " + command
	if s.Domains != liveengage.DomainAPI {
		line += " --domains " + s.Domains
	}
	if s.Live {
		line += " --live"
	}
	return line
}

// allowedHosts returns the hosts that may be contacted. The Domain API and the other
// URLs must be on this machine, or --live must be set.
func (s serviceFlags) allowedHosts(urls ...string) (api.Hosts, error) {
	var allowed api.Hosts
	if s.Live {
		allowed = api.LivePersonHosts()
	}
	for _, raw := range append([]string{s.domainAPI()}, urls...) {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" {
			return nil, usageErrorf("%q is not a URL such as http://127.0.0.1:8090", raw)
		}
		if s.Live {
			allowed = append(allowed, u.Hostname())
		}
		err = allowed.Check(u)
		if err != nil && !s.Live {
			return nil, usageErrorf("%s is not on this machine; add --live to contact it, or use the simulator: "+
				"--domains http://127.0.0.1:8090", raw)
		}
		if err != nil {
			return nil, &usageError{err.Error()}
		}
	}
	return allowed, nil
}

// domainAPI returns the URL of the Domain API. LivePerson's documentation has it with
// http in places; it is always called by https.
func (s serviceFlags) domainAPI() string {
	u, err := url.Parse(s.Domains)
	if err != nil || !strings.EqualFold(u.Scheme, "http") || u.Port() != "" {
		return s.Domains
	}
	u.Scheme = "https"
	if netaddr.IsLoopback(u.Hostname()) || api.LivePersonHosts().Check(u) != nil {
		return s.Domains
	}
	return u.String()
}

// newTransport returns a transport that sends requests only to the allowed hosts.
func (s serviceFlags) newTransport(allowed api.Hosts) http.RoundTripper {
	transport := fetch.NewTransport()
	transport.Proxy = http.ProxyFromEnvironment
	return allowed.Transport(transport)
}

// newClient returns a client of the account's services that logs from the given level.
func (s serviceFlags) newClient(
	p *process, account string, level slog.Level, retry api.RetryPolicy,
) (*api.Client, error) {
	allowed, err := s.allowedHosts()
	if err != nil {
		return nil, err
	}
	if s.domainAPI() != s.Domains {
		_, _ = fmt.Fprintf(p.stderr, "idp: note: using %s; %s would send requests unencrypted\n", s.domainAPI(), s.Domains)
	}
	if s.Once {
		retry = api.NoRetry
	}
	client, err := api.New(api.Config{
		Account:      account,
		DomainAPI:    s.domainAPI(),
		AllowedHosts: allowed,
		HTTP:         &http.Client{Transport: s.newTransport(allowed)},
		Now:          p.now,
		Log:          slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: level})),
		Retry:        retry,
	})
	if err != nil {
		return nil, &usageError{err.Error()}
	}
	return client, nil
}

// loginFlags name the user or the application that logs in. No flag takes a secret.
type loginFlags struct {
	User string `help:"User to log in; the password is IDP_LP_PASSWORD or standard input." placeholder:"NAME"`
	Key  string `help:"JSON file with the four values of an API key." type:"existingfile" placeholder:"FILE"`
}

// isSet reports whether a login was requested.
func (f loginFlags) isSet() bool { return f.User != "" || f.Key != "" }

// openSession logs in: as a user with a password, or as an application with a key.
func (f loginFlags) openSession(ctx context.Context, p *process, client *api.Client) (*api.Session, error) {
	if f.Key != "" {
		key, err := f.readAPIKey()
		if err != nil {
			return nil, err
		}
		return client.LoginApplication(ctx, f.User, key)
	}
	password, err := readPassword(p, "IDP_LP_PASSWORD")
	if err != nil {
		return nil, err
	}
	return client.Login(ctx, f.User, password)
}

func (f loginFlags) readAPIKey() (api.Key, error) {
	file, err := os.Open(f.Key)
	if err != nil {
		return api.Key{}, fmt.Errorf("read --key: %w", err)
	}
	defer func() { _ = file.Close() }()
	key, err := api.ReadKey(file)
	if err != nil {
		return api.Key{}, fmt.Errorf("--key %s: %w", f.Key, err)
	}
	return key, nil
}

// authorizeCalls returns what authorizes calls, and a function to call afterwards. A
// key without a user signs each call; anything else logs in.
func (f loginFlags) authorizeCalls(
	ctx context.Context, p *process, client *api.Client,
) (authorizer api.Authorizer, done func(), err error) {
	if f.Key != "" && f.User == "" {
		key, err := f.readAPIKey()
		return client.KeyAuthorizer(key), func() {}, err
	}
	session, err := f.openSession(ctx, p, client)
	if err != nil {
		return nil, nil, err
	}
	return session.AuthorizationHeader, func() { closeSession(ctx, session) }, nil
}

// closeSession logs out, even after an interrupt. An error is ignored, because the
// session then expires by itself.
func closeSession(ctx context.Context, session *api.Session) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), serviceTimeout)
	defer cancel()
	_ = session.Logout(ctx)
}
