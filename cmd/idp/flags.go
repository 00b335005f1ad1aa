package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"golang.org/x/term"

	"idpbridge/internal/netaddr"
)

// usageError is the error of a command that was called with wrong arguments. The
// exit status is then exitUsage.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// usageErrorf returns a usageError with a formatted message.
func usageErrorf(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// checkLoopback returns an error unless the address of a simulator's flag is on
// the loopback interface.
func checkLoopback(flag, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return usageErrorf("%s %s: want host:port", flag, address)
	}
	if !netaddr.IsLoopbackIP(host) {
		return fmt.Errorf("%s %s: the simulator lets anyone in, so it listens only on a loopback address; use 127.0.0.1",
			flag, address)
	}
	return nil
}

// isAccountNumber reports whether s can be the number of a LivePerson account: 1 to
// 20 digits.
func isAccountNumber(s string) bool {
	return s != "" && len(s) <= 20 && strings.Trim(s, "0123456789") == ""
}

// readPassword returns the environment variable of that name, or else the first line
// of standard input. It never waits at a terminal.
func readPassword(p *process, variable string) (string, error) {
	password := p.getenv(variable)
	if password == "" && !isTerminal(p.stdin) {
		var err error
		if password, err = readFirstLine(p.stdin); err != nil {
			return "", fmt.Errorf("read standard input: %w", err)
		}
	}
	if password == "" {
		return "", usageErrorf("%s is not set, and standard input has no password", variable)
	}
	return password, nil
}

// readFirstLine returns the first line without its line end. It reads at most 4 kB.
func readFirstLine(in io.Reader) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(in, 4096))
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

// isTerminal reports whether a person types the input.
func isTerminal(in io.Reader) bool {
	f, ok := in.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// promptPassword asks at a terminal for a password, twice, and does not show it. It
// restores the terminal if the context ends.
func promptPassword(ctx context.Context, terminal *os.File, prompts io.Writer) (string, error) {
	fd := int(terminal.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	type result struct {
		password string
		err      error
	}
	done := make(chan result, 1)
	go func() {
		password, err := readPasswordTwice(fd, prompts)
		done <- result{password, err}
	}()
	select {
	case r := <-done:
		return r.password, r.err
	case <-ctx.Done():
		_, _ = fmt.Fprintln(prompts)
		return "", errors.Join(ctx.Err(), term.Restore(fd, before))
	}
}

func readPasswordTwice(fd int, prompts io.Writer) (string, error) {
	var typed [2]string
	for i, prompt := range []string{"Password: ", "Repeat it: "} {
		_, _ = fmt.Fprint(prompts, prompt)
		password, err := term.ReadPassword(fd)
		_, _ = fmt.Fprintln(prompts)
		if err != nil {
			return "", err
		}
		typed[i] = string(password)
	}
	if typed[0] != typed[1] {
		return "", errors.New("the two passwords differ; try again")
	}
	return typed[0], nil
}
