// Command idp is an OpenID Connect identity provider that LivePerson's
// LiveEngage trusts as its authentication server.
//
// Read server.go first: it wires the packages together. Each subcommand has a
// file of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// process is what a command may use of the process it runs in.
type process struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	getenv func(string) string
	now    func() time.Time
}

// commands is the command line. Each field's Run is the command.
type commands struct {
	Dev    devCommand   `cmd:"" help:"Run an identity provider with demo people and clients on this machine."`
	Serve  serveCommand `cmd:"" help:"Run the identity provider that a configuration file describes."`
	Init   initCommand  `cmd:"" help:"Write a commented configuration file."`
	Config struct {
		Check configCheckCommand `cmd:"" help:"Check a configuration file and say what is wrong with it."`
	} `cmd:"" help:"Look at a configuration file."`
	Keys struct {
		Show    keysShowCommand    `cmd:"" help:"Show the public key in the forms that LiveEngage takes."`
		List    keysListCommand    `cmd:"" help:"List every published key, and who pins it."`
		Prepare keysPrepareCommand `cmd:"" help:"Publish a key that will sign next."`
		Promote keysPromoteCommand `cmd:"" help:"Let the key that waits sign; the one that signs retires."`
		Retire  keysRetireCommand  `cmd:"" help:"Forget a key that signs no more."`
	} `cmd:"" help:"Look at the signing keys and rotate them."`
	Liveengage struct {
		Connector  connectorCommand  `cmd:"" help:"Print LiveEngage's connector for this provider as JSON."`
		Explain    explainCommand    `cmd:"" help:"Explain an error of LivePerson's side, such as 9007."`
		Simulate   simulateCommand   `cmd:"" help:"Play LivePerson's side against an identity provider: see what the agent sees."`
		Domains    domainsCommand    `cmd:"" help:"Print where the services of an account are."`
		Connectors connectorsCommand `cmd:"" help:"Print the authentication servers of an account."`
		Login      loginCommand      `cmd:"" help:"Log in as a user or an application, and stay logged in."`
		Users      usersCommand      `cmd:"" help:"Print the users of an account."`
		Converse   converseCommand   `cmd:"" help:"Sign a person in, write a line to the brand, and print what the agent sees."`
	} `cmd:"" help:"LiveEngage's side: connectors, error codes, a simulator, and a client of its services."`
	People struct {
		Hash peopleHashCommand `cmd:"" help:"Read a password from standard input and print its hash for the people file."`
	} `cmd:"" help:"Work with the people file."`
	Doctor doctorCommand `cmd:"" help:"Look at a running provider as LivePerson does, and say what to do."`
	Token  struct {
		Mint    tokenMintCommand    `cmd:"" help:"Make a token without a browser."`
		Inspect tokenInspectCommand `cmd:"" help:"Say how LiveEngage would take a token, and what is wrong with it."`
	} `cmd:"" help:"Look at tokens, and make them."`
	Conformance conformanceCommand `cmd:"" help:"Test a running provider, this one or another: conformance and attacks."`
	Selftest    selftestCommand    `cmd:"" hidden:"" help:"Old name of idp conformance."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := &process{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, now: time.Now} //nolint:forbidigo // the process clock
	code := run(ctx, p, os.Args[1:])
	stop()
	os.Exit(code)
}

// run parses the command line and runs one command. It returns the exit status:
// 0 done, 1 could not, 2 used wrongly.
func run(ctx context.Context, p *process, args []string) int {
	var cmds commands
	exited := -1
	parser, err := kong.New(&cmds,
		kong.Name("idp"),
		kong.Description("An OpenID Connect identity provider for authenticated chat in LiveEngage.\n\nStart here:  idp dev"),
		kong.Writers(p.stdout, p.stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(p),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		_, _ = fmt.Fprintln(p.stderr, "idp:", err)
		return 1
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	chosen, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		_, _ = fmt.Fprintf(p.stderr, "idp: %v; see idp --help\n", err)
		return 2
	}
	if err := chosen.Run(); errors.Is(err, errReported) {
		return 1
	} else if err != nil {
		_, _ = fmt.Fprintln(p.stderr, "idp:", err)
		if _, ok := errors.AsType[*usageError](err); ok {
			return 2
		}
		return 1
	}
	return 0
}

// usageError is a command that was called wrongly.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

type versionCommand struct{}

// Run prints the version that the binary was built from.
func (versionCommand) Run(p *process) error {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	_, err := fmt.Fprintln(p.stdout, "idp", version)
	return err
}
