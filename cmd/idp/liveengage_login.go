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
	KeepAlive  bool   `help:"Refresh the session every 5 minutes until interrupted."`
	ShowBearer bool   `help:"Print the bearer token and leave the session open."`
}

// Help is printed above the flags.
func (loginCommand) Help() string {
	return `For example:

    printf %s 'the password' | idp liveengage login --live --account 12345678 --user ann
    idp liveengage login --live --account 12345678 --user bot --key key.json --keep-alive

Without --keep-alive and --show-bearer, the command logs out at once: it only tests
the login.`
}

// loginReport is what --json prints.
type loginReport struct {
	Account string `json:"account"`
	User    string `json:"user,omitempty"`
	TTL     int    `json:"session_ttl_seconds"`
	Bearer  string `json:"bearer,omitempty"`
}

// Run logs in, and keeps the session alive if --keep-alive is set.
func (l loginCommand) Run(ctx context.Context, p *process) error {
	if !l.isSet() {
		return usageErrorf("login: name who logs in: --user NAME, or --key FILE with --user BOT")
	}
	retry, level := api.RetryThreeTimes, slog.LevelWarn
	if l.KeepAlive {
		retry, level = api.RetryForever, slog.LevelInfo
	}
	client, err := l.newClient(p, l.Account, level, retry)
	if err != nil {
		return err
	}
	session, err := l.openSession(ctx, p, client)
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

func (l loginCommand) printReport(p *process, report loginReport) error {
	if l.JSON {
		return printJSON(p.stdout, report)
	}
	rows := [][]string{
		{"account", report.Account},
		{"logged in as", report.User},
		{"expires without a refresh after", formatMinutes(report.TTL)},
	}
	if report.Bearer != "" {
		rows = append(rows, []string{"bearer", report.Bearer})
	}
	return printTable(p.stdout, rows)
}

func formatMinutes(seconds int) string {
	if seconds == 0 {
		return "(unknown)"
	}
	return fmt.Sprintf("%d minutes", seconds/60)
}

// hintedError is an error with a hint how to fix it.
type hintedError struct {
	err  error
	hint string
}

func (h *hintedError) Error() string { return strings.TrimRight(h.err.Error(), ". ") + "; " + h.hint }
func (h *hintedError) Unwrap() error { return h.err }

// addLoginHint adds how to fix a failed login. The Domain API, which is called first,
// may have failed instead.
func addLoginHint(err error) error {
	if e, ok := errors.AsType[*api.Error](err); ok && e.Service == "domains" &&
		e.Status < http.StatusInternalServerError && e.Status != http.StatusTooManyRequests {
		return &hintedError{err, "the Domain API rejected the request before the login; check --account and --domains"}
	}
	if errors.Is(err, api.ErrBadCredentials) {
		return &hintedError{err, "check the user name and password, or the four values of the key; the login is not retried"}
	}
	if errors.Is(err, api.ErrBadRequest) {
		return &hintedError{err, `application login needs a bot user in --user, and the feature "User Type - Bot"`}
	}
	return err
}
