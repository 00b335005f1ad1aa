package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"idpbridge/internal/robot"
)

// TestScripts runs the scripts in testdata/script, which read as a manual of idp. They
// run it as a program: the test binary is idp when its name is idp (see TestMain).
// Beside the commands of testscript they use:
//
//	exits STATUS COMMAND...    run a command that must end with the exit status
//	start VARIABLE [NAME=VALUE...] COMMAND...
//	                           run a server; once it is ready, set the variable to its URL
//	interrupt VARIABLE         interrupt that server, which must exit with status 0
//	free-address VARIABLE      set the variable to a free host:port of this machine
//	edit FILE OLD NEW          replace a string, which must be in the file, everywhere
//	expand FILE                replace $VARIABLE and ${VARIABLE} in a file
//	capture VARIABLE REGEXP    set the variable to the first group of a match in stdout
//	get STATUS URL             print the body of a response with that status
//	post STATUS URL FIELD=VALUE...
//	                           print the body of the response to a form
//	sign-in URL USER PASSWORD  sign in from an authorization request and print the redirect;
//	                           ! sign-in: the provider shows a page instead
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Values[scriptServersKey{}] = map[string]*scriptServer{}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":        runWithStatus,
			"start":        startScriptServer,
			"interrupt":    interruptScriptServer,
			"free-address": setFreeAddress,
			"edit":         editFile,
			"expand":       expandFile,
			"capture":      captureVariable,
			"get":          getURL,
			"post":         postForm,
			"sign-in":      signInByRobot,
		},
	})
}

func runWithStatus(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// scriptServersKey is the key of a script's servers, by the variable with their URL.
type scriptServersKey struct{}

// scriptServer is a server that a script runs in the background.
type scriptServer struct {
	cmd    *exec.Cmd
	output bytes.Buffer // after done
	done   chan struct{}
}

func startScriptServer(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: start VARIABLE [NAME=VALUE...] COMMAND...")
	}
	variable, args := args[0], args[1:]
	env := os.Environ()
	for _, name := range []string{"HOME", "TMPDIR"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	for len(args) > 0 && strings.Contains(args[0], "=") {
		env, args = append(env, args[0]), args[1:]
	}
	output, writer := io.Pipe()
	server := &scriptServer{done: make(chan struct{})}
	server.cmd = exec.Command(args[0], args[1:]...)
	server.cmd.Env, server.cmd.Dir = env, ts.MkAbs(".")
	server.cmd.Stdout, server.cmd.Stderr = writer, writer
	ts.Check(server.cmd.Start())
	ts.Defer(func() {
		_ = server.cmd.Process.Kill()
		<-server.done
	})
	go func() { _ = writer.CloseWithError(server.cmd.Wait()) }()
	ready := make(chan string, 1)
	go server.readOutput(output, ready)
	select {
	case address := <-ready:
		ts.Setenv(variable, address)
	case <-server.done:
		ts.Fatalf("%s ended before it was ready:\n%s", strings.Join(args, " "), server.output.String())
	}
	ts.Value(scriptServersKey{}).(map[string]*scriptServer)[variable] = server
}

// readyLine is the line in which idp says where it can be reached: that of idp dev and
// of the simulator, or the log of idp serve.
var readyLine = regexp.MustCompile(`ready at (http\S+)|"msg":"serving","issuer":"([^"]+)"`)

// readOutput reads the output to its end, and sends the URL once it is there.
func (s *scriptServer) readOutput(output io.Reader, ready chan<- string) {
	defer close(s.done)
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		_, _ = s.output.WriteString(lines.Text() + "\n")
		if found := readyLine.FindStringSubmatch(lines.Text()); found != nil {
			ready <- found[1] + found[2]
			ready = nil // there is one such line
		}
	}
}

func interruptScriptServer(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: interrupt VARIABLE")
	}
	servers := ts.Value(scriptServersKey{}).(map[string]*scriptServer)
	server, ok := servers[args[0]]
	if !ok {
		ts.Fatalf("no server has set %s", args[0])
	}
	ts.Check(server.cmd.Process.Signal(os.Interrupt))
	<-server.done
	_, err := io.Copy(ts.Stdout(), &server.output)
	ts.Check(err)
	if code := server.cmd.ProcessState.ExitCode(); code != 0 {
		ts.Fatalf("exit status %d", code)
	}
	delete(servers, args[0])
}

func setFreeAddress(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: free-address VARIABLE")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], listener.Addr().String())
	ts.Check(listener.Close())
}

func editFile(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not contain %q", args[0], args[1])
	}
	text = strings.ReplaceAll(text, args[1], args[2])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

func expandFile(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: expand FILE")
	}
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

func captureVariable(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: capture VARIABLE REGEXP")
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	found := pattern.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) < 2 {
		ts.Fatalf("no match for %s", args[1])
	}
	ts.Setenv(args[0], found[1])
}

func getURL(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: get STATUS URL")
	}
	page, err := robot.New(nil).Get(context.Background(), args[1])
	ts.Check(err)
	printPage(ts, args[0], page)
}

func postForm(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: post STATUS URL FIELD=VALUE...")
	}
	form := url.Values{}
	for _, field := range args[2:] {
		name, value, _ := strings.Cut(field, "=")
		form.Add(name, value)
	}
	page, err := robot.New(nil).Post(context.Background(), args[1], form)
	ts.Check(err)
	printPage(ts, args[0], page)
}

// printPage prints the body of a page, which must have the status.
func printPage(ts *testscript.TestScript, status string, page *robot.Page) {
	_, err := io.WriteString(ts.Stdout(), page.Body)
	ts.Check(err)
	if strconv.Itoa(page.Status) != status {
		ts.Fatalf("status %d, want %s", page.Status, status)
	}
}

func signInByRobot(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: sign-in URL USER PASSWORD")
	}
	u, err := url.Parse(args[0])
	ts.Check(err)
	person := robot.Credentials{Username: args[1], Password: args[2]}
	response, err := robot.New(nil).SignIn(context.Background(), args[0], u.Query().Get("redirect_uri"), person)
	if neg && isRefusedSignIn(err) {
		return
	}
	ts.Check(err)
	if neg {
		ts.Fatalf("the sign-in succeeded")
	}
	_, err = fmt.Fprintln(ts.Stdout(), response.Page.Location)
	ts.Check(err)
}

// isRefusedSignIn reports whether the provider showed a page instead of a response to
// the client: an error, or the sign-in page again.
func isRefusedSignIn(err error) bool {
	_, page := errors.AsType[*robot.PageError](err)
	_, rejected := errors.AsType[*robot.LoginRejectedError](err)
	return page || rejected || errors.Is(err, robot.ErrTooManyPages)
}
