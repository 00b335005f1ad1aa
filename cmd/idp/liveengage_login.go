package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"idpbridge/liveengage/api"
)

type loginCommand struct {
	serviceFlags
	loginFlags
	Account    string `required:"" help:"Number of the LivePerson account." placeholder:"ACCOUNT"`
	KeepAlive  bool   `help:"Keep the session alive by a refresh every 5 minutes until interrupted."`
	ShowBearer bool   `help:"Print the bearer, and leave the session open."`
}

// Help is shown below the flags.
func (loginCommand) Help() string {
	return `For example:

    printf %s 'the password' | idp liveengage login --live --account 12345678 --user ann
    idp liveengage login --live --account 12345678 --user bot --key key.json --keep-alive

Without --keep-alive and --show-bearer the session is logged out at once: the
command then tells whether the login works.`
}

// loginReport is what --json prints.
type loginReport struct {
	Account string `json:"account"`
	User    string `json:"user,omitempty"`
	TTL     int    `json:"session_ttl_seconds"`
	Bearer  string `json:"bearer,omitempty"`
}

// Run logs in, and stays logged in if asked.
func (l loginCommand) Run(ctx context.Context, p *process) error {
	if !l.isSet() {
		return &usageError{"log in as whom? --user NAME, or --key FILE with --user BOT"}
	}
	persistence, level := api.RetryThreeTimes, slog.LevelWarn
	if l.KeepAlive {
		persistence, level = api.RetryForever, slog.LevelInfo
	}
	c, err := l.newClient(p, l.Account, level, persistence)
	if err != nil {
		return err
	}
	session, err := l.openSession(ctx, p, c)
	if err != nil {
		return addLoginHint(err)
	}
	if !l.ShowBearer || l.KeepAlive {
		defer closeSession(ctx, session)
	}
	report := loginReport{Account: l.Account, User: l.User, TTL: int(session.TTL().Seconds())}
	if l.ShowBearer {
		report.Bearer = session.Bearer()
	}
	if err := l.printReport(p, report); err != nil || !l.KeepAlive {
		return err
	}
	return addLoginHint(session.KeepAlive(ctx))
}

func (l loginCommand) printReport(p *process, r loginReport) error {
	if l.JSON {
		return printJSON(p.stdout, r)
	}
	rows := [][]string{{"account", r.Account}, {"logged in as", r.User}, {"ends without a refresh after", formatLifetime(r.TTL)}}
	if r.Bearer != "" {
		rows = append(rows, []string{"bearer", r.Bearer})
	}
	return printTable(p.stdout, rows)
}

func formatLifetime(seconds int) string {
	if seconds == 0 {
		return "(not told)"
	}
	return fmt.Sprintf("%d minutes", seconds/60)
}

// hintedError is an error with what to do about it.
type hintedError struct {
	err  error
	hint string
}

func (h *hintedError) Error() string { return strings.TrimRight(h.err.Error(), ". ") + "; " + h.hint }
func (h *hintedError) Unwrap() error { return h.err }

// addLoginHint adds what to do to an error that a person can mend. Whether a login was
// refused, or the Domain API that has to be asked before it, says the error.
func addLoginHint(err error) error {
	e, ok := errors.AsType[*api.Error](err)
	switch {
	case ok && e.Service == "domains" && e.Status < http.StatusInternalServerError && e.Status != http.StatusTooManyRequests:
		return &hintedError{err, "the Domain API refuses before any login: check --account and --domains"}
	case errors.Is(err, api.ErrBadCredentials):
		return &hintedError{err, "check name and password, or the four values of the key. It is not tried again"}
	case errors.Is(err, api.ErrBadRequest):
		return &hintedError{err, `application login needs --user with a bot user, and the feature "User Type - Bot"`}
	}
	return err
}
