package main

import (
	"context"
	"log/slog"

	"idpbridge/liveengage/api"
)

type connectorsCommand struct {
	serviceFlags
	Account string `arg:"" help:"Number of the LivePerson account."`
}

// Help is shown below the flags.
func (connectorsCommand) Help() string {
	return `The list is public: LivePerson shows it to anybody, without the client secrets.

    idp liveengage connectors 12345678 --live`
}

// Run prints the account's authentication servers.
func (k connectorsCommand) Run(ctx context.Context, p *process) error {
	c, err := k.newClient(p, k.Account, slog.LevelWarn, api.RetryThreeTimes)
	if err != nil {
		return err
	}
	all, err := c.Connectors(ctx)
	if err != nil {
		return err
	}
	if k.JSON {
		return printJSON(p.stdout, all)
	}
	rows := [][]string{{"ID", "NAME", "FLOW", "PKCE", "ISSUER", "CLIENT", "KEY", ""}}
	for _, one := range all {
		to := one.Configuration
		rows = append(rows, []string{
			one.ID.String(), one.Name, string(one.Flow()), textIf(to.PKCEEnabled, "yes"), to.Issuer, to.ClientID, string(to.JWTValidationType),
			textIf(one.Deleted, "deleted") + textIf(to.Preferred && !one.Deleted, "preferred"),
		})
	}
	return printTable(p.stdout, rows)
}
