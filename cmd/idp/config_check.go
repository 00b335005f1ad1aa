package main

import (
	"fmt"

	"idpbridge/config"
)

type configCheckCommand struct {
	File string `arg:"" optional:"" default:"idp.yaml" help:"Configuration file." type:"path"`
}

// Run reads the configuration and its files as serve does, and starts nothing.
func (c configCheckCommand) Run(p *process) error {
	cfg, err := config.LoadInstallation(c.File, p.getenv, p.now())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s is valid: issuer %s, clients: %d, people: %d.\n",
		c.File, cfg.Issuer, len(cfg.Clients), len(cfg.People))
	return err
}
