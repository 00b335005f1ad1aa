package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"idpbridge/liveengage/api"
)

// serviceTimeout is how long a handshake or a goodbye may take.
const serviceTimeout = 10 * time.Second

// serviceFlags are the flags of every command that talks to LiveEngage's services.
type serviceFlags struct {
	Domains string `default:"https://api.liveperson.net" help:"Address of the Domain API, from which all others are found; of the simulator, http://127.0.0.1:8090 (${default})." placeholder:"URL"`
	Live    bool   `help:"Allow hosts beyond this machine: LivePerson's, and those named by flags."`
	Once    bool   `help:"Give up at the first fault instead of trying again."`
	JSON    bool   `name:"json" help:"Print JSON."`
}

// commandLine is another command for the same services, as it has to be typed.
func (s serviceFlags) commandLine(text string) string {
	text = "idp liveengage " + text
	if s.Domains != api.DefaultDomainAPI {
		text += " --domains " + s.Domains
	}
	if s.Live {
		text += " --live"
	}
	return text
}

// allowedHosts are those that may be contacted. Addresses beyond this machine need --live.
func (s serviceFlags) allowedHosts(addresses ...string) (api.Hosts, error) {
	var allow api.Hosts
	if s.Live {
		allow = api.LivePersonHosts()
	}
	for _, address := range append([]string{s.Domains}, addresses...) {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" {
			return nil, &usageError{fmt.Sprintf("%q is not an address such as http://127.0.0.1:8090", address)}
		}
		if s.Live {
			allow = append(allow, u.Hostname())
		}
		if err := allow.Check(u); err != nil && s.Live {
			return nil, &usageError{err.Error()}
		} else if err != nil {
			return nil, &usageError{fmt.Sprintf("%s is not on this machine; add --live to contact it, or name the simulator with --domains http://127.0.0.1:8090", address)}
		}
	}
	return allow, nil
}

// newTransport carries requests to the hosts alone.
func (s serviceFlags) newTransport(allow api.Hosts) http.RoundTripper {
	return allow.Transport(&http.Transport{
		Proxy:               http.ProxyFromEnvironment, // where the way out is a proxy
		MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: serviceTimeout, ForceAttemptHTTP2: true,
	})
}

// newClient is a client of the account's services, which logs from this level.
func (s serviceFlags) newClient(p *process, account string, level slog.Level, persistence api.RetryPolicy) (*api.Client, error) {
	allow, err := s.allowedHosts()
	if err != nil {
		return nil, err
	}
	if s.Once {
		persistence = api.NoRetry
	}
	c, err := api.New(api.Config{
		Account: account, DomainAPI: s.Domains, AllowedHosts: allow, HTTP: &http.Client{Transport: s.newTransport(allow)}, Now: p.now,
		Log: slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: level})), Retry: persistence,
	})
	if err != nil {
		return nil, &usageError{err.Error()}
	}
	return c, nil
}

// loginFlags says as whom to call services that want a login. Secrets are no flags.
type loginFlags struct {
	User string `help:"Log in as this user; the password is IDP_LP_PASSWORD, or the first line of standard input." placeholder:"NAME"`
	Key  string `help:"JSON file of an API key: appKey, secret, accessToken and accessTokenSecret." type:"existingfile" placeholder:"FILE"`
}

// isSet says whether anything was named.
func (a loginFlags) isSet() bool { return a.User != "" || a.Key != "" }

// openSession logs in: as a user with a password, or as an application with a key.
func (a loginFlags) openSession(ctx context.Context, p *process, c *api.Client) (*api.Session, error) {
	if a.Key != "" {
		key, err := a.readAPIKey()
		if err != nil {
			return nil, err
		}
		return c.LoginApplication(ctx, a.User, key)
	}
	password, err := readPassword(p, "IDP_LP_PASSWORD")
	if err != nil {
		return nil, err
	}
	return c.Login(ctx, a.User, password)
}

func (a loginFlags) readAPIKey() (api.Key, error) {
	f, err := os.Open(a.Key)
	if err != nil {
		return api.Key{}, fmt.Errorf("read --key: %w", err)
	}
	defer func() { _ = f.Close() }()
	k, err := api.ReadKey(f)
	if err != nil {
		return api.Key{}, fmt.Errorf("--key %s: %w", a.Key, err)
	}
	return k, nil
}

// authorizeCalls is how calls are authorized: a key without a user signs them, and
// anything else logs in. The function ends what was begun.
func (a loginFlags) authorizeCalls(ctx context.Context, p *process, c *api.Client) (api.Authorizer, func(), error) {
	if a.Key != "" && a.User == "" {
		key, err := a.readAPIKey()
		return c.KeyAuthorizer(key), func() {}, err
	}
	session, err := a.openSession(ctx, p, c)
	if err != nil {
		return nil, nil, err
	}
	return session.AuthorizationHeader, func() { closeSession(ctx, session) }, nil
}

// closeSession ends a session although the command was interrupted. It may fail: the
// session then ends by itself.
func closeSession(ctx context.Context, session *api.Session) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), serviceTimeout)
	defer cancel()
	_ = session.Logout(ctx)
}
