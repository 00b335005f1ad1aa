package main

import (
	"context"
	"log/slog"

	"idpbridge/liveengage/api"
)

type domainsCommand struct {
	serviceFlags
	Account string `arg:"" help:"Number of the LivePerson account."`
	Service string `help:"Ask for this service alone; the case of letters counts." placeholder:"NAME"`
}

// Help is shown below the flags.
func (domainsCommand) Help() string {
	return `For example:

    idp liveengage domains 12345678 --live
    idp liveengage domains 12345678 --domains http://127.0.0.1:8090 --service idp`
}

// Run prints where the account's services are.
func (d domainsCommand) Run(ctx context.Context, p *process) error {
	c, err := d.newClient(p, d.Account, slog.LevelWarn, api.RetryThreeTimes)
	if err != nil {
		return err
	}
	var all []api.Domain
	if d.Service != "" {
		one, err := c.Domain(ctx, d.Service)
		if err != nil {
			return err
		}
		all = append(all, one)
	} else if all, err = c.Domains(ctx); err != nil {
		return err
	}
	if d.JSON {
		return printJSON(p.stdout, all)
	}
	rows := make([][]string, 0, len(all))
	for _, one := range all {
		rows = append(rows, []string{one.Service, one.BaseURI})
	}
	return printTable(p.stdout, rows)
}
