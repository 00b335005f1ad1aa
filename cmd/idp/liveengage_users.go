package main

import (
	"context"
	"log/slog"

	"idpbridge/liveengage/api"
)

type usersCommand struct {
	serviceFlags
	loginFlags
	Account string `required:"" help:"Number of the LivePerson account." placeholder:"ACCOUNT"`
}

// Help is printed above the flags.
func (usersCommand) Help() string {
	return `For example:

    printf %s 'the password' | idp liveengage users --live --account 12345678 --user ann
    idp liveengage users --live --account 12345678 --key key.json

A key without --user signs the request itself (OAuth 1.0); with --user, the command
logs in as that bot user.`
}

// Run prints the users of the account.
func (u usersCommand) Run(ctx context.Context, p *process) error {
	if !u.isSet() {
		return usageErrorf("users: the list needs a login: --user NAME or --key FILE")
	}
	client, err := u.newClient(p, u.Account, slog.LevelWarn, api.RetryThreeTimes)
	if err != nil {
		return err
	}
	authorizer, done, err := u.authorizeCalls(ctx, p, client)
	if err != nil {
		return addLoginHint(err)
	}
	defer done()
	users, err := client.Users(ctx, authorizer)
	if err != nil {
		return err
	}
	if u.JSON {
		return printJSON(p.stdout, users)
	}
	rows := [][]string{{"ID", "LOGIN", "NAME", "EMAIL", "STATUS"}}
	for _, user := range users {
		status := textIf(user.Deleted, "deleted") + textIf(!user.Enabled && !user.Deleted, "disabled")
		rows = append(rows, []string{user.ID.String(), user.LoginName, user.FullName, user.Email, status})
	}
	return printTable(p.stdout, rows)
}
