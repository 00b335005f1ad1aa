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

// Help is printed above the flags.
func (connectorsCommand) Help() string {
	return `LivePerson publishes this list, without client secrets, to anyone.

For example:

    idp liveengage connectors 12345678 --live`
}

// Run prints the account's authentication connectors.
func (c connectorsCommand) Run(ctx context.Context, p *process) error {
	client, err := c.newClient(p, c.Account, slog.LevelWarn, api.RetryThreeTimes)
	if err != nil {
		return err
	}
	connectors, err := client.Connectors(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(p.stdout, connectors)
	}
	rows := [][]string{{"ID", "NAME", "FLOW", "PKCE", "ISSUER", "CLIENT", "KEY", "STATUS"}}
	for _, connector := range connectors {
		settings := connector.Configuration
		status := textIf(connector.Deleted, "deleted") + textIf(settings.Preferred && !connector.Deleted, "preferred")
		rows = append(rows, []string{
			connector.ID.String(),
			connector.Name,
			string(connector.Flow()),
			textIf(settings.PKCEEnabled, "yes"),
			settings.Issuer,
			settings.ClientID,
			string(settings.JWTValidationType),
			status,
		})
	}
	return printTable(p.stdout, rows)
}
