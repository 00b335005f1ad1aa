package main

import (
	"context"
	"log/slog"

	"idpbridge/liveengage/api"
)

type domainsCommand struct {
	serviceFlags
	Account string `arg:"" help:"Number of the LivePerson account."`
	Service string `help:"Only this service; case-sensitive." placeholder:"NAME"`
}

// Help is printed above the flags.
func (domainsCommand) Help() string {
	return `For example:

    idp liveengage domains 12345678 --live
    idp liveengage domains 12345678 --domains http://127.0.0.1:8090 --service idp`
}

// Run prints the domain of each of the account's services.
func (d domainsCommand) Run(ctx context.Context, p *process) error {
	client, err := d.newClient(p, d.Account, slog.LevelWarn, api.RetryThreeTimes)
	if err != nil {
		return err
	}
	domains, err := d.fetchDomains(ctx, client)
	if err != nil {
		return err
	}
	if d.JSON {
		return printJSON(p.stdout, domains)
	}
	rows := make([][]string, 0, len(domains))
	for _, domain := range domains {
		rows = append(rows, []string{domain.Service, domain.BaseURI})
	}
	return printTable(p.stdout, rows)
}

// fetchDomains asks for all services, or for the one of --service.
func (d domainsCommand) fetchDomains(ctx context.Context, client *api.Client) ([]api.Domain, error) {
	if d.Service == "" {
		return client.Domains(ctx)
	}
	domain, err := client.Domain(ctx, d.Service)
	if err != nil {
		return nil, err
	}
	return []api.Domain{domain}, nil
}
