// Command idp is an OpenID Connect identity provider that LivePerson's
// LiveEngage trusts as its authentication server.
//
// Each command has its own file; run, in this file, is the entry point of main and
// of the tests.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"idpbridge/liveengage"
)

// process is what a command may use of the process that it runs in.
type process struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	getenv func(string) string
	now    func() time.Time
}

// commands is the command line: a field is a command or a group of commands, and
// its Run method runs it.
type commands struct {
	ShowVersion kong.VersionFlag `name:"version" help:"Print the version and exit."`

	Dev    devCommand   `cmd:"" help:"Run a local identity provider with demo people and clients."`
	Serve  serveCommand `cmd:"" help:"Run the identity provider that a configuration file describes."`
	Init   initCommand  `cmd:"" help:"Write a commented configuration file and a people file."`
	Config struct {
		Check configCheckCommand `cmd:"" help:"Check a configuration file and report its problems."`
	} `cmd:"" help:"Check configuration files."`
	Keys struct {
		Show    keysShowCommand    `cmd:"" help:"Print the active public key in the formats LiveEngage accepts."`
		List    keysListCommand    `cmd:"" help:"List the published keys and the clients that pin them."`
		Prepare keysPrepareCommand `cmd:"" help:"Publish the key that will sign next."`
		Promote keysPromoteCommand `cmd:"" help:"Make the next key active; the current key becomes retiring."`
		Retire  keysRetireCommand  `cmd:"" help:"Remove a retiring key."`
	} `cmd:"" help:"Show and rotate the signing keys."`
	Liveengage struct {
		Connector  connectorCommand  `cmd:"" help:"Print the LiveEngage connector for this provider as JSON."`
		Explain    explainCommand    `cmd:"" help:"Explain a LivePerson error code, such as 9007."`
		Simulate   simulateCommand   `cmd:"" help:"Run a LivePerson simulator against an identity provider."`
		Domains    domainsCommand    `cmd:"" help:"List the service domains of an account."`
		Connectors connectorsCommand `cmd:"" help:"List the authentication connectors of an account."`
		Login      loginCommand      `cmd:"" help:"Test a login as a user or an application, or keep one alive."`
		Users      usersCommand      `cmd:"" help:"List the users of an account."`
		Sign       signCommand       `cmd:"" help:"Print the OAuth 1.0 header of a request, signed with an API key."`
		Converse   converseCommand   `cmd:"" help:"Sign a person in, send a message, and print what the agent sees."`
	} `cmd:"" help:"LiveEngage: connectors, error codes, a simulator, and an API client."`
	People struct {
		Hash peopleHashCommand `cmd:"" help:"Read a password and print its hash."`
	} `cmd:"" help:"Prepare the people file."`
	Doctor doctorCommand `cmd:"" help:"Check a running provider the way LivePerson uses it, and suggest fixes."`
	Token  struct {
		Mint    tokenMintCommand    `cmd:"" help:"Create an ID token without a browser."`
		Inspect tokenInspectCommand `cmd:"" help:"Show how LiveEngage would read a token, and what is wrong with it."`
	} `cmd:"" help:"Create and inspect ID tokens."`
	Conformance conformanceCommand `cmd:"" help:"Run conformance checks and attacks against a running provider."`
	Selftest    selftestCommand    `cmd:"" hidden:"" help:"Old name of idp conformance."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := &process{
		stdin:  os.Stdin,
		stdout: os.Stdout,
		stderr: os.Stderr,
		getenv: os.Getenv,
		now:    time.Now, //nolint:forbidigo // the process clock
	}
	context.AfterFunc(ctx, stop)  // a second signal ends the process at once
	signal.Ignore(syscall.SIGHUP) // the end of a terminal, or a reload; certificates reload by themselves
	code := run(ctx, p, os.Args[1:])
	stop()
	os.Exit(code)
}

// Exit statuses, as the help texts name them.
const (
	exitSuccess = 0
	exitFailure = 1
	exitUsage   = 2
)

// newParser returns the parser of the command line. It calls exit for flags such as
// --help.
func newParser(ctx context.Context, p *process, exit func(code int)) (*kong.Kong, error) {
	return kong.New(&commands{},
		kong.Name("idp"),
		kong.Description("An OpenID Connect identity provider for authenticated chat in LiveEngage.\n\nStart here:  idp dev"),
		kong.Vars{
			"version":      "idp " + currentVersion(),
			"domain_api":   liveengage.DomainAPI,
			"redirect_uri": liveengage.WindowURI,
		},
		kong.Writers(p.stdout, p.stderr),
		kong.Exit(exit),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(p),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
}

// run parses the command line, runs one command and returns the exit status:
// 0 success, 1 failure, 2 usage error.
func run(ctx context.Context, p *process, args []string) int {
	exited := -1
	parser, err := newParser(ctx, p, func(code int) { exited = code })
	if err != nil {
		_, _ = fmt.Fprintln(p.stderr, "idp:", err)
		return exitFailure
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	chosen, err := parser.Parse(args)
	if exited >= 0 { // --help and --version print and exit
		return exited
	}
	if err != nil {
		_, _ = fmt.Fprintf(p.stderr, "idp: %v; see idp --help\n", err)
		return exitUsage
	}
	err = chosen.Run()
	if err == nil {
		return exitSuccess
	}
	if errors.Is(err, errReported) {
		return exitFailure
	}
	_, _ = fmt.Fprintln(p.stderr, "idp:", err)
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	return exitFailure
}
