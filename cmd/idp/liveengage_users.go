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

// Help is shown below the flags.
func (usersCommand) Help() string {
	return `For example:

    printf %s 'the password' | idp liveengage users --live --account 12345678 --user ann
    idp liveengage users --live --account 12345678 --key key.json

A key without --user signs the request itself (OAuth 1.0); with --user it logs in
as that bot user.`
}

// Run prints who may log in to the account.
func (u usersCommand) Run(ctx context.Context, p *process) error {
	if !u.isSet() {
		return &usageError{"the list of users wants a login: --user NAME or --key FILE"}
	}
	c, err := u.newClient(p, u.Account, slog.LevelWarn, api.RetryThreeTimes)
	if err != nil {
		return err
	}
	as, done, err := u.authorizeCalls(ctx, p, c)
	if err != nil {
		return addLoginHint(err)
	}
	defer done()
	all, err := c.Users(ctx, as)
	if err != nil {
		return err
	}
	if u.JSON {
		return printJSON(p.stdout, all)
	}
	rows := [][]string{{"ID", "LOGIN", "NAME", "EMAIL", ""}}
	for _, one := range all {
		rows = append(rows, []string{one.ID.String(), one.LoginName, one.FullName, one.Email, textIf(one.Deleted, "deleted") + textIf(!one.Enabled && !one.Deleted, "disabled")})
	}
	return printTable(p.stdout, rows)
}
